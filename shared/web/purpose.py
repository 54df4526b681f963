"""The header ``Guanhu-Purpose``: nobody opens what is on file of a child without saying why (domain 6.2, rule 1)."""

from __future__ import annotations

from typing import Annotated, ClassVar
from urllib.parse import unquote_to_bytes

from fastapi import Header

from shared.contracts.refusal import Refusal


class PurposeMissing(Refusal):
    """Opening a child's file needs a purpose."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Say in the header Guanhu-Purpose what the file is opened for, in 2 to 200 characters of UTF-8."
    )


Purpose = Annotated[str | None, Header(alias="guanhu-purpose")]
"""UTF-8, percent-encoded where the sender can put no Chinese into a header."""


def stated_purpose(text: str | None) -> str:
    """Raises PurposeMissing."""
    stated = header_text(text)
    if stated is None or not 2 <= len(stated) <= 200:
        raise PurposeMissing
    return stated


def header_text(text: str | None) -> str | None:
    """What a header says in UTF-8; None when it is none."""
    try:
        # A framework reads headers as Latin-1; what was sent is UTF-8, percent-encoded or as it is.
        return unquote_to_bytes((text or "").encode("latin-1")).decode().strip()
    except UnicodeError:
        return None
