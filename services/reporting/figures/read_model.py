"""The read model ``figures``: the facts that figures follow from, and for every division the sums they leave.

``sums`` holds two documents per node and time: one per known day (``d20260814``) and one per known month (``m202608``),
each with measure -> day -> n. Villages are the truth; the divisions above them are a cache on the tree as it is known.
Every document is a pure function of the facts, whatever their order and however they were cut into batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from motor.motor_asyncio import AsyncIOMotorCollection

from services.reporting.figures.counting_rules import RULES
from services.reporting.figures.facts import (
    Facts,
    add_child_facts,
    add_posting_fact,
    child_counts,
    known_on,
    knowns_of,
    knowns_of_postings,
    posted_steps,
    text_of,
    villages_of,
)
from services.reporting.figures.indicators import VISITS, VISITS_FOR
from services.reporting.figures.steps import Edges, Steps, add, add_edges, step
from services.reporting.figures.tree import Placement, Tree, placements
from services.reporting.figures.village import changes
from shared.contracts.child_file import ChildTransferred
from shared.contracts.divisions import DivisionRecoded, DivisionsMerged, DivisionSplit
from shared.contracts.event import Event
from shared.contracts.registry import ChildRegistered, DivisionAdded, WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.sealed import Kind
from shared.contracts.visits import VisitLogged
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CHILDREN: Final = "children"
VILLAGES: Final = "villages"
DIVISIONS: Final = "divisions"
SUMS: Final = "sums"
MANY: Final = 20

Collections = Callable[[str], Awaitable[AsyncIOMotorCollection[Document]]]
"""The live collection of the read model ``figures`` under a name."""

_Parents = dict[str, set[str]]
_ChildCounts = dict[tuple[str, str], Steps]
"""By rule and village."""


class RowNotLoadedError(Exception):
    """A sum was to be changed that was not loaded: writing it would lose what it holds."""


class _Batch:
    """What the events of one batch have changed so far."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.moving: defaultdict[str, set[str]] = defaultdict(set)
        self.moves: list[tuple[str, str | None]] = []
        self.visits: defaultdict[str, dict[str, Steps]] = defaultdict(dict)
        self.children_before: dict[str, _ChildCounts] = {}
        self.posted_before: dict[str, Steps] = {}


