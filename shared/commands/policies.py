"""Policies: an event in, commands of one's own service out.

The command's id is made of the event, the policy and the target, so that an event that comes twice has its effect once,
without a table of what has been seen. How far the policies have come is stored after the effect. A command that is
refused becomes a work item for a person, not a line in a log that nobody reads.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne, WriteConcern

from shared.commands.command import Command, NothingToRecord, Told
from shared.commands.gathering import Outcome
from shared.commands.handler import Handler
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import KINDS, Kind
from shared.eventlog.port import LogUnavailableError, VersionConflict
from shared.eventlog.record import Record
from shared.messaging.run import Level, Mark, Run, Source
from shared.privacy.sealing import Sealer

NOTE_EVERY: Final = timedelta(seconds=1)
POLICY: Final = "policy"
"""The source of what a policy tells; no caller may name it."""


class Wanted(NamedTuple):
    """A command a policy wants; ``target`` tells several commands of one event apart."""

    target: str
    command: Command


class Policy(NamedTuple):
    """``react`` may have an effect of its own, which must be harmless when it happens twice."""

    name: str
    event: str
    react: Callable[[Record, Any], Awaitable[Sequence[Wanted]]]


class PolicyOfMany(NamedTuple):
    """A policy that answers to all events of a run at once: what each of them wants, in their order.

    For what is cheaper to find out for a thousand than a thousand times for one. ``opens`` are the kinds of sealed
    values it reads; others come as erased.
    """

    name: str
    events: frozenset[str]
    react: Callable[[Sequence[tuple[Record, Any]]], Awaitable[Sequence[Sequence[Wanted]]]]
    opens: frozenset[Kind] = frozenset(KINDS)


AnyPolicy = Policy | PolicyOfMany


def policy_command_id(event_id: str, policy: str, target: str) -> str:
    """The id of the command that this policy gives for this event.

    No caller can use it up before: the ids that come over HTTP hold no slash.
    """
    return f"policy/{uuid.uuid5(uuid.NAMESPACE_OID, f'{event_id}/{policy}/{target}')}"


class WorkItem(NamedTuple):
    """A policy's command that was refused: which, for which event, and why. Codes and ids only."""

    command_id: str
    policy: str
    event: str
    stream: str
    code: str
    since: datetime


class PolicyMemory(Protocol):
    """How far the policies have come, and what is left for a person. Adapter: ``MongoPolicyMemory``."""

    async def marks(self) -> Mapping[Source, Mark]: ...

    async def remember(self, source: Source, mark: Mark, items: Sequence[WorkItem]) -> None: ...


class MongoPolicyMemory:
    """Collections ``work_items`` and ``policy_marks``, or those marks another line of policies keeps for itself."""

    def __init__(self, database: AsyncIOMotorDatabase[dict[str, Any]], marks: str = "policy_marks") -> None:
        durable = WriteConcern("majority", j=True)
        self._marks = database.get_collection(marks, write_concern=durable)
        self._items = database.get_collection("work_items", write_concern=durable)

    async def marks(self) -> Mapping[Source, Mark]:
        return {
            Source(found["service"], found["partition"]): Mark(found["seq"], found["hash"], found["offset"])
            async for found in self._marks.find()
        }

    async def remember(self, source: Source, mark: Mark, items: Sequence[WorkItem]) -> None:
        if items:
            # Before the mark: an item may be written twice, but not be lost.
            await self._items.bulk_write(
                [UpdateOne({"_id": i.command_id}, {"$setOnInsert": _item(i)}, upsert=True) for i in items]
            )
        place = {"service": source.service, "partition": source.partition}
        new = {"seq": mark.seq, "hash": mark.hash, "offset": mark.offset}
        await self._marks.update_one({"_id": str(source)}, {"$set": {**place, **new}}, upsert=True)


def _item(item: WorkItem) -> dict[str, Any]:
    return {name: value for name, value in item._asdict().items() if name != "command_id"}


