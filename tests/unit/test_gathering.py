"""Single commands are handled together with those that came meanwhile, and none pays for another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import structlog

from services.registry.domain.child import ChildFileIsOpen
from shared.commands.command import Told
from shared.commands.gathering import AT_WORK, MAX_BATCH, Gathering
from tests.support.builders import a_registration


def told(number: int) -> Told:
    return Told(a_registration(), f"command-{number}", "director-1")


class Handling:
    """Answers each command with a refusal of its own; ``busy`` holds every batch until it is set."""

    def __init__(self, broken: str = "") -> None:
        self.batches: list[list[str]] = []
        self.busy = asyncio.Event()
        self.broken = broken

    async def __call__(self, batch: Sequence[Told]) -> list[ChildFileIsOpen]:
        self.batches.append([one.command_id for one in batch])
        await self.busy.wait()
        if self.broken in [one.command_id for one in batch]:
            raise ZeroDivisionError
        return [ChildFileIsOpen(one.command_id) for one in batch]


async def ask(gathering: Gathering, count: int) -> list[asyncio.Task]:
    asked = [asyncio.create_task(gathering.handle(told(number))) for number in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return asked


async def test_a_command_that_finds_nobody_at_work_is_handled_at_once():
    handling = Handling()
    handling.busy.set()
    assert str(await Gathering(handling).handle(told(1))) == "command-1"


async def test_commands_that_come_while_others_are_handled_are_handled_together():
    handling = Handling()
    gathering = Gathering(handling)
    first = [task for _ in range(AT_WORK) for task in await ask(gathering, 1)]
    rest = await ask(gathering, 5)
    assert list(map(len, handling.batches)) == [1] * AT_WORK
    handling.busy.set()
    await asyncio.gather(*first)
    assert [str(outcome) for outcome in await asyncio.gather(*rest)] == [f"command-{n}" for n in range(5)]
    assert list(map(len, handling.batches)) == [1] * AT_WORK + [5]


async def test_a_batch_has_an_end():
    handling = Handling()
    gathering = Gathering(handling)
    asked = await ask(gathering, AT_WORK + MAX_BATCH + 1)
    handling.busy.set()
    await asyncio.gather(*asked)
    assert max(map(len, handling.batches)) <= MAX_BATCH


async def test_a_command_that_breaks_the_handler_fails_alone():
    handling = Handling(broken="command-2")
    gathering = Gathering(handling)
    await ask(gathering, AT_WORK)
    rest = await ask(gathering, 5)
    handling.busy.set()
    outcomes = await asyncio.gather(*rest, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ChildFileIsOpen] * 2 + [ZeroDivisionError] + [
        ChildFileIsOpen
    ] * 2


async def test_a_caller_that_goes_away_leaves_its_command_and_its_neighbours_alone():
    handling = Handling()
    gathering = Gathering(handling)
    await ask(gathering, AT_WORK)
    gone, stays = await ask(gathering, 2)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    handling.busy.set()
    assert str(await stays) == "command-1"
    assert ["command-0", "command-1"] in handling.batches


async def test_the_work_is_done_in_no_requests_context():
    seen = []

    async def handle(batch):
        seen.append(structlog.contextvars.get_contextvars())
        return [ChildFileIsOpen() for _ in batch]

    with structlog.contextvars.bound_contextvars(correlation_id="of-one-request"):
        await Gathering(handle).handle(told(1))
    assert seen == [{}]


@pytest.mark.parametrize("count", [1, 7, 500])
async def test_each_gets_its_own_outcome(count):
    handling = Handling()
    handling.busy.set()
    asked = await ask(Gathering(handling), count)
    assert [str(outcome) for outcome in await asyncio.gather(*asked)] == [f"command-{n}" for n in range(count)]
