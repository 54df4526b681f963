"""One row, read by the keys of its ledger's columns: each question notes what it finds, and answers what is meant.

An answer is None where the cell is empty or was rejected; a row with a rejection gives no commands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple, TypeVar

from services.registry.domain.citizen_number import check_character
from services.registry.imports import wording
from services.registry.imports.cell import Fault, Formula, Number, plain
from services.registry.imports.finding import REJECTED, Finding, verdict_of
from services.registry.imports.place import Places
from shared.contracts.values import Sex

V = TypeVar("V")

_NOTHING: Final = frozenset({"", "/", "\\", "-", "--", "—", "——", "无", "暂无", "没有", "N/A", "n/a", "、"})
"""How people write that there is nothing to write."""
_POWERS: Final = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_WHOLE: Final = re.compile(r"\d{17}[\dX]")
_PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83}
)
"""The first two digits of GB/T 2260, and those of residence permits (domain 3.0, citizen number, point 4)."""
_SEXES: Final = {
    "男": Sex.MALE, "1": Sex.MALE, "男性": Sex.MALE,
    "女": Sex.FEMALE, "2": Sex.FEMALE, "女性": Sex.FEMALE,
    "0": Sex.UNKNOWN, "未知": Sex.UNKNOWN, "9": Sex.NOT_STATED, "未说明": Sex.NOT_STATED,
}  # fmt: skip
_YES: Final = {"是": True, "有": True, "√": True, "✓": True, "1": True, "否": False, "×": False, "0": False}
_OLDEST: Final = timedelta(days=366 * 130)


class Told(NamedTuple):
    """A cell with the name its column goes by."""

    column: str
    cell: str


class Entry:
    """``told`` holds the cells that the row has, by column key; ``keeping`` are the divisions below which its sender
    may keep files."""

    def __init__(self, told: Mapping[str, Told], places: Places, today: date, keeping: Collection[str] = ()) -> None:
        self.findings: list[Finding] = []
        self.places = places
        self.today = today
        self._keeping = keeping
        self._told = told
        for key, (_, cell) in told.items():
            if isinstance(cell, Formula | Fault):
                self.note("formula" if isinstance(cell, Formula) else "error_value", key)

    @property
    def rejected(self) -> bool:
        return verdict_of(self.findings) is REJECTED

    def note(self, code: str, key: str) -> None:
        self.findings.append(Finding(code, self._told[key].column if key in self._told else key))

    def keeps(self, village: str) -> bool:
        """Whether the sender may record there what only a keeper of files may."""
        return self.places.lies_below(village, self._keeping)

    def cell(self, key: str) -> str:
        """As it stands there; empty where it says that there is nothing, or was rejected as a whole."""
        if key not in self._told:
            return ""
        cell = self._told[key].cell
        if isinstance(cell, Formula | Fault) or cell in _NOTHING:
            return ""
        return plain(cell) if cell.startswith("'") else cell

    def needed(self, key: str, column: str) -> str:
        """``column`` is how to call it where the file has no such column."""
        cell = self.cell(key)
        if not cell and not any(finding.column == self._column(key, column) for finding in self.findings):
            self.findings.append(Finding("required", self._column(key, column)))
        return cell

    def text(self, key: str, longest: int = 200) -> str | None:
        found = self.cell(key)
        if len(found) > longest:
            self.note("too_long", key)
            return None
        return found or None

    def name(self, key: str) -> str | None:
        cell = self.cell(key)
        found = wording.name(cell) if cell else None
        if cell and found is None:
            self.note("name_unreadable", key)
        return found

    def phone(self, key: str) -> str | None:
        """The first of several."""
        numbers = wording.parts(self.cell(key))
        found = wording.phone(numbers[0]) if numbers else None
        if numbers and found is None:
            self.note("phone_unreadable", key)
        return found

    def day(self, key: str) -> date | None:
        cell = self.cell(key)
        found = wording.day(cell) if cell else None
        if cell and (found is None or found < self.today - _OLDEST):
            self.note("date_unreadable", key)
            return None
        if found and found > self.today:
            self.note("date_in_future", key)
            return None
        return found

    def choice(self, key: str, choices: Mapping[str, V]) -> V | None:
        cell = wording.tight(self.cell(key))
        if cell and cell not in choices:
            self.note("code_unknown", key)
        return choices.get(cell)

    def yes(self, key: str) -> bool | None:
        return self.choice(key, _YES)

    def sex(self, key: str, number: str | None) -> Sex:
        """As told; by digit 17 of the number where nothing is told."""
        by_number = None if number is None else Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
        told = self.choice(key, _SEXES)
        if told in (Sex.MALE, Sex.FEMALE) and by_number not in (None, told):
            self.note("sex_differs", key)
        return told or by_number or Sex.UNKNOWN

    def birth_date(self, key: str, column: str, number: str | None) -> date | None:
        """As told; by digits 7 to 14 of the number where nothing is told."""
        by_number = wording.day(number[6:14]) if number else None
        if number and not self.cell(key) and not isinstance(self._raw(key), Formula | Fault):
            self.findings.append(Finding("birth_date_from_number", self._column(key, column)))
            return by_number
        told = self.day(key) if self.needed(key, column) else None
        if told and by_number and told != by_number:
            self.note("birth_date_differs", key)
        return told

    def citizen_number(self, key: str) -> str | None:
        """By the rules of GB 11643; what Excel has destroyed is told apart from what was mistyped (domain 3.0)."""
        cell = self.cell(key)
        number = wording.tight(cell.lstrip("'‘’`")).upper()
        if not number:
            return None
        if isinstance(cell, Number) or _POWERS.fullmatch(number):
            self.note("digits_lost", key)
            return None
        if fault := self._fault_of(number):
            self.note(fault, key)
            return None
        if number.endswith("000"):
            self.note("number_ends_in_zeros", key)
        return number

    def _fault_of(self, number: str) -> str | None:
        if len(number) == 15 and number.isascii() and number.isdigit():
            return "number_of_15_digits"
        if not number.isascii() or not _WHOLE.fullmatch(number):
            return "number_malformed"
        if int(number[:2]) not in _PROVINCES:
            return "number_province_unknown"
        if check_character(number[:17]) != number[17]:
            return "digits_lost" if number.endswith("000") else "number_check_wrong"
        born = wording.day(number[6:14])
        return "number_date_wrong" if born is None or born > self.today else None

    def village(self, county: str, township: str, village: str) -> str | None:
        """By three columns, of which the first two may be missing."""
        cell = self.needed(village, "村")
        return self._one_village(self.places.village(self.cell(county), self.cell(township), cell), village, cell)

    def village_of_address(self, key: str, column: str) -> str | None:
        cell = self.needed(key, column)
        return self._one_village(self.places.in_text(cell), key, cell)

    def _one_village(self, found: list[str], key: str, cell: str) -> str | None:
        if cell and len(found) != 1:
            self.note("place_ambiguous" if found else "place_unknown", key)
        return found[0] if len(found) == 1 else None

    def _raw(self, key: str) -> str:
        return self._told[key].cell if key in self._told else ""

    def _column(self, key: str, column: str) -> str:
        return self._told[key].column if key in self._told else column
