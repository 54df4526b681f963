"""Lists that come a page at a time, village by village."""

from __future__ import annotations

from typing import ClassVar

from shared.contracts.refusal import Refusal
from shared.projection.read_model import Document


class PageMalformed(Refusal):
    """``after`` is not what an earlier answer gave as ``next``."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send ``next`` of the last answer unchanged, or leave it out to begin again."


def next_of(card: Document) -> str:
    # The place of the last line without its name: the id finds it again.
    return f"{card['village']}/{card['_id']}"


def page(after: str | None, kind: str) -> tuple[str, str] | None:
    """(village, id) of the last line seen; ``kind`` is what its id begins with. Raises PageMalformed."""
    if after is None:
        return None
    village, _, last = after.partition("/")
    if not (village.isdecimal() and last.startswith(f"{kind}-")):
        raise PageMalformed
    return village, last
