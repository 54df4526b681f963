"""The stream of a division's adoptions: each kind begins once on a day, and a name keeps its content for ever."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from services.registry.domain.adoption import sense
from shared.commands.command import Aggregate, Command
from shared.contracts.adoption import Adoption, OfficeCode
from shared.contracts.counting import RULES, CountingRuleAdopted, CountingTerms, RuleName
from shared.contracts.event import Fact
from shared.contracts.own_fields import OwnField, OwnFields, OwnFieldsDefined
from shared.contracts.refusal import Refusal
from shared.contracts.retention import RetentionAdopted, RetentionPeriods
from shared.contracts.risk import INSTRUMENTS, InstrumentName, RiskInstrument, RiskInstrumentAdopted
from shared.contracts.values import Day

F = TypeVar("F", bound=Fact)

_NAMESPACE = uuid.UUID("0b3f8f0e-6a52-5c0b-9d0e-2f6f0c9a7e11")


def adoption_stream(division: str) -> str:
    """One stream for each division."""
    return f"adoption-{uuid.uuid5(_NAMESPACE, division)}"


class AdoptionCommand(Command):
    """``starts`` is the first day on which it holds in the division and below, until the next one of its kind.

    Without ``may_override`` no division below has another as long as it holds.
    """

    division: OfficeCode
    starts: Day
    may_override: bool = True


class AdoptCountingRule(AdoptionCommand):
    """A shipped rule needs no terms; a rule of one's own is named ``<division>-...`` and says them once."""

    rule: RuleName
    terms: CountingTerms | None = None


class AdoptRiskInstrument(AdoptionCommand):
    """A shipped sheet needs no content; a sheet of one's own is named ``<division>-...`` and says it once."""

    instrument: InstrumentName
    content: RiskInstrument | None = None


class AdoptRetention(AdoptionCommand):
    """Periods that are not told are those of the default."""

    periods: RetentionPeriods


class DefineOwnFields(AdoptionCommand):
    """The whole list: a field that is not on it is asked for no more, and what was recorded of it stays."""

    fields: Annotated[tuple[OwnField, ...], Field(max_length=60)]


Adopting = AdoptCountingRule | AdoptRiskInstrument | AdoptRetention | DefineOwnFields


class CountingRuleUnknown(Refusal):
    """There is no counting rule of this name."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = f"Choose one of {', '.join(RULES)}, or send the terms of a rule of your own."


class RiskSheetUnknown(Refusal):
    """There is no risk sheet of this name."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = f"Choose one of {', '.join(INSTRUMENTS)}, or send the content of a sheet of your own."


class CountingRuleAlreadyBegins(Refusal):
    """A counting rule of this division begins on this day."""

    what_to_do: ClassVar[str] = "Adopt another rule from another day: what figures were counted by is not overwritten."


class PolicyAlreadyBegins(Refusal):
    """A policy of this kind begins in this division on this day."""

    what_to_do: ClassVar[str] = "Adopt the other one from another day: what was in force is not overwritten."


class NameIsNotOnesOwn(Refusal):
    """What is not shipped is named by the code of its division, a hyphen and a name of its own."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Name it by that pattern; what is shipped is adopted without content."


class NameHasOtherContent(Refusal):
    """Under this name the division adopted another content."""

    what_to_do: ClassVar[str] = "Give the new version a name of its own."


class OverrideNotAllowed(Refusal):
    """A division above lets none below have a policy of its own of this kind on that day."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Ask the office of the division above."


@dataclass(frozen=True)
class Adopted:
    """By kind: the first days, and the contents by name."""

    begin: frozenset[tuple[str, date]] = frozenset()
    contents: Mapping[tuple[str, str], Fact] = field(default_factory=dict)

    def content(self, kind: type[Adoption], name: str) -> Fact | None:
        return self.contents.get((kind.__name__, name))

    def next_name(self, kind: type[Adoption], division: str, word: str) -> str:
        """Where the authority names no versions, they are counted."""
        return f"{division}-{word}-{sum(of == kind.__name__ for of, _ in self.contents) + 1}"


def decide(command: Adopting, adopted: Adopted) -> list[Adoption]:
    event = _adoption(command, adopted)
    if (type(event).__name__, event.starts) in adopted.begin:
        raise CountingRuleAlreadyBegins if isinstance(command, AdoptCountingRule) else PolicyAlreadyBegins
    return [event]


def evolve(adopted: Adopted, event: Adoption) -> Adopted:
    kind, (name, content) = type(event).__name__, event.adopted
    return Adopted(adopted.begin | {(kind, event.starts)}, {**adopted.contents, (kind, name): content})


def _adoption(command: Adopting, adopted: Adopted) -> Adoption:
    common = {
        "adoption": adoption_stream(command.division),
        "division": command.division,
        "starts": command.starts,
        "may_override": command.may_override,
    }
    match command:
        case AdoptCountingRule():
            known = RULES.get(command.rule) or adopted.content(CountingRuleAdopted, command.rule)
            terms = _own(command.division, command.rule, command.terms, known, CountingRuleUnknown)
            sense.check_terms(terms)
            return CountingRuleAdopted(**common, rule=command.rule, terms=terms)
        case AdoptRiskInstrument():
            known = INSTRUMENTS.get(command.instrument) or adopted.content(RiskInstrumentAdopted, command.instrument)
            sheet = _own(command.division, command.instrument, command.content, known, RiskSheetUnknown)
            sense.check_sheet(sheet)
            return RiskInstrumentAdopted(**common, instrument=command.instrument, content=sheet)
        case AdoptRetention():
            name = adopted.next_name(RetentionAdopted, command.division, "RETENTION")
            return RetentionAdopted(**common, version=name, periods=command.periods)
        case DefineOwnFields():
            sense.check_fields(command.fields)
            name = adopted.next_name(OwnFieldsDefined, command.division, "FIELDS")
            return OwnFieldsDefined(**common, version=name, content=OwnFields(fields=command.fields))


def _own(division: str, name: str, told: F | None, known: Any, unknown: type[Refusal]) -> F:
    """The content that a name stands for: what is known under it, or what is told under a name of one's own."""
    if told is None:
        if known is None:
            raise unknown
        return known  # type: ignore[no-any-return]
    if known is not None and told != known:
        raise NameHasOtherContent
    if known is None and not name.startswith(f"{division}-"):
        raise NameIsNotOnesOwn(f"a name of one's own begins with {division}-")
    return told


ADOPTED = Aggregate[Adopted](Adopted(), evolve, decide)
