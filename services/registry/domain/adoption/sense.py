"""Whether what an authority wants to adopt makes sense. A refusal names the place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, Final

from shared.contracts.counting import CountingTerms, ParentsTerm
from shared.contracts.own_fields import FieldKind, OwnField
from shared.contracts.refusal import Refusal
from shared.contracts.risk import EMERGENCIES, Band, Direction, RiskInstrument
from shared.contracts.values import RISING

_OLDEST: Final = 17


class PolicyMakesNoSense(Refusal):
    """What was to be adopted contradicts itself."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Correct the place that is named, and send the whole content again."


def check_terms(terms: CountingTerms) -> None:
    """Raises PolicyMakesNoSense."""
    if terms.max_age is not None and not 0 <= terms.max_age <= _OLDEST:
        raise PolicyMakesNoSense(f"terms.max_age: {terms.max_age} is no age from 0 to {_OLDEST}")
    if not terms.away:
        raise PolicyMakesNoSense("terms.away: no state of a parent counts as away")
    if both := set(terms.away) & set(terms.unable):
        raise PolicyMakesNoSense(f"terms.unable: {', '.join(sorted(both))} counts as away already")
    if bool(terms.unable) != (terms.parents is ParentsTerm.BOTH_AWAY_OR_ONE_UNABLE):
        raise PolicyMakesNoSense(f"terms.unable: does not go with parents {terms.parents.value}")


def check_sheet(sheet: RiskInstrument) -> None:
    """Raises PolicyMakesNoSense."""
    for problem in _problems(sheet):
        raise PolicyMakesNoSense(problem)


def _problems(sheet: RiskInstrument) -> Iterator[str]:
    yield from _in_items(sheet)
    yield from _in_bands(sheet)
    choices = {(item.code, choice.code) for item in sheet.items for choice in item.choices}
    for n, veto in enumerate(sheet.vetoes):
        if (veto.item, veto.choice) not in choices:
            yield f"vetoes[{n}]: {veto.item} has no choice {veto.choice}"
    yield from (f"emergencies: {sign} is no known sign" for sign in sheet.emergencies if sign not in EMERGENCIES)
    if not sheet.months or not set(sheet.months) <= set(range(1, 13)):
        yield "months: at least one month from 1 to 12"


def _in_items(sheet: RiskInstrument) -> Iterator[str]:
    if not sheet.items:
        yield "items: the sheet asks nothing"
    yield from (f"items: {code} stands twice" for code in _twice(item.code for item in sheet.items))
    for item in sheet.items:
        if item.weight < 1:
            yield f"items.{item.code}.weight: {item.weight} is not at least 1"
        if len(item.choices) < 2:
            yield f"items.{item.code}.choices: fewer than two"
        yield from (f"items.{item.code}.choices: {code} stands twice" for code in _twice(c.code for c in item.choices))
        for choice in item.choices:
            if choice.points < 0:
                yield f"items.{item.code}.choices.{choice.code}.points: {choice.points} is negative"


def _in_bands(sheet: RiskInstrument) -> Iterator[str]:
    if not sheet.bands:
        yield "bands: there is none"
        return
    points = [[choice.points * item.weight for choice in item.choices] for item in sheet.items]
    lowest, highest = sum(map(min, points)), sum(map(max, points))
    first, last = sheet.bands[0], sheet.bands[-1]
    if first.at_least > lowest:
        yield f"bands[0]: begins at {first.at_least}, a sheet may have {lowest} points"
    if last.at_most is not None and last.at_most < highest:
        yield f"bands[{len(sheet.bands) - 1}]: ends at {last.at_most}, a sheet may have {highest} points"
    for n, band in enumerate(sheet.bands):
        if band.at_most is not None and band.at_most < band.at_least:
            yield f"bands[{n}]: ends before it begins"
    for n, (band, following) in enumerate(pairwise(sheet.bands), start=1):
        if band.at_most is None or following.at_least != band.at_most + 1:
            what = "overlaps" if band.at_most is None or following.at_least <= band.at_most else "leaves a gap after"
            yield f"bands[{n}]: {what} bands[{n - 1}]"
    yield from _against_the_direction(sheet.direction, sheet.bands)


def _against_the_direction(direction: Direction, bands: Sequence[Band]) -> Iterator[str]:
    for n, (band, following) in enumerate(pairwise(bands), start=1):
        step = RISING.index(following.level) - RISING.index(band.level)
        if step < 0 if direction is Direction.DANGER else step > 0:
            yield f"bands[{n}]: points for {direction.value} do not lead from {band.level} to {following.level}"


def check_fields(fields: Sequence[OwnField]) -> None:
    """Raises PolicyMakesNoSense."""
    for key in _twice(one.key for one in fields):
        raise PolicyMakesNoSense(f"fields: {key} stands twice")
    for one in fields:
        if (one.kind is FieldKind.CHOICE) != bool(one.options):
            raise PolicyMakesNoSense(f"fields.{one.key}.options: go with a choice, and with nothing else")
        for option in _twice(one.options):
            raise PolicyMakesNoSense(f"fields.{one.key}.options: {option} stands twice")


def _twice(codes: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [code for code in codes if code in seen or seen.add(code)]  # type: ignore[func-returns-value]
