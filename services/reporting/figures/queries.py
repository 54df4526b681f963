"""Questions to the figures: one indicator of one division, or a table of many, at a day as it was known on a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from services.reporting.figures import own_rules
from services.reporting.figures.counting_rules import BRIEF_0_14, CountingRule, shipped
from services.reporting.figures.facts import text_of
from services.reporting.figures.indicators import Indicator, indicator_named, share
from services.reporting.figures.read_model import SUMS, Collections, day_span, month_span
from services.reporting.figures.steps import ALWAYS

Totals = Counter[tuple[str, str]]
"""By node and measure."""


class Figure(NamedTuple):
    """``rate`` is percent with one decimal, "-" where the denominator is 0; both are None for a plain count."""

    numerator: int
    denominator: int | None
    rate: str | None


class Figures:
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    async def figure(
        self,
        indicator: str,
        division: str,
        as_of: date,
        known_at: date,
        since: date | None = None,
        rule: CountingRule = BRIEF_0_14,
    ) -> Figure:
        """``since`` is the first day of the period of a plain count; without it, all days.

        Raises UnknownIndicator.
        """
        row = await self._rows([indicator], [division], as_of, known_at, since, rule)
        return row[division][indicator]

    async def table(
        self,
        indicators: Sequence[str],
        division: str,
        children: Sequence[str],
        as_of: date,
        known_at: date,
        since: date | None = None,
        rule: CountingRule = BRIEF_0_14,
    ) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
        """The figures of a division and, by code, of these below it, in one query. Raises UnknownIndicator."""
        rows = await self._rows(indicators, [division, *children], as_of, known_at, since, rule)
        return rows[division], {child: rows[child] for child in children}

    async def _rows(
        self,
        names: Sequence[str],
        nodes: Sequence[str],
        as_of: date,
        known_at: date,
        since: date | None,
        rule: CountingRule,
    ) -> dict[str, dict[str, Figure]]:
        indicators = {name: indicator_named(name, rule.name) for name in names}
        measures = {measure for indicator in indicators.values() for measure in indicator if measure}
        totals = await self._totals(nodes, measures, text_of(as_of), text_of(known_at))
        if shipped(rule.name) is None:
            totals.update(await own_rules.count(self._collections, rule, nodes, text_of(as_of), text_of(known_at)))
        if since is not None and (counts := {i.numerator for i in indicators.values() if i.denominator is None}):
            totals.subtract(await self._totals(nodes, counts, text_of(since - timedelta(days=1)), text_of(known_at)))
        return {
            node: {name: _figure(indicator, node, totals) for name, indicator in indicators.items()} for node in nodes
        }

    async def _totals(self, nodes: Sequence[str], measures: Iterable[str], as_of: str, known_at: str) -> Totals:
        """Whole months before the known day's own, and the single days of that up to it."""
        month = {"$gte": month_span(ALWAYS), "$lt": month_span(known_at)}
        days = {"$gte": day_span(f"{known_at[:6]}00"), "$lte": day_span(known_at)}
        query = {"node": {"$in": list(nodes)}, "$or": [{"known": month}, {"known": days}]}
        wanted = {"_id": 0, "node": 1} | {f"sums.{measure}": 1 for measure in measures}
        totals: Totals = Counter()
        async for row in (await self._collections(SUMS)).find(query, wanted):
            for measure, edges in row["sums"].items():
                totals[row["node"], measure] += sum(n for day, n in edges.items() if day <= as_of)
        return totals


def _figure(indicator: Indicator, node: str, totals: Totals) -> Figure:
    numerator = totals[node, indicator.numerator]
    if indicator.denominator is None:
        return Figure(numerator, None, None)
    denominator = totals[node, indicator.denominator]
    return Figure(numerator, denominator, share(numerator, denominator))
