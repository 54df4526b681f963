"""What divisions adopt (domain 3.1, 6.4, 9): counting rules, risk sheets, periods of retention, fields of their own."""

from services.registry.domain.adoption.aggregate import (
    ADOPTED,
    AdoptCountingRule,
    AdoptionCommand,
    AdoptRetention,
    AdoptRiskInstrument,
    CountingRuleAlreadyBegins,
    CountingRuleUnknown,
    DefineOwnFields,
    NameHasOtherContent,
    NameIsNotOnesOwn,
    OverrideNotAllowed,
    PolicyAlreadyBegins,
    RiskSheetUnknown,
    adoption_stream,
)
from services.registry.domain.adoption.sense import PolicyMakesNoSense

__all__ = [
    "ADOPTED",
    "AdoptCountingRule",
    "AdoptRetention",
    "AdoptRiskInstrument",
    "AdoptionCommand",
    "CountingRuleAlreadyBegins",
    "CountingRuleUnknown",
    "DefineOwnFields",
    "NameHasOtherContent",
    "NameIsNotOnesOwn",
    "OverrideNotAllowed",
    "PolicyAlreadyBegins",
    "PolicyMakesNoSense",
    "RiskSheetUnknown",
    "adoption_stream",
]
