"""A list that somebody takes away: each is a fact of its own (domain 6.2, rule 5)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.commands.command import Aggregate, Command, NothingToRecord
from shared.contracts.mapping_gap import ListExported
from shared.contracts.values import Count, DivisionCode, ListExportId, MatchingId, PersonId, RegisterKind


class RecordListExport(Command):
    """Given by the service itself, before it hands out the list."""

    export: ListExportId
    matching: MatchingId
    register_kind: RegisterKind
    division: DivisionCode
    children: Count
    person: PersonId


@dataclass(frozen=True)
class Export:
    made: bool = False


def decide(command: RecordListExport, export: Export) -> list[ListExported]:
    if export.made:
        raise NothingToRecord
    return [ListExported(**command.model_dump(exclude={"occurred_at"}))]


def evolve(export: Export, event: ListExported) -> Export:
    return Export(made=True)


LIST_EXPORT = Aggregate[Export](Export(), evolve, decide)
