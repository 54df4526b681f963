"""The commands on pairs of files, each bound to its stream, its division and what must be known before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.registry.domain.duplicate import (
    DUPLICATE,
    ComparedPair,
    DismissalBy,
    DismissDuplicate,
    SuspectDuplicate,
    division_of,
    duplicate_of,
)
from services.registry.duplicates.comparison import compare
from services.registry.duplicates.files import File, Files
from services.registry.duplicates.rule import RULE
from shared.commands.command import Handling, NotOnFile, Target
from shared.identity.scope import Scope

REVIEW = "review_duplicate"


def handlings(files: Files, scope: Scope) -> list[Handling[Any]]:
    """Every command on pairs of files."""

    async def compared(command: SuspectDuplicate, person: str) -> ComparedPair:
        found = await files.of({command.one, command.other})
        return ComparedPair(**dict(command), **_findings(found.get(command.one), found.get(command.other)))

    async def dismissed(command: DismissDuplicate, person: str) -> DismissalBy:
        """Raises NotOnFile unless both files are on file within the person's scope, wherever they are by now."""
        both = await files.of_pair(command.duplicate)
        villages = {file.village for file in both.values()}
        if len(both) < 2 or villages != await scope.within(await scope.grants(person, REVIEW), villages):
            raise NotOnFile
        registered_by = frozenset(file.registered_by for file in both.values())
        return DismissalBy(**dict(command), person=person, registered_by=registered_by)

    return [
        Handling(
            SuspectDuplicate,
            # Nobody but the policy suspects: until then a pair has no division that a person could have a right in.
            action=REVIEW,
            targets=lambda c: (Target(duplicate_of(c.one, c.other), DUPLICATE),),
            division=lambda _, states: division_of(states[0]),
            told_by_state=True,
            learn=compared,
        ),
        Handling(
            DismissDuplicate,
            action=REVIEW,
            targets=lambda c: (Target(c.duplicate, DUPLICATE),),
            division=lambda _, states: division_of(states[0]),
            told_by_state=True,
            learn=dismissed,
        ),
    ]


def _findings(one: File | None, other: File | None) -> dict[str, Any]:
    if one is None or other is None or not (one.open and other.open):
        return {"alike": False, "score": 0, "rule": RULE.version, "reasons": (), "division": None}
    division = smallest_common(one.particulars.place, other.particulars.place)
    return compare(one.particulars, other.particulars)._asdict() | {"division": division}


def smallest_common(one: Sequence[str], other: Sequence[str]) -> str | None:
    """The smallest division on both paths from the root; None where they have not even the root in common."""
    common = [a for a, b in zip(one, other, strict=False) if a == b]
    return common[-1] if common else None
