"""Who looked at a child's file and when, where the child lived then, and which glasses were broken.

A look is kept when the child is erased, without what it was for: who saw a file stays to be answered for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from shared.commands.command import business_day
from shared.contracts.access import GlassBroken
from shared.contracts.access_log import AccessLogRead, NoticeSeen
from shared.contracts.child_file import ChildTransferred
from shared.contracts.registry import ChildRegistered, SubjectKeyDestroyed
from shared.contracts.reporting import FileOpened
from shared.contracts.sealed import Kind
from shared.eventlog.record import Record
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

LOOKS: Final = "looks"
HOMES: Final = "homes"
BREAKS: Final = "breaks"


class AccessLog(ReadModel):
    """``looks``: one document for each; ``homes``: by child ``{stays: [[day, village], …]}``, each from the day on
    which it was recorded, since scopes follow what is known; ``breaks``: by glass, with ``seen: [[person, at], …]``.
    Days are ISO strings."""

    name: ClassVar[str] = "access_log"
    services: ClassVar[tuple[str, ...]] = ("registry", "reporting")
    events: ClassVar[frozenset[str]] = frozenset(
        {
            "FileOpened",
            "AccessLogRead",
            "NoticeSeen",
            "GlassBroken",
            "ChildRegistered",
            "ChildTransferred",
            "SubjectKeyDestroyed",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        LOOKS: (Index((("child", 1), ("day", 1), ("at", 1))),),
        HOMES: (),
        BREAKS: (Index((("village", 1), ("day", 1))),),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        events = [occurred.event for occurred in batch]
        await work.load(HOMES, {event.child for event in events if isinstance(event, _OF_A_CHILD)})
        await work.load(BREAKS, {_glass_of(event) for event in events if isinstance(event, GlassBroken | NoticeSeen)})
        await work.load_where(LOOKS, "child", {e.child for e in events if isinstance(e, SubjectKeyDestroyed)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case FileOpened():
                home = work.get(HOMES, event.child) or {}
                # Opened before the erasure was heard of, told after it: the purpose is gone with the key.
                purpose = None if home.get("erased") else event.purpose.get()
                work.put(LOOKS, _look(record, event) | {"purpose": purpose})
            case AccessLogRead():
                work.put(LOOKS, _look(record, event) | {"on": event.on.isoformat()})
            case ChildRegistered():
                _move(work, event.child, record, event.residence)
            case ChildTransferred():
                _move(work, event.child, record, event.to_village)
            case SubjectKeyDestroyed():
                _forget(work, event.child)
            case GlassBroken() | NoticeSeen():
                _break(work, record, event)
            case _:
                pass


_OF_A_CHILD: Final = (FileOpened, ChildRegistered, ChildTransferred, SubjectKeyDestroyed)


def _look(record: Record, event: FileOpened | AccessLogRead) -> Document:
    return {
        "_id": record.id,
        "type": record.type,
        "child": event.child,
        "person": event.person,
        "office": record.actor.role,
        "division": record.actor.division,
        "at": record.recorded_at,
        "day": business_day(record.recorded_at).isoformat(),
    }


def _move(work: Workspace, child: str, record: Record, village: str) -> None:
    home = work.get(HOMES, child) or {"_id": child, "stays": []}
    stay = [business_day(record.recorded_at).isoformat(), village]
    work.put(HOMES, home | {"stays": [*home["stays"], stay]})


def _forget(work: Workspace, child: str) -> None:
    """Where the child lived stays: by it, who could see the file is told for as long as the log is kept."""
    work.put(HOMES, (work.get(HOMES, child) or {"_id": child, "stays": []}) | {"erased": True})
    for look in work.where(LOOKS, "child", child):
        if look["type"] == "FileOpened":
            work.put(LOOKS, look | {"purpose": None})


def _break(work: Workspace, record: Record, event: GlassBroken | NoticeSeen) -> None:
    glass = work.get(BREAKS, _glass_of(event)) or {"_id": _glass_of(event), "seen": []}
    if isinstance(event, NoticeSeen):
        seen = sorted([*glass["seen"], [event.person, record.recorded_at]])
        work.put(BREAKS, glass | {"seen": seen})
        return
    told = {
        "village": event.village,
        "child": event.child,
        "person": event.person,
        "office": record.actor.role,
        "reason": event.reason.value,
        "at": record.recorded_at,
        "day": event.starts.isoformat(),
        "ends": event.ends.isoformat(),
    }
    work.put(BREAKS, glass | told)


def _glass_of(event: GlassBroken | NoticeSeen) -> str:
    return event.notice if isinstance(event, NoticeSeen) else event.glass
