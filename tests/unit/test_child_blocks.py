"""The blocks of a child's file: each is recorded on an open file, and what can not be right is refused."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.domain.child import (
    CHILD,
    BornInTheFuture,
    CaregiverAlreadyEntrusted,
    CareProgrammeAlreadyJoined,
    CareProgrammeNotJoined,
    ChildFileIsClosed,
    ClearKeyGroup,
    CorrectIdentity,
    EndEntrustment,
    EntrustCaregiver,
    EntrustmentEndsBeforeItBegan,
    HealthContradictsItself,
    HoldsFromTheFuture,
    JoinCareProgramme,
    KeyGroupAlreadyMarked,
    KeyGroupNotMarked,
    LeaveCareProgramme,
    MarkKeyGroup,
    NobodyIsEntrusted,
    ParentContradictsItself,
    ParentYoungerThanChild,
    RecordCareSituation,
    RecordHealth,
    RecordIdentity,
    RecordParentSituation,
    RecordRegistrationStatus,
    RecordSchooling,
    RecordWelfare,
)
from services.registry.domain.citizen_number import (
    CitizenNumberContradictsItsStatus,
    CitizenNumberDamaged,
    CitizenNumberInvalid,
)
from shared.contracts.child_file import (
    CaregiverEntrusted,
    CareProgrammeJoined,
    CareProgrammeLeft,
    CategoryDecision,
    ChildIdentityCorrected,
    ChildIdentityRecorded,
    Disability,
    Entrustment,
    EntrustmentEnded,
    Health,
    HealthRecorded,
    Identity,
    IdentityCorrection,
    IdentityDoubted,
    KeyGroupCleared,
    KeyGroupMarked,
    RegistrationStatusRecorded,
    Schooling,
    SchoolingRecorded,
    Welfare,
    WelfareRecorded,
)
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ParentDetails,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareProgramme,
    CareQuality,
    CitizenNumberStatus,
    CloseReason,
    DisabilityKind,
    HealthState,
    HukouKind,
    IdentityDoubt,
    IncapableReason,
    KeyGroup,
    ParentState,
    Relation,
    SchoolState,
    Sex,
    SpecialCategory,
)
from tests.support.builders import TOLD, a_registered_child, a_registration, care, parents
from tests.support.child_files import NUMBER
from tests.support.specification import given

TODAY, YESTERDAY, TOMORROW = date(2026, 8, 14), date(2026, 8, 13), date(2026, 8, 15)
KNOWN = a_registered_child()
IT = {"child": KNOWN.child, "occurred_at": TOLD}
WHO = {"child": KNOWN.child}
WRONG_SEX, OTHER_BIRTH_DATE = "529901201603090014", "529901201506300024"


def a_parent(state: ParentState = ParentState.AWAY, **details) -> ParentsSituation:
    told = Personal(ParentDetails(**details)) if details else None
    return ParentsSituation(
        father=parents().father, mother=ParentSituation(state=Counted(state), details=told, across_county=Counted(True))
    )


def identity(status: CitizenNumberStatus, number: str | None = None) -> RecordIdentity:
    return RecordIdentity(**IT, identity=Personal(Identity(citizen_number_status=status, citizen_number=number)))


def correction(**fields) -> CorrectIdentity:
    return CorrectIdentity(**IT, correction=Personal(IdentityCorrection(reason="户口簿", **fields)))


# -- school, health, welfare


def test_schooling_is_recorded_from_the_day_it_holds():
    schooling = Personal(Schooling(state=SchoolState.JUNIOR, school="测中学", boarding=True))
    given(CHILD, KNOWN).when(RecordSchooling(**IT, schooling=schooling, since=YESTERDAY)).then(
        SchoolingRecorded(**WHO, schooling=schooling, state=Counted(SchoolState.JUNIOR), since=Counted(YESTERDAY))
    )
    given(CHILD, KNOWN).when(RecordSchooling(**IT, schooling=schooling)).then(
        SchoolingRecorded(**WHO, schooling=schooling, state=Counted(SchoolState.JUNIOR), since=Counted(TODAY))
    )
    given(CHILD, KNOWN).when(RecordSchooling(**IT, schooling=schooling, since=TOMORROW)).then_refused(
        HoldsFromTheFuture
    )


@pytest.mark.parametrize(
    "health",
    [
        Health(state=HealthState.HEALTHY, psychology="开朗"),
        Health(state=HealthState.DISABLED, disability=Disability(kind=DisabilityKind.HEARING, grade=2)),
        Health(state=HealthState.SERIOUSLY_ILL, illness="心脏病"),
    ],
    ids=lambda health: health.state,
)
def test_health_is_recorded_with_what_it_names(health: Health):
    given(CHILD, KNOWN).when(RecordHealth(**IT, health=Personal(health))).then(
        HealthRecorded(**WHO, health=Personal(health))
    )


@pytest.mark.parametrize(
    "health",
    [
        Health(state=HealthState.HEALTHY, illness="心脏病"),
        Health(state=HealthState.DISABLED),
        Health(state=HealthState.SERIOUSLY_ILL),
    ],
    ids=lambda health: health.state,
)
def test_a_health_that_contradicts_itself_is_refused(health: Health):
    given(CHILD, KNOWN).when(RecordHealth(**IT, health=Personal(health))).then_refused(HealthContradictsItself)


def test_welfare_is_recorded_with_the_day_of_each_decision():
    decided = CategoryDecision(category=SpecialCategory.ORPHAN, decided_on=TODAY)
    welfare = Personal(Welfare(minimum_allowance=True, categories=(decided,)))
    given(CHILD, KNOWN).when(RecordWelfare(**IT, welfare=welfare)).then(WelfareRecorded(**WHO, welfare=welfare))
    ahead = Personal(Welfare(categories=(decided.model_copy(update={"decided_on": TOMORROW}),)))
    given(CHILD, KNOWN).when(RecordWelfare(**IT, welfare=ahead)).then_refused(HoldsFromTheFuture)


# -- identity


def test_a_number_is_recorded_with_its_status():
    given(CHILD, KNOWN).when(identity(CitizenNumberStatus.PRESENT, f" {NUMBER}")).then(
        ChildIdentityRecorded(
            **WHO,
            identity=Personal(Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER)),
        )
    )


@pytest.mark.parametrize(
    ("status", "number"),
    [
        (CitizenNumberStatus.PRESENT, None),
        (CitizenNumberStatus.NONE, NUMBER),
        (CitizenNumberStatus.APPLIED_FOR, NUMBER),
    ],
)
def test_a_number_goes_with_the_status_present_alone(status: CitizenNumberStatus, number: str | None):
    given(CHILD, KNOWN).when(identity(status, number)).then_refused(CitizenNumberContradictsItsStatus)
    registration = a_registration(citizen_number=number, citizen_number_status=Personal(status))
    given(CHILD).when(registration).then_refused(CitizenNumberContradictsItsStatus)


@pytest.mark.parametrize("number", ["529901201603090000", "5.29901201603E+17", "5E17"])
def test_a_number_that_lost_its_last_digits_in_excel_is_refused_for_that(number: str):
    given(CHILD, KNOWN).when(identity(CitizenNumberStatus.PRESENT, number)).then_refused(
        CitizenNumberDamaged, "lost in Excel"
    )


def test_a_child_without_a_number_is_of_the_group_no_registration_until_it_has_one():
    group = Counted(KeyGroup.NO_REGISTRATION)
    [recorded, marked] = CHILD.decide(identity(CitizenNumberStatus.NONE), CHILD.evolve(CHILD.initial, KNOWN))
    assert isinstance(marked, KeyGroupMarked)
    assert marked.group == group
    given(CHILD, KNOWN, recorded, marked).when(identity(CitizenNumberStatus.NONE)).then(recorded)
    found = Personal(Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER))
    given(CHILD, KNOWN, recorded, marked).when(identity(CitizenNumberStatus.PRESENT, NUMBER)).then(
        ChildIdentityRecorded(**WHO, identity=found),
        KeyGroupCleared(**WHO, group=group, reason=Personal("公民身份号码已登记")),
    )


def test_a_registration_that_says_there_is_no_number_marks_the_group_too():
    none = Personal(CitizenNumberStatus.NONE)
    [registered, marked] = CHILD.decide(a_registration(citizen_number_status=none), CHILD.initial)
    assert (registered.citizen_number_status, marked.group) == (none, Counted(KeyGroup.NO_REGISTRATION))


@pytest.mark.parametrize(
    ("number", "doubts"),
    [
        (NUMBER, ()),
        (WRONG_SEX, (IdentityDoubt.SEX_DIFFERS_FROM_NUMBER,)),
        (OTHER_BIRTH_DATE, (IdentityDoubt.BIRTH_DATE_DIFFERS_FROM_NUMBER,)),
    ],
)
def test_a_number_that_does_not_fit_is_recorded_with_its_doubts(number: str, doubts: tuple[IdentityDoubt, ...]):
    [_, *rest] = CHILD.decide(a_registration(citizen_number=number), CHILD.initial)
    assert rest == [IdentityDoubted(child=one.child, doubts=Personal(doubts)) for one in rest]
    assert bool(rest) is bool(doubts)


def test_a_correction_ends_the_doubt_that_it_resolves():
    doubted = a_registered_child(**WHO, household=KNOWN.household, citizen_number=Personal(OTHER_BIRTH_DATE))
    doubt = IdentityDoubted(**WHO, doubts=Personal((IdentityDoubt.BIRTH_DATE_DIFFERS_FROM_NUMBER,)))
    given(CHILD, doubted, doubt).when(correction(birth_date=date(2015, 6, 30))).then(
        ChildIdentityCorrected(
            **WHO,
            correction=Personal(IdentityCorrection(reason="户口簿", birth_date=date(2015, 6, 30))),
            birth_month=Counted("2015-06"),
            sex=Counted(Sex.FEMALE),
        ),
        IdentityDoubted(**WHO, doubts=Personal(())),
    )


def test_a_correction_says_month_and_sex_as_they_are_now():
    given(CHILD, KNOWN).when(correction(name="测乙一", sex=Sex.MALE)).then(
        ChildIdentityCorrected(
            **WHO,
            correction=Personal(IdentityCorrection(reason="户口簿", name="测乙一", sex=Sex.MALE)),
            birth_month=Counted("2016-03"),
            sex=Counted(Sex.MALE),
        )
    )


def test_a_correction_of_nothing_leaves_nothing():
    given(CHILD, KNOWN).when(correction()).then()


def test_a_correction_to_what_can_not_be_is_refused():
    given(CHILD, KNOWN).when(correction(birth_date=TOMORROW)).then_refused(BornInTheFuture)
    given(CHILD, KNOWN).when(correction(citizen_number=NUMBER[:-1] + "X")).then_refused(CitizenNumberInvalid)


def test_the_place_of_registration_is_recorded_with_its_kind():
    command = RecordRegistrationStatus(**IT, hukou="520303", kind=HukouKind.URBAN)
    given(CHILD, KNOWN).when(command).then(
        RegistrationStatusRecorded(**WHO, hukou="520303", kind=Counted(HukouKind.URBAN))
    )


# -- parents and care


def test_a_parent_is_told_in_full():
    told = a_parent(ParentState.INCAPABLE, incapable_reason=IncapableReason.PRISON, work="瓦工", last_contact=YESTERDAY)
    given(CHILD, KNOWN).when(RecordParentSituation(**IT, parents=told)).then(
        ParentSituationRecorded(**WHO, parents=told)
    )


def test_the_birth_date_of_a_parent_follows_from_the_number():
    told = a_parent(citizen_number="52990119900101003X".lower())
    [event] = CHILD.decide(RecordParentSituation(**IT, parents=told), CHILD.evolve(CHILD.initial, KNOWN))
    details = event.parents.mother.details.reveal()
    assert (details.citizen_number, details.birth_date) == ("52990119900101003X", date(1990, 1, 1))


@pytest.mark.parametrize(
    "details", [{"birth_date": date(2016, 3, 9)}, {"citizen_number": NUMBER}], ids=["date", "number"]
)
def test_a_mother_younger_than_her_child_is_refused(details):
    given(CHILD, KNOWN).when(RecordParentSituation(**IT, parents=a_parent(**details))).then_refused(
        ParentYoungerThanChild, "mother"
    )
    given(CHILD).when(a_registration(parents=a_parent(**details))).then_refused(ParentYoungerThanChild, "mother")


@pytest.mark.parametrize(
    "details", [{"incapable_reason": IncapableReason.PRISON}, {"lost_contact_since": YESTERDAY}], ids=["reason", "day"]
)
def test_a_parent_that_contradicts_itself_is_refused(details):
    given(CHILD, KNOWN).when(RecordParentSituation(**IT, parents=a_parent(**details))).then_refused(
        ParentContradictsItself
    )


def test_a_wrong_number_of_a_parent_is_refused():
    wrong = a_parent(citizen_number=NUMBER[:-1] + "X")
    given(CHILD, KNOWN).when(RecordParentSituation(**IT, parents=wrong)).then_refused(CitizenNumberInvalid)


def test_care_is_recorded_with_its_quality_and_its_first_day():
    poor = Personal(CareQuality.POOR)
    given(CHILD, KNOWN).when(RecordCareSituation(**IT, care=care(), quality=poor, since=YESTERDAY)).then(
        CareSituationRecorded(**WHO, care=care(), quality=poor, since=Counted(YESTERDAY))
    )
    given(CHILD, KNOWN).when(RecordCareSituation(**IT, care=care(), since=TOMORROW)).then_refused(HoldsFromTheFuture)


# -- entrustment


def an_entrustment(signed_on: date = YESTERDAY) -> Personal[Entrustment]:
    return Personal(Entrustment(caregiver="测受托人", relation=Relation.UNCLE_OR_AUNT, signed_on=signed_on))


ENTRUSTED = CaregiverEntrusted(**WHO, entrustment=an_entrustment(), starts=Counted(YESTERDAY))


def test_one_caregiver_is_entrusted_at_a_time():
    command = EntrustCaregiver(**IT, entrustment=an_entrustment())
    given(CHILD, KNOWN).when(command).then(ENTRUSTED)
    given(CHILD, KNOWN, ENTRUSTED).when(command).then_refused(CaregiverAlreadyEntrusted)
    ended = EntrustmentEnded(**WHO, reason=Personal("父母返乡"), ends=Counted(TODAY))
    given(CHILD, KNOWN, ENTRUSTED, ended).when(command).then(ENTRUSTED)


def test_an_entrustment_that_is_still_to_be_signed_is_not_recorded():
    command = EntrustCaregiver(**IT, entrustment=an_entrustment(TOMORROW))
    given(CHILD, KNOWN).when(command).then_refused(HoldsFromTheFuture)


def test_an_entrustment_ends_once_and_not_before_it_began():
    command = EndEntrustment(**IT, reason=Personal("父母返乡"))
    given(CHILD, KNOWN, ENTRUSTED).when(command).then(
        EntrustmentEnded(**WHO, reason=Personal("父母返乡"), ends=Counted(TODAY))
    )
    given(CHILD, KNOWN).when(command).then_refused(NobodyIsEntrusted)
    early = command.model_copy(update={"ends": date(2026, 8, 12)})
    given(CHILD, KNOWN, ENTRUSTED).when(early).then_refused(EntrustmentEndsBeforeItBegan)


# -- marks


def test_a_key_group_is_marked_once_and_cleared_once():
    told = {"group": KeyGroup.DROPOUT, "reason": Personal("开学未到")}
    sealed = {"group": Counted(KeyGroup.DROPOUT), "reason": Personal("开学未到")}
    marked, cleared = KeyGroupMarked(**WHO, **sealed), KeyGroupCleared(**WHO, **sealed)
    given(CHILD, KNOWN).when(MarkKeyGroup(**IT, **told)).then(marked)
    given(CHILD, KNOWN, marked).when(MarkKeyGroup(**IT, **told)).then_refused(KeyGroupAlreadyMarked)
    given(CHILD, KNOWN, marked).when(ClearKeyGroup(**IT, **told)).then(cleared)
    given(CHILD, KNOWN, marked, cleared).when(ClearKeyGroup(**IT, **told)).then_refused(KeyGroupNotMarked)


def test_a_care_programme_is_joined_once_and_left_once():
    programme = CareProgramme.LEFT_BEHIND_CHILDREN
    joined = CareProgrammeJoined(**WHO, programme=Counted(programme))
    left = CareProgrammeLeft(**WHO, programme=Counted(programme))
    join, leave = JoinCareProgramme(**IT, programme=programme), LeaveCareProgramme(**IT, programme=programme)
    given(CHILD, KNOWN).when(join).then(joined)
    given(CHILD, KNOWN, joined).when(join).then_refused(CareProgrammeAlreadyJoined)
    given(CHILD, KNOWN, joined).when(leave).then(left)
    given(CHILD, KNOWN, joined, left).when(leave).then_refused(CareProgrammeNotJoined)


@pytest.mark.parametrize(
    "command",
    [
        RecordHealth(**IT, health=Personal(Health(state=HealthState.HEALTHY))),
        RecordWelfare(**IT, welfare=Personal(Welfare())),
        identity(CitizenNumberStatus.UNKNOWN),
        correction(name="测乙一"),
        EntrustCaregiver(**IT, entrustment=an_entrustment()),
        JoinCareProgramme(**IT, programme=CareProgramme.LEFT_BEHIND_CHILDREN),
    ],
    ids=lambda command: type(command).__name__,
)
def test_nothing_of_a_closed_file_is_recorded(command):
    closed = ChildFileClosed(**WHO, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 9, 1))
    given(CHILD, KNOWN, closed).when(command).then_refused(ChildFileIsClosed)
