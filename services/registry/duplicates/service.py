"""The commands on two files of one child, each bound to its stream, its division and what must be known before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.registry.domain import child
from services.registry.domain.child import CHILD, MergeBy, MergeChildFiles, UndoBy, UndoChildMerge
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
from services.registry.duplicates.scope import Scope, smallest_common
from shared.commands.command import Handling, NotOnFile, Target

REVIEW = "review_duplicate"


def handlings(files: Files, scope: Scope) -> list[Handling[Any]]:
    """Every command on pairs of files."""

    async def compared(command: SuspectDuplicate, person: str) -> ComparedPair:
        found = await files.of({command.one, command.other})
        return ComparedPair(**dict(command), **_findings(found.get(command.one), found.get(command.other)))

    async def dismissed(command: DismissDuplicate, person: str) -> DismissalBy:
        """Raises NotOnFile unless both files are on file within the person's scope, wherever they are by now."""
        both = await files.of_pair(command.duplicate)
        if len(both) < 2:
            raise NotOnFile
        return DismissalBy(**dict(command), person=person, registered_by=await reviewed(person, both))

    async def merged(command: MergeChildFiles, person: str) -> MergeBy:
        """Raises NotOnFile like a dismissal does."""
        both = await files.of({command.child, command.into})
        if not both.keys() >= {command.child, command.into}:
            raise NotOnFile
        into, registered_by = both[command.into], await reviewed(person, both)
        return MergeBy(
            **dict(command), person=person, registered_by=registered_by, village=into.village, goes_on=into.open
        )

    async def undone(command: UndoChildMerge, person: str) -> UndoBy:
        """A file that went on and is erased by now hides from nobody."""
        both = await files.of({command.child, command.into})
        return UndoBy(**dict(command), person=person, registered_by=await reviewed(person, both))

    async def reviewed(person: str, both: Mapping[str, File]) -> frozenset[str]:
        """Who registered these files. Raises NotOnFile unless all lie within the person's scope."""
        villages = {file.village for file in both.values()}
        if villages != await scope.within(await scope.grants(person, REVIEW), villages):
            raise NotOnFile
        return frozenset(file.registered_by for file in both.values())

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
        _of_merged_file(MergeChildFiles, merged),
        _of_merged_file(UndoChildMerge, undone),
    ]


def _of_merged_file(command: type[Any], learn: Any) -> Handling[Any]:
    return Handling(
        command,
        action=REVIEW,
        targets=lambda c: (Target(c.child, CHILD),),
        division=lambda _, states: child.residence(states[0]),
        told_by_state=True,
        learn=learn,
        claims=child.merge_claims,
    )


def _findings(one: File | None, other: File | None) -> dict[str, Any]:
    if one is None or other is None or not (one.open and other.open):
        return {"alike": False, "score": 0, "rule": RULE.version, "reasons": (), "division": None}
    division = smallest_common(one.particulars.place, other.particulars.place)
    return compare(one.particulars, other.particulars)._asdict() | {"division": division}
