"""What a visit found beside what the file holds, until a reviewer decides."""

from __future__ import annotations

from datetime import date
from functools import reduce

import pytest

from services.registry.domain.child import (
    CHILD,
    AcceptanceBy,
    AcceptChange,
    AuthorChecks,
    OneBlockIsProposed,
    ParentContradictsItself,
    ProposalNotOpen,
    ProposeChange,
    RefusalBy,
    ReviewChildFile,
    SubmitChildFile,
)
from services.registry.policies import policies
from services.reporting.api.field_classes import entry_without_detail, without_detail
from shared.commands.command import NothingToRecord
from shared.contracts.child_file import (
    ChangeAccepted,
    ChangeRefused,
    ChildFileReviewed,
    ChildFileReviewOpened,
    ChildFileSubmitted,
    ChildFileVerified,
    Schooling,
    SchoolingRecorded,
)
from shared.contracts.registry import (
    CareSituationRecorded,
    ChangeProposed,
    ParentDetails,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import AmendReason, CareKind, IncapableReason, ParentState, SchoolState
from shared.contracts.visits import ChildFinding, VisitAmended, VisitLogged
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, a_registration, a_visit, care
from tests.support.child_cards import card_and_entries
from tests.support.child_files import a_complete_file
from tests.support.figure_histories import told
from tests.support.offices import Offices
from tests.support.specification import given

FILE = a_complete_file()
CHILD_ID = FILE[0].child
ALONE = care(CareKind.NOBODY, alone=True)
PROPOSAL, VISIT = new_id("proposal", beside=CHILD_ID), new_id("visit", beside=CHILD_ID)
VISITED = date(2026, 8, 12)
PROPOSED = ChangeProposed(
    child=CHILD_ID, proposal=PROPOSAL, visit=VISIT, care=ALONE, found_by="cadre-1", found_on=VISITED
)
ACCEPTED = ChangeAccepted(child=CHILD_ID, proposal=PROPOSAL, accepted_by="supervisor-1", found_by="cadre-1")
RECORDED = CareSituationRecorded(child=CHILD_ID, care=ALONE, since=Counted(VISITED))
ACCEPT = AcceptanceBy(child=CHILD_ID, proposal=PROPOSAL, person="supervisor-1", occurred_at=TOLD)
REFUSE = RefusalBy(
    child=CHILD_ID, proposal=PROPOSAL, person="supervisor-1", reason=Personal("奶奶已回"), occurred_at=TOLD
)
REFUSED = ChangeRefused(child=CHILD_ID, proposal=PROPOSAL, refused_by="supervisor-1", reason=Personal("奶奶已回"))


def propose(**changes) -> ProposeChange:
    fields = {"child": CHILD_ID, "proposal": PROPOSAL, "visit": VISIT, "care": ALONE, "occurred_at": TOLD}
    return ProposeChange(**fields | changes)


def test_what_was_found_is_proposed_with_its_finder_and_its_day():
    given(CHILD, *FILE).when(propose(found_by="cadre-1", found_on=VISITED)).then(PROPOSED)


def test_what_is_on_file_already_is_not_proposed():
    given(CHILD, *FILE).when(propose(care=FILE[0].care)).then()


STAYS_HOME = ParentSituation(state=Counted(ParentState.HOME))
UNCHANGED = ParentSituation(state=Counted(ParentState.AWAY))
MOTHER_BACK = ParentsSituation(father=UNCHANGED, mother=STAYS_HOME)
SECONDARY = Personal(Schooling(state=SchoolState.JUNIOR, school="测中学"))


def parents_told(**mother) -> ParentSituationRecorded:
    back = STAYS_HOME.model_copy(update={"since": Counted(VISITED), **mother})
    return ParentSituationRecorded(child=CHILD_ID, parents=ParentsSituation(father=FILE[0].parents.father, mother=back))


SCHOOLING = SchoolingRecorded(
    child=CHILD_ID, schooling=SECONDARY, state=Counted(SchoolState.JUNIOR), since=Counted(VISITED)
)


def test_parents_found_otherwise_are_proposed_from_that_day_and_the_other_as_the_file_knows_it():
    proposed = ChangeProposed(
        child=CHILD_ID, proposal=PROPOSAL, visit=VISIT, parents=parents_told(), found_by="cadre-1", found_on=VISITED
    )
    wish = propose(care=None, parents=MOTHER_BACK, found_by="cadre-1", found_on=VISITED)
    given(CHILD, *FILE).when(wish).then(proposed)
    given(CHILD, *FILE, proposed).when(ACCEPT).then(ACCEPTED, parents_told())


def test_of_a_parent_found_otherwise_name_and_phone_stay_as_the_file_has_them():
    name, phone = Personal("测母亲"), Personal("13800000000")
    mother = FILE[0].parents.mother.model_copy(
        update={"name": name, "phone": phone, "details": Personal(ParentDetails(work="工厂"))}
    )
    known = FILE[0].model_copy(update={"parents": ParentsSituation(father=FILE[0].parents.father, mother=mother)})
    wish = propose(care=None, parents=MOTHER_BACK, found_by="cadre-1", found_on=VISITED)
    given(CHILD, known, *FILE[1:]).when(wish).then(
        ChangeProposed(
            child=CHILD_ID,
            proposal=PROPOSAL,
            visit=VISIT,
            parents=parents_told(name=name, phone=phone),
            found_by="cadre-1",
            found_on=VISITED,
        )
    )


def test_schooling_found_otherwise_is_proposed_from_that_day():
    proposed = ChangeProposed(
        child=CHILD_ID, proposal=PROPOSAL, visit=VISIT, schooling=SCHOOLING, found_by="cadre-1", found_on=VISITED
    )
    wish = propose(care=None, schooling=SECONDARY, found_by="cadre-1", found_on=VISITED)
    given(CHILD, *FILE).when(wish).then(proposed)
    given(CHILD, *FILE, proposed).when(ACCEPT).then(ACCEPTED, SCHOOLING)
    given(CHILD, FILE[0]).when(wish).then(proposed)


@pytest.mark.parametrize(
    "block",
    [
        {"parents": ParentsSituation(father=UNCHANGED, mother=UNCHANGED)},
        {"schooling": Personal(Schooling(state=SchoolState.PRIMARY))},
    ],
    ids=["parents", "schooling"],
)
def test_a_block_found_as_the_file_says_is_not_proposed(block):
    given(CHILD, *FILE).when(propose(care=None, **block)).then()


@pytest.mark.parametrize("blocks", [{"care": None}, {"parents": MOTHER_BACK}], ids=["none", "two"])
def test_a_proposal_tells_one_block(blocks):
    given(CHILD, *FILE).when(propose(**blocks)).then_refused(OneBlockIsProposed)


def test_parents_that_contradict_themselves_are_not_proposed():
    odd = STAYS_HOME.model_copy(update={"details": Personal(ParentDetails(incapable_reason=IncapableReason.PRISON))})
    wish = propose(care=None, parents=ParentsSituation(father=UNCHANGED, mother=odd))
    given(CHILD, *FILE).when(wish).then_refused(ParentContradictsItself)


def test_what_a_visit_has_proposed_is_not_proposed_again_by_its_amendment_and_another_thing_is():
    again = propose(proposal=new_id("proposal", beside=CHILD_ID))
    given(CHILD, *FILE, PROPOSED).when(again).then()
    given(CHILD, *FILE, PROPOSED, REFUSED).when(again).then()
    other = again.model_copy(update={"care": care(CareKind.OTHER_RELATIVE), "found_by": "cadre-1"})
    given(CHILD, *FILE, PROPOSED).when(other).then(
        PROPOSED.model_copy(update={"proposal": other.proposal, "care": other.care, "found_on": TOLD.date()})
    )
    elsewhere = again.model_copy(update={"visit": new_id("visit", beside=CHILD_ID)})
    assert len(CHILD.decide(elsewhere, _state(*FILE, PROPOSED))) == 1


def _state(*events):
    return reduce(CHILD.evolve, events, CHILD.initial)


async def test_a_proposal_of_parents_shows_both_values_on_the_card():
    proposed = ChangeProposed(
        child=CHILD_ID, proposal=PROPOSAL, visit=VISIT, parents=parents_told(), found_by="cadre-1", found_on=VISITED
    )
    card, entries = await card_and_entries([*FILE, proposed])
    waiting = card["file"]["proposals"][PROPOSAL]
    assert (waiting["block"], waiting["found"]["mother"]["state"]) == ("parents", "home")
    assert waiting["on_file"]["mother"]["state"] == "away"
    assert "found" not in without_detail(card["file"])["proposals"][PROPOSAL]
    assert "facts" not in entry_without_detail(entries[-1])


async def test_each_block_that_a_visit_or_an_amendment_found_otherwise_is_proposed_for_itself():
    finding = ChildFinding(child=CHILD_ID, care_found=ALONE, parents_found=MOTHER_BACK, schooling_found=SECONDARY)
    amended = VisitAmended(visit=VISIT, number=1, finding=finding, reason=AmendReason.ADDED, amended_by="cadre-2")
    offices = Offices()
    [policy] = [one for one in policies(offices.vault, offices.households) if one.event == "VisitAmended"]
    wanted = await policy.react(*told(amended, VISITED, VISITED))
    assert len({one.target for one in wanted}) == len({one.command.proposal for one in wanted}) == 3
    for one in wanted:
        assert one.command.found_by == "cadre-2"
        assert CHILD.decide(one.command, _state(*FILE))
    none = amended.model_copy(update={"finding": ChildFinding(child=CHILD_ID, life=Personal("无变化"))})
    assert await policy.react(*told(none, VISITED, VISITED)) == []


def test_an_accepted_change_is_recorded_from_the_day_it_was_found():
    given(CHILD, *FILE, PROPOSED).when(ACCEPT).then(ACCEPTED, RECORDED)


def test_an_accepted_change_opens_the_review_of_a_verified_file():
    verified = (
        ChildFileSubmitted(child=CHILD_ID, submitted_by="director-1"),
        ChildFileReviewed(child=CHILD_ID, reviewed_by="supervisor-1"),
        ChildFileVerified(child=CHILD_ID, verified_by="county-1"),
    )
    given(CHILD, *FILE, *verified, PROPOSED).when(ACCEPT).then(
        ACCEPTED, RECORDED, ChildFileReviewOpened(child=CHILD_ID)
    )


def test_a_refused_change_leaves_the_file_as_it_is():
    given(CHILD, *FILE, PROPOSED).when(REFUSE).then(REFUSED)


@pytest.mark.parametrize("command", [ACCEPT, REFUSE], ids=["accept", "refuse"])
def test_a_proposal_is_decided_once(command):
    given(CHILD, *FILE).when(command).then_refused(ProposalNotOpen)
    given(CHILD, *FILE, PROPOSED, ACCEPTED, RECORDED).when(command).then_refused(ProposalNotOpen)
    given(CHILD, *FILE, PROPOSED, REFUSED).when(command).then_refused(ProposalNotOpen)


@pytest.mark.parametrize("command", [ACCEPT, REFUSE], ids=["accept", "refuse"])
def test_who_found_it_does_not_decide_it(command):
    given(CHILD, *FILE, PROPOSED).when(command.model_copy(update={"person": "cadre-1"})).then_refused(AuthorChecks)


async def test_the_policy_says_who_found_it_and_on_which_day():
    visit = a_visit(FILE[0].household, CHILD_ID)
    event = VisitLogged(
        visit=visit.visit,
        household=visit.household,
        village=visit.village,
        kind=visit.kind,
        purposes=visit.purposes,
        visited_on=VISITED,
        findings=(ChildFinding(child=CHILD_ID, care_found=ALONE),),
    )
    offices = Offices()
    [policy] = [one for one in policies(offices.vault, offices.households) if one.event == "VisitLogged"]
    record, event = told(event, VISITED, VISITED)
    [wanted] = await policy.react(record, event)
    assert (wanted.command.found_by, wanted.command.found_on) == ("person", VISITED)


async def test_nobody_but_the_policy_tells_what_another_has_found():
    offices, registration = Offices(), a_registration()
    child = registration.child
    await offices.tell(registration, "director-1")
    await offices.tell(propose(child=child, found_by="cadre-1"), "director-1")
    assert (await offices.events(child))[-1].found_by == "director-1"


async def test_the_finder_of_an_accepted_change_is_its_author_and_the_reviewer_is_not():
    offices, registration = Offices(), a_registration()
    child = registration.child
    await offices.tell(registration, "director-1")
    await offices.tell(propose(child=child), "supervisor-1")
    await offices.tell(AcceptChange(child=child, proposal=PROPOSAL), "supervisor-2")
    await offices.tell(SubmitChildFile(child=child), "director-1")
    with pytest.raises(AuthorChecks):
        await offices.tell(ReviewChildFile(child=child), "supervisor-1")
    await offices.tell(ReviewChildFile(child=child), "supervisor-2")


async def test_the_same_finding_told_again_is_nothing_new_once_it_is_on_file():
    offices, registration = Offices(), a_registration()
    await offices.tell(registration, "director-1")
    with pytest.raises(NothingToRecord):
        await offices.tell(propose(child=registration.child, care=registration.care), "director-1")


async def test_the_card_keeps_both_values_with_their_authors_until_a_reviewer_decides():
    card, entries = await card_and_entries([*FILE, PROPOSED])
    assert card["file"]["proposals"] == {
        PROPOSAL: {
            "found": {"kind": "nobody", "living_alone": True},
            "found_by": "cadre-1",
            "found_on": "2026-08-12",
            "visit": VISIT,
            "on_file": {"kind": "grandparent", "living_alone": False},
            "on_file_by": "person",
            "on_file_since": "2026-08-14",
        }
    }
    assert entries[-1]["facts"] == {"kind": "nobody", "living_alone": True}
    for decided in ([ACCEPTED, RECORDED], [REFUSED]):
        card, _ = await card_and_entries([*FILE, PROPOSED, *decided])
        assert "proposals" not in card["file"]
        assert card["file"]["care"]["kind"] == ("nobody" if RECORDED in decided else "grandparent")