class FiguresModel(ReadModel):
    """Facts by child, by village and by division; sums by node and known day or month."""

    name: ClassVar[str] = "figures"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            "DivisionAdded",
            "DivisionRecoded",
            "DivisionsMerged",
            "DivisionSplit",
            "WorkingGroupPosted",
            "WorkingGroupWithdrawn",
            "ChildRegistered",
            "ParentSituationRecorded",
            "CareSituationRecorded",
            "SchoolingRecorded",
            "RegistrationStatusRecorded",
            "ChildIdentityCorrected",
            "ChildTransferred",
            "ChildFileClosed",
            "ChildFileReopened",
            "VisitLogged",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CHILDREN: (),
        VILLAGES: (),
        DIVISIONS: (),
        SUMS: (Index((("node", 1), ("known", 1)), unique=True),),
    }

    def __init__(self) -> None:
        self._tree = Tree()
        self._batch = _Batch()

    def pause(self, written: int) -> timedelta:
        """A registration changes a dozen sums, fifty of them not many more."""
        return timedelta(milliseconds=500 if written > MANY else 100)

    def forget(self) -> None:
        self._tree = Tree()
        self._batch = _Batch()

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        self._batch = _Batch()
        knowns = await _load_facts(batch, work)
        edges = _edges(batch)
        await work.load(DIVISIONS, edges)
        await self._load_tree({*knowns, *edges}, edges, work)
        await self._load_moving(edges, work)
        for village, days in knowns.items():
            self._will_change(self._tree.above(village, edges), {span for known in days for span in _spans(known)})
        await work.load(SUMS, self._batch.loaded)

    async def _load_tree(self, codes: Iterable[str], edges: _Parents, work: Workspace) -> None:
        """All that stands above the codes, in the tree as it was and as this batch makes it."""
        seen: set[str] = set()
        level = set(codes)
        while level:
            seen |= level
            unknown = [code for code in level if code not in self._tree]
            await work.load(DIVISIONS, unknown)
            for code in unknown:
                division = work.get(DIVISIONS, code)
                self._tree.place(code, division["parent"] if division else None)
            level = self._tree.parents(level, edges) - seen

    async def _load_moving(self, edges: _Parents, work: Workspace) -> None:
        """The sums of divisions that get another parent, and those they are taken from and added to."""
        await work.load_where(SUMS, "node", edges)
        spans_of = defaultdict[str, set[str]](set)
        for row in work.documents(SUMS):
            spans_of[row["node"]].add(row["known"])
        for code in edges.keys() & spans_of.keys():
            for node in self._tree.above(code, edges):
                self._batch.moving[node] |= spans_of[code]
                self._will_change([node], spans_of[code])

    def _will_change(self, nodes: Iterable[str], spans: Iterable[str]) -> None:
        self._batch.loaded.update(_row_id(node, span) for node in nodes for span in spans)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case VisitLogged():
                once = step(text_of(event.visited_on), known_on(record))
                counted = {VISITS, *(VISITS_FOR[purpose] for purpose in event.purposes)}
                _merge(self._batch.visits[event.village], dict.fromkeys(counted, once))
            case DivisionAdded() | DivisionRecoded() | DivisionsMerged() | DivisionSplit():
                for placed in placements(event):
                    self._place(record, placed, work)
            case WorkingGroupPosted() | WorkingGroupWithdrawn():
                village = _village(work, event.village)
                self._batch.posted_before.setdefault(event.village, posted_steps(village["postings"]))
                add_posting_fact(village["postings"].setdefault(event.posting, {}), record, event)
                work.put(VILLAGES, village)
            case _:
                self._tell(event.child, occurred, work)  # type: ignore[attr-defined]

    def _tell(self, child: str, occurred: Occurred, work: Workspace) -> None:
        facts = _facts(work, child)
        if child not in self._batch.children_before:
            self._batch.children_before[child] = child_counts(facts, RULES)
        add_child_facts(facts, *occurred)
        work.put(CHILDREN, {"_id": child, "facts": facts})

    def _place(self, record: Record, placed: Placement, work: Workspace) -> None:
        """The latest beginning, and of two the one told later, says where a division stands today."""
        rank = [placed.since, known_on(record), record.version, placed.parent or ""]
        division = work.get(DIVISIONS, placed.code)
        if division is None or rank > division["rank"]:
            work.put(DIVISIONS, {"_id": placed.code, "parent": placed.parent, "rank": rank})
            self._batch.moves.append((placed.code, placed.parent))

    def finish(self, work: Workspace) -> None:
        rows = _Rows(work, self._batch.loaded)
        for code, parent in self._batch.moves:
            self._move(code, parent, rows)
        self._add_upwards(self._changes(work), rows)
        rows.write()

    def _add_upwards(self, changes: Iterable[tuple[str, dict[str, Steps]]], rows: _Rows) -> None:
        """Each level hands what came together in it to the one above, so that it is added there once."""
        levels: defaultdict[int, dict[tuple[str, ...], dict[str, Steps]]] = defaultdict(dict)
        for village, measures in changes:
            path = tuple(self._tree.path(village))
            _merge(levels[len(path)].setdefault(path, {}), measures)
        for height in range(max(levels, default=0), 0, -1):
            for path, measures in levels[height].items():
                rows.add(path[0], measures)
                if height > 1:
                    _merge(levels[height - 1].setdefault(path[1:], {}), measures)

    def _move(self, code: str, parent: str | None, rows: _Rows) -> None:
        """Takes the sums of a division out of all that stood above it, and adds them to all that stands there now."""
        before = self._tree.path(code)[1:]
        self._tree.place(code, parent)
        after = self._tree.path(code)[1:]
        if before != after:
            for span in self._batch.moving.get(code, ()):
                rows.carry(code, span, before, -1)
                rows.carry(code, span, after, 1)

    def _changes(self, work: Workspace) -> Iterator[tuple[str, dict[str, Steps]]]:
        more = self._child_changes(work)
        for code in more.keys() | self._batch.posted_before.keys():
            yield code, self._settle(_village(work, code), more.get(code, {}), work)
        yield from self._batch.visits.items()

    def _child_changes(self, work: Workspace) -> dict[str, dict[str, Steps]]:
        """By village and rule."""
        more: defaultdict[str, defaultdict[str, Steps]] = defaultdict(lambda: defaultdict(dict))
        for child, before in self._batch.children_before.items():
            after = child_counts(_facts(work, child), RULES)
            for counts, sign in ((before, -1), (after, 1)):
                for (village, rule), steps in counts.items():
                    add(more[village][rule], steps, sign)
        return {village: dict(rules) for village, rules in more.items() if any(rules.values())}

    def _settle(self, village: Document, more: dict[str, Steps], work: Workspace) -> dict[str, Steps]:
        """Adds to the counts of a village; by measure, what its sums change by."""
        posted = posted_steps(village["postings"])
        posted_before = self._batch.posted_before.get(village["_id"], posted)
        counts: dict[str, Steps] = {}
        measures: dict[str, Steps] = {}
        for rule in RULES:
            before, added = village["counts"].get(rule.name, {}), more.get(rule.name, {})
            if added or (before and posted != posted_before):
                counts[rule.name], changed = changes(rule, before, added, posted, posted_before)
                measures |= changed
            else:
                counts[rule.name] = before
        village["counts"] = {rule: steps for rule, steps in counts.items() if steps}
        _keep(work, VILLAGES, village, bool(village["counts"] or village["postings"]))
        return measures


