"""What registry's commands learn of the policies in force where they take effect, and how one asks for them.

The look-up is a read model of registry's own log. Where a command names another policy than the look-up knows, the
answer waits until that has come to the end of the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.registry.domain.adoption import (
    AdoptCountingRule,
    AdoptionCommand,
    AdoptRetention,
    AdoptRiskInstrument,
    DefineOwnFields,
    OverrideNotAllowed,
)
from services.registry.domain.child import AssessmentBy, AssessRisk, OwnFieldsBy, RecordOwnFields
from shared.adoption.in_force import Adopted
from shared.adoption.read_model import Adoptions
from shared.commands.command import business_day
from shared.contracts.adoption import Adoption
from shared.contracts.counting import DEFAULT_RULE, RULES, CountingRuleAdopted
from shared.contracts.event import Fact
from shared.contracts.own_fields import OwnFields, OwnFieldsDefined
from shared.contracts.retention import DEFAULT_RETENTION, DEFAULT_RETENTION_NAME, RetentionAdopted, RetentionPeriods
from shared.contracts.risk import DEFAULT_INSTRUMENT, INSTRUMENTS, RiskInstrument, RiskInstrumentAdopted
from shared.contracts.values import DivisionCode
from shared.eventlog.port import Log
from shared.eventlog.record import decode
from shared.identity.access import Directory

C = TypeVar("C", bound=AdoptionCommand)
F = TypeVar("F", bound=Fact)

_ADOPTS: Final[Mapping[type[AdoptionCommand], type[Adoption]]] = {
    AdoptCountingRule: CountingRuleAdopted,
    AdoptRiskInstrument: RiskInstrumentAdopted,
    AdoptRetention: RetentionAdopted,
    DefineOwnFields: OwnFieldsDefined,
}
_VILLAGE_IN: Final = {"ChildRegistered": "residence", "ChildTransferred": "to_village"}


class PolicyLearning:
    """``level`` returns when the look-up holds all that was recorded before."""

    def __init__(
        self, log: Log, adoptions: Adoptions, directory: Directory, level: Callable[[], Awaitable[None]]
    ) -> None:
        self._log = log
        self._adoptions = adoptions
        self._directory = directory
        self._level = level

    async def adoption(self, command: C, person: str) -> C:
        """Raises OverrideNotAllowed."""
        await self._level()
        path = await _path(self._directory, command.division)
        above = [code for code in path if len(code) < len(command.division)]
        held = await self._adoptions.in_force(_ADOPTS[type(command)], above, command.starts)
        if held is not None and not held.may_override:
            raise OverrideNotAllowed(f"{held.name} of {held.division} is in force on that day for all below it")
        return command

    async def assessment(self, command: AssessRisk, person: str) -> AssessmentBy:
        held = await self._at_home(RiskInstrumentAdopted, command.child, command.occurred_on, command.instrument)
        name, sheet = _content(held, RiskInstrument, DEFAULT_INSTRUMENT, INSTRUMENTS[DEFAULT_INSTRUMENT])
        return AssessmentBy(**dict(command), person=person, in_force=name, sheet=sheet)

    async def own_fields(self, command: RecordOwnFields, person: str) -> OwnFieldsBy:
        held = await self._at_home(OwnFieldsDefined, command.child, command.occurred_on, command.definition)
        if held is None:
            return OwnFieldsBy(**dict(command), in_force=None, fields=())
        return OwnFieldsBy(**dict(command), in_force=held.name, fields=OwnFields.model_validate(held.content).fields)

    async def _at_home(self, kind: type[Adoption], child: str, on: date, named: str) -> Adopted[dict[str, Any]] | None:
        """What is in force where a child lives; with all that was recorded before, should another one be named."""
        path = await _path(self._directory, await self._village(child))
        held = await self._adoptions.in_force(kind, path, on)
        if held is None or held.name != named:
            await self._level()
            held = await self._adoptions.in_force(kind, path, on)
        return held

    async def _village(self, child: str) -> str:
        """Where the file says that a child lives."""
        village = ""
        for record in map(decode, await self._log.load(child)):
            if field := _VILLAGE_IN.get(record.type):
                village = msgspec.json.decode(record.data)[field]
        return village


async def _path(directory: Directory, division: str) -> Sequence[str]:
    place = (await directory.places([division])).get(division)
    return place.path if place else ()


def _content(held: Adopted[dict[str, Any]] | None, fact: type[F], default_name: str, default: F) -> tuple[str, F]:
    return (default_name, default) if held is None else (held.name, fact.model_validate(held.content))


async def retention_in(adoptions: Adoptions, directory: Directory, division: str, on: date) -> RetentionPeriods:
    """How long what belongs to a division is kept, by what is in force there on a day."""
    held = await adoptions.in_force(RetentionAdopted, await _path(directory, division), on)
    return _content(held, RetentionPeriods, DEFAULT_RETENTION_NAME, DEFAULT_RETENTION)[1]


class Policy(BaseModel):
    """``division`` and ``starts`` say who adopted it, from which day; both are null for what is shipped."""

    name: str | None
    division: str | None
    starts: date | None
    may_override: bool
    content: dict[str, Any] | None


class Policies(BaseModel):
    division: str
    on: date
    counting_rule: Policy
    risk_instrument: Policy
    retention: Policy
    own_fields: Policy


class _Shipped(NamedTuple):
    kind: type[Adoption]
    name: str | None
    content: Fact | None


_SHIPPED: Final[Mapping[str, _Shipped]] = {
    "counting_rule": _Shipped(CountingRuleAdopted, DEFAULT_RULE, RULES[DEFAULT_RULE]),
    "risk_instrument": _Shipped(RiskInstrumentAdopted, DEFAULT_INSTRUMENT, INSTRUMENTS[DEFAULT_INSTRUMENT]),
    "retention": _Shipped(RetentionAdopted, DEFAULT_RETENTION_NAME, DEFAULT_RETENTION),
    "own_fields": _Shipped(OwnFieldsDefined, None, None),
}


def policy_routes(adoptions: Adoptions, directory: Directory, caller: Callable[..., Any]) -> APIRouter:
    router = APIRouter(tags=["policies"])

    @router.get("/policies", summary="Which policies are in force in a division")
    async def policies(division: DivisionCode, on: date | None = None, who: Any = Depends(caller)) -> Policies:  # noqa: B008
        """On a day (today without one), with their whole content: the sheet to fill in, the fields to ask for."""
        today = business_day(datetime.now(UTC))
        await directory.authorise(who.person, "read_figures", division, today)
        path, day = await _path(directory, division), on or today
        found = {
            name: _policy(await adoptions.in_force(shipped.kind, path, day), shipped)
            for name, shipped in _SHIPPED.items()
        }
        return Policies(division=division, on=day, **found)

    return router


def _policy(held: Adopted[dict[str, Any]] | None, shipped: _Shipped) -> Policy:
    if held is None:
        content = None if shipped.content is None else shipped.content.model_dump(mode="json")
        return Policy(name=shipped.name, division=None, starts=None, may_override=True, content=content)
    return Policy(
        name=held.name,
        division=held.division,
        starts=held.starts,
        may_override=held.may_override,
        content=held.content,
    )
