"""The rules of a child's file."""

from datetime import date

import pytest

from services.registry.domain.child import (
    CHILD,
    ApproverIsRequester,
    BornInTheFuture,
    ChildAlreadyRegistered,
    ChildFileIsClosed,
    ChildFileIsOpen,
    ChildIsErased,
    ChildStandsElsewhere,
    CloseChildFile,
    ClosedBeforeItBegan,
    ErasureApprovalBy,
    ErasureNotRequested,
    ErasureRequestBy,
    RecordCareSituation,
    RecordParentSituation,
    ReopenChildFile,
)
from services.registry.domain.citizen_number import CitizenNumberInvalid
from services.registry.domain.household import HOUSEHOLD, HouseholdInOtherVillage
from shared.commands.command import NotOnFile
from shared.contracts.households import ChildJoinedHousehold
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    ErasureRequested,
    HouseholdFileOpened,
    ParentSituationRecorded,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CloseReason, ParentState
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, a_registered_child, a_registration, care, parents
from tests.support.specification import given

CLOSED_ON = date(2026, 9, 1)


def closed(child: str) -> ChildFileClosed:
    return ChildFileClosed(child=child, reason=CloseReason.PARENT_RETURNED, closed_on=CLOSED_ON)


def test_a_child_is_registered_with_the_situation_found_at_the_door():
    command = a_registration()
    given(CHILD).when(command).then(
        ChildRegistered(
            child=command.child,
            household=command.household,
            residence=command.residence,
            hukou=command.hukou,
            name=command.name,
            birth_date=command.birth_date,
            birth_month=Counted("2016-03"),
            sex=Counted(command.sex),
            parents=command.parents,
            care=command.care,
        )
    )


def test_a_child_is_registered_once():
    known = a_registered_child()
    given(CHILD, known).when(a_registration(child=known.child)).then_refused(ChildAlreadyRegistered)


def test_a_child_is_not_registered_before_it_is_born():
    given(CHILD).when(a_registration(birth_date=date(2027, 1, 1))).then_refused(BornInTheFuture)


def test_a_child_stands_beside_its_household():
    household = "household-00000000-0000-7000-8000-000000000001"
    child = "child-00000000-0000-7000-8000-000000000002"
    given(CHILD).when(a_registration(child=child, household=household)).then_refused(ChildStandsElsewhere)


@pytest.mark.parametrize(
    ("number", "saying"),
    [
        ("52990120150630002", "17 digits"),
        ("529901201506300025", "check character"),
        ("529901201802290019", "no date"),
        ("529901150630002", "15-digit"),
        ("529901203006300024", "future"),
        ("፩29901201506300024", "17 digits"),
        ("52990120150630٠024", "17 digits"),
        ("099901201506300024", "no province"),
    ],
)
def test_a_wrong_citizen_number_is_refused_by_its_rule(number: str, saying: str):
    given(CHILD).when(a_registration(citizen_number=number)).then_refused(CitizenNumberInvalid, saying)


def test_a_citizen_number_is_stored_in_half_width_with_a_capital_x():
    born = date(2015, 6, 30)
    [event] = CHILD.decide(
        a_registration(citizen_number=" ５２９９０１２０１５０６３０００２４", birth_date=born), CHILD.initial
    )
    assert event.citizen_number == Personal("529901201506300024")


def test_the_first_child_opens_the_household_file():
    command = a_registration()
    given(HOUSEHOLD).when(command).then(
        HouseholdFileOpened(
            household=command.household,
            village=command.residence,
            head=command.household_head,
            children=(command.child,),
        )
    )


def test_a_sibling_joins_the_household_file():
    command = a_registration()
    opened = HouseholdFileOpened(household=command.household, village=command.residence, head=Personal("测户主"))
    given(HOUSEHOLD, opened).when(command).then(ChildJoinedHousehold(household=command.household, child=command.child))


def test_a_child_is_not_registered_in_another_village_than_its_household():
    command = a_registration()
    opened = HouseholdFileOpened(household=command.household, village="520303105202", head=Personal("测户主"))
    given(HOUSEHOLD, opened).when(command).then_refused(HouseholdInOtherVillage)


def test_parents_and_care_are_recorded_on_an_open_file():
    known = a_registered_child()
    home = parents(father=ParentState.HOME)
    given(CHILD, known).when(RecordParentSituation(child=known.child, parents=home, occurred_at=TOLD)).then(
        ParentSituationRecorded(child=known.child, parents=home)
    )
    given(CHILD, known).when(RecordCareSituation(child=known.child, care=care(), occurred_at=TOLD)).then(
        CareSituationRecorded(child=known.child, care=care())
    )


