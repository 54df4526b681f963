"""A phone number as it is told (domain 3.0): a mobile number or a landline. One phone may serve many children."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal

PHONE: Final = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\d{7,8}", re.ASCII)
"""A mobile number, or a landline with or without its area."""


class PhoneInvalid(Refusal):
    """This is no phone number."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give a mobile number of 11 digits, or a landline such as 0851-28250000."


def check_phone(field: str, phone: Personal[str] | None) -> None:
    """Raises PhoneInvalid, which names the field. An erased number is not judged."""
    told = None if phone is None else phone.get()
    if told is not None and not PHONE.fullmatch(told):
        raise PhoneInvalid(f"{field}: this is no phone number")
