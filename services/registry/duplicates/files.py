"""Files opened for a comparison: read off registry's own log, so that they are never behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from services.registry.duplicates.comparison import Particulars
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    ChildTransferred,
    IdentityCorrection,
)
from shared.contracts.event import Event
from shared.contracts.households import HouseholdFileUpdated
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
        "ChildIdentityRecorded",
        "ChildIdentityCorrected",
        "ChildTransferred",
        "ParentSituationRecorded",
        "ChildFileClosed",
        "ChildFileReopened",
        "SubjectKeyDestroyed",
        "HouseholdFileOpened",
        "HouseholdFileUpdated",
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
        villages = {_residence(event, told[child]) for child, event in begun.items()}
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
    village = _residence(registered, told)
    parents = _last_parents(registered, events)
    phones = [parents.father.phone, parents.mother.phone]
    told_of_household = [
        event for _, event in household if isinstance(event, HouseholdFileOpened | HouseholdFileUpdated)
    ]
    phones += [event.phone for event in told_of_household]
    heads = [said for event in told_of_household if (said := _said(event.head))]
    return File(
        child=registered.child,
        village=village,
        open=_is_open(events),
        registered_by=record.actor.id,
        particulars=replace(
            _identity(registered, events),
            place=paths[village],
            father=_said(parents.father.name),
            mother=_said(parents.mother.name),
            head=heads[-1] if heads else None,
            phones=frozenset(said for phone in phones if (said := _said(phone))),
        ),
    )


def _residence(registered: ChildRegistered, told: Iterable[tuple[Record, Event]]) -> str:
    moves = [event.to_village for _, event in told if isinstance(event, ChildTransferred)]
    return moves[-1] if moves else registered.residence


def _identity(registered: ChildRegistered, events: Iterable[Event]) -> Particulars:
    """The child itself, as it was registered, completed and corrected since."""
    found = Particulars(
        name=registered.name.reveal(),
        born=registered.birth_date.get(),
        birth_month=registered.birth_month.get(),
        sex=registered.sex.get() or Sex.UNKNOWN,
        number=_said(registered.citizen_number),
        household=registered.household,
    )
    for event in events:
        match event:
            case ChildIdentityRecorded():
                found = _with(found, number=event.identity.reveal().citizen_number)
            case ChildIdentityCorrected():
                found = _corrected(found, event.correction.reveal())
            case _:
                pass
    return found


def _corrected(found: Particulars, told: IdentityCorrection) -> Particulars:
    born = told.birth_date
    month = born and f"{born:%Y-%m}"
    return _with(found, name=told.name, born=born, birth_month=month, sex=told.sex, number=told.citizen_number)


def _with(found: Particulars, **told: Any) -> Particulars:
    """Only what was told takes the place of what was known."""
    return replace(found, **{field: value for field, value in told.items() if value is not None})


def _is_open(events: Iterable[Event]) -> bool:
    turns = [event for event in events if isinstance(event, ChildFileClosed | ChildFileReopened)]
    return not turns or isinstance(turns[-1], ChildFileReopened)


def _last_parents(registered: ChildRegistered, events: Iterable[Event]) -> ParentsSituation:
    told = [event.parents for event in events if isinstance(event, ParentSituationRecorded)]
    return told[-1] if told else registered.parents


def _said(value: Personal[str] | None) -> str | None:
    return value.get() if value else None
