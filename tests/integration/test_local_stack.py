"""The stack of one machine, with the real stores and with services that only answer /health."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient
from rich.console import Console

from deploy.local import status, supervisor
from deploy.local.processes import Stack, holder
from deploy.local.refusal import AlreadyRunning, ChildDied, NotRunning
from deploy.local.settings import Settings
from tests.support.processes import gone
from tests.support.tiny_stack import SERVICES


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.on_free_ports(home=tmp_path / "home", cache_gb=0.25)


def _stack(settings: Settings, *, keep: bool = True) -> Stack:
    return Stack(settings, settings.home, keep=keep, services=SERVICES)


def _pids(stack: Stack) -> list[int]:
    return [child.pid for child in stack.children.values()]


@asynccontextmanager
async def _admin(stack: Stack) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def test_what_a_stack_has_stored_is_there_at_its_next_start_also_on_other_ports(settings: Settings) -> None:
    async with _stack(settings) as stack, _admin(stack) as admin:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(stack.mongo_url)
        await client["kept"]["things"].insert_one({"_id": "one"})
        client.close()
        await admin.create_topics([NewTopic("kept", num_partitions=8, replication_factor=1)])
    assert gone(*_pids(stack))

    moved = Settings.on_free_ports(home=settings.home, cache_gb=0.25)
    async with _stack(moved) as stack, _admin(stack) as admin:
        client = AsyncIOMotorClient(stack.mongo_url)
        assert await client["kept"]["things"].count_documents({}) == 1
        client.close()
        assert "kept" in await admin.list_topics()


async def test_a_process_that_dies_ends_the_stack_and_a_kept_log_says_why(settings: Settings) -> None:
    stack = _stack(settings, keep=False)

    async def a_stack_whose_service_is_killed() -> None:
        async with stack:
            stack.kill("visits")
            await stack.start("visits")  # ended and started again on purpose: no reason to end
            os.kill(stack.children["visits"].pid, signal.SIGKILL)
            await asyncio.wait_for(stack.watch(), 10)

    with pytest.raises(ChildDied, match=r"visits ended with code -9; its log is .*visits\.log"):
        await a_stack_whose_service_is_killed()
    assert gone(*_pids(stack))
    assert [left.name for left in settings.home.iterdir()] == ["log"]


async def test_a_service_that_does_not_start_leaves_nothing_running(settings: Settings) -> None:
    told = settings.home / "data" / "visits" / "broken"
    told.parent.mkdir(parents=True)
    told.touch()
    stack = _stack(settings)
    with pytest.raises(ChildDied, match="visits ended with code 1 while it was starting"):
        await stack.__aenter__()
    assert list(stack.children) == ["mongodb", "kafka", "registry", "visits"]
    assert gone(*_pids(stack))
    assert holder(settings.home) is None


def test_a_detached_stack_runs_until_it_is_told_to_end(settings: Settings) -> None:
    process = supervisor.detach(settings, "tests.support.tiny_stack")
    try:
        assert holder(settings.home) == process.pid
        with pytest.raises(AlreadyRunning):
            supervisor.detach(settings, "tests.support.tiny_stack")
        shown = Console(width=200)
        with shown.capture() as text:
            shown.print(asyncio.run(status.table(settings)))
        rows = [line for line in text.get().splitlines() if "good" in line]
        children = json.loads((settings.home / "stack.json").read_text())
        assert len(rows) == len(children) == 4
    finally:
        supervisor.end(settings)
    assert process.wait(10) == 0
    assert gone(*(child["pid"] for child in children.values()))
    with pytest.raises(NotRunning):
        supervisor.end(settings)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_a_supervisor_ended_during_its_start_leaves_nothing_running(how: signal.Signals, settings: Settings) -> None:
    command = [sys.executable, "-m", "tests.support.tiny_stack"]
    environment = {**os.environ, **settings.variables}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, process_group=0) as process:
        while not (started := _stores(process.pid)):
            time.sleep(0.02)
        process.send_signal(how)
    assert gone(*started)
    assert holder(settings.home) is None


def _stores(pid: int) -> list[int]:
    """The children of this process that are stores by now, and not still a copy of it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if "mongod" in Path(f"/proc/{child}/comm").read_text()]
