"""Two values of one block: what is told late is kept beside what is on file, until a rule or a reviewer decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.registry.domain.child import (
    CHILD,
    AcceptanceBy,
    AcceptChange,
    AuthorChecks,
    CorrectIdentity,
    LateEntry,
    ProposalNotOpen,
    RecordCareSituation,
    RecordHealth,
    RecordIdentity,
    RecordParentSituation,
    RecordRegistrationStatus,
    RecordSchooling,
    RecordWelfare,
    RefusalBy,
    RefuseChange,
)
from services.reporting.api.field_classes import without_detail
from shared.commands.command import NothingToRecord
from shared.contracts.child_file import (
    ChangeAccepted,
    ChangeRefused,
    Health,
    HealthRecorded,
    Identity,
    IdentityCorrection,
    RegistrationStatusRecorded,
    Schooling,
    SchoolingRecorded,
    Welfare,
    WelfareRecorded,
)
from shared.contracts.file_keeping import ConflictingValueKept
from shared.contracts.registry import CareSituationRecorded, ParentSituationRecorded
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareKind,
    CitizenNumberStatus,
    FileBlock,
    HealthState,
    HukouKind,
    ParentState,
    SchoolState,
)
from shared.eventlog.placement import new_id
from tests.support.builders import COUNTY, TOLD, a_registration, care, parents
from tests.support.child_cards import card_and_entries
from tests.support.child_files import NUMBER, a_complete_file, schooling
from tests.support.offices import Offices
from tests.support.specification import given

FILE = a_complete_file()
CHILD_ID = FILE[0].child
PROPOSAL = new_id("proposal", beside=CHILD_ID)
SEEN = TOLD - timedelta(days=4)
SEEN_ON, HELD_ON = SEEN.date(), TOLD.date()
WHO = {"child": CHILD_ID}
ILL = Health(state=HealthState.SERIOUSLY_ILL, illness="哮喘")
IDENTITY = Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER)


def late(entry, **changes) -> LateEntry:
    fields = {
        **WHO,
        "entry": entry.model_copy(update={"occurred_at": SEEN}),
        "proposal": PROPOSAL,
        "person": "cadre-1",
        "on_file_by": "director-1",
        "on_file_on": HELD_ON,
        "occurred_at": SEEN,
    }
    return LateEntry(**fields | changes)


def kept(block: FileBlock, value) -> ConflictingValueKept:
    return ConflictingValueKept(
        **WHO,
        proposal=PROPOSAL,
        block=block,
        found_by="cadre-1",
        found_on=SEEN_ON,
        on_file_by="director-1",
        on_file_on=HELD_ON,
        rule="CONFLICT-1",
        **{block.value: value},
    )


ALONE = RecordCareSituation(**WHO, care=care(CareKind.NOBODY, alone=True))
RECORDED = CareSituationRecorded(**WHO, care=ALONE.care, since=Counted(HELD_ON))
KEPT = kept(FileBlock.CARE, RECORDED)
HOME = parents(mother=ParentState.HOME)
JUNIOR = Personal(Schooling(state=SchoolState.JUNIOR))
ACCEPT = AcceptanceBy(**WHO, proposal=PROPOSAL, person="supervisor-1", occurred_at=TOLD)
ACCEPTED = ChangeAccepted(**WHO, proposal=PROPOSAL, accepted_by="supervisor-1", found_by="cadre-1")
REFUSE = RefusalBy(**WHO, proposal=PROPOSAL, person="supervisor-1", reason=Personal("已核"), occurred_at=TOLD)
REFUSED = ChangeRefused(**WHO, proposal=PROPOSAL, refused_by="supervisor-1", reason=Personal("已核"))


@pytest.mark.parametrize(
    ("entry", "block", "value"),
    [
        (ALONE, FileBlock.CARE, RECORDED),
        (
            RecordParentSituation(**WHO, parents=HOME),
            FileBlock.PARENTS,
            ParentSituationRecorded(**WHO, parents=HOME),
        ),
        (
            RecordSchooling(**WHO, schooling=JUNIOR),
            FileBlock.SCHOOLING,
            SchoolingRecorded(**WHO, schooling=JUNIOR, state=Counted(SchoolState.JUNIOR), since=Counted(HELD_ON)),
        ),
        (
            RecordHealth(**WHO, health=Personal(ILL)),
            FileBlock.HEALTH,
            HealthRecorded(**WHO, health=Personal(ILL)),
        ),
        (
            RecordRegistrationStatus(**WHO, hukou=COUNTY, kind=HukouKind.URBAN),
            FileBlock.REGISTRATION,
            RegistrationStatusRecorded(**WHO, hukou=COUNTY, kind=Counted(HukouKind.URBAN)),
        ),
        (
            RecordWelfare(**WHO, welfare=Personal(Welfare(medical_aid=True))),
            FileBlock.WELFARE,
            WelfareRecorded(**WHO, welfare=Personal(Welfare(medical_aid=True))),
        ),
    ],
    ids=lambda value: value.value if isinstance(value, FileBlock) else "",
)
def test_what_another_saw_earlier_is_kept_beside_what_is_on_file(entry, block, value):
    given(CHILD, *FILE).when(late(entry)).then(kept(block, value))


def test_the_same_value_told_late_is_nothing_to_decide():
    given(CHILD, *FILE).when(late(RecordCareSituation(**WHO, care=FILE[0].care))).then()
    given(CHILD, *FILE).when(late(schooling(CHILD_ID))).then()


def test_of_two_values_that_one_person_told_the_one_seen_later_stands_and_the_earlier_has_its_place():
    given(CHILD, *FILE).when(late(ALONE, on_file_by="cadre-1")).then(
        CareSituationRecorded(**WHO, care=ALONE.care, since=Counted(SEEN_ON)),
        CareSituationRecorded(**WHO, care=FILE[0].care, since=Counted(HELD_ON)),
    )


def test_since_when_a_parent_is_away_is_not_moved_and_where_nobody_said_it_holds_from_the_day():
    untold = HOME.model_copy(update={"mother": HOME.mother.model_copy(update={"since": None})})
    [event] = CHILD.decide(late(RecordParentSituation(**WHO, parents=untold)), folded(*FILE))
    assert event.parents.parents.father.since == HOME.father.since
    assert event.parents.parents.mother.since == Counted(HELD_ON)


def folded(*events):
    state = CHILD.initial
    for event in events:
        state = CHILD.evolve(state, event)
    return state


def test_a_reviewer_who_accepts_it_records_it():
    given(CHILD, *FILE, KEPT).when(ACCEPT).then(ACCEPTED, RECORDED)


def test_a_reviewer_who_refuses_it_leaves_what_is_on_file():
    given(CHILD, *FILE, KEPT).when(REFUSE).then(REFUSED)


@pytest.mark.parametrize("command", [ACCEPT, REFUSE], ids=["accept", "refuse"])
def test_neither_of_the_two_authors_decides(command):
    for author in ("cadre-1", "director-1"):
        given(CHILD, *FILE, KEPT).when(command.model_copy(update={"person": author})).then_refused(AuthorChecks)


@pytest.mark.parametrize("command", [ACCEPT, REFUSE], ids=["accept", "refuse"])
def test_it_is_decided_once(command):
    given(CHILD, *FILE, KEPT, REFUSED).when(command).then_refused(ProposalNotOpen)


async def test_the_card_shows_both_values_with_author_and_time_until_one_is_chosen():
    card, entries = await card_and_entries([*FILE, KEPT])
    assert card["file"]["care"]["kind"] == "grandparent"
    assert card["file"]["proposals"][PROPOSAL] == {
        "block": "care",
        "found": {"kind": "nobody", "living_alone": True, "since": "2026-08-14"},
        "found_by": "cadre-1",
        "found_on": "2026-08-10",
        "on_file": {"kind": "grandparent", "living_alone": False},
        "on_file_by": "director-1",
        "on_file_since": "2026-08-14",
    }
    assert entries[-1]["facts"]["block"] == "care"
    card, _ = await card_and_entries([*FILE, KEPT, ACCEPTED, RECORDED])
    assert card["file"]["care"]["kind"] == "nobody"
    assert "proposals" not in card["file"]


async def test_the_card_shows_what_stands_in_the_file_itself_too():
    record = RecordIdentity(**WHO, identity=Personal(IDENTITY), occurred_at=TOLD)
    [event] = CHILD.decide(record, folded(*FILE))
    identity = kept(FileBlock.IDENTITY, event)
    [shown] = (await card_and_entries([*FILE, identity]))[0]["file"]["proposals"].values()
    assert shown["found"]["citizen_number"] == "529901********0022"
    assert shown["on_file"]["citizen_number"] == "529901********0022"


async def test_who_may_not_see_a_block_sees_that_two_values_of_it_wait_and_neither_of_them():
    ill = kept(FileBlock.HEALTH, HealthRecorded(**WHO, health=Personal(ILL)))
    card, _ = await card_and_entries([*FILE, ill])
    assert card["file"]["proposals"][PROPOSAL]["found"]["illness"] == "哮喘"
    [shown] = without_detail(card["file"])["proposals"].values()
    assert shown["block"] == "health"
    assert "found" not in shown
    assert "on_file" not in shown


class TestOffline:
    """As the service sees it: what is late is found out from the log."""

    @pytest.fixture
    async def offices(self):
        offices = Offices()
        self.registration = a_registration(occurred_at=None)
        await offices.tell(self.registration, "director-1")
        return offices

    def seen(self, hours: int, **more) -> RecordCareSituation:
        """By the clock of ``Offices`` a child that was found alone so many hours ago."""
        at = datetime(2026, 8, 14, 10, tzinfo=UTC) - timedelta(hours=hours)
        child = self.registration.child
        return RecordCareSituation(child=child, care=ALONE.care, occurred_at=at, **more)

    async def last(self, offices):
        return (await offices.events(self.registration.child))[-1]

    async def test_what_was_seen_before_another_told_it_waits_for_a_reviewer(self, offices):
        await offices.tell(self.seen(hours=5), "supervisor-1")
        waiting = await self.last(offices)
        assert (waiting.block, waiting.found_by, waiting.on_file_by) == (FileBlock.CARE, "supervisor-1", "director-1")
        accept = AcceptChange(child=waiting.child, proposal=waiting.proposal)
        with pytest.raises(AuthorChecks):
            await offices.tell(accept, "supervisor-1")
        await offices.tell(accept, "supervisor-2")
        assert (await self.last(offices)).care == ALONE.care

    async def test_it_can_be_refused(self, offices):
        await offices.tell(self.seen(hours=5), "supervisor-1")
        waiting = await self.last(offices)
        refuse = RefuseChange(child=waiting.child, proposal=waiting.proposal, reason=Personal("已核"))
        await offices.tell(refuse, "supervisor-2")
        assert isinstance(await self.last(offices), ChangeRefused)

    async def test_what_was_seen_after_it_is_recorded(self, offices):
        await offices.tell(self.seen(hours=0), "supervisor-1")
        assert isinstance(await self.last(offices), CareSituationRecorded)

    async def test_what_was_seen_later_by_somebody_who_had_not_seen_it_waits_too(self, offices):
        await offices.tell(self.seen(hours=0, seen_version=0), "supervisor-1")
        assert isinstance(await self.last(offices), ConflictingValueKept)

    async def test_who_has_seen_what_is_on_file_overwrites_it(self, offices):
        await offices.tell(self.seen(hours=0, seen_version=1), "supervisor-1")
        assert isinstance(await self.last(offices), CareSituationRecorded)

    async def test_what_one_person_told_out_of_order_is_put_in_order(self, offices):
        await offices.tell(self.seen(hours=30), "director-1")
        assert [event.care for event in (await offices.events(self.registration.child))[-2:]] == [
            ALONE.care,
            self.registration.care,
        ]

    async def test_the_same_told_late_is_nothing_new(self, offices):
        same = self.seen(hours=5).model_copy(update={"care": self.registration.care})
        with pytest.raises(NothingToRecord):
            await offices.tell(same, "supervisor-1")

    async def test_a_block_that_nobody_has_told_is_recorded_however_late(self, offices):
        child = self.registration.child
        await offices.tell(schooling(child), "supervisor-1")
        assert isinstance(await self.last(offices), SchoolingRecorded)

    async def test_a_late_number_does_not_overwrite_a_corrected_one(self, offices):
        child = self.registration.child
        correction = IdentityCorrection(reason="户口簿", citizen_number=NUMBER)
        await offices.tell(CorrectIdentity(child=child, correction=Personal(correction)), "county-1")
        mistyped = IDENTITY.model_copy(update={"citizen_number": "529901201603090014"})
        await offices.tell(RecordIdentity(child=child, identity=Personal(mistyped), occurred_at=TOLD), "director-1")
        waiting = await self.last(offices)
        assert (waiting.block, waiting.on_file_by) == (FileBlock.IDENTITY, "county-1")
        same = IDENTITY.model_copy(update={"citizen_number": NUMBER})
        with pytest.raises(NothingToRecord):
            await offices.tell(RecordIdentity(child=child, identity=Personal(same), occurred_at=TOLD), "director-1")
