"""Whatever is done to a log, by whomever, verification finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog.port import Head
from shared.eventlog.record import GENESIS, Actor, Record, encode, hash_of
from shared.eventlog.verification import Checkpoint, Fault, Finding, Row, verify

NOW = datetime(2026, 8, 14, tzinfo=UTC)
COLUMNS = ("partition", "seq", "stream", "version", "type", "command_id")


def a_chain(length: int, text: str = "") -> list[bytes]:
    records: list[bytes] = []
    prev = GENESIS
    for seq in range(1, length + 1):
        data = msgspec.Raw(msgspec.json.encode({"text": text, "seq": seq}))
        records.append(encode(a_record(seq, prev, data)))
        prev = hash_of(records[-1])
    return records


def a_record(seq: int, prev: str, data: msgspec.Raw) -> Record:
    return Record(
        id=f"id-{seq}",
        service="registry",
        partition=3,
        seq=seq,
        stream=f"child-{seq % 3}",
        version=seq // 3 + 1,
        type="ChildRegistered",
        schema=1,
        occurred_at=NOW,
        recorded_at=NOW,
        actor=Actor("a", "system"),
        command_id=f"command-{seq}",
        data=data,
        prev=prev,
    )


def a_head(chain: Sequence[bytes]) -> Head:
    return Head(3, len(chain), hash_of(chain[-1]) if chain else GENESIS, NOW)


def columns_of(raw: bytes) -> dict[str, Any]:
    record = msgspec.json.decode(raw)
    return {name: record[name] for name in COLUMNS}


def stored(chain: Sequence[bytes]) -> list[Row]:
    return [Row(raw, columns_of(raw), seq) for seq, raw in enumerate(chain, 1)]


def found(rows: Sequence[Row], head: Head | None, *checkpoints: Checkpoint) -> tuple[Finding, ...]:
    return verify("registry", 3, rows, head, checkpoints).found


def witnessed(chain: Sequence[bytes], seq: int) -> Checkpoint:
    return Checkpoint("registry", 3, seq, hash_of(chain[seq - 1]), NOW)


chains = st.builds(a_chain, st.integers(1, 12), st.text(max_size=5))
with_columns = st.booleans()


@given(chains, with_columns, st.data())
def test_an_untouched_log_has_no_finding(chain: list[bytes], columns: bool, data: st.DataObject) -> None:
    rows = stored(chain) if columns else [Row(raw) for raw in chain]
    seen = data.draw(st.integers(1, len(chain)))
    findings = verify("registry", 3, rows, a_head(chain), [witnessed(chain, seen)])
    assert findings == ("registry", 3, len(chain), len(chain), 1, ())


def test_an_empty_log_has_no_finding() -> None:
    assert found([], a_head([])) == ()


@given(chains, with_columns, st.data())
def test_a_flipped_bit_is_found_and_the_record_named(chain: list[bytes], columns: bool, data: st.DataObject) -> None:
    rows = stored(chain) if columns else [Row(raw) for raw in chain]
    at = data.draw(st.integers(0, len(chain) - 1))
    bit = data.draw(st.integers(0, len(chain[at]) * 8 - 1))
    raw = bytearray(chain[at])
    raw[bit // 8] ^= 1 << bit % 8
    rows[at] = rows[at]._replace(raw=bytes(raw))
    findings = found(rows, a_head(chain))
    assert findings
    if columns:
        assert findings[0].seq == at + 1


@given(chains, st.data())
def test_a_dropped_record_is_found_and_named(chain: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(chain) - 1))
    rows = stored(chain)
    del rows[at]
    first, *_ = found(rows, a_head(chain))
    last = at == len(chain) - 1
    assert (first.seq, first.fault) == ((at, Fault.CUT) if last else (at + 1, Fault.MISSING))


@given(st.integers(2, 10), with_columns, st.data())
def test_swapped_records_are_found(length: int, columns: bool, data: st.DataObject) -> None:
    chain = a_chain(length)
    one, two = sorted(data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True)))
    rows = stored(chain) if columns else [Row(raw) for raw in chain]
    rows[one], rows[two] = rows[one]._replace(raw=chain[two]), rows[two]._replace(raw=chain[one])
    findings = found(rows, a_head(chain))
    assert findings[0].seq == one + 1


@given(chains, with_columns, st.data())
def test_an_inserted_record_is_found(chain: list[bytes], columns: bool, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(chain)))
    prev = hash_of(chain[at - 1]) if at else GENESIS
    forged = encode(a_record(at + 1, prev, msgspec.Raw(b'"forged"')))
    after = [*chain[:at], forged, *chain[at:]]
    rows = stored(after) if columns else [Row(raw) for raw in after]
    findings = found(rows, a_head(chain))
    assert findings[0].seq in (at + 1, at + 2)  # either the forged one, or the true one that had to make room


@given(chains, st.data())
def test_a_cut_tail_is_found(chain: list[bytes], data: st.DataObject) -> None:
    left = data.draw(st.integers(0, len(chain) - 1))
    [cut] = found(stored(chain[:left]), a_head(chain))
    assert (cut.seq, cut.fault) == (left, Fault.CUT)


@given(chains, st.data())
def test_a_head_that_is_behind_or_another_is_found(chain: list[bytes], data: st.DataObject) -> None:
    behind = data.draw(st.integers(0, len(chain) - 1))
    [finding] = found(stored(chain), a_head(chain[:behind]))
    assert (finding.seq, finding.fault) == (behind + 1, Fault.PAST_HEAD)
    assert found(stored(chain), a_head(chain)._replace(hash="f" * 64))[0].fault is Fault.HEAD_DIFFERS
    assert found(stored(chain), None)[0].fault is Fault.HEAD_MISSING


@given(chains, st.data())
def test_a_log_cut_together_with_its_head_is_found_by_a_checkpoint(chain: list[bytes], data: st.DataObject) -> None:
    left = data.draw(st.integers(0, len(chain) - 1))
    cut = chain[:left]
    assert found(stored(cut), a_head(cut)) == ()
    [finding] = found(stored(cut), a_head(cut), witnessed(chain, len(chain)))
    assert (finding.seq, finding.fault) == (len(chain), Fault.CUT_BEFORE_CHECKPOINT)


@given(st.integers(1, 10), st.data())
def test_a_partition_written_anew_is_found_by_a_checkpoint(length: int, data: st.DataObject) -> None:
    true, false = a_chain(length, "true"), a_chain(length, "false")
    seq = data.draw(st.integers(1, length))
    assert found(stored(false), a_head(false)) == ()
    [finding] = found(stored(false), a_head(false), witnessed(true, seq))
    assert (finding.seq, finding.fault) == (seq, Fault.REWRITTEN)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_says_something_else_is_found_and_the_record_named(column: str) -> None:
    chain = a_chain(5)
    rows = stored(chain)
    rows[2] = rows[2]._replace(columns={**rows[2].columns, column: "other"})
    assert found(rows, a_head(chain)) == ((3, Fault.COLUMNS_DIFFER, column),)


def test_a_record_of_another_service_is_found() -> None:
    chain = a_chain(3)
    findings = verify("visits", 3, stored(chain), a_head(chain)).found
    assert findings[0] == (1, Fault.MISPLACED, "registry/3/1")


def test_a_log_that_is_wrong_everywhere_does_not_fill_the_memory() -> None:
    rows = [Row(b"{}") for _ in range(1_000)]
    assert len(found(rows, None)) == 20
