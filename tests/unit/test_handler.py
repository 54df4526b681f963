"""The road of a command: repeated, refused, in conflict, in a batch."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.registry.domain.child import ChildAlreadyRegistered, CloseChildFile, RecordCareSituation, RegisterChild
from services.registry.domain.division import AddDivision
from services.registry.domain.posting import PostWorkingGroup, WithdrawWorkingGroup
from services.registry.held_places import PlaceIsHeld
from shared.commands.command import (
    Aggregate,
    CommandIdOfAnother,
    CommandIdReused,
    DivisionEnded,
    Handling,
    HappensLater,
    NothingToRecord,
    NotOnFile,
    Target,
    Told,
    UnknownDivision,
)
from shared.commands.handler import ErasedSubject
from shared.contracts.registry import CareSituation
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import CareKind, CloseReason, DivisionKind, PostingLevel, Role, WithdrawalReason
from shared.eventlog.placement import new_id, partition_of
from shared.eventlog.port import Appended, RecordTooLarge, VersionConflict
from shared.identity.access import NotPermitted
from tests.support.builders import VILLAGE, a_registration, care
from tests.support.registry import NOW, Registry


@pytest.fixture
def registry():
    return Registry()


def told(command, command_id="command-1", person="director-1", **more):
    return Told(command, command_id, person, **more)


async def test_a_command_is_answered_with_the_position_of_its_last_event(registry):
    command = a_registration()
    answer = await registry.handler.handle(told(command))
    assert answer.position.partition == partition_of(command.child, 4)
    assert answer.position.seq == 2
    assert answer.versions == {command.child: 1, command.household: 1}
    [registered] = await registry.events(command.child)
    assert registered.name == command.name


async def test_a_repeated_command_gets_its_first_answer_and_takes_effect_once(registry):
    command = a_registration()
    first = await registry.handler.handle(told(command))
    assert await registry.handler.handle(told(command)) == first
    assert len(await registry.log.load(command.child)) == 1


async def test_a_repeat_without_the_moment_it_happened_is_still_the_same_command(registry):
    command = a_registration()
    timeless = type(command)(**command.model_dump(exclude={"occurred_at"}))
    first = await registry.handler.handle(told(timeless))
    assert await registry.handler.handle(told(timeless)) == first


async def test_the_same_command_twice_at_once_takes_effect_once(registry):
    command = a_registration()
    answers = await asyncio.gather(*(registry.handler.handle(told(command)) for _ in range(5)))
    assert len(set(map(str, answers))) == 1
    assert len(await registry.log.load(command.child)) == 1


async def test_a_command_id_is_not_used_for_another_content(registry):
    await registry.handler.handle(told(a_registration()))
    with pytest.raises(CommandIdReused):
        await registry.handler.handle(told(a_registration(household=new_household_beside(registry))))


def new_household_beside(registry):
    """A household in the partition of the first command, where its id is remembered."""
    [stream] = [s for s in registry.log._streams if s.startswith("household")]
    return new_id("household", beside=stream)


async def test_a_command_id_belongs_to_who_used_it_first(registry):
    command = a_registration()
    await registry.handler.handle(told(command))
    with pytest.raises(CommandIdOfAnother):
        await registry.handler.handle(told(command, person="director-2"))


async def test_a_refusal_is_not_remembered(registry):
    command = a_registration()
    close = CloseChildFile(child=command.child, reason=CloseReason.MOVED_OUT)
    with pytest.raises(NotOnFile):
        await registry.handler.handle(told(close, "command-2"))
    await registry.handler.handle(told(command))
    await registry.handler.handle(told(close, "command-2"))


async def test_what_lies_in_the_future_is_refused(registry):
    with pytest.raises(HappensLater):
        await registry.handler.handle(told(a_registration(occurred_at=NOW + timedelta(hours=1))))


async def test_a_stale_version_is_refused(registry):
    command = a_registration()
    await registry.handler.handle(told(command))
    record = RecordCareSituation(child=command.child, care=care())
    with pytest.raises(VersionConflict):
        await registry.handler.handle(told(record, "command-2", expected_version=7))
    await registry.handler.handle(told(record, "command-3", expected_version=1))


async def test_an_unknown_division_is_named(registry):
    with pytest.raises(UnknownDivision, match="520303105999"):
        await registry.handler.handle(told(a_registration(residence="520303105999")))


async def test_a_person_acts_within_their_division_only(registry):
    elsewhere = "520303106201"
    registry.directory.add_division("520303106", "520303")
    registry.directory.add_division(elsewhere, "520303106")
    with pytest.raises(NotPermitted):
        await registry.handler.handle(told(a_registration(residence=elsewhere)))


async def test_who_is_outside_does_not_learn_that_a_child_is_on_file(registry):
    registry.directory.add_grant("stranger-1", Role.CHILD_DIRECTOR, "99", date(2026, 1, 1))
    command = a_registration()
    await registry.handler.handle(told(command))
    for child in (command.child, new_id("child")):
        close = CloseChildFile(child=child, reason=CloseReason.MOVED_OUT)
        with pytest.raises(NotOnFile):
            await registry.handler.handle(told(close, "command-2", person="stranger-1"))


async def test_siblings_in_one_batch_open_one_household_file(registry):
    first = a_registration()
    second = a_registration(household=first.household)
    outcomes = await registry.handler.handle_many([told(first, "command-1"), told(second, "command-2")])
    assert all(isinstance(outcome, Appended) for outcome in outcomes)
    opened, joined = await registry.events(first.household)
    assert (opened.children, joined.child) == ((first.child,), second.child)


async def test_one_refused_command_leaves_its_neighbours_alone(registry):
    known = a_registration()
    await registry.handler.handle(told(known, "command-0"))
    batch = [a_registration(), known, a_registration()]
    outcomes = await registry.handler.handle_many([told(c, f"command-{n}") for n, c in enumerate(batch, start=1)])
    assert [type(outcome) for outcome in outcomes] == [Appended, ChildAlreadyRegistered, Appended]


async def test_nothing_is_recorded_of_an_erased_subject(registry):
    known = a_registration()
    await registry.handler.handle(told(known))
    await registry.vault.destroy(known.child)
    late = RecordCareSituation(child=known.child, care=care())
    other = a_registration()
    outcomes = await registry.handler.handle_many([told(late, "command-2"), told(other, "command-3")])
    assert [type(outcome) for outcome in outcomes] == [ErasedSubject, Appended]


async def test_a_value_that_was_erased_is_not_recorded_again(registry):
    known = a_registration()
    await registry.handler.handle(told(known))
    carried = CareSituation(kind=Counted(CareKind.NOBODY), living_alone=Counted(True), caregiver=Personal(ERASED))
    late = RecordCareSituation(child=known.child, care=carried)
    outcomes = await registry.handler.handle_many([told(late, "command-2"), told(a_registration(), "command-3")])
    assert [type(outcome) for outcome in outcomes] == [ErasedSubject, Appended]


async def test_a_record_over_256_kib_is_refused_and_nothing_is_written(registry):
    child = a_registration()
    await registry.handler.handle(told(child, "command-1"))
    large = care().model_copy(update={"note": Personal("长" * 100_000)})
    command = RecordCareSituation(child=child.child, care=care()).model_copy(update={"care": large})
    with pytest.raises(RecordTooLarge):
        await registry.handler.handle(told(command, "command-2"))
    assert len(await registry.log.load(child.child)) == 1


async def test_nothing_is_told_of_a_division_since_it_ended_and_who_asks_learns_what_followed(registry):
    registry.directory.end_division(VILLAGE, date(2026, 8, 1), "520303105299")
    since, before = datetime(2026, 8, 1, 2, tzinfo=UTC), datetime(2026, 7, 31, 2, tzinfo=UTC)
    with pytest.raises(DivisionEnded, match="2026-08-01; it was followed by 520303105299"):
        await registry.handler.handle(told(a_registration(occurred_at=since), "command-1"))
    await registry.handler.handle(told(a_registration(occurred_at=before), "command-2"))


async def test_a_division_that_ended_is_told_to_nobody_outside(registry):
    registry.directory.end_division(VILLAGE, date(2026, 8, 1), "520303105299")
    registry.directory.add_grant("stranger-1", Role.CHILD_DIRECTOR, "99", date(2026, 1, 1))
    with pytest.raises(NotPermitted):
        await registry.handler.handle(told(a_registration(), "command-1", "stranger-1"))


async def test_what_is_on_file_in_a_division_that_ended_goes_on_being_told_of(registry):
    child = a_registration()
    await registry.handler.handle(told(child, "command-1"))
    registry.directory.end_division(VILLAGE, date(2026, 8, 1), "520303105299")
    await registry.handler.handle(told(RecordCareSituation(child=child.child, care=care()), "command-2"))


@pytest.mark.parametrize(("taken_over", "accepted"), [(False, True), (True, False)])
async def test_what_follows_a_file_is_told_where_the_file_stands_unless_one_division_took_over(
    registry, taken_over, accepted
):
    registry.directory.end_division(VILLAGE, date(2026, 8, 1), "520303105299", taken_over=taken_over)
    handling = registry.handler.handlings[RegisterChild]
    registry.handler.handlings[RegisterChild] = replace(handling, follows_files=True)
    [outcome] = await registry.handler.handle_many([told(a_registration(), "command-1")])
    assert isinstance(outcome, Appended) is accepted


async def test_a_division_is_added_below_a_known_one_only(registry):
    orphan = AddDivision(
        code="520399", name="某县", kind=DivisionKind.COUNTY, parent="5203", valid_from=date(2023, 6, 30)
    )
    with pytest.raises(UnknownDivision, match="parent"):
        await registry.handler.handle(told(orphan, own_right=True))


async def test_a_village_has_one_first_secretary_until_he_leaves(registry):
    posts = [
        PostWorkingGroup(
            posting=new_id("posting"),
            village=VILLAGE,
            level=PostingLevel.COUNTY,
            unit="县教育局",
            starts=date(2026, 3, 1),
            first_secretary=f"secretary-{n}",
        )
        for n in range(2)
    ]
    await registry.handler.handle(told(posts[0], "command-1", "office-1"))
    with pytest.raises(PlaceIsHeld):
        await registry.handler.handle(told(posts[1], "command-2", "office-1"))
    withdraw = WithdrawWorkingGroup(posting=posts[0].posting, ends=date(2026, 8, 1), reason=WithdrawalReason.ROTATED)
    await registry.handler.handle(told(withdraw, "command-3", "office-1"))
    since = posts[1].model_copy(update={"starts": date(2026, 8, 1)})
    await registry.handler.handle(told(since, "command-4", "office-1"))


async def test_a_command_that_decides_nothing_is_refused_and_leaves_its_neighbours_alone(registry):
    idle = Aggregate[None](None, lambda state, event: state, lambda command, state: [])
    registry.handler.handlings[RecordCareSituation] = Handling(
        RecordCareSituation,
        action="record_child",
        targets=lambda c: (Target(c.child, idle),),
        division=lambda c, _: VILLAGE,
    )
    nothing = RecordCareSituation(child=new_id("child"), care=care())
    outcomes = await registry.handler.handle_many([told(nothing, "command-1"), told(a_registration(), "command-2")])
    assert [type(outcome) for outcome in outcomes] == [NothingToRecord, Appended]


async def test_who_is_outside_does_not_learn_the_village_of_a_child_whose_division_is_not_known_yet(registry):
    command = a_registration(residence="520399999201")
    await registry.handler.handle(told(command, own_right=True))
    with pytest.raises(NotOnFile):
        await registry.handler.handle(told(CloseChildFile(child=command.child, reason=CloseReason.DIED), "command-2"))


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "1989-12-31T23:59:59Z"])
def test_nothing_happened_before_there_were_records(moment):
    with pytest.raises(ValidationError, match="occurred_at"):
        AddDivision(
            occurred_at=moment, code="52", name="某省", kind="province", parent=None, valid_from=date(2023, 6, 30)
        )
