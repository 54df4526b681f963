"""A registration that tells more than the situation at the door: in one step, by the rules of each block's command."""

from datetime import date, timedelta

import pytest

from services.registry.domain.child import CHILD, HealthContradictsItself, HoldsFromTheFuture
from services.registry.domain.citizen_number import CitizenNumberInvalid
from services.registry.domain.household import HOUSEHOLD, HouseholdWithoutMember
from shared.commands.command import Told
from shared.contracts.child_file import (
    CaregiverEntrusted,
    CategoryDecision,
    ChildIdentityRecorded,
    Disability,
    Entrustment,
    Health,
    HealthRecorded,
    Identity,
    KeyGroupMarked,
    Schooling,
    SchoolingRecorded,
    Welfare,
    WelfareRecorded,
)
from shared.contracts.households import ChildJoinedHousehold, HouseholdDetails, HouseholdFileUpdated
from shared.contracts.registry import CareSituationRecorded, ChildRegistered, HouseholdFileOpened
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareQuality,
    CitizenNumberStatus,
    DisabilityKind,
    HealthState,
    IncomeSource,
    KeyGroup,
    Relation,
    Role,
    SchoolState,
    SpecialCategory,
)
from shared.identity.access import NotPermitted
from tests.support.builders import TOLD, VILLAGE, a_registration
from tests.support.registry import Registry
from tests.support.specification import given

TODAY = TOLD.date()
SCHOOLING = Personal(Schooling(state=SchoolState.PRIMARY, school="泗渡小学", boarding=True))
HEALTH = Personal(Health(state=HealthState.DISABLED, disability=Disability(kind=DisabilityKind.HEARING, grade=2)))
WELFARE = Personal(Welfare(minimum_allowance=True))
ENTRUSTMENT = Personal(Entrustment(caregiver="测受托人", relation=Relation.UNCLE_OR_AUNT))
INCOME = Personal(HouseholdDetails(income_sources=(IncomeSource.FARMING,)))
BLOCKS = {
    "care_quality": Personal(CareQuality.FAIR),
    "ethnicity": Personal("06"),
    "schooling": SCHOOLING,
    "health": HEALTH,
    "welfare": WELFARE,
    "entrustment": ENTRUSTMENT,
}


def test_a_registration_tells_all_that_a_form_holds_in_one_step():
    command = a_registration(**BLOCKS)
    registered = next(iter(CHILD.decide(command, CHILD.initial)))
    assert isinstance(registered, ChildRegistered)
    child = command.child
    identity = Identity(citizen_number_status=CitizenNumberStatus.UNKNOWN, ethnicity="06")
    given(CHILD).when(command).then(
        registered,
        CareSituationRecorded(child=child, care=command.care, quality=Personal(CareQuality.FAIR)),
        ChildIdentityRecorded(child=child, identity=Personal(identity)),
        SchoolingRecorded(child=child, schooling=SCHOOLING, state=Counted(SchoolState.PRIMARY), since=Counted(TODAY)),
        HealthRecorded(child=child, health=HEALTH),
        WelfareRecorded(child=child, welfare=WELFARE),
        CaregiverEntrusted(child=child, entrustment=ENTRUSTMENT, starts=Counted(TODAY)),
    )


def test_what_a_file_holds_is_the_same_whether_told_at_once_or_one_after_the_other():
    command = a_registration(**BLOCKS, citizen_number_status=CitizenNumberStatus.NONE)
    file = CHILD.initial
    for event in CHILD.decide(command, file):
        file = CHILD.evolve(file, event)
    assert file.told == {"school", "health"}
    assert file.entrusted == Counted(TODAY)
    assert file.number_status == Personal(CitizenNumberStatus.NONE)
    assert file.key_groups == {KeyGroup.NO_REGISTRATION}


def test_a_child_without_registration_is_marked_once_with_or_without_an_ethnicity():
    for more in ({}, {"ethnicity": Personal("06")}):
        command = a_registration(citizen_number_status=CitizenNumberStatus.NONE, **more)
        events = CHILD.decide(command, CHILD.initial)
        assert sum(isinstance(event, KeyGroupMarked) for event in events) == 1


@pytest.mark.parametrize(
    ("block", "refusal"),
    [
        ({"health": Personal(Health(state=HealthState.SERIOUSLY_ILL))}, HealthContradictsItself),
        (
            {
                "welfare": Personal(
                    Welfare(
                        categories=(
                            CategoryDecision(category=SpecialCategory.ORPHAN, decided_on=TODAY + timedelta(days=1)),
                        )
                    )
                )
            },
            HoldsFromTheFuture,
        ),
        (
            {
                "entrustment": Personal(
                    Entrustment(caregiver="测受托人", relation=Relation.SIBLING, signed_on=date(2030, 1, 1))
                )
            },
            HoldsFromTheFuture,
        ),
        (
            {
                "entrustment": Personal(
                    Entrustment(caregiver="测受托人", relation=Relation.SIBLING, citizen_number="529901198001010018")
                )
            },
            CitizenNumberInvalid,
        ),
    ],
)
def test_a_block_is_refused_like_its_own_command_and_nothing_is_registered(block, refusal):
    given(CHILD).when(a_registration(**block)).then_refused(refusal)


def test_what_a_form_tells_of_the_household_is_in_its_file_once():
    first = a_registration(household_details=INCOME)
    [opened] = HOUSEHOLD.decide(first, HOUSEHOLD.initial)
    assert (type(opened), opened.details) == (HouseholdFileOpened, INCOME)
    second = a_registration(household=first.household, household_details=INCOME)
    joined = ChildJoinedHousehold(household=first.household, child=second.child)
    given(HOUSEHOLD, opened).when(second).then(joined)
    other = Personal(HouseholdDetails(income_sources=(IncomeSource.WAGES,)))
    given(HOUSEHOLD, opened).when(
        a_registration(household=first.household, child=second.child, household_details=other)
    ).then(joined, HouseholdFileUpdated(household=first.household, details=other))
    given(HOUSEHOLD).when(a_registration(household_details=Personal(HouseholdDetails(members=())))).then_refused(
        HouseholdWithoutMember
    )


@pytest.mark.parametrize("block", ["ethnicity", "health", "welfare", "entrustment"])
async def test_who_may_not_keep_a_file_registers_no_child_with_such_a_block(block):
    registry = Registry()
    registry.directory.add_grant("supervisor-1", Role.CHILD_SUPERVISOR, VILLAGE, date(2026, 1, 1))
    bare = a_registration(schooling=SCHOOLING, household_details=INCOME)
    await registry.handler.handle(Told(bare, "command-1", "supervisor-1"))
    with pytest.raises(NotPermitted):
        await registry.handler.handle(Told(a_registration(**{block: BLOCKS[block]}), "command-2", "supervisor-1"))
    await registry.handler.handle(Told(a_registration(**{block: BLOCKS[block]}), "command-3", "director-1"))