def test_nothing_is_recorded_on_a_closed_file():
    known = a_registered_child()
    command = RecordCareSituation(child=known.child, care=care(), occurred_at=TOLD)
    given(CHILD, known, closed(known.child)).when(command).then_refused(ChildFileIsClosed)


def test_a_file_is_closed_on_the_day_it_is_told_unless_it_says_another():
    known = a_registered_child()
    command = CloseChildFile(child=known.child, reason=CloseReason.MOVED_OUT, occurred_at=TOLD)
    given(CHILD, known).when(command).then(
        ChildFileClosed(child=known.child, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 14))
    )


def test_a_closed_file_is_not_closed_again():
    known = a_registered_child()
    command = CloseChildFile(child=known.child, reason=CloseReason.MOVED_OUT, occurred_at=TOLD)
    given(CHILD, known, closed(known.child)).when(command).then_refused(ChildFileIsClosed)


def test_a_closed_file_is_reopened_from_a_day_not_before_it_was_closed():
    known = a_registered_child()
    history = (known, closed(known.child))
    later = ReopenChildFile(
        child=known.child, reason=Personal("父母再次外出"), reopened_on=date(2026, 9, 2), occurred_at=TOLD
    )
    given(CHILD, *history).when(later).then(
        ChildFileReopened(child=known.child, reason=Personal("父母再次外出"), reopened_on=date(2026, 9, 2))
    )
    earlier = later.model_copy(update={"reopened_on": date(2026, 8, 31)})
    given(CHILD, *history).when(earlier).then_refused(ClosedBeforeItBegan)


def test_an_open_file_is_not_reopened():
    known = a_registered_child()
    command = ReopenChildFile(child=known.child, reason=Personal("误"), occurred_at=TOLD)
    given(CHILD, known).when(command).then_refused(ChildFileIsOpen)


def test_a_child_that_is_not_on_file_takes_no_command():
    command = CloseChildFile(child=new_id("child"), reason=CloseReason.DIED, occurred_at=TOLD)
    given(CHILD).when(command).then_refused(NotOnFile)


def test_an_erasure_is_asked_for_by_one_and_approved_by_another():
    known = a_registered_child()
    asked = ErasureRequested(child=known.child, basis=Personal("监护人申请"), requested_by="officer-1")
    request = ErasureRequestBy(child=known.child, basis=Personal("监护人申请"), person="officer-1", occurred_at=TOLD)
    given(CHILD, known).when(request).then(asked)
    approval = ErasureApprovalBy(child=known.child, person="officer-2", occurred_at=TOLD)
    given(CHILD, known, asked).when(approval).then(SubjectKeyDestroyed(child=known.child, approved_by="officer-2"))
    given(CHILD, known).when(approval).then_refused(ErasureNotRequested)
    own = approval.model_copy(update={"person": "officer-1"})
    given(CHILD, known, asked).when(own).then_refused(ApproverIsRequester)


def test_an_erased_child_takes_no_command():
    known = a_registered_child()
    erased = SubjectKeyDestroyed(child=known.child, approved_by="officer-2")
    command = RecordCareSituation(child=known.child, care=care(), occurred_at=TOLD)
    given(CHILD, known, erased).when(command).then_refused(ChildIsErased)


def test_a_request_for_erasure_outlives_the_closing_and_reopening_of_the_file():
    known = a_registered_child()
    asked = ErasureRequested(child=known.child, basis=Personal("监护人申请"), requested_by="officer-1")
    reopened = ChildFileReopened(child=known.child, reason=Personal("又外出"), reopened_on=CLOSED_ON)
    approval = ErasureApprovalBy(child=known.child, person="officer-2", occurred_at=TOLD)
    erased = SubjectKeyDestroyed(child=known.child, approved_by="officer-2")
    given(CHILD, known, asked, closed(known.child)).when(approval).then(erased)
    given(CHILD, known, asked, closed(known.child), reopened).when(approval).then(erased)


def test_a_birth_month_has_four_digits_of_year_however_wrong_the_date():
    [registered] = CHILD.decide(a_registration(birth_date=date(216, 3, 9)), CHILD.initial)
    assert registered.birth_month.reveal() == "0216-03"
