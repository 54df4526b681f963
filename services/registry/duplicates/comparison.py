"""What two files have in common, and what that weighs. Pure; the same for both orders of the two."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from services.registry.duplicates.names import Spoken
from services.registry.duplicates.rule import RULE, Rule
from shared.contracts.values import Likeness, Sex


@dataclass(frozen=True)
class Particulars:
    """What a file, or somebody who is about to open one, says of a child. None and empty: nothing is said.

    ``born`` is the date, or ``birth_month`` (YYYY-MM) where no more is known. ``place`` leads from the root of the
    division tree to the village. ``number`` is a normalised citizen number.
    """

    name: str
    born: date | None = None
    birth_month: str | None = None
    sex: Sex = Sex.UNKNOWN
    place: tuple[str, ...] = ()
    number: str | None = None
    father: str | None = None
    mother: str | None = None
    head: str | None = None
    phones: frozenset[str] = frozenset()
    household: str | None = None

    @cached_property
    def called(self) -> Spoken:
        return Spoken(self.name)

    @cached_property
    def kin(self) -> Mapping[Likeness, str]:
        """The names of the grown-ups as they sound: they are written down by ear."""
        told = {Likeness.FATHER_EQUAL: self.father, Likeness.MOTHER_EQUAL: self.mother, Likeness.HEAD_EQUAL: self.head}
        return {equal: Spoken(name).worn for equal, name in told.items() if name}

    @cached_property
    def lines(self) -> frozenset[str]:
        """The phones as they are dialled within China."""
        digits = ("".join(filter(str.isdigit, unicodedata.normalize("NFKC", phone))) for phone in self.phones)
        return frozenset(one.removeprefix("86") if len(one) > 12 else one for one in digits if one)

    @property
    def month(self) -> str | None:
        return self.born.isoformat()[:7] if self.born else self.birth_month


class Comparison(NamedTuple):
    """``reasons`` are all likenesses found, those that speak against it too; ``score`` is the sum of their weights."""

    score: int
    rule: str
    reasons: tuple[Likeness, ...]
    alike: bool


Look = Callable[[Particulars, Particulars], Likeness | None]
"""One thing that is compared; None where one of the two says nothing of it."""


def compare(one: Particulars, other: Particulars, rule: Rule = RULE) -> Comparison:
    """``alike`` when the rule suspects the two of being one child."""
    reasons = tuple(found for look in _LOOKS if (found := look(one, other)) is not None)
    score = sum(rule.weights[reason] for reason in reasons)
    return Comparison(score, rule.version, reasons, score >= rule.threshold)


def _number(one: Particulars, other: Particulars) -> Likeness | None:
    a, b = one.number, other.number
    if not a or not b:
        return None
    if a == b:
        return Likeness.NUMBER_EQUAL
    if a[:14] == b[:14]:
        # So are the numbers of twins, and one that was typed wrong near its end: the name tells which.
        return Likeness.NUMBER_OTHER_SERIAL
    return Likeness.NUMBER_NEARLY_EQUAL if _nearly_equal(a[:17], b[:17]) else Likeness.NUMBER_DIFFERS


def _nearly_equal(a: str, b: str) -> bool:
    """One or two digits off, or two neighbours changed; the check character follows the digits and does not count."""
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) <= 2


def _name(one: Particulars, other: Particulars) -> Likeness:
    a, b = one.called, other.called
    for form, likeness in _FORMS_OF_A_NAME:
        if form(a) == form(b):
            return likeness
    if a.calls(b) or b.calls(a):
        return Likeness.NAME_NICKNAME
    if a.is_part_of(b) or b.is_part_of(a):
        return Likeness.NAME_PART
    if a.surname.sound == b.surname.sound:
        return Likeness.GIVEN_NAME_DIFFERS
    same_given = len(a.given.text) >= 2 and a.given.sound == b.given.sound
    return Likeness.SURNAME_DIFFERS if same_given else Likeness.NAME_DIFFERS


_FORMS_OF_A_NAME: Final[tuple[tuple[Callable[[Spoken], str], Likeness], ...]] = (
    (lambda name: name.text, Likeness.NAME_EQUAL),
    (lambda name: name.folded, Likeness.NAME_VARIANT),
    (lambda name: name.sound, Likeness.NAME_SOUND),
    (lambda name: name.worn, Likeness.NAME_NEAR_SOUND),
)


def _birth(one: Particulars, other: Particulars) -> Likeness | None:
    if one.born is None or other.born is None:
        if one.month is None or other.month is None:
            return None
        return Likeness.BIRTH_MONTH_EQUAL if one.month == other.month else Likeness.BIRTH_DATE_DIFFERS
    a, b = one.born, other.born
    if a == b:
        return Likeness.BIRTH_DATE_EQUAL
    if (a.year, a.month, a.day) == (b.year, b.day, b.month):
        return Likeness.BIRTH_DATE_SWAPPED
    if sum(x != y for x, y in zip(f"{a:%Y%m%d}", f"{b:%Y%m%d}", strict=False)) == 1:
        return Likeness.BIRTH_DATE_ONE_DIGIT
    return Likeness.BIRTH_MONTH_EQUAL if one.month == other.month else Likeness.BIRTH_DATE_DIFFERS


def _sex(one: Particulars, other: Particulars) -> Likeness | None:
    told = (Sex.MALE, Sex.FEMALE)
    if one.sex not in told or other.sex not in told:
        return None
    return Likeness.SEX_EQUAL if one.sex == other.sex else Likeness.SEX_DIFFERS


def _place(one: Particulars, other: Particulars) -> Likeness | None:
    if not one.place or not other.place:
        return None
    if one.place == other.place:
        return Likeness.VILLAGE_EQUAL
    return Likeness.TOWNSHIP_EQUAL if one.place[:-1] == other.place[:-1] else Likeness.PLACE_DIFFERS


def _kin(equal: Likeness, differs: Likeness) -> Look:
    def look(one: Particulars, other: Particulars) -> Likeness | None:
        a, b = one.kin.get(equal), other.kin.get(equal)
        if a is None or b is None:
            return None
        return equal if a == b else differs

    return look


def _phone(one: Particulars, other: Particulars) -> Likeness | None:
    return Likeness.PHONE_EQUAL if one.lines & other.lines else None


def _household(one: Particulars, other: Particulars) -> Likeness | None:
    """Whoever registers two children for one household has both before their eyes."""
    return Likeness.SAME_HOUSEHOLD if one.household and one.household == other.household else None


_LOOKS: Final[tuple[Look, ...]] = (
    _number,
    _name,
    _birth,
    _sex,
    _place,
    _kin(Likeness.FATHER_EQUAL, Likeness.FATHER_DIFFERS),
    _kin(Likeness.MOTHER_EQUAL, Likeness.MOTHER_DIFFERS),
    _kin(Likeness.HEAD_EQUAL, Likeness.HEAD_DIFFERS),
    _phone,
    _household,
)
