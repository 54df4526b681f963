"""The citizen number of GB 11643: 17 digits and a check character. It is optional, and never a key (domain 3.0)."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import ClassVar, Final

from shared.contracts.refusal import Refusal
from shared.contracts.values import CitizenNumberStatus, Sex

_CHECK: Final = "10X98765432"
_PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83}
)
"""GB/T 2260, and 81 to 83 of residence permits. The county beyond them may long have lost its code."""

_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+?1[67]")


class CitizenNumberInvalid(Refusal):
    """The citizen number is not a valid number of GB 11643."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Copy it again from the document; leave it out when there is none."


class CitizenNumberDamaged(CitizenNumberInvalid):
    """The citizen number has lost its last digits: a spreadsheet keeps only fifteen of a number."""

    what_to_do: ClassVar[str] = "Copy it again from the document into a cell that is formatted as text."


class CitizenNumberContradictsItsStatus(Refusal):
    """citizen_number_status: a number is given where its status is present, and nowhere else."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give the number with the status present, or leave it out."


def fitting(text: str | None, status: CitizenNumberStatus | None, today: date) -> str | None:
    """The number as it is stored, where its status allows one.

    Raises CitizenNumberInvalid, CitizenNumberContradictsItsStatus.
    """
    if status is not None and (text is not None) != (status is CitizenNumberStatus.PRESENT):
        raise CitizenNumberContradictsItsStatus
    return None if text is None else normalised(text, today)


def normalised(text: str, today: date) -> str:
    """The number with half-width digits and a capital X. Raises CitizenNumberInvalid: it names the rule only."""
    number = unicodedata.normalize("NFKC", text).strip().upper()
    if _SCIENTIFIC.fullmatch(number):
        raise CitizenNumberDamaged("citizen_number: the last digits were lost in Excel")
    if len(number) == 15 and _digits(number):
        raise CitizenNumberInvalid("citizen_number: 15-digit numbers ended in 2013; the present one has 18 characters")
    if len(number) != 18 or not _digits(number[:17]) or number[17] not in _CHECK:
        raise CitizenNumberInvalid("citizen_number: 17 digits and a digit or X are needed")
    if int(number[:2]) not in _PROVINCES:
        raise CitizenNumberInvalid("citizen_number: the first two digits are no province")
    if birth_date(number) > today:
        raise CitizenNumberInvalid("citizen_number: the birth date lies in the future")
    if check_character(number[:17]) != number[17]:
        if ends_in_zeros(number):
            raise CitizenNumberDamaged("citizen_number: the last digits were lost in Excel")
        raise CitizenNumberInvalid("citizen_number: the check character is wrong")
    return number


def _digits(text: str) -> bool:
    """Those of other scripts are digits to Python, but not to ``int`` nor to GB 11643."""
    return text.isascii() and text.isdigit()


def check_character(digits: str) -> str:
    """The 18th character for 17 digits; the weight of digit i from the left is 2**(17-i) mod 11, i = 0..16."""
    return _CHECK[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(digits)) % 11]


def ends_in_zeros(number: str) -> bool:
    """As a number that went through Excel; with a right check character it may be genuine."""
    return number.endswith("000")


def birth_date(number: str) -> date:
    """Raises CitizenNumberInvalid when digits 7 to 14 are no date."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise CitizenNumberInvalid("citizen_number: digits 7 to 14 are no date") from None


def sex(number: str) -> Sex:
    """Digit 17: odd is male, even is female."""
    return Sex.MALE if int(number[16]) % 2 else Sex.FEMALE
