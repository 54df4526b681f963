"""How a child stands on a day, and what is refused because of it."""

import asyncio
from datetime import date

import pytest

from services.registry.domain.child import CloseChildFile, ReopenChildFile
from shared.commands.command import Told
from shared.contracts.event import Event
from shared.contracts.risk import RiskAssessed, RiskLevelOverridden
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import CloseReason, RiskLevel
from shared.eventlog.placement import new_id
from shared.eventlog.record import Record
from shared.standing.look_up import Over, StandingLookUp, StandingUnknown, _Together, level_on, over_since, standing_of
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing, check_standing
from tests.support.builders import VILLAGE, a_registration
from tests.support.figure_histories import told
from tests.support.registry import Registry
from tests.support.standings import NothingHeard, Owner

CLOSED = ["2026-08-20", 3, False]


def a_child(*turns):
    return {"_id": "child", "village": VILLAGE, "turns": list(turns)}


def test_what_happened_before_the_file_was_closed_is_judged_by_that_day():
    child = a_child(["2026-09-01", 4, True], CLOSED)
    assert standing_of(child, date(2026, 8, 19)).open
    assert not standing_of(child, date(2026, 8, 20)).open
    assert standing_of(child, date(2026, 9, 1)).open


def test_of_two_turns_on_one_day_the_later_told_one_holds():
    child = a_child(["2026-08-20", 4, True], CLOSED)
    assert standing_of(child, date(2026, 8, 20)).open
    assert over_since(child) is None


def test_a_file_is_over_since_its_last_turn_unless_that_opened_it():
    assert over_since(a_child()) is None
    assert over_since(a_child(CLOSED)) == Over(date(2026, 8, 20), erased=False)
    assert over_since(a_child(CLOSED) | {"erased": "2026-09-02"}) == Over(date(2026, 9, 2), erased=True)
    assert over_since(a_child(["2026-09-01", 4, True], CLOSED)) is None


@pytest.mark.parametrize(
    "standing", [None, Standing("520303105202", open=True), Standing(VILLAGE, open=True, erased=True)], ids=str
)
def test_a_child_elsewhere_an_erased_one_and_one_that_nobody_knows_look_alike(standing):
    with pytest.raises(ChildNotOnFile):
        check_standing(standing, VILLAGE)


def test_nothing_is_told_of_a_closed_file():
    check_standing(Standing(VILLAGE, open=True), VILLAGE)
    with pytest.raises(ChildFileWasClosed):
        check_standing(Standing(VILLAGE, open=False), VILLAGE)


async def test_registry_itself_says_since_when_a_file_is_closed():
    registry = Registry()
    look_up = StandingLookUp(None, Owner(registry), registry.sealer, registry.directory)
    command = a_registration()
    assert await look_up.over_since(command.child) is None
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    assert await look_up.over_since(command.child) is None
    close = CloseChildFile(child=command.child, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 3))
    await registry.handler.handle(Told(close, "command-2", "director-1"))
    assert await look_up.over_since(command.child) == Over(date(2026, 8, 3), erased=False)
    reopen = ReopenChildFile(child=command.child, reason=Personal("又外出"), reopened_on=date(2026, 8, 9))
    await registry.handler.handle(Told(reopen, "command-3", "director-1"))
    assert await look_up.over_since(command.child) is None


async def test_nothing_is_guessed_while_registry_does_not_answer():
    registry = Registry()
    owner = Owner(registry)
    owner.away = True
    with pytest.raises(StandingUnknown):
        await StandingLookUp(None, owner, registry.sealer, registry.directory).over_since(new_id("child"))


async def test_questions_asked_at_once_become_one_and_each_finds_its_answer():
    questions = []

    async def ask(keys):
        questions.append(set(keys))
        return {key: {"_id": key} for key in keys if key != "unknown"}

    together = _Together(ask)
    answers = await asyncio.gather(*(together.get([key]) for key in ("one", "two", "unknown")))
    assert questions == [{"one", "two", "unknown"}]
    assert [key in answer for key, answer in zip(("one", "two", "unknown"), answers, strict=True)] == [
        True,
        True,
        False,
    ]
    assert await together.get(["three"]) == {"three": {"_id": "three"}}
    assert len(questions) == 2


async def test_a_child_stands_in_its_village_as_that_is_called_on_the_day():
    registry = Registry()
    look_up = StandingLookUp(NothingHeard(), Owner(registry), registry.sealer, registry.directory)
    command = a_registration()
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    new, newest = "520303105298", "520303105299"
    registry.directory.add_division(new, "520303105")
    registry.directory.add_division(newest, "520303105")
    registry.directory.end_division(VILLAGE, date(2026, 9, 1), new, taken_over=True)
    registry.directory.end_division(new, date(2026, 10, 1), newest, taken_over=True)
    for day, village in ((date(2026, 8, 31), VILLAGE), (date(2026, 9, 1), new), (date(2026, 10, 1), newest)):
        assert (await look_up.on(day, [command.child]))[command.child].village == village


async def test_a_child_in_a_village_that_was_withdrawn_stands_there_until_its_file_is_moved():
    registry = Registry()
    look_up = StandingLookUp(NothingHeard(), Owner(registry), registry.sealer, registry.directory)
    command = a_registration()
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    registry.directory.end_division(VILLAGE, date(2026, 9, 1), "520303105299")
    assert (await look_up.on(date(2026, 9, 2), [command.child]))[command.child].village == VILLAGE


def risk(day: int, level: RiskLevel, until: date | None = None) -> tuple[Record, Event]:
    child = "child-00000000-0000-7000-8000-000000000001"
    event: Event
    if until is None:
        event = RiskAssessed(
            child=child,
            instrument="SHEET-1",
            answers=Personal(ERASED),
            outcome=Personal(ERASED),
            level=Counted(level),
            assessed_by="director-1",
            next_due=date(2027, 3, 1),
        )
    else:
        event = RiskLevelOverridden(
            child=child,
            assessed=Counted(RiskLevel.LOW),
            level=Counted(level),
            reason=Personal(ERASED),
            asked_by="director-1",
            reviewed_by="county-1",
            until=until,
        )
    return told(event, date(2026, 8, day), date(2026, 8, day))


def test_a_risk_holds_from_its_day_until_the_next_one_or_the_end_of_an_override():
    first, override = risk(1, RiskLevel.LOW), risk(5, RiskLevel.HIGH, until=date(2026, 8, 20))
    history = [first, override]
    assert level_on(history, date(2026, 7, 31)) is None
    assert level_on(history, date(2026, 8, 4)) is RiskLevel.LOW
    assert level_on(history, date(2026, 8, 5)) is RiskLevel.HIGH
    assert level_on(history, date(2026, 8, 20)) is RiskLevel.LOW
    assert level_on([*history, risk(6, RiskLevel.MEDIUM)], date(2026, 8, 6)) is RiskLevel.MEDIUM


async def test_the_risk_is_what_registry_itself_says():
    registry = Registry()
    owner = Owner(registry)
    look_up = StandingLookUp(None, owner, registry.sealer, registry.directory)
    command = a_registration()
    await registry.handler.handle(Told(command, "command-1", "director-1"))
    assert await look_up.risk_level(command.child, date(2026, 8, 14)) is None
    owner.away = True
    with pytest.raises(StandingUnknown):
        await look_up.risk_level(command.child, date(2026, 8, 14))
