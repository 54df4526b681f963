"""Which visit policy a division adopts, and a major change that asks for a visit."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from services.reporting.duties.policies import Adopted, Policies
from services.visits.domain.major_change import (
    CHANGE,
    ChangeAlreadyReported,
    ChangeStandsElsewhere,
    JudgedChange,
)
from services.visits.domain.visit_policy import (
    VISIT_POLICY,
    AdoptVisitPolicy,
    PolicyAlreadyBegins,
    PolicyBeginsInThePast,
    policy_stream,
)
from shared.contracts.field_work import MajorChangeKind, MajorChangeReported
from shared.contracts.sealed import Counted
from shared.contracts.values import RiskLevel
from shared.contracts.visit_policy import SHIPPED, LevelRule, VisitPolicyAdopted
from shared.eventlog.placement import new_id
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import TOLD, VILLAGE
from tests.support.specification import given

COUNTY = "520303"
DAY = date(2026, 8, 14)
CHILD = new_id("child")
STRICTER = SHIPPED.model_copy(update={"low": LevelRule(home_days=30, grace_days=3)})


def wish(starts: date = DAY) -> AdoptVisitPolicy:
    return AdoptVisitPolicy(occurred_at=TOLD, division=COUNTY, starts=starts, content=STRICTER)


def adopted(starts: date = DAY) -> VisitPolicyAdopted:
    return VisitPolicyAdopted(policy=policy_stream(COUNTY), division=COUNTY, starts=starts, content=STRICTER)


def test_a_division_adopts_a_policy_from_a_day_on():
    given(VISIT_POLICY).when(wish()).then(adopted())
    tomorrow = DAY + timedelta(1)
    given(VISIT_POLICY, adopted()).when(wish(tomorrow)).then(adopted(tomorrow))


def test_what_was_due_is_not_rewritten():
    given(VISIT_POLICY).when(wish(DAY - timedelta(1))).then_refused(PolicyBeginsInThePast)
    given(VISIT_POLICY, adopted()).when(wish()).then_refused(PolicyAlreadyBegins)


def test_a_policy_without_a_rule_for_each_level_or_with_an_interval_of_no_days_is_none():
    content = STRICTER.model_dump()
    del content["medium"]
    with pytest.raises(ValidationError, match="medium"):
        AdoptVisitPolicy(division=COUNTY, starts=DAY, content=content)
    with pytest.raises(ValidationError, match="home_days"):
        LevelRule(home_days=0, grace_days=0)


def test_a_lower_division_overrides_where_the_higher_one_lets_it():
    own = SHIPPED.model_copy(update={"low": LevelRule(home_days=60, grace_days=0)})
    paths = {VILLAGE: ("52", COUNTY, VILLAGE)}

    def in_force(may_be_overridden: bool, day: date = DAY) -> int:
        above = Adopted(DAY, 1, STRICTER, may_be_overridden)
        policies = Policies(paths, {COUNTY: [above], VILLAGE: [Adopted(DAY, 1, own, True)]})
        return policies.on(VILLAGE, day).rule(RiskLevel.LOW).home_days

    assert (in_force(True), in_force(False), in_force(True, DAY - timedelta(1))) == (60, 30, 90)


def change(**changes: object) -> JudgedChange:
    fields: dict[str, object] = {
        "occurred_at": TOLD,
        "change": new_id("change", beside=CHILD),
        "child": CHILD,
        "village": VILLAGE,
        "kind": Counted(MajorChangeKind.ARREST),
        "person": "alice",
        "standing": Standing(VILLAGE, open=True),
    }
    return JudgedChange.model_validate(fields | changes)


def test_a_major_change_is_reported_once_of_a_child_that_is_on_file():
    told = change()
    reported = MajorChangeReported(
        change=told.change, child=CHILD, village=VILLAGE, kind=told.kind, happened_on=DAY, reported_by="alice"
    )
    given(CHANGE).when(told).then(reported)
    given(CHANGE, reported).when(told).then_refused(ChangeAlreadyReported)
    given(CHANGE).when(change(standing=None)).then_refused(ChildNotOnFile)
    given(CHANGE).when(change(standing=Standing(VILLAGE, open=False))).then_refused(ChildFileWasClosed)
    elsewhere = "change-00000000-0000-7000-8000-000000000001"
    given(CHANGE).when(change(change=elsewhere)).then_refused(ChangeStandsElsewhere)
