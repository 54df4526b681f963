"""What a child's file says that demands a protection report, and the alarm where none is open a minute later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.registry.domain.child import ApproveErasure, RequestErasure
from services.visits.demands import ERASED, REPORTS, Demands
from services.visits.domain.demand import demanded
from services.visits.domain.protection_report import (
    PROTECTION,
    WATCH,
    AlarmBy,
    JudgedReport,
    NotTheWatch,
    RaiseProtectionReport,
    report_stream,
)
from services.visits.handlings.protection import handlings
from services.visits.policies import RAISER, raising
from shared.commands.command import Told
from shared.commands.policies import PolicyOfMany
from shared.contracts.event import Event
from shared.contracts.protection import ProtectionReportClosed, ProtectionReportRaised, ProtectionWatchAlarmed
from shared.contracts.registry import CareSituationRecorded, SubjectKeyDestroyed
from shared.contracts.risk import INSTRUMENTS, RiskAnswers, RiskAssessed, RiskOutcome
from shared.contracts.sealed import KINDS, Counted, Personal
from shared.contracts.values import CareKind, ReportResult, RiskLevel, Role, Situation
from shared.eventlog.placement import new_id
from shared.eventlog.record import decode
from shared.projection.read_model import Occurred
from shared.standing.look_up import StandingLookUp
from shared.standing.standing import Standing
from tests.support.builders import TOLD, VILLAGE, a_registered_child, a_registration, care
from tests.support.registry import Registry
from tests.support.specification import given
from tests.support.standings import NothingHeard, Owner
from tests.support.workspace import MemoryWorkspace, Store, a_record, fold_all

CHILD = new_id("child")
REPORT = report_stream(CHILD, Situation.WITHOUT_CARE)
ALARM = AlarmBy(report=REPORT, child=CHILD, village=VILLAGE, since=TOLD, person=WATCH, occurred_at=TOLD)
ALARMED = ProtectionWatchAlarmed(report=REPORT, child=CHILD, village=VILLAGE, since=TOLD)
RAISED = ProtectionReportRaised(
    report=REPORT,
    child=CHILD,
    village=VILLAGE,
    situation=Counted(Situation.WITHOUT_CARE),
    discovered_at=TOLD,
    reporter="alice",
)
CLOSED = ProtectionReportClosed(
    report=REPORT, child=CHILD, result=Counted(ReportResult.SAFE), text=Personal("x"), closed_by="chen"
)
ALONE = care(CareKind.NOBODY)


def assessed(*signs: str, child: str = CHILD) -> RiskAssessed:
    return RiskAssessed(
        child=child,
        instrument="SHEET-1",
        answers=Personal(RiskAnswers(emergencies=signs)),
        outcome=Personal(RiskOutcome(score=None)),
        level=Counted(RiskLevel.HIGH),
        assessed_by="alice",
        next_due=date(2026, 9, 30),
    )


class TestTheAlarm:
    def test_tells_of_a_report_that_was_never_raised(self):
        given(PROTECTION).when(ALARM).then(ALARMED)

    def test_tells_of_one_that_was_closed_before(self):
        given(PROTECTION, RAISED, CLOSED).when(ALARM).then(ALARMED)

    def test_is_not_needed_when_the_report_is_open(self):
        given(PROTECTION, RAISED).when(ALARM).then()

    def test_is_given_by_the_watch_alone(self):
        given(PROTECTION).when(ALARM.model_copy(update={"person": "chen"})).then_refused(NotTheWatch)

    def test_leaves_the_report_to_be_raised(self):
        wish = JudgedReport(
            occurred_at=TOLD,
            child=CHILD,
            village=VILLAGE,
            situation=RAISED.situation,
            person="alice",
            standing=Standing(VILLAGE, open=True),
        )
        given(PROTECTION, ALARMED).when(wish).then(RAISED)


@pytest.mark.parametrize(
    ("event", "situations"),
    [
        (a_registered_child(care=ALONE), {Situation.WITHOUT_CARE}),
        (a_registered_child(care=care(alone=True)), {Situation.WITHOUT_CARE}),
        (a_registered_child(), set()),
        (CareSituationRecorded(child=CHILD, care=ALONE), {Situation.WITHOUT_CARE}),
        (
            assessed("missing", "no_livelihood"),
            {Situation.MISSING_OR_TRAFFICKED, Situation.OTHER_SERIOUS},
        ),
        (assessed("violence_now"), {Situation.VIOLENCE_OR_NEGLECT}),
        (assessed(), set()),
    ],
)
def test_what_a_file_says_demands_the_report_of_its_situation(event, situations):
    assert demanded(event) == situations


def test_every_emergency_of_every_sheet_demands_a_report():
    signs = [sign for sheet in INSTRUMENTS.values() for sign in sheet.emergencies]
    assert all(demanded(assessed(sign)) for sign in signs)


class World:
    """registry over a log in memory, and the policies of visits on its events."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.standings = StandingLookUp(
            NothingHeard(), Owner(self.registry), self.registry.sealer, self.registry.directory
        )
        for person, role in (("asking", Role.CHILD_DIRECTOR), ("officer", Role.DATA_PROTECTION_OFFICER)):
            self.registry.directory.add_grant(person, role, VILLAGE, date(2026, 1, 1))

    async def tell(self, command: Any, person: str = "director-1") -> None:
        await self.registry.handler.handle(Told(command, new_id("command"), person))

    async def wanted(self, child: str) -> list[RaiseProtectionReport]:
        records = [decode(raw) for raw in await self.registry.log.load(child)]
        found = []
        for policy in raising(self.standings):
            assert isinstance(policy, PolicyOfMany)
            mine = [record for record in records if record.type in policy.events]
            events = await self.registry.sealer.open(mine, policy.opens)
            for ones in await policy.react(list(zip(mine, events, strict=True))):
                found += [one.command for one in ones]
        return found


