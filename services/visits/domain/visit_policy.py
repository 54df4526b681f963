"""Which visit policy (走访频次) a division adopts, from which day (domain 3.2, VisitPolicy)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from shared.commands.command import Aggregate, Command
from shared.contracts.refusal import Refusal
from shared.contracts.values import Day, DivisionCode
from shared.contracts.visit_policy import VisitPolicy, VisitPolicyAdopted

_NAMESPACE: Final = uuid.UUID("5d0d5c56-6cf5-5b07-8f39-6a1a6b8a3f0c")


def policy_stream(division: str) -> str:
    """One stream for each division."""
    return f"policy-{uuid.uuid5(_NAMESPACE, division)}"


class AdoptVisitPolicy(Command):
    """``starts`` is the first day of the policy; it is not before the day it is told, since what was due stays due."""

    division: DivisionCode
    starts: Day
    content: VisitPolicy
    may_be_overridden: bool = True


class PolicyBeginsInThePast(Refusal):
    """starts: a policy begins on the day it is adopted or later."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name today or a later day: what was due by the policy before is not rewritten."


class PolicyAlreadyBegins(Refusal):
    """A visit policy of this division begins on this day."""

    what_to_do: ClassVar[str] = "Adopt another policy from another day."


@dataclass(frozen=True)
class Adopted:
    """The first days of the policies that the division has adopted."""

    begin: frozenset[date] = field(default_factory=frozenset)


def decide(command: AdoptVisitPolicy, adopted: Adopted) -> list[VisitPolicyAdopted]:
    if command.starts < command.occurred_on:
        raise PolicyBeginsInThePast
    if command.starts in adopted.begin:
        raise PolicyAlreadyBegins
    return [
        VisitPolicyAdopted(
            policy=policy_stream(command.division),
            division=command.division,
            starts=command.starts,
            content=command.content,
            may_be_overridden=command.may_be_overridden,
        )
    ]


def evolve(adopted: Adopted, event: VisitPolicyAdopted) -> Adopted:
    return Adopted(adopted.begin | {event.starts})


VISIT_POLICY = Aggregate[Adopted](Adopted(), evolve, decide)
