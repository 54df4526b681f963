"""What an operator does with the services' own right, before anybody holds a role: the first divisions and roles.

It decides and records as registry does, with registry's own parts, in this process; it needs MongoDB alone.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from itertools import groupby
from typing import Final, TypeVar

from deploy.local.refusal import CannotRun
from deploy.local.settings import SERVICES, Settings, kept_secrets
from services.registry.__main__ import build
from services.registry.division_changes import LEVELS, Changes, compared
from services.registry.division_list import Row, addition, divisions, divisions_below
from services.registry.division_map import DivisionMap, LiveDocuments
from services.registry.domain.division import DivisionAlreadyAdded, RecodeDivision, RenameDivision
from services.registry.domain.duty import DutyAlreadyNamed, NameDutyHolder
from services.registry.domain.role import OF_A_DUTY, OF_A_POSTING, GrantRole, RoleAlreadyGranted
from shared.commands.command import Command, Told
from shared.commands.gathering import Outcome
from shared.contracts.refusal import Refusal
from shared.contracts.values import DivisionKind, Duty, Role
from shared.eventlog.placement import derived_id
from shared.eventlog.port import Appended, LogError, LogUnavailableError
from shared.identity.issuer import Issuer
from shared.projection.live import LiveModels
from shared.runtime.log_service import LogService
from shared.web.settings import ServiceSettings

T = TypeVar("T")

OPERATOR: Final = "operator"
DIRECTORY_SECONDS: Final = 30.0
WITH_A_DIRECTORY: Final = ("registry", "visits", "pairing", "reporting")


class Operator:
    """Gives commands to registry by its own right."""

    def __init__(self, registry: LogService) -> None:
        self._registry = registry
        self._last: dict[int, Appended] = {}

    async def import_divisions(self, code: str) -> int:
        """The node of the shipped list, its ancestors and all below it; how many of them are new.

        Raises KeyError when the list has no such node.
        """
        added = 0
        for _, level in groupby(divisions(code), key=lambda node: node.kind):
            outcomes = await self._give(list(level))
            added += sum(isinstance(outcome, Appended) for outcome in outcomes)
        return added

    async def compare(self, rows: Mapping[str, Row], code: str) -> Changes:
        """What a list changes on the map in this node. ``rows`` is the list's part. Raises MapIsBehind."""
        documents = LiveDocuments(self._registry.kernel.live, self._registry.log)
        return compared(rows, await DivisionMap(documents).living(code, also=list(rows)))

    async def take_over(self, changes: Changes, day: date) -> None:
        """Adds, renames and recodes, parents before children, from that day on; what moved or is gone stays as it is.

        Each level is on the map before the next one is told. Raises Refusal, LogError.
        """
        for level in LEVELS:
            await self._give([addition(row, day) for row in changes.added if row.kind == level])
            await self._give(
                [
                    RecodeDivision(division=node.division, code=row.code, valid_from=day)
                    for node, row in changes.recoded
                    if node.kind == level
                ]
            )
            await self._give(
                [
                    RenameDivision(division=node.division, name=name, valid_from=day)
                    for node, name in changes.renamed
                    if node.kind == level
                ]
            )

    async def grant(self, person: str, role: Role, division: str, starts: date) -> None:
        """From its first day on; the same grant again has no effect.

        A duty is named in every village or township of the shipped list there. Raises CannotRun for what only a
        posting gives, ClaimTaken where a village has another child director.
        """
        if role in OF_A_POSTING:
            raise CannotRun(f"{role} comes with a posting; post a working group, or let the person join one")
        if role in OF_A_DUTY:
            await self._give(list(_duties(person, Duty(role), division, starts)))
            return
        role_id = derived_id(f"{person}/{role}/{division}/{starts}", "role")
        grant = GrantRole(role_id=role_id, person=person, role=role, division=division, starts=starts)
        await self._give([grant])

    async def everybody_knows(self) -> None:
        """Returns when the directory of every service holds what was told here. Raises CannotRun."""
        for service in WITH_A_DIRECTORY:
            live = LiveModels(self._registry.kernel.client[f"guanhu_{service}"])
            for appended in self._last.values():
                if not await live.wait_for("directory", appended.position, timeout=DIRECTORY_SECONDS):
                    raise CannotRun(f"{service} has not taken in divisions and roles; see its /health")

    async def _give(self, commands: Sequence[Command]) -> list[Outcome]:
        # Under fresh ids: what is there already is told by a refusal, and is not counted as new.
        told = [Told(command, f"operator/{uuid.uuid4()}", OPERATOR, own_right=True) for command in commands]
        outcomes = await self._registry.handler.handle_many(told)
        for outcome in outcomes:
            self._note(outcome)
        return outcomes

    def _note(self, outcome: Outcome) -> None:
        if isinstance(outcome, DivisionAlreadyAdded | RoleAlreadyGranted | DutyAlreadyNamed):
            return
        if isinstance(outcome, Exception):
            raise outcome
        last = self._last.setdefault(outcome.position.partition, outcome)
        if outcome.position.seq > last.position.seq:
            self._last[outcome.position.partition] = outcome


def _duties(person: str, role: Duty, division: str, starts: date) -> Iterator[NameDutyHolder]:
    level = DivisionKind.VILLAGE if role is Duty.CHILD_DIRECTOR else DivisionKind.TOWNSHIP
    for node in divisions_below(division):
        if node.kind is level:
            duty = derived_id(f"{person}/{role}/{node.code}/{starts}", "duty")
            yield NameDutyHolder(duty=duty, person=person, role=role, division=node.code, starts=starts)


@asynccontextmanager
async def operator(environment: Mapping[str, str]) -> AsyncIterator[Operator]:
    """``environment`` is that of registry, as the local stack gives it."""
    registry = build(settings_of(environment))
    try:
        await registry.log.open()
        yield Operator(registry)
    finally:
        await registry.log.close()
        await registry.kernel.close()


async def as_operator(work: Callable[[Operator], Awaitable[T]]) -> T:
    """Does something on the local stack that runs. Raises CannotRun."""
    settings = Settings()
    try:
        async with operator(environment_of(settings, "registry")) as own:
            return await work(own)
    except KeyError as unknown:
        raise CannotRun(f"the division list has no {unknown}; the shipped one holds the province 52") from None
    except LogUnavailableError:
        raise CannotRun("MongoDB does not answer; start the stack with: guanhu up") from None
    except (Refusal, LogError) as refusal:
        raise CannotRun(str(refusal)) from None


def environment_of(settings: Settings, name: str) -> Mapping[str, str]:
    """The variables that a service of the local stack reads. Raises CannotRun before its first start."""
    if not (settings.home / "secrets.json").exists():
        raise CannotRun(f"nothing has ever run on {settings.home}; start the stack with: guanhu up")
    [service] = [service for service in SERVICES if service.name == name]
    return settings.environment(service, settings.home, kept_secrets(settings.home))


def issuer_of(settings: Settings) -> Issuer:
    """The embedded issuer of the local stack, on its own folder. Raises CannotRun."""
    reporting = settings_of(environment_of(settings, "reporting"))
    return Issuer(reporting.data / "issuer", reporting.issuer_url)


def settings_of(environment: Mapping[str, str]) -> ServiceSettings:
    prefix = "GUANHU_"
    named = {k.removeprefix(prefix).lower(): v for k, v in environment.items() if k.startswith(prefix)}
    return ServiceSettings(**named)  # type: ignore[arg-type]
