"""Whatever comes in whatever order, every sum is what a naive replay of the history finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.figures.counting_rules import RULES as COUNTED
from services.reporting.figures.facts import counted_in, posted_steps, text_of
from services.reporting.figures.steps import at
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildTransferred,
    RegistrationStatusRecorded,
    SchoolingRecorded,
)
from shared.contracts.event import Event
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ChildFileReopened,
    ChildRegistered,
    DivisionAdded,
    ParentSituationRecorded,
    ParentsSituation,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import CareKind, HukouKind, ParentState, SchoolState, VisitPurpose
from shared.contracts.visits import VisitLogged
from shared.projection.read_model import Occurred
from tests.support.figure_histories import (
    a_child_of,
    a_closing,
    a_division,
    a_parent,
    a_posting,
    a_transfer,
    a_visit_in,
    a_withdrawal,
    an_id,
    folded,
    new_birth_month,
    new_care,
    new_hukou,
    new_parents,
    new_schooling,
    sum_at,
    told,
)

FIRST = date(2026, 7, 27)
VILLAGES = ("529901101201", "529901101202", "529901102201")
TOWNSHIPS = ("529901101", "529901102")
COUNTIES = ("529901", "529902")
NODES = (*VILLAGES, *TOWNSHIPS, *COUNTIES, "5299")
RULES = ("BRIEF-0-14", "MCA-2016", "MCA-2024", "CENSUS-WIDE", "EDU")
MEASURES = (
    *(
        f"{measure}@{rule}"
        for rule in RULES
        for measure in ("children", "children_with_posting", "villages", "villages_with_posting")
    ),
    *("visits", "visits-poverty", "visits-left_behind"),
)

# -- the naive replay: the definitions once more, by hand


def naive(history: Sequence[Occurred], measure: str, node: str, as_of: date, known_at: date) -> int:
    """Reads the history as it was known, village by village, on the tree as it is known in the end."""
    known = [one for one in history if _china(one.record.recorded_at) <= known_at]
    return sum(
        _in_village(known, *measure.split("@"), village=village, as_of=as_of)
        for village in VILLAGES
        if node in _path(history, village)
    )


def _in_village(known: Sequence[Occurred], measure: str, rule: str = "", *, village: str, as_of: date) -> int:
    if measure.startswith("visits"):
        return _visits(known, measure, village, as_of)
    registered = {e.child for _, e in known if isinstance(e, ChildRegistered)}
    children = sum(
        _counts([one for one in known if _is_about(one, child)], rule, village, as_of) for child in registered
    )
    if measure.endswith("with_posting") and not _is_posted(known, village, as_of):
        return 0
    return children if measure.startswith("children") else int(children > 0)


def _visits(known: Sequence[Occurred], measure: str, village: str, as_of: date) -> int:
    made = [e for _, e in known if isinstance(e, VisitLogged) and e.village == village and e.visited_on <= as_of]
    return sum(measure in {"visits", *(f"visits-{purpose}" for purpose in e.purposes)} for e in made)


def _is_about(one: Occurred, child: str) -> bool:
    return getattr(one.event, "child", None) == child


def _is_posted(known: Sequence[Occurred], village: str, as_of: date) -> bool:
    begun = {
        e.posting for _, e in known if isinstance(e, WorkingGroupPosted) and e.village == village and e.starts <= as_of
    }
    ended = {e.posting for _, e in known if isinstance(e, WorkingGroupWithdrawn) and e.ends <= as_of}
    return bool(begun - ended)


def _counts(known: Sequence[Occurred], rule: str, village: str, as_of: date) -> bool:
    if _home(known, as_of) != village:
        return False
    if not _is_open(known, as_of):
        return False
    younger = {"BRIEF-0-14": 15, "MCA-2016": 16, "MCA-2024": 16, "CENSUS-WIDE": 18}
    if rule in younger and not _is_younger(known, younger[rule], as_of):
        return False
    if rule.startswith("MCA") and (_hukou(known, as_of) != "rural" or _care(known, as_of) in (None, "parent")):
        return False
    if rule == "EDU" and _school(known, as_of) not in ("primary", "junior"):
        return False
    return _left_behind(rule, _parent(known, "father", as_of), _parent(known, "mother", as_of), as_of)


Seen = tuple[str, "date | None", "bool | None"]
"""State, since when, and whether across the county's border."""


