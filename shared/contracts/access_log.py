"""reporting's events about looking at what was looked at: who asked who saw a file, and who took note of a break."""

from __future__ import annotations

from shared.contracts.event import Event
from shared.contracts.values import ChildId, Day, GlassId, PersonId


class AccessLogRead(Event):
    """Somebody asked who could see, and who did see, a child's file on a day."""

    child: ChildId
    person: PersonId
    on: Day


class NoticeSeen(Event):
    """Somebody who is told of broken glasses has taken note of this one."""

    notice: GlassId
    person: PersonId
