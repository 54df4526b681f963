"""A child's standing on a day, and why something told of it is refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.contracts.refusal import Refusal


@dataclass(frozen=True)
class Standing:
    """``fresh`` is False when the service that asks may know less than registry does. ``registered_by_then`` is False
    on a day before the child's file began. ``merged_into`` is the file that goes on in the same village."""

    village: str
    open: bool
    erased: bool = False
    fresh: bool = True
    registered_by_then: bool = True
    merged_into: str | None = None


class ChildNotOnFile(Refusal):
    """A child is not on file in this village."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Register the child first, or check its id and the village."


class ChildFileWasClosed(Refusal):
    """A child's file was closed on that day."""

    what_to_do: ClassVar[str] = "Check the day, or have the file reopened."


class ChildFileWasMerged(ChildFileWasClosed):
    """A child's file was merged into another file of the same child."""

    what_to_do: ClassVar[str] = "Tell it of the file that goes on."


def check_standing(standing: Standing | None, village: str) -> None:
    """Raises ChildNotOnFile, ChildFileWasClosed or ChildFileWasMerged; who works in one village learns nothing of a
    child in another."""
    if standing is None or standing.erased or standing.village != village:
        raise ChildNotOnFile
    if not standing.open and standing.merged_into is not None:
        raise ChildFileWasMerged(f"it was merged into {standing.merged_into}")
    if not standing.open:
        raise ChildFileWasClosed
