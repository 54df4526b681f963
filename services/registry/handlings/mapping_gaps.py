"""Commands on gaps of the mapping. A file that one names must be on file within the caller's scope."""

from __future__ import annotations

from typing import Any

from services.registry.domain.mapping_gap import (
    MAPPING_GAP,
    FindBy,
    GapIds,
    RecordMappingGap,
    SettleMappingGap,
    SettlementBy,
    village_of,
)
from services.registry.duplicates.files import Files
from shared.commands.command import Handling, NotOnFile, Target
from shared.identity.scope import Scope

RECORD = "record_mapping_gap"
SETTLE = "settle_mapping_gap"


def handlings(files: Files, scope: Scope, ids: GapIds) -> list[Handling[Any]]:
    async def check_file(child: str | None, person: str, action: str) -> None:
        """Raises NotOnFile unless the child is on file where the person may do this."""
        if child is None:
            return
        found = (await files.of([child])).get(child)
        if found is None or not await scope.within(await scope.grants(person, action), [found.village]):
            raise NotOnFile

    async def found_by(command: RecordMappingGap, person: str) -> FindBy:
        await check_file(command.child, person, RECORD)
        return FindBy(**dict(command), person=person, gap=ids.of(command))

    async def settled_by(command: SettleMappingGap, person: str) -> SettlementBy:
        await check_file(command.child, person, SETTLE)
        return SettlementBy(**dict(command), person=person)

    return [
        Handling(
            RecordMappingGap,
            action=RECORD,
            targets=lambda c: (Target(ids.of(c), MAPPING_GAP),),
            division=lambda c, _: c.village,
            learn=found_by,
        ),
        Handling(
            SettleMappingGap,
            action=SETTLE,
            targets=lambda c: (Target(c.gap, MAPPING_GAP),),
            division=lambda _, states: village_of(states[0]),
            told_by_state=True,
            learn=settled_by,
        ),
    ]