class _Rows:
    """The sums of one batch, changed in memory: nothing is left of what became zero."""

    def __init__(self, work: Workspace, loaded: Container[str]) -> None:
        self._work = work
        self._loaded = loaded
        self._rows: dict[tuple[str, str], Document] = {}

    def add(self, node: str, measures: Mapping[str, Steps]) -> None:
        for measure, steps in measures.items():
            for known, edges in steps.items():
                for span in _spans(known):
                    add_edges(self._sums(node, span).setdefault(measure, {}), edges)

    def carry(self, code: str, span: str, nodes: Iterable[str], sign: int) -> None:
        """Adds ``sign`` times the sums of one node to those of others."""
        for node in nodes:
            for measure, edges in self._sums(code, span).items():
                add_edges(self._sums(node, span).setdefault(measure, {}), edges, sign)

    def _sums(self, node: str, span: str) -> dict[str, Edges]:
        row = self._rows.get((node, span))
        if row is None:
            row = self._rows[node, span] = self._fetch(node, span)
        sums: dict[str, Edges] = row["sums"]
        return sums

    def _fetch(self, node: str, span: str) -> Document:
        key = _row_id(node, span)
        if key not in self._loaded:
            raise RowNotLoadedError(key)
        return self._work.get(SUMS, key) or {"_id": key, "node": node, "known": span, "sums": {}}

    def write(self) -> None:
        for row in self._rows.values():
            row["sums"] = {measure: edges for measure, edges in row["sums"].items() if edges}
            _keep(self._work, SUMS, row, bool(row["sums"]))


async def _load_facts(batch: Sequence[Occurred], work: Workspace) -> dict[str, set[str]]:
    """Loads children and villages; by village, the known days on which this batch can change its sums.

    A fact changes nothing that was known before it; after it, only what stands at a known day of some other fact.
    """
    told = [(occurred.event, known_on(occurred.record)) for occurred in batch]
    children = {child for event, _ in told if (child := _child_of(event))}
    await work.load(CHILDREN, children)
    homes = {child: villages_of(_facts(work, child)) for child in children}
    for event, _ in told:
        if isinstance(event, ChildRegistered):
            homes[event.child].add(event.residence)
        elif isinstance(event, ChildTransferred):
            homes[event.child].add(event.to_village)
    knowns = _Knowns()
    for event, known in told:
        if isinstance(event, VisitLogged):
            knowns.visits[event.village].add(known)
        elif isinstance(event, WorkingGroupPosted | WorkingGroupWithdrawn):
            knowns.told(event.village, known)
        elif child := _child_of(event):
            for village in homes[child]:
                knowns.told(village, known, knowns_of(_facts(work, child)))
    await work.load(VILLAGES, knowns.first)
    for code in knowns.first:
        village_document = _village(work, code)
        knowns.others[code] |= knowns_of_postings(village_document["postings"])
        knowns.others[code].update(*village_document["counts"].values())
    return knowns.to_change()


class _Knowns:
    """By village: the first known day of what a batch tells, and the known days of all it may meet."""

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.others: defaultdict[str, set[str]] = defaultdict(set)
        self.visits: defaultdict[str, set[str]] = defaultdict(set)

    def told(self, village: str, known: str, others: Iterable[str] = ()) -> None:
        self.first[village] = min(known, self.first.get(village, known))
        self.others[village].add(known)
        self.others[village].update(others)

    def to_change(self) -> dict[str, set[str]]:
        days = {village: set(visits) for village, visits in self.visits.items()}
        for village, first in self.first.items():
            days.setdefault(village, set()).update(known for known in self.others[village] if known >= first)
        return days


def _edges(batch: Sequence[Occurred]) -> _Parents:
    """The parents that a batch tells, by division."""
    edges: _Parents = {}
    for _, event in batch:
        for placed in placements(event):
            edges.setdefault(placed.code, set()).update({placed.parent} if placed.parent else ())
    return edges


def _child_of(event: Event) -> str | None:
    child: str | None = getattr(event, "child", None)
    return child


def _facts(work: Workspace, child: str) -> Facts:
    facts: Facts = (work.get(CHILDREN, child) or {}).get("facts", {})
    return facts


def _village(work: Workspace, code: str) -> Document:
    return work.get(VILLAGES, code) or {"_id": code, "postings": {}, "counts": {}}


def _keep(work: Workspace, collection: str, document: Document, worth: bool) -> None:
    """Nothing is left of a document that says nothing: then equal facts make equal collections."""
    if worth:
        work.put(collection, document)
    elif work.get(collection, document["_id"]) is not None:
        work.delete(collection, document["_id"])


def _merge(total: dict[str, Steps], measures: Mapping[str, Steps]) -> None:
    """Adds the steps of each measure to the total, in place."""
    for measure, steps in measures.items():
        add(total.setdefault(measure, {}), steps)


def _spans(known: str) -> tuple[str, str]:
    """What a known day is filed under: itself, and its month."""
    return day_span(known), month_span(known)


def day_span(known: str) -> str:
    return f"d{known}"


def month_span(known: str) -> str:
    return f"m{known[:6]}"


def _row_id(node: str, span: str) -> str:
    return f"{node}/{span}"
