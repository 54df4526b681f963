"""The one way of a command through a service, for one or for thousands.

``load streams -> fold -> look up the command id -> authorise -> decide -> seal -> append``; on a version conflict it
starts again, three times. Each step is done for all commands of a batch together, so that a ledger of ten thousand
rows costs a few queries and one call to the vault, and a single command takes the same road.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import islice
from typing import Any, Final, NamedTuple

import uuid_utils

from shared.commands.command import (
    Answer,
    Command,
    CommandIdOfAnother,
    CommandIdReused,
    DivisionEnded,
    Handling,
    HappensLater,
    Judged,
    Meanwhile,
    NotForDevices,
    NothingToRecord,
    NotOnFile,
    Target,
    Told,
    UnknownDivision,
    business_day,
)
from shared.commands.gathering import Gathering, Outcome
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import KINDS, ErasedError
from shared.contracts.values import Role
from shared.eventlog.placement import partition_of
from shared.eventlog.port import (
    Append,
    CommandAlreadyDone,
    FirstAnswer,
    Log,
    LogError,
    StreamAppend,
    VersionConflict,
)
from shared.eventlog.record import Actor, Draft, decode
from shared.identity.access import Directory, Grants, NotPermitted, Place, permitting
from shared.privacy.port import SubjectErasedError
from shared.privacy.sealing import Sealer

ATTEMPTS: Final = 3
CLOCK_SKEW: Final = timedelta(minutes=5)
TOLD_WITHIN: Final = timedelta(days=30)
"""So long after a day a device may tell of it by an office that was held then (prop)."""

_ERASED: Final = (SubjectErasedError, ErasedError)
"""The keys are gone, or a policy carries over a value whose key is gone."""


class Known(NamedTuple):
    """What the directory says of a batch: places by division, for those in the tree, and grants by person."""

    places: Mapping[str, Place]
    grants: Mapping[str, Grants]


class ErasedSubject(Refusal):
    """The person was erased: nothing may be recorded about them any more."""

    status = 410
    what_to_do = "Remove the entry; if the person is to be on file again, register them anew."


class Handler:
    """Handles the commands of one service."""

    def __init__(
        self,
        log: Log,
        sealer: Sealer,
        directory: Directory,
        handlings: Iterable[Handling[Any]],
        claim_key: bytes,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._sealer = sealer
        self._directory = directory
        self.handlings: dict[type[Command], Handling[Any]] = {h.command: h for h in handlings}
        self._claim_key = claim_key
        self._clock = clock
        self._gathering = Gathering(self.handle_many)

    async def handle(self, told: Told) -> Answer:
        """Durable when it returns; handled together with others that come one by one. Raises Refusal or LogError."""
        outcome = await self._gathering.handle(told)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def handle_many(self, batch: Sequence[Told]) -> list[Outcome]:
        """One outcome for each, in their order. Commands on the same stream take effect in the order given."""
        outcomes: dict[int, Outcome] = {}
        waiting = list(enumerate(batch))
        while waiting:
            wave, waiting = self._wave(waiting)
            for (index, _), outcome in zip(wave, await self._settle([told for _, told in wave]), strict=True):
                outcomes[index] = outcome
        return [outcomes[index] for index in range(len(batch))]

    def _wave(self, waiting: list[tuple[int, Told]]) -> tuple[list[tuple[int, Told]], list[tuple[int, Told]]]:
        """As many commands as touch different streams, and the rest, each in order."""
        wave: list[tuple[int, Told]] = []
        rest: list[tuple[int, Told]] = []
        touched = set[str]()
        for index, told in waiting:
            streams = {told.command_id, *(t.stream for t in self._targets(told.command))}
            (rest if streams & touched else wave).append((index, told))
            touched |= streams
        return wave, rest

    def _targets(self, command: Command) -> tuple[Target, ...]:
        return self.handlings[type(command)].targets(command)

    async def _settle(self, batch: Sequence[Told]) -> list[Outcome]:
        """Commands on different streams, each repeated when another writer was faster."""
        outcomes = await self._attempt(batch)
        for _ in range(ATTEMPTS - 1):
            again = [
                i
                for i, outcome in enumerate(outcomes)
                if isinstance(outcome, VersionConflict) and batch[i].expected_version is None
            ]
            if not again:
                break
            for i, outcome in zip(again, await self._attempt([batch[i] for i in again]), strict=True):
                outcomes[i] = outcome
        return outcomes

    async def _attempt(self, batch: Sequence[Told]) -> list[Outcome]:
        now = self._clock()
        outcomes: dict[int, Outcome] = {}
        judged = {i: self._received(told, now) for i, told in enumerate(batch)}
        streams = sorted({target.stream for j in judged.values() for target in j.targets})
        found = await self._log.look_up(streams, [(self._partition(j), j.told.command_id) for j in judged.values()])
        self._answer_repeated(judged, found.answers, outcomes)
        await self._fold(judged.values(), found.histories)
        known = await self._known(judged.values())
        # At once, because some of them ask elsewhere what they cannot know themselves.
        refusals = await asyncio.gather(*(self._refusal(j, known, now) for j in judged.values()))
        for i, refusal in zip(list(judged), refusals, strict=True):
            if refusal is not None:
                outcomes[i] = refusal
                del judged[i]
        await self._seal(judged, outcomes)
        appended = await asyncio.gather(*(self._append(j) for j in judged.values()))
        outcomes.update(zip(judged, appended, strict=True))
        return [outcomes[i] for i in range(len(batch))]

    def _received(self, told: Told, now: datetime) -> Judged:
        command = told.command
        payload = command.model_dump_json(exclude_unset=True).encode()
        mac = hmac.new(self._claim_key, type(command).__name__.encode() + b"\0" + payload, hashlib.sha256).digest()
        if command.occurred_at is None:
            command = command.model_copy(update={"occurred_at": now})
        elif told.later is not None and told.later.offset:
            # After the fingerprint: the same command sent again is the same, however its device's clock went since.
            command = command.model_copy(update={"occurred_at": command.occurred_at + told.later.offset})
        return Judged(told, command, mac, self._targets(command))

    def _answer_repeated(
        self, judged: dict[int, Judged], first: Mapping[str, FirstAnswer], outcomes: dict[int, Outcome]
    ) -> None:
        """A command id that is in the log gets its first answer, before anything is decided again."""
        for i, j in list(judged.items()):
            if answer := first.get(j.told.command_id):
                outcomes[i] = self._repeated(j, answer)
                del judged[i]

    @staticmethod
    def _repeated(judged: Judged, first: FirstAnswer) -> Outcome:
        if first.actor != judged.told.person:
            return CommandIdOfAnother()
        if not hmac.compare_digest(first.command_mac, judged.mac):
            return CommandIdReused()
        return first.appended

    def _partition(self, judged: Judged) -> int:
        return partition_of(judged.targets[0].stream, self._log.partitions)

    async def _fold(self, judged: Collection[Judged], raw: Mapping[str, Sequence[bytes]]) -> None:
        """Deciders see what the records hold in the clear and sealed; an erased value stays erased.

        All histories are opened with one call to the vault.
        """
        records = [decode(one) for history in raw.values() for one in history]
        opened = iter(await self._sealer.open(records, KINDS) if records else ())
        events = {stream: [next(opened) for _ in history] for stream, history in raw.items()}
        for j in judged:
            histories = [events.get(target.stream, []) for target in j.targets]
            j.versions = tuple(map(len, histories))
            j.states = tuple(
                reduce(target.aggregate.evolve, history, target.aggregate.initial)
                for target, history in zip(j.targets, histories, strict=True)
            )
            j.division = self.handlings[type(j.command)].division(j.command, j.states)

    async def _known(self, judged: Collection[Judged]) -> Known:
        """Of the whole batch at once: somebody with an office in every village has thousands of grants."""
        asking = {j.told.person for j in judged if not j.told.own_right}
        grants = {person: await self._directory.grants(person) for person in asking}
        return Known(await self._directory.places({j.division for j in judged if j.division is not None}), grants)

    async def _refusal(self, judged: Judged, known: Known, now: datetime) -> Refusal | LogError | None:
        """Why the command is not decided; None when it is."""
        try:
            await self._decide(judged, known, now)
        except (Refusal, LogError) as refusal:
            return refusal
        return None

    async def _decide(self, judged: Judged, known: Known, now: datetime) -> None:
        handling, told = self.handlings[type(judged.command)], judged.told
        if judged.command.occurred_at is not None and judged.command.occurred_at > now + CLOCK_SKEW:
            raise HappensLater
        if told.expected_version not in (None, judged.versions[0]):
            raise VersionConflict(judged.targets[0].stream, told.expected_version or 0)
        judged.actor = self._authorised(judged, handling, known, now)
        _check_division(judged, handling, known)
        if told.later is not None:
            judged.command = _from_device(judged, handling)
        if handling.learn:
            judged.command = await handling.learn(judged.command, told.person)
        judged.events = tuple(
            tuple(target.aggregate.decide(judged.command, state))
            for target, state in zip(judged.targets, judged.states, strict=True)
        )
        if not any(judged.events):
            raise NothingToRecord

    def _authorised(self, judged: Judged, handling: Handling[Any], known: Known, now: datetime) -> Actor:
        person, division = judged.told.person, judged.division
        if judged.told.own_right:
            return Actor(person, Role.SYSTEM)
        if division is None:
            raise NotOnFile
        place = known.places.get(division)
        if place is None and not handling.told_by_state:
            raise UnknownDivision(f"{_field_of(judged)}{division} is not in the division tree")
        # Without a path the division lies outside every scope.
        asked = known.grants[person], handling.action, place and place.path
        try:
            try:
                grant = permitting(*asked, business_day(now))
            except NotPermitted:
                if judged.told.later is None or judged.command.occurred_on < business_day(now - TOLD_WITHIN):
                    raise
                grant = permitting(*asked, judged.command.occurred_on)
                judged.office_ended = True
        except NotPermitted:
            if handling.told_by_state:
                raise NotOnFile from None
            raise
        return Actor(person, str(grant.role), grant.division)

    async def _seal(self, judged: dict[int, Judged], outcomes: dict[int, Outcome]) -> None:
        try:
            await self._seal_all(judged.values())
        except _ERASED:
            # One erased subject must not refuse its neighbours: find out who it is, one by one.
            for i in list(judged):
                try:
                    await self._seal_all([judged[i]])
                except _ERASED:
                    outcomes[i] = ErasedSubject()
                    del judged[i]

    async def _seal_all(self, judged: Collection[Judged]) -> None:
        flat = [(str(uuid_utils.uuid7()), event) for j in judged for events in j.events for event in events]
        new = {t.stream for j in judged for t, version in zip(j.targets, j.versions, strict=True) if version == 0}
        sealings = zip(flat, await self._sealer.seal(flat, new), strict=True)
        for j in judged:
            j.drafts = tuple(
                tuple(_draft(j, *event, sealing) for event, sealing in islice(sealings, len(events)))
                for events in j.events
            )

    async def _append(self, judged: Judged) -> Outcome:
        handling = self.handlings[type(judged.told.command)]
        claims = handling.claims([event for events in judged.events for event in events])
        streams = tuple(
            StreamAppend(target.stream, version, drafts)
            for target, version, drafts in zip(judged.targets, judged.versions, judged.drafts, strict=True)
            if drafts
        )
        append = Append(
            self._partition(judged), streams, judged.told.command_id, judged.mac, claims.taken, claims.released
        )
        try:
            return await self._log.append(append)
        except CommandAlreadyDone as done:
            return self._repeated(judged, done.answer)
        except LogError as error:
            return error


def _from_device(judged: Judged, handling: Handling[Any]) -> Command:
    if handling.from_device is None:
        raise NotForDevices
    corrected = judged.told.later is not None and bool(judged.told.later.offset)
    return handling.from_device(judged.command, Meanwhile(judged.office_ended, corrected))


def _check_division(judged: Judged, handling: Handling[Any], known: Known) -> None:
    """Nothing is told of a division by name once it has ended, but what follows a file that still stands there.

    Who tells of a thing that is on file names no division, so what is on file there can go on being told of.
    """
    place = known.places.get(judged.division or "")
    ending = place and place.ending
    if ending is None or handling.told_by_state or ending.on > judged.command.occurred_on:
        return
    if ending.taken_over or not handling.follows_files:
        raise DivisionEnded(judged.division or "", ending.on, ending.successors, _field_of(judged))


def _field_of(judged: Judged) -> str:
    """The field of the command that names its division, as a detail begins with it."""
    return next((f"{name}: " for name, value in judged.command if value == judged.division), "")


def _draft(judged: Judged, event_id: str, event: Any, sealing: Any) -> Draft:
    told = judged.told
    if judged.command.occurred_at is None or judged.actor is None:
        raise ValueError("a draft is made of a command that was decided")
    return Draft(
        id=event_id,
        type=type(event).__name__,
        schema=event.schema_version,
        occurred_at=judged.command.occurred_at.astimezone(UTC),
        actor=judged.actor,
        data=sealing.data,
        sealed=sealing.sealed,
        source=told.source,
        device=told.device,
        causation_id=told.causation_id,
        correlation_id=told.correlation_id,
        traceparent=told.traceparent,
    )
