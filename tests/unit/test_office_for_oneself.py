"""Nobody gives an office to themselves, by whichever command (domain 6.2, rule 3)."""

from __future__ import annotations

from datetime import date

import pytest

from services.registry.domain.duty import NameDutyHolder
from services.registry.domain.posting import (
    AppointFirstSecretary,
    ChangeGroupLeader,
    JoinPosting,
    PostWorkingGroup,
    RotateWorkingGroup,
)
from services.registry.domain.role import EndRole, GrantRole
from services.registry.handlings.postings import OfficeForOneself
from shared.contracts.values import Duty, PostingLevel, Role
from shared.eventlog.placement import new_id
from tests.support.builders import VILLAGE
from tests.support.offices import Offices

TODAY = date(2026, 8, 14)
POSTING, ROLE = new_id("posting"), new_id("role")
POST = PostWorkingGroup(posting=POSTING, village=VILLAGE, level=PostingLevel.COUNTY, unit="某局", starts=TODAY)
ROTATE = RotateWorkingGroup(**POST.model_dump() | {"posting": new_id("posting", beside=POSTING), "follows": POSTING})
OWN = "office-1"
GRANT = GrantRole(role_id=ROLE, person=OWN, role=Role.DATA_PROTECTION_OFFICER, division="52", starts=TODAY)


@pytest.mark.parametrize(
    "command",
    [
        GRANT,
        NameDutyHolder(duty=new_id("duty"), person=OWN, role=Duty.CHILD_DIRECTOR, division=VILLAGE, starts=TODAY),
        POST.model_copy(update={"posting": new_id("posting"), "leader": OWN}),
        POST.model_copy(update={"posting": new_id("posting"), "first_secretary": OWN}),
        ROTATE.model_copy(update={"leader": OWN}),
        JoinPosting(posting=POSTING, person=OWN, starts=TODAY),
        AppointFirstSecretary(posting=POSTING, person=OWN, starts=TODAY),
        ChangeGroupLeader(posting=POSTING, leader=OWN, starts=TODAY),
    ],
    ids=lambda command: type(command).__name__,
)
async def test_nobody_gives_an_office_to_themselves(command):
    registry = Offices()
    await registry.tell(POST, OWN)
    with pytest.raises(OfficeForOneself):
        await registry.tell(command, OWN)


async def test_an_office_is_given_by_another_and_may_be_laid_down_by_oneself():
    registry = Offices()
    registry.directory.add_grant("office-2", Role.DATA_OFFICE, "52", date(2026, 1, 1))
    await registry.tell(GRANT, "office-2")
    await registry.tell(EndRole(role_id=ROLE, ends=TODAY), OWN)
    assert len(await registry.events(ROLE)) == 2
