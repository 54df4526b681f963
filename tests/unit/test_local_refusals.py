"""What keeps a stack from starting is said in one line, and leaves nothing behind that runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import mongo, processes
from deploy.local.processes import Hold, Stack, check_layout, holder
from deploy.local.refusal import (
    AlreadyRunning,
    CannotRun,
    ChildDied,
    DiskFull,
    NotRunning,
    OtherLayout,
    PortTaken,
    ToolMissing,
)
from deploy.local.settings import Settings


async def _refused(settings: Settings) -> str:
    stack = Stack(settings, settings.home)
    with pytest.raises(CannotRun) as refusal:
        await stack.__aenter__()
    assert stack.children == {}
    assert holder(settings.home) is None
    return str(refusal.value)


async def test_a_port_that_is_taken_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    settings = Settings.on_free_ports(home=tmp_path)
    with socket.create_server(("127.0.0.1", settings.visits_port)):
        said = await _refused(settings)
    assert f"port {settings.visits_port}" in said
    assert "GUANHU_VISITS_PORT" in said


async def test_a_machine_without_java_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install -y openjdk-17-jre-headless" in await _refused(Settings.on_free_ports(home=tmp_path))


async def test_a_machine_without_mongod_is_told_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "fiftyone", None)
    assert "mongod is missing" in await _refused(Settings.on_free_ports(home=tmp_path))


async def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ROOM", 2**62)
    assert "GUANHU_HOME" in await _refused(Settings.on_free_ports(home=tmp_path))


async def test_a_data_folder_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text(json.dumps({"layout": 99}))
    said = await _refused(Settings.on_free_ports(home=tmp_path))
    assert "data layout 99" in said
    assert json.loads((tmp_path / "layout.json").read_text()) == {"layout": 99}


def test_a_layout_that_cannot_be_read_is_another_layout(tmp_path: Path) -> None:
    (tmp_path / "layout.json").write_text("")
    with pytest.raises(OtherLayout):
        check_layout(tmp_path)


async def test_two_stacks_do_not_share_a_data_folder(tmp_path: Path) -> None:
    hold = Hold(tmp_path)
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}"):
        await Stack(Settings.on_free_ports(home=tmp_path), tmp_path).__aenter__()
    assert holder(tmp_path) == os.getpid()
    hold.release()
    assert holder(tmp_path) is None


def test_a_hold_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from deploy.local.processes import Hold; h = Hold(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    assert (tmp_path / "supervisor.pid").exists()
    assert holder(tmp_path) is None


def test_the_bundled_mongod_serves_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert mongo.executable().name == "mongod"


@pytest.mark.parametrize(
    "refusal",
    [
        ToolMissing("Java", "apt-get install -y openjdk-17-jre-headless"),
        PortTaken("kafka", 19092, "GUANHU_KAFKA_PORT"),
        DiskFull(Path("/data"), 10**9, 2 * 10**9),
        OtherLayout(Path("/data"), None, 1),
        AlreadyRunning(Path("/data"), 7),
        NotRunning(Path("/data")),
        ChildDied("kafka", "ended with code 1", Path("/data/log/kafka.log")),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_every_refusal_is_one_line(refusal: CannotRun) -> None:
    assert len(str(refusal).splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "variables", "said"),
    [
        ("down", {}, "no stack runs on"),
        ("status", {"GUANHU_PARTITIONS": "none"}, "GUANHU_PARTITIONS"),
    ],
)
def test_the_terminal_shows_one_line_and_no_traceback(
    command: str, variables: dict[str, str], said: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "GUANHU_HOME": str(tmp_path), **variables}
    call = [sys.executable, "-c", "from deploy.local.cli import main; main()", command]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr
