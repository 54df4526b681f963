"""What the witness writes can be read, and nothing else passes for it."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.eventlog import witness
from shared.eventlog.memory import MemoryLog
from shared.eventlog.port import Append, StreamAppend
from shared.eventlog.record import Actor, Draft
from shared.eventlog.verification import Checkpoint

NOW = datetime(2026, 8, 14, tzinfo=UTC)
CHECKPOINT = Checkpoint("registry", 3, 88, "ab" * 32, NOW)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


async def commit(log: MemoryLog, partition: int, number: int) -> None:
    draft = Draft(f"e{number}", "ChildFileClosed", 1, NOW, Actor("a", "system"), msgspec.Raw(b"{}"))
    await log.append(
        Append(
            partition, (StreamAppend(f"child-{log.partitions * number + partition:04x}", 0, (draft,)),), f"c{number}"
        )
    )


async def test_each_partition_that_moved_is_witnessed_once(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    log = MemoryLog("registry", 3)
    await commit(log, 0, 1)
    await commit(log, 2, 2)
    scribe = witness.Witness(log, tmp_path / "checkpoints", key)
    assert [await scribe.step(), await scribe.step()] == [2, 0]
    await commit(log, 2, 3)
    assert await scribe.step() == 1
    testimony = witness.read(witness.checkpoint_file(tmp_path / "checkpoints", "registry"), key.public_key())
    assert [(c.partition, c.seq) for c in testimony.checkpoints] == [(0, 1), (2, 1), (2, 2)]
    assert testimony.checkpoints[2].hash == (await log.heads())[2].hash
    assert testimony.forged == []


async def test_a_clean_stop_is_witnessed(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    log = MemoryLog("registry", 1)
    running = asyncio.create_task(witness.Witness(log, tmp_path, key).run(every=3600))
    await asyncio.sleep(0)
    await commit(log, 0, 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(witness.read(tmp_path / "registry.jsonl", key.public_key()).checkpoints) == 1


async def test_a_disk_that_fails_does_not_end_the_witness(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    log = MemoryLog("registry", 1)
    await commit(log, 0, 1)
    (tmp_path / "checkpoints").write_text("no folder")
    running = asyncio.create_task(witness.Witness(log, tmp_path / "checkpoints", key).run(every=0.01))
    await asyncio.sleep(0.05)
    assert not running.done()
    (tmp_path / "checkpoints").unlink()
    await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    # One that was being written when the witness was ended is written once more.
    written = witness.read(tmp_path / "checkpoints" / "registry.jsonl", key.public_key()).checkpoints
    assert {checkpoint.seq for checkpoint in written} == {1}


@pytest.mark.parametrize(
    ("true", "false"),
    [("registry", "visits"), ('"partition":3', '"partition":4'), ("88", "89"), ("abab", "abac"), ("2026", "2025")],
)
def test_a_checkpoint_changed_in_any_part_is_forged(
    tmp_path: Path, key: Ed25519PrivateKey, true: str, false: str
) -> None:
    file = tmp_path / "registry.jsonl"
    witness.append(file, [witness.sign(CHECKPOINT, key), witness.sign(CHECKPOINT, key)])
    first, second = file.read_text().splitlines()
    file.write_text(f"{first}\n{second.replace(true, false, 1)}\n")
    assert witness.read(file, key.public_key()) == ([CHECKPOINT], [2])


def test_a_checkpoint_signed_by_another_key_is_forged(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    file = tmp_path / "registry.jsonl"
    witness.append(file, [witness.sign(CHECKPOINT, Ed25519PrivateKey.generate())])
    assert witness.read(file, key.public_key()) == ([], [1])


def test_the_checkpoints_of_one_service_do_not_pass_for_those_of_another(
    tmp_path: Path, key: Ed25519PrivateKey
) -> None:
    file = tmp_path / "visits.jsonl"
    witness.append(file, [witness.sign(CHECKPOINT, key)])
    assert witness.read(file, key.public_key()) == ([], [1])


def test_half_a_line_spoils_no_other(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    file = tmp_path / "registry.jsonl"
    witness.append(file, [witness.sign(CHECKPOINT, key)])
    file.write_bytes(file.read_bytes() + b'{"checkpoint":{"se')
    witness.append(file, [witness.sign(CHECKPOINT, key)])
    assert witness.read(file, key.public_key()) == ([CHECKPOINT, CHECKPOINT], [2])


def test_no_file_testifies_nothing(tmp_path: Path, key: Ed25519PrivateKey) -> None:
    assert witness.read(tmp_path / "none.jsonl", key.public_key()) == ([], [])


def test_a_key_pair_is_made_once_and_its_private_half_is_private(tmp_path: Path) -> None:
    private, public = tmp_path / "keys" / "witness.pem", tmp_path / "keys" / "witness.pub"
    witness.make_keys(private, public)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    statement = witness.sign(CHECKPOINT, witness.private_key(private))
    witness.append(tmp_path / "registry.jsonl", [statement])
    assert witness.read(tmp_path / "registry.jsonl", witness.public_key(public)).checkpoints == [CHECKPOINT]
    with pytest.raises(FileExistsError):
        witness.make_keys(private, public)


def test_what_is_no_key_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nothing")
    for load in (witness.private_key, witness.public_key):
        with pytest.raises(witness.KeyFileError, match="key"):
            load(tmp_path / "key")
        with pytest.raises(witness.KeyFileError, match="FileNotFoundError"):
            load(tmp_path / "absent")
