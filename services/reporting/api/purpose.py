"""What a file is opened for: stated in a header, and on record before the file is shown (domain 6.2, rule 1)."""

from __future__ import annotations

from typing import Annotated, ClassVar
from urllib.parse import unquote_to_bytes

from fastapi import Header

from shared.contracts.refusal import Refusal

Purpose = Annotated[str | None, Header(alias="guanhu-purpose")]
"""UTF-8, percent-encoded where the sender can put no Chinese into a header."""


class PurposeMissing(Refusal):
    """Opening a file needs a purpose."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Say in the header Guanhu-Purpose what the file is opened for, in 2 to 200 characters of UTF-8."
    )


def stated(purpose: str | None) -> str:
    """Raises PurposeMissing."""
    try:
        # A framework reads headers as Latin-1; what was sent is UTF-8, percent-encoded or as it is.
        text = unquote_to_bytes((purpose or "").encode("latin-1")).decode().strip()
    except UnicodeError:
        raise PurposeMissing from None
    if not 2 <= len(text) <= 200:
        raise PurposeMissing
    return text
