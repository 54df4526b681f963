"""What one person or one village may hold alone: refused to the second, and free again once it has ended."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from services.registry.domain.duty import NameDutyHolder, RelieveDutyHolder
from services.registry.domain.posting import (
    AppointFirstSecretary,
    PostWorkingGroup,
    RelieveFirstSecretary,
    RotateWorkingGroup,
)
from services.registry.held_places import PlaceIsHeld
from shared.commands.command import Command, Told
from shared.contracts.values import Duty, PostingLevel, ReliefReason, Role
from shared.eventlog.placement import new_id
from shared.eventlog.port import ClaimTaken
from shared.identity.access import NotPermitted
from tests.support.builders import VILLAGE
from tests.support.registry import Registry

STARTS, ENDS = date(2026, 3, 1), date(2026, 8, 14)


@pytest.fixture
def registry() -> Registry:
    return Registry()


async def tell(registry: Registry, command: Command, person: str = "office-1") -> None:
    await registry.handler.handle(Told(command, str(uuid4()), person))


def a_posting(**changes: Any) -> PostWorkingGroup:
    fields: dict[str, Any] = {
        "posting": new_id("posting"),
        "village": VILLAGE,
        "level": PostingLevel.COUNTY,
        "unit": "县直帮扶单位",
        "starts": STARTS,
    }
    return PostWorkingGroup(**fields | changes)


def a_director(**changes: Any) -> NameDutyHolder:
    fields: dict[str, Any] = {
        "duty": new_id("duty"),
        "person": "director-3",
        "role": Duty.CHILD_DIRECTOR,
        "division": VILLAGE,
        "starts": STARTS,
    }
    return NameDutyHolder(**fields | changes)


async def test_one_person_leads_one_group(registry):
    await tell(registry, a_posting(leader="leader-1"))
    with pytest.raises(ClaimTaken):
        await tell(registry, a_posting(leader="leader-1"))


async def test_a_village_gets_another_first_secretary_once_the_first_is_relieved(registry):
    first, second = a_posting(first_secretary="secretary-1"), a_posting()
    await tell(registry, first)
    await tell(registry, second)
    appoint = AppointFirstSecretary(posting=second.posting, person="secretary-2", starts=ENDS)
    with pytest.raises(PlaceIsHeld, match="no end is on record"):
        await tell(registry, appoint)
    await tell(registry, RelieveFirstSecretary(posting=first.posting, ends=ENDS))
    await tell(registry, appoint)


async def test_a_rotation_hands_over_the_places_and_keeps_them_held(registry):
    old = a_posting(leader="leader-1", first_secretary="secretary-1")
    await tell(registry, old)
    following = a_posting(
        posting=new_id("posting", beside=old.posting), starts=ENDS, leader="leader-1", first_secretary="secretary-2"
    )
    await tell(registry, RotateWorkingGroup(**dict(following), follows=old.posting))
    assert [type(event).__name__ for event in await registry.events(old.posting)][-1] == "WorkingGroupWithdrawn"
    assert [type(event).__name__ for event in await registry.events(following.posting)] == ["WorkingGroupPosted"]
    with pytest.raises(ClaimTaken):
        await tell(registry, a_posting(leader="leader-1"))
    with pytest.raises(PlaceIsHeld):
        await tell(registry, a_posting(first_secretary="secretary-3"))


async def test_a_village_has_one_child_director_until_relieved(registry):
    first = a_director()
    await tell(registry, first)
    with pytest.raises(PlaceIsHeld):
        await tell(registry, a_director(person="director-4"))
    await tell(registry, RelieveDutyHolder(duty=first.duty, ends=ENDS, reason=ReliefReason.TRANSFERRED))
    await tell(registry, a_director(person="director-4", starts=ENDS))


async def test_of_two_told_at_the_same_moment_one_holds_the_place(registry):
    both = [Told(a_director(), str(uuid4()), "office-1") for _ in range(2)]
    outcomes = await registry.handler.handle_many(both)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Appended", "ClaimTaken"]


async def test_nobody_is_told_into_days_that_another_one_held_the_place(registry):
    first = a_director()
    await tell(registry, first)
    await tell(registry, RelieveDutyHolder(duty=first.duty, ends=ENDS, reason=ReliefReason.TRANSFERRED))
    with pytest.raises(PlaceIsHeld, match="from 2026-03-01 to 2026-08-14"):
        await tell(registry, a_director(starts=date(2026, 8, 13)))
    await tell(registry, a_director(starts=ENDS))
    with pytest.raises(PlaceIsHeld):
        await tell(registry, a_director(starts=date(2026, 1, 1)))


async def test_who_does_the_work_names_nobody(registry):
    with pytest.raises(NotPermitted):
        await tell(registry, a_director(), "director-1")
    registry.directory.add_grant("civil-1", Role.COUNTY_CIVIL_AFFAIRS, "520303", STARTS)
    await tell(registry, a_director(), "civil-1")
