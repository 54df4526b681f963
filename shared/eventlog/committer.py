"""The committer: takes all appends that wait, in all partitions, and commits them as one transaction.

One for each process. It knows no database: ``Store`` is what it asks of one.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, StrEnum
from typing import Any, Final, Protocol, TypeVar

import structlog

from shared.eventlog.group import Member, OnCommit, Plan, VersionCache, independent, take
from shared.eventlog.port import Append, Appended, CommandAlreadyDone, Head, LogError, LogUnavailableError

PATIENCE_SECONDS: Final = 8.0
TOUCH_SECONDS: Final = 2.0
MAX_BACKOFF_SECONDS: Final = 0.25

T = TypeVar("T")

_log = structlog.get_logger()


class LogEvent(StrEnum):
    """What this module logs."""

    STORE_LOST = "log_store_lost"
    """The store does not answer: the class of its error. Appends wait some seconds, then they are answered 503."""

    STORE_BACK = "log_store_back"
    """Appends are committed again."""

    FAULT = "log_commit_fault"
    """A commit or a touch failed for no known reason: its class. The appends are tried in ever smaller groups."""


class Cause(Enum):
    """Why a transaction was not committed."""

    MOVED = "another committer was faster"
    REFUSED = "the store has refused it"
    LOST = "the store does not answer"


class NotCommitted(Exception):
    """The transaction did not happen; when the cause is LOST, it may have."""

    def __init__(self, cause: Cause, text: str) -> None:
        super().__init__(text)
        self.cause = cause


Heads = Mapping[int, Head]


class Store(Protocol):
    """What a committer asks of a database. Calls block, come from one thread, and raise NotCommitted."""

    def commit(self, members: Sequence[Member], heads: Heads | None) -> Plan:
        """All or nothing, on top of exactly these heads; None: of those it finds and holds on to."""

    def look_up(self, members: Sequence[Member]) -> dict[Member, LogError]:
        """Those of the members that cannot be committed, and why."""

    def touch(self, heads: Heads | None) -> dict[int, Head]:
        """Gives heads that have not moved the time. All heads, as they are now."""


class Committer:
    def __init__(self, store: Store, versions: VersionCache, on_commit: OnCommit | None = None) -> None:
        self._store = store
        self._versions = versions
        self._on_commit = on_commit
        self._waiting: deque[Member] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._heads: Heads | None = None
        self._failures = 0
        self._lost = False
        self._touch_at = 0.0
        # One thread of its own: a commit is a chain of round trips, and a hop between threads for each would cost
        # more than they do.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="committer")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="committer")

    async def stop(self) -> None:
        """What waits is committed first, or answered when its patience ends."""
        self._closing = True
        self._wake.set()
        try:
            if self._task is not None:
                await self._task
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def append(self, append: Append) -> Appended:
        """Raises LogError. A caller that is cancelled does not take its append back."""
        if self._task is None or self._closing:
            raise LogUnavailableError("the log is not open")
        loop = asyncio.get_running_loop()
        member = Member(append, loop.create_future(), since=loop.time())
        self._waiting.append(member)
        self._wake.set()
        return await member.answer

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _run(self) -> None:
        now = asyncio.get_running_loop().time
        while self._waiting or not self._closing:
            await self._rest()
            if self._waiting:
                await self._commit(take(self._waiting))
            if now() >= self._touch_at:
                self._touch_at = now() + TOUCH_SECONDS
                await self._touch()

    async def _rest(self) -> None:
        """Until somebody waits, or heads are to be touched."""
        if not self._waiting and not self._closing:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(self._touch_at):
                    await self._wake.wait()
            except TimeoutError:
                return
        # Whoever was answered by the last commit and goes on at once shall be in this group, not in the next.
        await asyncio.sleep(0)

    async def _touch(self) -> None:
        try:
            self._heads = await self.in_thread(self._store.touch, self._heads)
        except NotCommitted:
            self._heads = None
        except Exception as fault:
            _log.error(LogEvent.FAULT, exception=type(fault).__name__)

    async def _commit(self, group: list[Member]) -> None:
        try:
            group = await self._without_guilty(group)
            group, rest = independent(group)
            self._return(rest)
            if group:
                self._committed(group, await self.in_thread(self._store.commit, group, self._heads))
        except NotCommitted as reason:
            await self._back_off(group, reason)
        except Exception as fault:
            self._divide(group, fault)

    async def _without_guilty(self, group: list[Member]) -> list[Member]:
        suspects = [m for m in group if m.doubtful or not self._versions.fit(m.append)]
        if not suspects:
            return group
        guilty = await self.in_thread(self._store.look_up, suspects)
        for member in suspects:
            if member in guilty:
                self._refuse(member, guilty[member])
            else:
                member.doubtful = False
                self._versions.saw({s.stream: s.expected_version for s in member.append.streams})
        return [member for member in group if member not in guilty]

    @staticmethod
    def _refuse(member: Member, refusal: LogError) -> None:
        if isinstance(refusal, CommandAlreadyDone) and member.is_own(refusal.answer):
            member.settle(refusal.answer.appended)
        else:
            member.settle(refusal)

    def _committed(self, group: Iterable[Member], planned: Plan) -> None:
        self._heads = planned.heads
        self._failures = 0
        if self._lost:
            self._lost = False
            _log.info(LogEvent.STORE_BACK)
        for member in group:
            appended = planned.answers[member]
            self._versions.saw(appended.versions)
            member.settle(appended)
        if self._on_commit is not None:
            self._on_commit(planned.lines)

    async def _back_off(self, group: Sequence[Member], reason: NotCommitted) -> None:
        self._heads = None
        self._failures += 1
        if reason.cause is Cause.LOST and not self._lost:
            self._lost = True
            _log.warning(LogEvent.STORE_LOST, exception=str(reason))
        for member in group:
            member.doubtful |= reason.cause is not Cause.MOVED
            if reason.cause is Cause.REFUSED and self._failures > 1:
                member.company = max(1, len(group) // 2)
        self._return(self._patient(group, reason))
        await asyncio.sleep(random.uniform(0, min(MAX_BACKOFF_SECONDS, 0.001 * 2 ** min(self._failures, 8))))

    @staticmethod
    def _patient(group: Iterable[Member], reason: NotCommitted) -> list[Member]:
        """Those that may be tried again; the others are answered."""
        now, patient = asyncio.get_running_loop().time(), []
        for member in group:
            if now - member.since > PATIENCE_SECONDS:
                member.settle(LogUnavailableError(f"{reason.cause.value}: {reason}"))
            else:
                patient.append(member)
        return patient

    def _divide(self, group: Sequence[Member], fault: Exception) -> None:
        """One of them cannot be written at all; halves of the group will show which one."""
        _log.error(LogEvent.FAULT, exception=type(fault).__name__, appends=len(group))
        self._heads = None
        if len(group) == 1:
            group[0].settle(fault)
            return
        for member in group:
            member.company = len(group) // 2
        self._return(group)

    def _return(self, members: Sequence[Member]) -> None:
        self._waiting.extendleft(reversed(members))
