"""Figures over HTTP: one figure, or a table of the divisions below one, at any day as known on any day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.reporting.api.freshness import After, Freshness, caught_up
from services.reporting.figures.counting_rules import CountingRule
from services.reporting.figures.queries import Figure, Figures
from services.reporting.figures.rules_in_force import RulesInForce
from shared.adoption.read_model import AdoptionsModel
from shared.commands.command import business_day
from shared.contracts.values import DivisionCode
from shared.identity.scope import Scope
from shared.projection.live import LiveModels

Rule = Annotated[str | None, Query(pattern=r"^[A-Z0-9-]{1,32}$")]
"""A counting rule by its name; without it, the one that the division has adopted for the day asked for."""


class FigureAnswer(BaseModel):
    """``rate`` has one decimal, rounded half up from the integers; "-" where the denominator is zero."""

    numerator: int
    denominator: int | None
    rate: str | None


class FigureOf(BaseModel):
    indicator: str
    rule: str
    division: str
    as_of: date
    known_at: date
    figure: FigureAnswer
    freshness: Freshness


class Row(BaseModel):
    division: str
    name: str
    figures: dict[str, FigureAnswer]


class Table(BaseModel):
    rule: str
    division: str
    as_of: date
    known_at: date
    total: Row
    rows: list[Row]
    freshness: Freshness


def figure_routes(figures: Figures, rules: RulesInForce, live: LiveModels, scope: Scope, caller: Any) -> APIRouter:
    router = APIRouter(prefix="/figures", tags=["figures"])

    @router.get("/table", summary="Figures of the divisions below one")
    async def table(
        division: DivisionCode,
        indicator: Annotated[list[str], Query()] = ["I1", "I1b", "VISITS"],  # noqa: B006 - FastAPI copies it
        as_of: date | None = None,
        known_at: date | None = None,
        rule: Rule = None,
        after: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Table:
        """The children of a division as rows, with their total."""
        await scope.permit(who.person, "read_figures", division)
        as_of, known_at = _days(as_of, known_at)
        freshness = await caught_up(live, "figures", after)
        names = await scope.names_below(division)
        counted = await counted_by(rule, division, as_of, known_at, after)
        total, rows = await figures.table(indicator, division, list(names)[1:], as_of, known_at, rule=counted)
        return Table(
            rule=counted.name,
            division=division,
            as_of=as_of,
            known_at=known_at,
            total=_row(division, names[division], total),
            rows=[_row(code, names[code], row) for code, row in rows.items()],
            freshness=freshness,
        )

    @router.get("/{indicator}", summary="One figure")
    async def figure(
        indicator: str,
        division: DivisionCode,
        as_of: date | None = None,
        known_at: date | None = None,
        rule: Rule = None,
        after: After = None,
        who: Any = Depends(caller),  # noqa: B008
    ) -> FigureOf:
        await scope.permit(who.person, "read_figures", division)
        as_of, known_at = _days(as_of, known_at)
        freshness = await caught_up(live, "figures", after)
        counted = await counted_by(rule, division, as_of, known_at, after)
        found = await figures.figure(indicator, division, as_of, known_at, rule=counted)
        return FigureOf(
            indicator=indicator,
            rule=counted.name,
            division=division,
            as_of=as_of,
            known_at=known_at,
            figure=_answer(found),
            freshness=freshness,
        )

    async def counted_by(
        rule: str | None, division: str, as_of: date, known_at: date, after: str | None
    ) -> CountingRule:
        """Raises UnknownCountingRule."""
        await caught_up(live, AdoptionsModel.name, after)
        if rule is not None:
            return await rules.named(rule)
        return await rules.at(await scope.path(division), as_of, known_at)

    return router


def _days(as_of: date | None, known_at: date | None) -> tuple[date, date]:
    today = business_day(datetime.now(UTC))
    return as_of or today, known_at or today


def _row(code: str, name: str, row: dict[str, Figure]) -> Row:
    return Row(division=code, name=name, figures={indicator: _answer(found) for indicator, found in row.items()})


def _answer(figure: Figure) -> FigureAnswer:
    return FigureAnswer(numerator=figure.numerator, denominator=figure.denominator, rate=figure.rate)
