"""What pairing does about events: when a child's file closes, its pairs end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection

from services.pairing.domain.pair import EndPair
from shared.commands.policies import Policy, Wanted
from shared.contracts.registry import ChildFileClosed
from shared.contracts.sealed import Personal
from shared.eventlog.record import Record


def policies(pairs: Callable[[], Awaitable[AsyncIOMotorCollection[dict[str, Any]]]]) -> list[Policy]:
    """``pairs`` gives the look-up of pairs by child."""

    async def on_child_file_closed(record: Record, event: ChildFileClosed) -> Sequence[Wanted]:
        active = (await pairs()).find({"child": event.child, "active": True}, {"_id": 1})
        return [
            Wanted(
                pair["_id"],
                EndPair(
                    occurred_at=record.occurred_at,
                    pair=pair["_id"],
                    ends=event.closed_on,
                    reason=Personal(f"档案关闭：{event.reason.value}"),
                ),
            )
            async for pair in active
        ]

    return [Policy("end_pairs_of_closed_file", "ChildFileClosed", on_child_file_closed)]