def _left_behind(rule: str, father: Seen, mother: Seen, as_of: date) -> bool:
    states = {father[0], mother[0]}
    if rule == "EDU":
        return states <= {"away", "lost_contact"}
    if rule == "CENSUS-WIDE":
        return any(
            state in ("away", "lost_contact") and _half_a_year(since, as_of) for state, since, _ in (father, mother)
        )
    if rule != "MCA-2024":
        return bool(states & {"away", "lost_contact"}) and states <= {"away", "lost_contact", "incapable", "dead"}
    far = [state == "away" and bool(across) and _half_a_year(since, as_of) for state, since, across in (father, mother)]
    unable = [state in ("incapable", "dead", "lost_contact") for state, _, _ in (father, mother)]
    return all(far) or (far[0] and unable[1]) or (far[1] and unable[0])


def _half_a_year(since: date | None, as_of: date) -> bool:
    if since is None:
        return False
    months = since.year * 12 + since.month - 1 + 6
    days = [date(months // 12, months % 12 + 1, day) for day in range(28, 0, -1)]
    while (later := days[0] + timedelta(days=1)).month == days[0].month:
        days.insert(0, later)
    return as_of >= next(day for day in days if day.day <= since.day)


def _is_younger(known: Sequence[Occurred], age: int, as_of: date) -> bool:
    """A birthday counts as the last day of its month."""
    told = [
        (_china(record.recorded_at), record.version, event.birth_month.reveal())
        for record, event in known
        if isinstance(event, ChildRegistered | ChildIdentityCorrected)
    ]
    year, month = map(int, max(told)[-1].split("-"))
    after_birth_month = date(year + age + month // 12, month % 12 + 1, 1)
    return as_of < after_birth_month - timedelta(days=1)


def _latest(
    known: Sequence[Occurred], as_of: date, told_of: Callable[[Event], tuple[date | None, object] | None]
) -> Any:
    """Of what was told and held on the day, what was seen last."""
    told = [
        (_china(record.occurred_at), _china(record.recorded_at), record.version, found[1])
        for record, event in known
        if (found := told_of(event)) is not None and (found[0] or _china(record.occurred_at)) <= as_of
    ]
    return max(told, key=lambda one: one[:3])[-1] if told else None


def _home(known: Sequence[Occurred], as_of: date) -> str | None:
    def told_of(event: Event) -> tuple[date | None, object] | None:
        match event:
            case ChildRegistered():
                return None, event.residence
            case ChildTransferred():
                return event.moved_on, event.to_village
        return None

    return _latest(known, as_of, told_of)


def _hukou(known: Sequence[Occurred], as_of: date) -> str | None:
    def told_of(event: Event) -> tuple[date | None, object] | None:
        match event:
            case ChildRegistered(hukou_kind=Counted() as kind) | RegistrationStatusRecorded(kind=kind):
                return None, kind.reveal().value
        return None

    return _latest(known, as_of, told_of)


def _care(known: Sequence[Occurred], as_of: date) -> str | None:
    def told_of(event: Event) -> tuple[date | None, object] | None:
        match event:
            case ChildRegistered():
                return None, event.care.kind.reveal().value
            case CareSituationRecorded():
                return event.since and event.since.reveal(), event.care.kind.reveal().value
        return None

    return _latest(known, as_of, told_of)


def _school(known: Sequence[Occurred], as_of: date) -> str | None:
    def told_of(event: Event) -> tuple[date | None, object] | None:
        return (event.since.reveal(), event.state.reveal().value) if isinstance(event, SchoolingRecorded) else None

    return _latest(known, as_of, told_of)


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


def _parent(known: Sequence[Occurred], which: str, as_of: date) -> Seen:
    def told_of(event: Event) -> tuple[date | None, object] | None:
        if not isinstance(event, ChildRegistered | ParentSituationRecorded):
            return None
        parent = getattr(event.parents, which)
        since, across = parent.since and parent.since.reveal(), parent.across_county and parent.across_county.reveal()
        return since, (parent.state.reveal().value, since, across)

    return _latest(known, as_of, told_of) or ("", None, None)


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
half_a_year_ago = st.sampled_from([date(2026, 1, 27), date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 16)])
a_parent_somewhere = st.builds(
    a_parent,
    st.sampled_from([*ParentState, *[ParentState.AWAY] * 9, ParentState.LOST_CONTACT]),
    st.one_of(half_a_year_ago, half_a_year_ago, earlier),
    st.sampled_from([True, True, True, False, None]),
)
parents = st.builds(ParentsSituation, father=a_parent_somewhere, mother=a_parent_somewhere)
hukous = st.sampled_from([HukouKind.RURAL, HukouKind.RURAL, HukouKind.RURAL, HukouKind.URBAN])
cares = st.sampled_from([CareKind.GRANDPARENT, CareKind.GRANDPARENT, CareKind.NOBODY, CareKind.PARENT])
schools = st.sampled_from([SchoolState.PRIMARY, SchoolState.JUNIOR, SchoolState.SENIOR])
births = st.sampled_from(["2016-03", "2016-04", "2014-05", "2011-12", "2008-08", "2010-08", "2011-07", "2011-08"])
villages = st.sampled_from(VILLAGES)
purposes = st.sets(st.sampled_from([VisitPurpose.POVERTY, VisitPurpose.LEFT_BEHIND]))


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
    more = st.one_of(
        parents.map(lambda told_of: new_parents(number, told_of)),
        days.map(lambda day: a_closing(number, day)),
        st.builds(lambda kind, since: new_care(number, kind, since), cares, earlier),
        st.builds(lambda state, since: new_schooling(number, state, since), schools, days),
        hukous.map(lambda kind: new_hukou(number, kind)),
        st.builds(lambda village, day: a_transfer(number, village, day), villages, days),
        births.map(lambda born: new_birth_month(number, born)),
        days.map(lambda day: ChildFileReopened(child=an_id("child", number), reason=Personal("核实"), reopened_on=day)),
    )
    hukou = draw(st.one_of(hukous, hukous, st.none()))
    registered = a_child_of(number, draw(villages), draw(births), draw(parents), hukou, draw(cares))
    return draw(stream([registered, *draw(st.lists(more, max_size=5))]))


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
    visits = [
        draw(stream([a_visit_in(draw(villages), draw(days), *draw(purposes))])) for _ in range(draw(st.integers(0, 3)))
    ]
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


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_the_verdict_on_one_child_is_that_of_the_rule_on_every_day(data: st.DataObject) -> None:
    history = data.draw(a_file(1))
    held = asyncio.run(folded([history]))
    for rule in RULES:
        for as_of in (FIRST + timedelta(days=n) for n in range(38)):
            measure, known_at = f"children@{rule}", date(2030, 1, 1)
            found = sum(sum_at(held, measure, village, as_of, known_at) for village in VILLAGES)
            expected = sum(naive(history, measure, village, as_of, known_at) for village in VILLAGES)
            assert found == expected, (rule, as_of)


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_is_counted_at_the_question_is_what_a_naive_replay_finds(data: st.DataObject) -> None:
    arrivals = interleaved(data.draw, data.draw(histories()))
    held = asyncio.run(folded([arrivals]))
    [as_of, known_at] = data.draw(st.lists(days, min_size=2, max_size=2))
    on, known = text_of(as_of), text_of(known_at)
    for rule in COUNTED:
        homes = [counted_in(child["facts"], rule, on, known) for child in held["children"].values()]
        for village in VILLAGES:
            assert homes.count(village) == naive(arrivals, f"children@{rule.name}", village, as_of, known_at)
    for code, village_document in held["villages"].items():
        posted = at(posted_steps(village_document["postings"]), on, known)
        seen = [one for one in arrivals if _china(one.record.recorded_at) <= known_at]
        assert bool(posted) == _is_posted(seen, code, as_of)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_order_of_arrival_leaves_the_same_documents(data: st.DataObject) -> None:
    arrivals = [one for stream in data.draw(histories()) for one in stream]
    shuffled = data.draw(st.permutations(arrivals))
    assert asyncio.run(folded(cut(data.draw, shuffled))) == asyncio.run(folded([arrivals]))
