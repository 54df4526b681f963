"""Which counting rule a division counts by on a day: one that is shipped, or one that an authority adopted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.reporting.figures.counting_rules import BRIEF_0_14, CountingRule, UnknownCountingRule, shipped
from shared.adoption.in_force import Adopted
from shared.adoption.read_model import Adoptions
from shared.contracts.counting import CountingRuleAdopted, CountingTerms


class RulesInForce:
    def __init__(self, adoptions: Adoptions) -> None:
        self._adoptions = adoptions

    async def at(self, path: Sequence[str], as_of: date, known_at: date) -> CountingRule:
        """Of the division at the end of the path, as it was known on a day."""
        found = await self._adoptions.in_force(CountingRuleAdopted, path, as_of, known_at)
        return BRIEF_0_14 if found is None else _rule(found)

    async def named(self, name: str) -> CountingRule:
        """Raises UnknownCountingRule."""
        if rule := shipped(name):
            return rule
        found = await self._adoptions.named(CountingRuleAdopted, name)
        if found is None:
            raise UnknownCountingRule
        return _rule(found)


def _rule(adopted: Adopted[dict[str, Any]]) -> CountingRule:
    """By the terms that stand in the event: those of a shipped rule never change."""
    return shipped(adopted.name) or CountingRule.of(adopted.name, CountingTerms.model_validate(adopted.content))
