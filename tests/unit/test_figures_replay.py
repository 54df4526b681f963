"""Whatever comes in whatever order, every sum is what a naive replay of the history finds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.registry import (
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    DivisionAdded,
    ParentSituationRecorded,
    ParentsSituation,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.sealed import Personal
from shared.contracts.values import ParentState
from shared.contracts.visits import VisitLogged
from shared.projection.read_model import Occurred
from tests.support.figure_histories import (
    a_child_of,
    a_closing,
    a_division,
    a_parent,
    a_posting,
    a_visit_in,
    a_withdrawal,
    an_id,
    folded,
    new_parents,
    sum_at,
    told,
)

FIRST = date(2026, 7, 27)
VILLAGES = ("529901101201", "529901101202", "529901102201")
TOWNSHIPS = ("529901101", "529901102")
COUNTIES = ("529901", "529902")
NODES = (*VILLAGES, *TOWNSHIPS, *COUNTIES, "5299")
MEASURES = (
    "children@BRIEF-0-14",
    "children_with_posting@BRIEF-0-14",
    "villages@BRIEF-0-14",
    "villages_with_posting@BRIEF-0-14",
    "visits",
)

# -- the naive replay: the definitions once more, by hand


def naive(history: Sequence[Occurred], measure: str, node: str, as_of: date, known_at: date) -> int:
    """Reads the history as it was known, village by village, on the tree as it is known in the end."""
    known = [one for one in history if _china(one.record.recorded_at) <= known_at]
    return sum(
        _in_village(known, measure.split("@")[0], village, as_of)
        for village in VILLAGES
        if node in _path(history, village)
    )


def _in_village(known: Sequence[Occurred], measure: str, village: str, as_of: date) -> int:
    if measure == "visits":
        return sum(isinstance(e, VisitLogged) and e.village == village and e.visited_on <= as_of for _, e in known)
    registered = {e.child for _, e in known if isinstance(e, ChildRegistered)}
    children = sum(_counts([one for one in known if _is_about(one, child)], village, as_of) for child in registered)
    if measure.endswith("with_posting") and not _is_posted(known, village, as_of):
        return 0
    return children if measure.startswith("children") else int(children > 0)


def _is_about(one: Occurred, child: str) -> bool:
    return getattr(one.event, "child", None) == child


def _is_posted(known: Sequence[Occurred], village: str, as_of: date) -> bool:
    begun = {
        e.posting for _, e in known if isinstance(e, WorkingGroupPosted) and e.village == village and e.starts <= as_of
    }
    ended = {e.posting for _, e in known if isinstance(e, WorkingGroupWithdrawn) and e.ends <= as_of}
    return bool(begun - ended)


def _counts(known: Sequence[Occurred], village: str, as_of: date) -> bool:
    [registration] = [one for one in known if isinstance(one.event, ChildRegistered)]
    event = registration.event
    assert isinstance(event, ChildRegistered)
    if event.residence != village or as_of < _china(registration.record.occurred_at):
        return False
    year, month = map(int, event.birth_month.reveal().split("-"))
    after_birth_month = date(year + 15 + month // 12, month % 12 + 1, 1)
    if as_of >= after_birth_month - timedelta(days=1):
        return False
    if not _is_open(known, as_of):
        return False
    father, mother = (_parent(known, which, as_of) for which in ("father", "mother"))
    gone, unable = ("away", "lost_contact"), ("incapable", "dead")
    one_gone = father in gone or mother in gone
    return one_gone and all(parent in gone + unable for parent in (father, mother))


def _is_open(known: Sequence[Occurred], as_of: date) -> bool:
    latest = max(
        (
            (day, _china(record.recorded_at), record.version, isinstance(event, ChildFileReopened))
            for record, event in known
            if isinstance(event, ChildFileClosed | ChildFileReopened)
            and (day := event.closed_on if isinstance(event, ChildFileClosed) else event.reopened_on) <= as_of
        ),
        default=None,
    )
    return latest is None or latest[-1]


def _parent(known: Sequence[Occurred], which: str, as_of: date) -> str | None:
    told_of = [
        (_china(record.occurred_at), _china(record.recorded_at), record.version, parent.state.reveal().value)
        for record, event in known
        if isinstance(event, ChildRegistered | ParentSituationRecorded)
        and (parent := getattr(event.parents, which)) is not None
        and (parent.since.reveal() if parent.since else _china(record.occurred_at)) <= as_of
    ]
    return max(told_of)[-1] if told_of else None


def _path(history: Sequence[Occurred], village: str) -> Iterator[str]:
    node: str | None = village
    while node is not None:
        yield node
        places = [
            (e.valid_from, _china(r.recorded_at), r.version, e.parent)
            for r, e in history
            if isinstance(e, DivisionAdded) and e.code == node
        ]
        node = max(places)[-1] if places else None


def _china(moment: datetime) -> date:
    return moment.astimezone(timezone(timedelta(hours=8))).date()


# -- histories

days = st.sampled_from([0, 1, 3, 4, 5, 8, 20, 37]).map(lambda n: FIRST + timedelta(days=n))  # few, so that many meet
earlier = st.none() | days | st.integers(-30, -1).map(lambda n: FIRST + timedelta(days=n))
parents = st.builds(
    ParentsSituation,
    father=st.builds(a_parent, st.sampled_from([*ParentState, *[ParentState.AWAY] * 4]), earlier),
    mother=st.builds(a_parent, st.sampled_from([*ParentState, *[ParentState.AWAY] * 4]), earlier),
)
villages = st.sampled_from(VILLAGES)


@st.composite
def stream(draw: st.DrawFn, events: Sequence[object]) -> list[Occurred]:
    """One stream: versions count, and what is known never runs backwards; what it tells may be long past."""
    known = sorted(draw(st.lists(days, min_size=len(events), max_size=len(events))))
    return [
        told(event, draw(days), day, version=version, hour=draw(st.sampled_from([0, 7, 8, 23])))  # type: ignore[arg-type]
        for version, (event, day) in enumerate(zip(events, known, strict=True), start=1)
    ]


@st.composite
def a_file(draw: st.DrawFn, number: int) -> list[Occurred]:
    born = draw(st.sampled_from(["2011-07", "2011-08", "2016-03", "2011-12"]))
    more = st.one_of(
        parents.map(lambda told_of: new_parents(number, told_of)),
        days.map(lambda day: a_closing(number, day)),
        days.map(lambda day: ChildFileReopened(child=an_id("child", number), reason=Personal("核实"), reopened_on=day)),
    )
    registered = a_child_of(number, draw(villages), born, draw(parents))
    return draw(stream([registered, *draw(st.lists(more, max_size=4))]))


@st.composite
def a_stay(draw: st.DrawFn, number: int) -> list[Occurred]:
    village, starts = draw(villages), draw(days)
    events: list[object] = [a_posting(number, village, starts)]
    if draw(st.booleans()):
        events.append(a_withdrawal(number, village, starts + timedelta(days=draw(st.integers(0, 10)))))
    return draw(stream(events))


@st.composite
def a_place(draw: st.DrawFn, code: str, parents_of: Sequence[str]) -> list[Occurred]:
    """A division, perhaps never told, perhaps moved."""
    moves = draw(st.lists(st.tuples(st.sampled_from(parents_of), days), max_size=2))
    return draw(stream([a_division(code, parent, valid_from) for parent, valid_from in moves]))


@st.composite
def histories(draw: st.DrawFn) -> list[list[Occurred]]:
    """Streams of a few children, postings, visits and divisions."""
    files = [draw(a_file(number)) for number in range(draw(st.integers(1, 4)))]
    stays = [draw(a_stay(number)) for number in range(draw(st.integers(0, 3)))]
    visits = [draw(stream([a_visit_in(draw(villages), draw(days))])) for _ in range(draw(st.integers(0, 3)))]
    tree = [
        *(draw(a_place(code, TOWNSHIPS)) for code in VILLAGES),
        *(draw(a_place(code, COUNTIES)) for code in TOWNSHIPS),
        *(draw(a_place(code, ("5299",))) for code in COUNTIES),
    ]
    return [*files, *stays, *visits, *tree]


def interleaved(draw: st.DrawFn, streams: Sequence[Sequence[Occurred]]) -> list[Occurred]:
    """Any order that keeps each stream's own."""
    turns = draw(st.permutations([n for n, one in enumerate(streams) for _ in one]))
    rest = [iter(one) for one in streams]
    return [next(rest[n]) for n in turns]


def cut(draw: st.DrawFn, arrivals: Sequence[Occurred]) -> list[list[Occurred]]:
    batches: list[list[Occurred]] = [[]]
    for one in arrivals:
        if draw(st.booleans()):
            batches.append([])
        batches[-1].append(one)
    return batches


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_sum_is_what_a_naive_replay_cut_at_the_known_day_finds(data: st.DataObject) -> None:
    streams = data.draw(histories())
    arrivals = interleaved(data.draw, streams)
    held = asyncio.run(folded(cut(data.draw, arrivals)))
    for as_of, known_at in data.draw(st.lists(st.tuples(days, days), min_size=3, max_size=3)):
        for node in NODES:
            for measure in MEASURES:
                expected = naive(arrivals, measure, node, as_of, known_at)
                assert sum_at(held, measure, node, as_of, known_at) == expected, (measure, node, as_of, known_at)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_order_of_arrival_leaves_the_same_documents(data: st.DataObject) -> None:
    arrivals = [one for stream in data.draw(histories()) for one in stream]
    shuffled = data.draw(st.permutations(arrivals))
    assert asyncio.run(folded(cut(data.draw, shuffled))) == asyncio.run(folded([arrivals]))
