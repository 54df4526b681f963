"""A gap of the mapping (domain S26, 3.1): a child that was found later, until it is told what became of it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import ClassVar, Final, assert_never

from services.registry.duplicates.names import comparable
from shared.commands.command import Aggregate, Command, HappensLater, NotOnFile
from shared.contracts.mapping_gap import MappingGapFound, MappingGapSettled
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal, said
from shared.contracts.values import (
    BirthMonth,
    ChildId,
    Day,
    GapOutcome,
    GapSource,
    MappingGapId,
    Name,
    PersonId,
    VillageCode,
)
from shared.eventlog.placement import derived_id


class RecordMappingGap(Command):
    """Exactly one of ``child`` and ``name`` says who was found; the month of birth tells two of one name apart."""

    village: VillageCode
    source: GapSource
    found_on: Day
    child: ChildId | None = None
    name: Personal[Name] | None = None
    birth_month: Personal[BirthMonth] | None = None


class FindBy(RecordMappingGap):
    """The find, with who tells it and the gap it is."""

    person: PersonId
    gap: MappingGapId


class SettleMappingGap(Command):
    """``child`` is named with the outcome registered, and with no other."""

    gap: MappingGapId
    outcome: GapOutcome
    child: ChildId | None = None


class SettlementBy(SettleMappingGap):
    person: PersonId


class FindNamesNotOneChild(Refusal):
    """A find tells of one child: by its file, or by its name where it has none."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send child where the child has a file, or name and birth_month where it has none."


class MappingGapAlreadyFound(Refusal):
    """This find is on record already."""

    what_to_do: ClassVar[str] = "Nothing: one find is told once, whichever list tells it again."


class MappingGapAlreadySettled(Refusal):
    """It was settled already what became of this gap."""

    what_to_do: ClassVar[str] = "Nothing: look at how it was settled."


class SettlementNamesNoFile(Refusal):
    """A gap is settled as registered with the child's file, and as anything else without one."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send child with the outcome registered, and leave it out otherwise."


class GapIds:
    """Names gaps by who was missed where, so that one find has one id. Keyed: an id must not tell a name."""

    def __init__(self, secret: bytes) -> None:
        self._secret: Final = hmac.digest(secret, b"guanhu/registry/mapping-gaps", hashlib.sha256)

    def of(self, find: RecordMappingGap) -> str:
        if find.child is not None:
            return derived_id(f"{find.village}/{find.child}", "gap", beside=find.child)
        name, month = said(find.name), said(find.birth_month)
        told = "\0".join((find.village, comparable(name or ""), month or ""))
        return derived_id(hmac.digest(self._secret, told.encode(), hashlib.sha256).hex(), "gap")


@dataclass(frozen=True)
class NotFound:
    pass


@dataclass(frozen=True)
class Found:
    village: str


@dataclass(frozen=True)
class Settled:
    village: str


MappingGap = NotFound | Found | Settled


def decide(command: FindBy | SettlementBy, gap: MappingGap) -> list[MappingGapFound] | list[MappingGapSettled]:
    match command, gap:
        case FindBy(), NotFound():
            return [_found(command)]
        case FindBy(), _:
            raise MappingGapAlreadyFound
        case SettlementBy(), NotFound():
            raise NotOnFile
        case SettlementBy(), Found():
            return [_settled(command, gap)]
        case SettlementBy(), Settled():
            raise MappingGapAlreadySettled
        case _:
            raise AssertionError(command)


def _found(find: FindBy) -> MappingGapFound:
    if (find.child is None) == (find.name is None) or (find.birth_month and not find.name):
        raise FindNamesNotOneChild
    if find.found_on > find.occurred_on:
        raise HappensLater
    told = find.model_dump(exclude={"occurred_at", "person"}, exclude_none=True)
    return MappingGapFound(**told, found_by=find.person)


def _settled(settlement: SettlementBy, gap: Found) -> MappingGapSettled:
    if (settlement.outcome is GapOutcome.REGISTERED) != (settlement.child is not None):
        raise SettlementNamesNoFile
    return MappingGapSettled(
        gap=settlement.gap,
        village=gap.village,
        outcome=settlement.outcome,
        child=settlement.child,
        settled_by=settlement.person,
    )


def evolve(gap: MappingGap, event: MappingGapFound | MappingGapSettled) -> MappingGap:
    match event:
        case MappingGapFound():
            return Found(event.village)
        case MappingGapSettled():
            return Settled(event.village)
        case _:
            assert_never(event)


def village_of(gap: MappingGap) -> str | None:
    """Where a command on this gap takes effect."""
    return None if isinstance(gap, NotFound) else gap.village


MAPPING_GAP = Aggregate[MappingGap](NotFound(), evolve, decide)