class PolicySink:
    """Takes runs from a consumer and lets the policies react to their events, in order."""

    def __init__(
        self,
        service: str,
        policies: Sequence[AnyPolicy],
        handler: Handler,
        sealer: Sealer,
        memory: PolicyMemory,
        clock: Callable[[], datetime],
    ) -> None:
        self._service = service
        self._policies = policies
        self._opens = {
            event: frozenset(kind for policy in policies if event in _events_of(policy) for kind in _opened_by(policy))
            for event in {event for policy in policies for event in _events_of(policy)}
        }
        self._handler = handler
        self._sealer = sealer
        self._memory = memory
        self._clock = clock
        self._passed: dict[Source, Mark] = {}
        self._noted_at = datetime.min.replace(tzinfo=UTC)

    async def level(self, level: Level) -> None:
        """Policies answer no questions, so nobody asks how fresh they are."""
        await self._note()

    async def take(self, run: Run) -> None:
        """Raises Refusal or LogError where a command's time has not come: the run must come again.

        Raises UnknownEventError for a shape newer than this code: a read model is built again after the upgrade, but
        nobody would ever react to what was passed over here.
        """
        occurred = await self._opened([record for record in run.records if record.type in self._opens])
        reactions = [one for policy in self._policies for one in await self._reactions(policy, occurred)]
        wanted = sorted(reactions, key=lambda one: one[2].seq)
        if not wanted:
            self._passed[run.source] = run.upto
            await self._note()
            return
        outcomes = await self._handler.handle_many([told for told, _, _ in wanted])
        items = [
            item
            for (told, policy, record), outcome in zip(wanted, outcomes, strict=True)
            if (item := self._item(told, policy, record, outcome))
        ]
        await self._memory.remember(run.source, run.upto, items)
        self._passed.pop(run.source, None)

    async def _opened(self, records: Sequence[Record]) -> list[tuple[Record, Event]]:
        """Of each no more than the policies on it read."""
        events: dict[str, Event] = {}
        for kinds in {self._opens[record.type] for record in records}:
            alike = [record for record in records if self._opens[record.type] == kinds]
            events |= zip((record.id for record in alike), await self._sealer.open(alike, kinds), strict=True)
        return [(record, events[record.id]) for record in records]

    async def _note(self) -> None:
        """What no command was wanted for is noted now and then: should it be forgotten, it comes again."""
        if self._clock() - self._noted_at >= NOTE_EVERY:
            self._noted_at = self._clock()
            while self._passed:
                await self._memory.remember(*self._passed.popitem(), ())

    async def _reactions(
        self, policy: AnyPolicy, occurred: Sequence[tuple[Record, Event]]
    ) -> list[tuple[Told, AnyPolicy, Record]]:
        mine = [(record, event) for record, event in occurred if record.type in _events_of(policy)]
        if isinstance(policy, Policy):
            wanted = [await policy.react(record, event) for record, event in mine]
        else:
            wanted = list(await policy.react(mine)) if mine else []
        return [
            (self._told(policy, record, one), policy, record)
            for (record, _), ones in zip(mine, wanted, strict=True)
            for one in ones
        ]

    def _told(self, policy: AnyPolicy, record: Record, wanted: Wanted) -> Told:
        return Told(
            wanted.command,
            policy_command_id(record.id, policy.name, wanted.target),
            person=f"{self._service}/{policy.name}",
            own_right=True,
            source=POLICY,
            causation_id=record.id,
            correlation_id=record.correlation_id,
            traceparent=record.traceparent,
        )

    def _item(self, told: Told, policy: AnyPolicy, record: Record, outcome: Outcome) -> WorkItem | None:
        if not isinstance(outcome, Exception) or isinstance(outcome, NothingToRecord):
            return None  # what was wanted is so
        if _passes(outcome):
            raise outcome
        code = outcome.code if isinstance(outcome, Refusal) else type(outcome).__name__
        return WorkItem(told.command_id, policy.name, record.id, record.stream, code, self._clock())


def _events_of(policy: AnyPolicy) -> Collection[str]:
    return (policy.event,) if isinstance(policy, Policy) else policy.events


def _opened_by(policy: AnyPolicy) -> Collection[Kind]:
    return KINDS if isinstance(policy, Policy) else policy.opens


def _passes(outcome: Exception) -> bool:
    """Whether the same command may be accepted a moment later: that is no work for a person."""
    return isinstance(outcome, LogUnavailableError | VersionConflict) or getattr(outcome, "status", None) == 503
