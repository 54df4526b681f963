"""What changes with a child's life: school, health and welfare (domain 3.1, blocks School, Health, Welfare)."""

from __future__ import annotations

from typing import ClassVar

from services.registry.domain.child.conflict import BlockEntry
from services.registry.domain.child.situation import HoldsFromTheFuture
from shared.contracts.child_file import Health, HealthRecorded, Schooling, SchoolingRecorded, Welfare, WelfareRecorded
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import Day, FileBlock, HealthState


class RecordSchooling(BlockEntry):
    """Each term, and when it changes. ``since`` is the first day it holds; without it the day it was seen."""

    block: ClassVar[FileBlock] = FileBlock.SCHOOLING

    schooling: Personal[Schooling]
    since: Day | None = None


class RecordHealth(BlockEntry):
    block: ClassVar[FileBlock] = FileBlock.HEALTH

    health: Personal[Health]


class RecordWelfare(BlockEntry):
    block: ClassVar[FileBlock] = FileBlock.WELFARE

    welfare: Personal[Welfare]


class HealthContradictsItself(Refusal):
    """health: the state and what is named beside it do not fit."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Name the disability where the state is disabled and the illness where it is seriously_ill; neither where it "
        "is healthy."
    )


def schooling_recorded(command: RecordSchooling) -> SchoolingRecorded:
    since = command.since or command.occurred_on
    if since > command.occurred_on:
        raise HoldsFromTheFuture("since: this day lies ahead")
    return SchoolingRecorded(
        child=command.child,
        schooling=command.schooling,
        state=Counted(command.schooling.reveal().state),
        since=Counted(since),
    )


def health_recorded(command: RecordHealth) -> HealthRecorded:
    health = command.health.reveal()
    named = {
        HealthState.HEALTHY: not (health.disability or health.illness),
        HealthState.DISABLED: health.disability is not None,
        HealthState.SERIOUSLY_ILL: bool(health.illness),
    }
    if not named[health.state]:
        raise HealthContradictsItself
    return HealthRecorded(child=command.child, health=command.health)


def welfare_recorded(command: RecordWelfare) -> WelfareRecorded:
    if any(one.decided_on > command.occurred_on for one in command.welfare.reveal().categories):
        raise HoldsFromTheFuture("decided_on: this day lies ahead")
    return WelfareRecorded(child=command.child, welfare=command.welfare)
