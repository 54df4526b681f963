"""A child ends when it is told to, when it must, and when its parent is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.child import Child
from deploy.local.refusal import ChildDied
from tests.support.processes import gone

_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        child.stop(grace=0)


def _python(script: str, folder: Path, children: list[Child]) -> Child:
    children.append(Child("python", [sys.executable, "-c", script], log=folder / "log" / "python.log"))
    return children[-1]


async def _wrote(child: Child, line: str) -> bool:
    return line in child.log.read_text()


async def test_what_a_child_says_is_in_its_log(tmp_path: Path, children: list[Child]) -> None:
    child = _python("import time; print('good morning', flush=True); time.sleep(60)", tmp_path, children)
    await child.until(lambda: _wrote(child, "good morning"), seconds=10)
    assert child.running


async def test_a_child_that_ends_while_it_starts_is_told_with_its_log(tmp_path: Path, children: list[Child]) -> None:
    child = _python("raise SystemExit(3)", tmp_path, children)
    with pytest.raises(ChildDied, match=r"ended with code 3 .*python\.log"):
        await child.until(lambda: _wrote(child, "never"), seconds=10)


async def test_a_child_that_is_never_ready_is_not_waited_for_for_ever(tmp_path: Path, children: list[Child]) -> None:
    child = _python("import time; time.sleep(60)", tmp_path, children)
    with pytest.raises(ChildDied, match="was not ready"):
        await child.until(lambda: _wrote(child, "never"), seconds=0.1)


async def test_a_child_that_will_not_end_is_ended(tmp_path: Path, children: list[Child]) -> None:
    child = _python(_STUBBORN, tmp_path, children)
    await child.until(lambda: _wrote(child, "up"), seconds=10)
    began = time.monotonic()
    child.stop(grace=0.2)
    assert not child.running
    assert time.monotonic() - began < 5


async def test_a_child_without_grace_is_ended_before_it_can_say_a_word(tmp_path: Path, children: list[Child]) -> None:
    script = (
        "import signal, time; signal.signal(signal.SIGTERM, lambda *_: print('asked', flush=True));"
        "print('up', flush=True); time.sleep(60)"
    )
    child = Child("python", [sys.executable, "-c", script], log=tmp_path / "python.log", sieve=["cat"])
    children.append(child)
    await child.until(lambda: _wrote(child, "up"), seconds=10)
    child.stop(grace=0)
    assert child.exit_code == -signal.SIGKILL
    assert child.log.read_text() == "up\n"


async def test_what_a_child_has_started_ends_with_it(tmp_path: Path, children: list[Child]) -> None:
    script = (
        "import subprocess, time;print(subprocess.Popen(['sleep', '60']).pid, 'started', flush=True); time.sleep(60)"
    )
    child = _python(script, tmp_path, children)
    await child.until(lambda: _wrote(child, "started"), seconds=10)
    grandchild = int(child.log.read_text().split()[0])
    child.stop(grace=1)
    assert gone(grandchild)


def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from deploy.local.child import Child;"
        "child = Child('sleep', ['sleep', '60'], log=Path(sys.argv[1]) / 'sleep.log');"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.kill()
    assert gone(child)