async def test_a_child_registered_as_living_alone_is_reported_by_who_registered_it():
    world = World()
    child = a_registration(care=ALONE)
    await world.tell(child)
    [command] = await world.wanted(child.child)
    assert command == RaiseProtectionReport(
        occurred_at=TOLD,
        child=child.child,
        village=VILLAGE,
        situation=Counted(Situation.WITHOUT_CARE),
        reporter="director-1",
    )
    [handling] = [one for one in handlings(world.standings) if one.command is RaiseProtectionReport]
    assert handling.learn is not None
    assert (await handling.learn(command, RAISER)).person == "director-1"
    assert (await handling.learn(command, "somebody")).person == "somebody"


@pytest.mark.parametrize(("born", "reports"), [(date(2010, 8, 31), 1), (date(2010, 7, 31), 0)], ids=["15", "16"])
async def test_who_is_sixteen_may_live_alone(born, reports):
    world = World()
    registered = a_registration(care=ALONE, birth_date=born)
    await world.tell(registered)
    assert len(await world.wanted(registered.child)) == reports


async def test_of_an_erased_child_nothing_is_wanted():
    world = World()
    child = a_registration(care=ALONE)
    await world.tell(child)
    await world.tell(RequestErasure(child=child.child, basis=Personal("家长申请")), "asking")
    await world.tell(ApproveErasure(child=child.child), "officer")
    assert await world.wanted(child.child) == []
    await world.registry.vault.destroy(child.child)
    assert await world.wanted(child.child) == []


async def test_the_signs_of_an_erased_child_are_gone():
    world = World()
    [sealed] = await world.registry.sealer.seal([("event", assessed("violence_now"))])
    record = msgspec.structs.replace(a_record(assessed()), data=sealed.data, sealed=sealed.sealed)
    await world.registry.vault.destroy(CHILD)
    [event] = await world.registry.sealer.open([record], KINDS)
    assert demanded(event) == set()


MOMENTS = [TOLD + timedelta(seconds=n) for n in range(12)]


class Kept:
    """Demands, raisings and closings, each at a moment of its own, told in any interleaving of the two services."""

    def __init__(self, kinds: list[str], draw: Any) -> None:
        told = list(zip(MOMENTS, kinds, strict=False))
        self.told = [one for at, one in enumerate(told) if self._fits(kinds[: at + 1])]
        ways = {True: [one for one in self.told if one[1] == "told"], False: [o for o in self.told if o[1] != "told"]}
        order = draw(st.permutations([one[1] == "told" for one in self.told]))
        self.interleaved = [ways[way].pop(0) for way in order]

    @staticmethod
    def _fits(kinds: list[str]) -> bool:
        """A report is raised while it is closed, and closed while it is open."""
        *before, last = [kind for kind in kinds if kind != "told"] or ["close"]
        return kinds[-1] == "told" or last != (before[-1] if before else "close")

    async def document(self, told: list[tuple[datetime, str]]) -> Any:
        store: Store = {REPORTS: {}, ERASED: {}}
        model = Demands()
        for moment, kind in told:
            event: Event = {"told": CareSituationRecorded(child=CHILD, care=ALONE), "raise": RAISED, "close": CLOSED}[
                kind
            ]
            one = Occurred(msgspec.structs.replace(a_record(event), recorded_at=moment), event)
            work = MemoryWorkspace(store)
            await model.prepare([one], work)
            model.fold(one, work)
            work.commit()
        return store[REPORTS].get(REPORT)

    def unanswered(self) -> datetime | None:
        """Goes through all that happened: a demand is answered by a report that is open then or later."""
        for at, (moment, kind) in enumerate(self.told):
            before = [one for _, one in self.told[:at] if one != "told"]
            later = [one for _, one in self.told[at:]]
            if kind == "told" and before[-1:] != ["raise"] and "raise" not in later:
                return moment
        return None


@settings(deadline=None)
@for_all(st.lists(st.sampled_from(["told", "raise", "close"]), max_size=10).map(list), st.data())
async def test_a_demand_is_answered_by_a_report_open_then_or_later_in_whatever_order_it_is_heard(kinds, data):
    kept = Kept(kinds, data.draw)
    document = await kept.document(kept.interleaved)
    assert document == await kept.document(kept.told)
    waits = document and document["waits_since"]
    expected = kept.unanswered()
    assert waits == (expected and f"{expected.astimezone(UTC):%Y-%m-%dT%H:%M:%S,%fZ}")


async def test_what_was_alarmed_of_waits_no_more():
    demand = CareSituationRecorded(child=CHILD, care=ALONE)
    store = await fold_all(Demands(), [[demand]])
    assert store[REPORTS][REPORT]["waits_since"]
    alarm = ALARMED.model_copy(update={"since": a_record(demand).recorded_at})
    store = await fold_all(Demands(), [[demand], [alarm]])
    assert store[REPORTS][REPORT]["waits_since"] is None


async def test_of_an_erased_child_no_demand_is_kept_whatever_is_told_of_its_reports_later():
    told: list[list[Event]] = [
        [CareSituationRecorded(child=CHILD, care=ALONE)],
        [SubjectKeyDestroyed(child=CHILD, approved_by="officer")],
        [RAISED],
        [CLOSED, ALARMED],
    ]
    store = await fold_all(Demands(), told)
    assert (store[REPORTS], set(store[ERASED])) == ({}, {CHILD})
