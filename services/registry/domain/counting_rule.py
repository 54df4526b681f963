"""Which counting rule (统计口径) a county, city or province counts by, from which day (domain 3.1, Rule versions)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from shared.commands.command import Aggregate, Command
from shared.contracts.counting import RULES, CountingRuleAdopted, OfficeCode, RuleName
from shared.contracts.refusal import Refusal
from shared.contracts.values import Day

_NAMESPACE = uuid.UUID("0b3f8f0e-6a52-5c0b-9d0e-2f6f0c9a7e11")


def adoption_stream(division: str) -> str:
    """One stream for each division."""
    return f"adoption-{uuid.uuid5(_NAMESPACE, division)}"


class AdoptCountingRule(Command):
    """``starts`` is the first day on which the division counts by the rule, until the next one that it adopts."""

    division: OfficeCode
    rule: RuleName
    starts: Day


class CountingRuleUnknown(Refusal):
    """There is no counting rule of this name."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = f"Choose one of {', '.join(RULES)}."


class CountingRuleAlreadyBegins(Refusal):
    """A counting rule of this division begins on this day."""

    what_to_do: ClassVar[str] = "Adopt another rule from another day: what figures were counted by is not overwritten."


@dataclass(frozen=True)
class Adopted:
    """The first days of the rules that the division has adopted."""

    begin: frozenset[date] = field(default_factory=frozenset)


def decide(command: AdoptCountingRule, adopted: Adopted) -> list[CountingRuleAdopted]:
    terms = RULES.get(command.rule)
    if terms is None:
        raise CountingRuleUnknown
    if command.starts in adopted.begin:
        raise CountingRuleAlreadyBegins
    return [
        CountingRuleAdopted(
            adoption=adoption_stream(command.division),
            division=command.division,
            rule=command.rule,
            terms=terms,
            starts=command.starts,
        )
    ]


def evolve(adopted: Adopted, event: CountingRuleAdopted) -> Adopted:
    return Adopted(adopted.begin | {event.starts})


ADOPTED = Aggregate[Adopted](Adopted(), evolve, decide)
