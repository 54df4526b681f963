"""The rules of village profiles and schools."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from pydantic import ValidationError

from services.registry.domain.school import (
    SCHOOL,
    ChangeSchool,
    ChangesOutOfOrder,
    RegisterSchool,
    SchoolAlreadyRegistered,
    SchoolIsClosed,
)
from services.registry.domain.village_profile import (
    PROFILE,
    FiguresDoNotFit,
    NothingFound,
    Profile,
    ProfileOfTheFuture,
    RecordVillageProfile,
)
from shared.commands.command import NothingToRecord, NotOnFile, Told
from shared.contracts.places import SchoolChanged, SchoolContact, SchoolRegistered, VillageProfileRecorded
from shared.contracts.sealed import Personal
from shared.contracts.values import PovertyStatus, RoadKind, SchoolKind
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE
from tests.support.registry import Registry
from tests.support.specification import given

TOLD, TODAY = datetime(2026, 8, 14, 2, tzinfo=UTC), date(2026, 8, 14)

RECORD = RecordVillageProfile(
    occurred_at=TOLD,
    village=VILLAGE,
    as_of=date(2026, 6, 30),
    households=412,
    population=1_630,
    rural_minors_under_16=290,
    migrant_workers=505,
    metres_to_township=7_500,
    road=RoadKind.PAVED,
    poverty=PovertyStatus.LIFTED,
    has_childrens_home=True,
    schools=(new_id("school"),),
)
RECORDED = VillageProfileRecorded(**RECORD.model_dump(exclude={"occurred_at"}))

CONTACT = SchoolContact(contact=new_id("contact"), name=Personal("测老师"), phone=Personal("13900000001"))
REGISTER = RegisterSchool(
    school=new_id("school"), name="测试小学", kind=SchoolKind.PRIMARY, division="520303105", contact=CONTACT
)
REGISTERED = SchoolRegistered(
    school=REGISTER.school, name=REGISTER.name, kind=REGISTER.kind, division=REGISTER.division, contact=CONTACT
)
CHANGE = ChangeSchool(occurred_at=TOLD, school=REGISTER.school, since=TODAY, name="测试中心小学")
CHANGED = SchoolChanged(
    school=REGISTER.school, name="测试中心小学", kind=SchoolKind.PRIMARY, division="520303105", since=TODAY
)


def test_a_profile_is_recorded_for_a_day():
    given(PROFILE).when(RECORD).then(RECORDED)
    given(PROFILE, RECORDED).when(RECORD).then_refused(NothingToRecord)
    corrected = RECORD.model_copy(update={"households": 413})
    given(PROFILE, RECORDED).when(corrected).then(RECORDED.model_copy(update={"households": 413}))


def test_the_profile_of_a_day_is_the_latest_look_up_to_it():
    earlier = RECORDED.model_copy(update={"as_of": date(2025, 6, 30), "households": 400})
    profile = PROFILE.evolve(PROFILE.evolve(Profile(), RECORDED), earlier)
    assert profile.at(date(2026, 6, 29)) == earlier
    assert profile.at(date(2026, 6, 30)) == RECORDED
    assert profile.at(date(2025, 6, 29)) is None


def test_a_profile_is_not_of_a_day_to_come():
    given(PROFILE).when(RECORD.model_copy(update={"as_of": date(2026, 8, 15)})).then_refused(ProfileOfTheFuture)


def test_a_profile_says_something():
    empty = RecordVillageProfile(occurred_at=TOLD, village=VILLAGE, as_of=TODAY)
    given(PROFILE).when(empty).then_refused(NothingFound)
    given(PROFILE).when(empty.model_copy(update={"has_childrens_home": False})).then(
        VillageProfileRecorded(village=VILLAGE, as_of=TODAY, has_childrens_home=False)
    )


@pytest.mark.parametrize("part", ["households", "rural_minors_under_16", "migrant_workers"])
def test_no_part_of_a_village_is_larger_than_its_population(part):
    given(PROFILE).when(RECORD.model_copy(update={part: 1_631})).then_refused(FiguresDoNotFit)
    given(PROFILE).when(RECORD.model_copy(update={part: 1_631, "population": None})).then(
        RECORDED.model_copy(update={part: 1_631, "population": None})
    )


@pytest.mark.parametrize("figure", [{"population": -1}, {"population": 100_001}, {"metres_to_township": 300_001}])
def test_a_figure_beyond_any_village_is_refused_at_the_door(figure):
    with pytest.raises(ValidationError):
        RecordVillageProfile(**RECORD.model_dump() | figure)


def test_a_school_is_registered_once():
    given(SCHOOL).when(REGISTER).then(REGISTERED)
    given(SCHOOL, REGISTERED).when(REGISTER).then_refused(SchoolAlreadyRegistered)


def test_a_school_changes_in_what_is_told():
    given(SCHOOL, REGISTERED).when(CHANGE).then(CHANGED)
    given(SCHOOL, REGISTERED, CHANGED).when(CHANGE).then_refused(NothingToRecord)
    given(SCHOOL).when(CHANGE).then_refused(NotOnFile)


def test_another_contact_is_another_subject():
    other = SchoolContact(contact=new_id("contact"), name=Personal("测主任"))
    change = ChangeSchool(occurred_at=TOLD, school=REGISTER.school, since=TODAY, contact=other)
    changed = CHANGED.model_copy(update={"name": "测试小学", "contact": other})
    given(SCHOOL, REGISTERED).when(change).then(changed)
    given(SCHOOL, REGISTERED, changed).when(change).then_refused(NothingToRecord)


def test_a_closed_school_changes_no_more():
    close = ChangeSchool(occurred_at=TOLD, school=REGISTER.school, since=TODAY, closed=True)
    closed = CHANGED.model_copy(update={"name": "测试小学", "closed": True})
    given(SCHOOL, REGISTERED).when(close).then(closed)
    given(SCHOOL, REGISTERED, closed).when(CHANGE).then_refused(SchoolIsClosed)


@pytest.mark.parametrize("since", [date(2026, 8, 15), date(2026, 8, 13)])
def test_changes_of_a_school_are_told_in_order_once_their_day_has_come(since):
    again = CHANGE.model_copy(update={"since": since, "name": "另一小学"})
    given(SCHOOL, REGISTERED, CHANGED).when(again).then_refused(ChangesOutOfOrder)


async def test_a_contact_is_sealed_under_a_subject_of_its_own_and_can_be_erased_alone():
    registry = Registry()
    await registry.handler.handle(Told(REGISTER, str(uuid4()), "office-1"))
    [raw] = await registry.log.load(REGISTER.school)
    assert "测老师".encode() not in raw
    assert b"13900000001" not in raw
    await registry.vault.destroy(CONTACT.contact)
    [registered] = await registry.events(REGISTER.school)
    assert registered.contact.name.erased
    assert registered.name == "测试小学"
