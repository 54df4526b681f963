"""The citizen number of GB 11643: 17 digits and a check character. It is optional, and never a key (domain 3.0)."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import ClassVar, Final

from shared.contracts.refusal import Refusal

_CHECK: Final = "10X98765432"


class CitizenNumberInvalid(Refusal):
    """The citizen number is not a valid number of GB 11643."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Copy it again from the document; leave it out when there is none."


def normalised(text: str, today: date) -> str:
    """The number with half-width digits and a capital X. Raises CitizenNumberInvalid: it names the rule only."""
    number = unicodedata.normalize("NFKC", text).strip().upper()
    if len(number) == 15 and _digits(number):
        raise CitizenNumberInvalid("citizen_number: 15-digit numbers ended in 2013; the present one has 18 characters")
    if len(number) != 18 or not _digits(number[:17]) or number[17] not in _CHECK:
        raise CitizenNumberInvalid("citizen_number: 17 digits and a digit or X are needed")
    _check_birth_date(number, today)
    if check_character(number[:17]) != number[17]:
        raise CitizenNumberInvalid("citizen_number: the check character is wrong")
    return number


def _digits(text: str) -> bool:
    """Those of other scripts are digits to Python, but not to ``int`` nor to GB 11643."""
    return text.isascii() and text.isdigit()


def check_character(digits: str) -> str:
    """The 18th character for 17 digits; the weight of digit i from the left is 2**(17-i) mod 11, i = 0..16."""
    return _CHECK[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(digits)) % 11]


def _check_birth_date(number: str, today: date) -> None:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise CitizenNumberInvalid("citizen_number: digits 7 to 14 are no date") from None
    if born > today:
        raise CitizenNumberInvalid("citizen_number: the birth date lies in the future")
