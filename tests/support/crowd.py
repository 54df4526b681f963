"""A crowd that tells an installation things and opens files, and repeats each until it has its answer."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, NamedTuple
from uuid import uuid4

import httpx

from services.registry.domain.child import RecordCareSituation, RegisterChild
from shared.commands.command import Command
from shared.contracts.sealed import Personal
from shared.contracts.values import CareKind
from shared.contracts.visits import ChildFinding
from shared.eventlog.placement import new_id
from shared.eventlog.record import Position
from tests.support.builders import a_registration, a_visit, care
from tests.support.installation import Installation, service_of

PAUSE_SECONDS: Final = 0.1
_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许"


class Told(NamedTuple):
    """A command and where the installation said that its last event stands."""

    command_id: str
    command: Command
    position: Position


class Crowd:
    """``size`` callers tell registry, as many tell visits, and as many open files, each one thing after another.

    They do no more than they are let to: ``may_act`` gives out so many wishes, a third of them to each side.
    """

    def __init__(self, guanhu: Installation, person: str, villages: list[str], size: int, seed: int = 0) -> None:
        self.told: list[Told] = []
        self.opened = Counter[str]()
        """How often the file of a child was shown."""
        self.unanswered = Counter[str]()
        """Wishes that were sent and not answered, by service."""
        self._guanhu = guanhu
        self._person = person
        self._villages = villages
        self._chance = random.Random(seed)
        self._children: list[RegisterChild] = []
        self._given_out = 0
        self._tickets = {service: asyncio.Semaphore(0) for service in ("registry", "visits", "reporting")}
        sides = (("registry", self._tell_registry), ("visits", self._tell_visits), ("reporting", self._open_a_file))
        self._callers = [
            asyncio.ensure_future(self._call(self._tickets[service], tell))
            for service, tell in sides
            for _ in range(size)
        ]

    async def __aenter__(self) -> Crowd:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    async def begin(self, children: int) -> None:
        """Registers the first children, so that there is somebody to visit."""
        await asyncio.gather(*(self._tell_registry() for _ in range(children)))
        self._given_out = len(self.told)

    def may_act(self, wishes: int) -> None:
        for tickets in self._tickets.values():
            for _ in range(wishes // len(self._tickets)):
                tickets.release()
                self._given_out += 1

    async def have_acted(self, left: int = 0) -> None:
        """Until all but ``left`` of the wishes given out are answered. Raises what a caller met unexpectedly."""
        while len(self.told) + self.opened.total() < self._given_out - left:
            for caller in self._callers:
                if caller.done():
                    caller.result()
            await asyncio.sleep(0.01)

    async def _call(self, tickets: asyncio.Semaphore, tell: Callable[[], Awaitable[None]]) -> None:
        while True:
            await tickets.acquire()
            await tell()

    async def _tell_registry(self) -> None:
        if self._children and self._chance.random() < 0.3:
            child = self._chance.choice(self._children).child
            kind = self._chance.choice((CareKind.GRANDPARENT, CareKind.OTHER_RELATIVE, CareKind.BOARDING_SCHOOL))
            await self._until_answered(RecordCareSituation(child=child, care=care(kind)))
            return
        village = self._chance.choice(self._villages)
        child = a_registration(
            residence=village, hukou=village[:6], household=new_id("household"), name=self._name_of_nobody_else()
        )
        await self._until_answered(child)
        self._children.append(child)

    def _name_of_nobody_else(self) -> str:
        """Children of one name would be suspected of being one child."""
        return f"{self._chance.choice(_SURNAMES)}{len(self._children):06x}{self._chance.randrange(16**6):06x}"

    async def _tell_visits(self) -> None:
        child = self._chance.choice(self._children)
        found = care(CareKind.NOBODY, alone=True) if self._chance.random() < 0.2 else None
        finding = ChildFinding(child=child.child, life=Personal("衣食无忧"), care_found=found)
        visit = a_visit(child.household, village=child.residence, occurred_at=datetime.now(UTC), findings=(finding,))
        await self._until_answered(visit)

    async def _open_a_file(self) -> None:
        """Until it is shown: one that is not on file will be, once reporting has heard of it."""
        child = self._chance.choice(self._children).child
        self.unanswered["reporting"] += 1
        while not await self._shown(child):  # noqa: ASYNC110 - another process knows no events
            await asyncio.sleep(PAUSE_SECONDS)
        self.unanswered["reporting"] -= 1
        self.opened[child] += 1

    async def _shown(self, child: str) -> bool:
        try:
            answer = await self._guanhu.open_file(child, self._person)
        except httpx.TransportError:
            return False
        assert answer.status_code in (200, 404, 503), answer.text
        return answer.status_code == 200

    async def _until_answered(self, command: Command) -> None:
        """Repeats it, unchanged and under the same id, as long as the answer is that it may be repeated."""
        key, service = str(uuid4()), service_of(command)
        self.unanswered[service] += 1
        while (answer := await self._sent(command, key)) is None:  # noqa: ASYNC110 - another process knows no events
            await asyncio.sleep(PAUSE_SECONDS)
        self.unanswered[service] -= 1
        assert answer.status_code == 201, answer.text
        self.told.append(Told(key, command, Position.parse(answer.json()["position"])))

    async def _sent(self, command: Command, key: str) -> httpx.Response | None:
        try:
            answer = await self._guanhu.tell(command, self._person, idempotency_key=key)
        except httpx.TransportError:
            return None
        repeatable = answer.status_code == 503 or answer.json().get("code") == "version_conflict"
        return None if repeatable else answer
