"""Histories for figures: records by hand, and the read model folded over them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec

from services.reporting.figures.read_model import SUMS, FiguresModel
from shared.contracts.child_file import (
    ChildIdentityCorrected,
    ChildTransferred,
    IdentityCorrection,
    RegistrationStatusRecorded,
    Schooling,
    SchoolingRecorded,
)
from shared.contracts.counting import RULES, CountingRuleAdopted
from shared.contracts.event import Event
from shared.contracts.registry import (
    CareSituationRecorded,
    ChildFileClosed,
    ChildRegistered,
    DivisionAdded,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    WorkingGroupPosted,
    WorkingGroupWithdrawn,
)
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import (
    CareKind,
    CloseReason,
    DivisionKind,
    HukouKind,
    ParentState,
    PostingLevel,
    SchoolState,
    Sex,
    VisitKind,
    VisitPurpose,
    WithdrawalReason,
)
from shared.contracts.visits import VisitLogged
from shared.eventlog.record import GENESIS, Actor, Record
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.read_model import Document, Occurred
from shared.projection.workspace import Work
from tests.support.builders import a_registered_child, care

CHINA = timezone(timedelta(hours=8))
KINDS = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
VERSION = ModelVersion("figures", 1)
NAMES = ("children", "villages", "divisions", "sums")

Collections = dict[str, dict[Any, Document]]


def an_id(kind: str, number: int) -> str:
    return f"{kind}-00000000-0000-4000-8000-{number:012x}"


def told(event: Event, happened: date, known: date, *, version: int = 1, hour: int = 12) -> Occurred:
    """An event with its record; both moments are at an hour in China."""
    record = Record(
        id="event",
        service="visits" if isinstance(event, VisitLogged) else "registry",
        partition=0,
        seq=1,
        stream="stream",
        version=version,
        type=type(event).__name__,
        schema=event.schema_version,
        occurred_at=_moment(happened, hour),
        recorded_at=_moment(known, hour),
        actor=Actor("person", "system"),
        command_id="command",
        data=msgspec.Raw(b"{}"),
        prev=GENESIS,
    )
    return Occurred(record, event)


def _moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), CHINA).astimezone(UTC)


def a_parent(state: ParentState, since: date | None = None, across: bool | None = None) -> ParentSituation:
    return ParentSituation(
        state=Counted(state),
        since=Counted(since) if since else None,
        across_county=None if across is None else Counted(across),
    )


def a_child_of(
    number: int,
    village: str,
    born: str,
    parents: ParentsSituation,
    hukou: HukouKind | None = None,
    kind: CareKind = CareKind.GRANDPARENT,
) -> ChildRegistered:
    return a_registered_child(
        child=an_id("child", number),
        residence=village,
        birth_month=Counted(born),
        parents=parents,
        hukou_kind=hukou and Counted(hukou),
        care=care(kind),
    )


def a_transfer(number: int, to_village: str, moved_on: date) -> ChildTransferred:
    return ChildTransferred(
        child=an_id("child", number),
        from_village="529901101201",
        to_village=to_village,
        taken_over_by="supervisor-1",
        moved_on=moved_on,
    )


def new_care(number: int, kind: CareKind, since: date | None = None) -> CareSituationRecorded:
    return CareSituationRecorded(child=an_id("child", number), care=care(kind), since=Counted(since) if since else None)


def new_schooling(number: int, state: SchoolState, since: date) -> SchoolingRecorded:
    return SchoolingRecorded(
        child=an_id("child", number),
        schooling=Personal(Schooling(state=state)),
        state=Counted(state),
        since=Counted(since),
    )


def new_hukou(number: int, kind: HukouKind) -> RegistrationStatusRecorded:
    return RegistrationStatusRecorded(child=an_id("child", number), hukou="529901", kind=Counted(kind))


def new_birth_month(number: int, born: str) -> ChildIdentityCorrected:
    return ChildIdentityCorrected(
        child=an_id("child", number),
        correction=Personal(IdentityCorrection(reason="户口簿")),
        birth_month=Counted(born),
        sex=Counted(Sex.FEMALE),
    )


def an_adoption(division: str, rule: str, starts: date) -> CountingRuleAdopted:
    return CountingRuleAdopted(
        adoption=an_id("adoption", int(division)), division=division, rule=rule, terms=RULES[rule], starts=starts
    )


def new_parents(number: int, parents: ParentsSituation) -> ParentSituationRecorded:
    return ParentSituationRecorded(child=an_id("child", number), parents=parents)


def a_closing(number: int, on: date) -> ChildFileClosed:
    return ChildFileClosed(child=an_id("child", number), reason=CloseReason.MOVED_OUT, closed_on=on)


def a_posting(number: int, village: str, starts: date) -> WorkingGroupPosted:
    return WorkingGroupPosted(
        posting=an_id("posting", number), village=village, level=PostingLevel.CITY, unit="市某局", starts=starts
    )


def a_withdrawal(number: int, village: str, ends: date) -> WorkingGroupWithdrawn:
    return WorkingGroupWithdrawn(
        posting=an_id("posting", number), village=village, ends=ends, reason=WithdrawalReason.ROTATED
    )


def a_visit_in(village: str, on: date, *purposes: VisitPurpose) -> VisitLogged:
    return VisitLogged(
        visit=an_id("visit", 1),
        household=an_id("household", 1),
        village=village,
        kind=VisitKind.HOME,
        purposes=purposes,
        visited_on=on,
        findings=(),
    )


def a_division(code: str, parent: str | None, valid_from: date = date(2023, 6, 30)) -> DivisionAdded:
    return DivisionAdded(
        division=an_id("division", int(code)),
        code=code,
        name=code,
        kind=DivisionKind(KINDS[len(code)]),
        parent=parent,
        valid_from=valid_from,
    )


async def folded(batches: Iterable[Sequence[Occurred]], forgetful: bool = False) -> Collections:
    """What the read model holds after these batches, each committed before the next."""
    model, store, checkpoint = FiguresModel(), MemoryProjectionStore(), Checkpoint()
    for number, batch in enumerate(batches, start=1):
        if forgetful:
            model.forget()
        work = Work(store, VERSION)
        await model.prepare(batch, work)
        for occurred in batch:
            model.fold(occurred, work)
        model.finish(work)
        after = Checkpoint(revision=number)
        assert await store.commit(VERSION, work.changes, checkpoint, after)
        checkpoint = after
    return {name: dict(store.collections[VERSION.collection(name)]) for name in NAMES}


def sum_at(held: Collections, measure: str, node: str, as_of: date, known_at: date) -> int:
    """The sum of all that stands at a day and a known day not after these: whole months first, then single days."""
    day, known = f"{as_of:%Y%m%d}", f"{known_at:%Y%m%d}"
    rows = [row for row in held[SUMS].values() if row["node"] == node]
    months = [row for row in rows if row["known"][0] == "m" and row["known"][1:] < known[:6]]
    days = [row for row in rows if row["known"][0] == "d" and known[:6] <= row["known"][1:] <= known]
    edges = [row["sums"].get(measure, {}) for row in months + days]
    return sum(n for of_row in edges for at, n in of_row.items() if at <= day)
