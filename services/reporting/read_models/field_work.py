"""The daily work beside visits as it stands: help plans, holiday plans, a cadre's days and his leave.

Of an erased child no help plan is kept; who asks for a holiday plan leaves out whom ``erased`` names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Final

from services.reporting.read_models.shown import told, value
from shared.contracts.event import Event
from shared.contracts.field_work import (
    HelpPlanAdopted,
    HelpPlanClosed,
    HelpPlanProgressed,
    HelpPlanReviewed,
    HolidayPlanAdopted,
    LeaveTaken,
    WorkLogRecorded,
)
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

HELP_PLANS: Final = "help_plans"
HOLIDAY_PLANS: Final = "holiday_plans"
WORK_LOGS: Final = "work_logs"
LEAVES: Final = "leaves"
ERASED: Final = "erased"
FEW: Final = 2


class FieldWork(ReadModel):
    """``help_plans``: ``{_id, village, child, owner, active, goals, steps: [{text, owner, due, done}], review_on,
    adopted_on, told: [{type, at, by, text}]}``; ``holiday_plans``: ``{_id: plan/first day, village, starts, ends,
    risks, watch, on_duty}``; ``work_logs``: ``{_id, person, village, day, hours, items, collated}``; ``leaves``:
    ``{_id, person, village, starts, ends, kind, note}``."""

    name: ClassVar[str] = "field_work"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            *("HelpPlanAdopted", "HelpPlanProgressed", "HelpPlanReviewed", "HelpPlanClosed", "HolidayPlanAdopted"),
            *("WorkLogRecorded", "LeaveTaken", "SubjectKeyDestroyed"),
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal", "counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        HELP_PLANS: (Index((("village", 1), ("active", 1), ("review_on", 1))), Index((("child", 1),))),
        HOLIDAY_PLANS: (Index((("village", 1), ("ends", 1))),),
        WORK_LOGS: (Index((("person", 1), ("day", 1))),),
        LEAVES: (Index((("person", 1), ("starts", 1))),),
        ERASED: (),
    }

    def pause(self, written: int) -> timedelta:
        return timedelta(milliseconds=50 if written > FEW else 0)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(HELP_PLANS, {one.record.stream for one in batch})
        await work.load(ERASED, {one.event.child for one in batch if isinstance(one.event, HelpPlanAdopted)})
        adopted = {one.event.village for one in batch if isinstance(one.event, HolidayPlanAdopted)}
        await work.load_where(HOLIDAY_PLANS, "village", adopted)

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case SubjectKeyDestroyed():
                work.delete_where(HELP_PLANS, "child", event.child)
                work.put(ERASED, {"_id": event.child})
            case HolidayPlanAdopted():
                _adopt(event, work)
            case WorkLogRecorded():
                work.put(WORK_LOGS, _day(event))
            case LeaveTaken():
                work.put(LEAVES, {"_id": record.id, **_leave(event)})
            case _:
                self._fold_plan(record, event, work)

    def _fold_plan(self, record: Record, event: Event, work: Workspace) -> None:
        plan = work.get(HELP_PLANS, record.stream)
        if isinstance(event, HelpPlanAdopted) and not work.get(ERASED, event.child):
            plan = _plan(event)
        if plan is not None:
            _change(plan, event)
            plan["told"].append(_told(record, event))
            work.put(HELP_PLANS, plan)


def _plan(event: HelpPlanAdopted) -> Document:
    return {
        "_id": event.plan,
        "village": event.village,
        "child": event.child,
        "owner": event.owner,
        "active": True,
        "goals": event.goals.get(),
        "steps": [
            {"text": step.text.get(), "owner": step.owner, "due": step.due.isoformat(), "done": False}
            for step in event.steps
        ],
        "review_on": event.review_on.isoformat(),
        "adopted_on": event.adopted_on.isoformat(),
        "told": [],
    }


def _change(plan: Document, event: Event) -> None:
    match event:
        case HelpPlanProgressed(done=int() as done):
            plan["steps"][done - 1]["done"] = True
        case HelpPlanReviewed():
            plan["review_on"] = event.review_on.isoformat()
        case HelpPlanClosed():
            plan.update(active=False, result=value(event.result))
        case _:
            pass


def _told(record: Record, event: Event) -> Document:
    texts = (getattr(event, name, None) for name in ("text", "reason", "note"))
    text = next((text.get() for text in texts if text is not None), None)
    facts = told(text=text, done=getattr(event, "done", None))
    return {"type": record.type, "at": record.occurred_at, "by": record.actor.id, **facts}


def _adopt(event: HolidayPlanAdopted, work: Workspace) -> None:
    """It stands in the place of those whose days it shares."""
    starts, ends = event.starts.isoformat(), event.ends.isoformat()
    for plan in work.where(HOLIDAY_PLANS, "village", event.village):
        if plan["starts"] <= ends and starts <= plan["ends"]:
            work.delete(HOLIDAY_PLANS, plan["_id"])
    work.put(
        HOLIDAY_PLANS,
        {
            "_id": f"{event.plan}/{starts}",
            "village": event.village,
            "starts": starts,
            "ends": ends,
            "risks": [risk.value for risk in event.risks],
            "watch": list(event.watch.get() or ()),
            "on_duty": list(event.on_duty),
        },
    )


def _day(event: WorkLogRecorded) -> Document:
    return {
        "_id": event.log,
        "person": event.person,
        "village": event.village,
        "day": event.day.isoformat(),
        "hours": event.hours.get(),
        "items": [told(kind=one.kind.value, text=one.text and one.text.get()) for one in event.items],
        "collated": event.collated,
    }


def _leave(event: LeaveTaken) -> Document:
    return told(
        person=event.person,
        village=event.village,
        starts=event.starts.isoformat(),
        ends=event.ends.isoformat(),
        kind=value(event.kind),
        note=event.note and event.note.get(),
    )
