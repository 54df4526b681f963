"""Commands on visits. What a visit finds has its place in the same step: its concerns, and the reports it demands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any, NamedTuple

from services.visits.domain import concern, protection_report, visit
from services.visits.domain.danger import DEMANDS, dangers_found, may_live_alone
from services.visits.domain.visit import (
    VISIT,
    AmendVisit,
    AttemptVisit,
    JudgedAmendment,
    JudgedAttempt,
    JudgedVisit,
    LaterVisit,
    LogVisit,
    ReturnVisit,
    VerifyVisit,
    VisitReturn,
    VisitVerification,
)
from shared.commands.command import Handling, Meanwhile, Target, as_it_is, told_by
from shared.contracts.values import Danger, VisitDoubt
from shared.contracts.visits import ChildFinding
from shared.standing.look_up import StandingLookUp


def handlings(standings: StandingLookUp) -> list[Handling[Any]]:
    judging = _Judging(standings)
    return [
        Handling(
            LogVisit,
            action="log_visit",
            targets=lambda c: (Target(c.visit, VISIT), *_found(c.findings, c.form)),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judging.visit,
            from_device=_later,
        ),
        Handling(
            AttemptVisit,
            action="log_visit",
            targets=lambda c: (Target(c.visit, VISIT),),
            division=lambda c, _: c.village,
            follows_files=True,
            learn=judging.attempt,
            from_device=as_it_is,
        ),
        Handling(
            AmendVisit,
            action="log_visit",
            targets=lambda c: (Target(c.visit, VISIT), *_found([c.finding], c.form)),
            division=lambda _, states: visit.village_of(states[0]),
            told_by_state=True,
            learn=judging.amendment,
            from_device=as_it_is,
        ),
        _checking(VerifyVisit, VisitVerification),
        _checking(ReturnVisit, VisitReturn),
    ]


def _checking(command: type[Any], by: type[Any]) -> Handling[Any]:
    return Handling(
        command,
        action="check_visit",
        targets=lambda c: (Target(c.visit, VISIT),),
        division=lambda _, states: visit.village_of(states[0]),
        told_by_state=True,
        learn=told_by(by),
    )


def _later(command: LogVisit, meanwhile: Meanwhile) -> LaterVisit:
    return LaterVisit.model_construct(**dict(command), doubts=doubts(meanwhile))


def doubts(meanwhile: Meanwhile) -> tuple[VisitDoubt, ...]:
    """Why a supervisor looks at what a device told later."""
    found = []
    if meanwhile.office_ended:
        found.append(VisitDoubt.OFFICE_ENDED)
    if meanwhile.clock_corrected:
        found.append(VisitDoubt.CLOCK_CORRECTED)
    return tuple(found)


def _found(findings: Iterable[ChildFinding], form: str | None) -> Iterator[Target]:
    """The streams of what the dangers found demand, each once."""
    targets: dict[str, Target] = {}
    for finding in findings:
        child = finding.child
        for danger in dangers_found(finding, form):
            demand = DEMANDS[danger]
            stream = concern.found_stream(child, demand.concern)
            targets.setdefault(stream, Target(stream, concern.found(child, demand.concern, demand.severity)))
            if demand.situation is not None:
                stream = protection_report.report_stream(child, demand.situation)
                targets.setdefault(stream, Target(stream, protection_report.found(child, demand.situation)))
    yield from targets.values()


class _Ages(NamedTuple):
    unborn: frozenset[str]
    of_age: frozenset[str]


class _Judging:
    """Tells a command on children how they stood on that day, and how old they were where that decides something."""

    def __init__(self, standings: StandingLookUp) -> None:
        self._standings = standings

    async def visit(self, command: LogVisit, person: str) -> JudgedVisit:
        children = [finding.child for finding in command.findings]
        standings = await self._standings.on(command.occurred_on, children)
        early = {child for child, one in standings.items() if one is not None and not one.registered_by_then}
        ages = await self._ages(command.occurred_on, early, _alone(command.findings, command.form))
        # Constructed, not validated again: the command has been.
        return JudgedVisit.model_construct(
            **dict(command),
            person=person,
            standings=standings,
            later=isinstance(command, LaterVisit),
            unborn=ages.unborn,
            of_age=ages.of_age,
        )

    async def attempt(self, command: AttemptVisit, person: str) -> JudgedAttempt:
        standings = await self._standings.on(command.occurred_on, command.children)
        return JudgedAttempt(**dict(command), standings=standings)

    async def amendment(self, command: AmendVisit, person: str) -> JudgedAmendment:
        ages = await self._ages(command.occurred_on, (), _alone([command.finding], command.form))
        return JudgedAmendment(**dict(command), person=person, unborn=ages.unborn, of_age=ages.of_age)

    async def _ages(self, day: date, early: Collection[str], alone: Collection[str]) -> _Ages:
        """Few are asked for."""
        month = {child: await self._standings.birth_month(child) for child in {*early, *alone}}
        return _Ages(
            unborn=frozenset(child for child in early if f"{day:%Y-%m}" < (month[child] or "")),
            of_age=frozenset(child for child in alone if may_live_alone(month[child], day)),
        )


def _alone(findings: Iterable[ChildFinding], form: str | None) -> set[str]:
    """Those whose report is demanded by nothing but that they live alone."""
    alone = set()
    for finding in findings:
        demanding = {danger for danger in dangers_found(finding, form) if DEMANDS[danger].situation is not None}
        if demanding == {Danger.LIVING_ALONE}:
            alone.add(finding.child)
    return alone
