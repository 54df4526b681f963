"""Files opened for a comparison: read off registry's own log, so that they are never behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from services.registry.duplicates.comparison import Particulars
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.registry import (
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    DuplicateSuspected,
    HouseholdFileOpened,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import KINDS, Personal
from shared.contracts.values import Sex
from shared.eventlog.port import Log
from shared.eventlog.record import Record, decode
from shared.identity.access import Directory
from shared.privacy.sealing import Sealer

Stream = list[tuple[Record, Event]]

_READ: Final = frozenset(
    {
        "ChildRegistered",
        "ParentSituationRecorded",
        "ChildFileClosed",
        "ChildFileReopened",
        "SubjectKeyDestroyed",
        "HouseholdFileOpened",
        "DuplicateSuspected",
    }
)
"""Events that say something a comparison needs; all others of a stream stay sealed."""


@dataclass(frozen=True)
class File:
    """A child's file that is not erased. ``particulars`` are all that it says by now."""

    child: str
    village: str
    open: bool
    registered_by: str
    particulars: Particulars


class PlaceNotKnownYet(Refusal):
    """registry's directory has not heard of a file's village yet."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Repeat the same request in a moment."


class Files:
    """Opens the files of many children with two questions to the log and two to the vault."""

    def __init__(self, log: Log, sealer: Sealer, directory: Directory) -> None:
        self._log = log
        self._sealer = sealer
        self._directory = directory

    async def of(self, children: Collection[str]) -> dict[str, File]:
        """By child; without those that are unknown or erased. Raises PlaceNotKnownYet, LogUnavailableError."""
        told = await self._told(children)
        registered = {child: events[0][1] for child, events in told.items() if events}
        begun = {child: event for child, event in registered.items() if isinstance(event, ChildRegistered)}
        households = await self._told({event.household for event in begun.values()})
        villages = {event.residence for event in begun.values()}
        paths = {village: place.path for village, place in (await self._directory.places(villages)).items()}
        if villages - paths.keys():
            raise PlaceNotKnownYet
        found = (_file(told[child], households[event.household], paths) for child, event in begun.items())
        return {file.child: file for file in found if file is not None}

    async def of_pair(self, duplicate: str) -> dict[str, File]:
        """The two files of a pair by child, each unless it is erased; none where nobody has suspected such a pair.

        Raises PlaceNotKnownYet, LogUnavailableError.
        """
        told = (await self._told([duplicate]))[duplicate]
        suspected = [event for _, event in told if isinstance(event, DuplicateSuspected)]
        return await self.of({child for event in suspected for child in (event.first, event.second)})

    async def _told(self, streams: Collection[str]) -> dict[str, Stream]:
        raw = (await self._log.look_up(streams, ())).histories
        histories = (decode(one) for stream in streams for one in raw.get(stream, ()))
        records = [record for record in histories if record.type in _READ]
        opened = zip(records, await self._sealer.open(records, KINDS) if records else (), strict=True)
        told: dict[str, Stream] = {stream: [] for stream in streams}
        for record, event in opened:
            told[record.stream].append((record, event))
        return told


def _file(
    told: Sequence[tuple[Record, Event]],
    household: Iterable[tuple[Record, Event]],
    paths: Mapping[str, tuple[str, ...]],
) -> File | None:
    record, registered = told[0]
    assert isinstance(registered, ChildRegistered)
    events = [event for _, event in told]
    if registered.name.erased or any(isinstance(event, SubjectKeyDestroyed) for event in events):
        return None
    opened = [event for _, event in household if isinstance(event, HouseholdFileOpened)]
    return File(
        child=registered.child,
        village=registered.residence,
        open=_is_open(events),
        registered_by=record.actor.id,
        particulars=_particulars(registered, _last_parents(registered, events), opened, paths[registered.residence]),
    )


def _is_open(events: Iterable[Event]) -> bool:
    turns = [event for event in events if isinstance(event, ChildFileClosed | ChildFileReopened)]
    return not turns or isinstance(turns[-1], ChildFileReopened)


def _last_parents(registered: ChildRegistered, events: Iterable[Event]) -> ParentsSituation:
    told = [event.parents for event in events if isinstance(event, ParentSituationRecorded)]
    return told[-1] if told else registered.parents


def _particulars(
    event: ChildRegistered, parents: ParentsSituation, household: Sequence[HouseholdFileOpened], place: tuple[str, ...]
) -> Particulars:
    phones = [parents.father.phone, parents.mother.phone, *(opened.phone for opened in household)]
    return Particulars(
        name=event.name.reveal(),
        born=event.birth_date.get(),
        birth_month=event.birth_month.get(),
        sex=event.sex.get() or Sex.UNKNOWN,
        place=place,
        number=_said(event.citizen_number),
        father=_said(parents.father.name),
        mother=_said(parents.mother.name),
        head=next((_said(opened.head) for opened in household), None),
        phones=frozenset(said for phone in phones if (said := _said(phone))),
        household=event.household,
    )


def _said(value: Personal[str] | None) -> str | None:
    return value.get() if value else None
