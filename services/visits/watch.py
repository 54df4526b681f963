"""The watch over protection reports: what demands one is answered within a minute, or who handles them is alarmed."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from services.visits.demands import Demand, DemandLookUp
from services.visits.domain.danger import may_live_alone
from services.visits.domain.protection_report import WATCH, AlarmProtectionWatch
from shared.commands.command import CommandIdReused, NothingToRecord, Told, business_day
from shared.commands.handler import Handler
from shared.commands.policies import POLICY
from shared.standing.look_up import StandingLookUp

PATIENCE: Final = timedelta(minutes=1)
"""How long a demand may be unanswered (domain 3.1)."""
LOOK_SECONDS: Final = 5.0


class ProtectionWatch:
    """Asks nothing of the policy that raises reports. Two processes that watch alarm once: a demand has one id."""

    def __init__(
        self, demands: DemandLookUp, standings: StandingLookUp, handler: Handler, clock: Callable[[], datetime]
    ) -> None:
        self._demands = demands
        self._standings = standings
        self._handler = handler
        self._clock = clock
        self._settled = set[Demand]()

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Alarms of each demand that is unanswered for too long. Raises Refusal, LogError: it is looked at again."""
        async for demand in self._demands.unanswered(self._clock() - PATIENCE):
            if demand not in self._settled:
                await self._settle(demand)
                self._settled.add(demand)

    async def _settle(self, demand: Demand) -> None:
        if demand.alone_on and may_live_alone(await self._standings.birth_month(demand.child), demand.alone_on):
            return
        late_at = demand.since + PATIENCE
        standing = (await self._standings.on(business_day(late_at), [demand.child]))[demand.child]
        if standing is None or standing.erased:
            return
        alarm = AlarmProtectionWatch(
            occurred_at=late_at,
            report=demand.report,
            child=demand.child,
            village=standing.village,
            since=demand.since,
        )
        # The report was opened meanwhile, or another process was faster.
        with suppress(NothingToRecord, CommandIdReused):
            await self._handler.handle(Told(alarm, _command_id(demand), WATCH, own_right=True, source=POLICY))


def _command_id(demand: Demand) -> str:
    """No caller can use it up before: the ids that come over HTTP hold no slash."""
    return f"watch/{uuid.uuid5(uuid.NAMESPACE_OID, f'{demand.report}/{demand.since.isoformat()}')}"
