"""Commands by which divisions adopt policies, and those on a child that are judged by what is in force."""

from __future__ import annotations

from typing import Any

from services.registry.domain.adoption import (
    ADOPTED,
    AdoptCountingRule,
    AdoptRetention,
    AdoptRiskInstrument,
    DefineOwnFields,
    adoption_stream,
)
from services.registry.domain.child import AssessRisk, RecordOwnFields
from services.registry.handlings.children import of_child
from services.registry.policies_in_force import PolicyLearning
from shared.commands.command import Handling, Target


def handlings(policies: PolicyLearning) -> list[Handling[Any]]:
    def adopting(command: type[Any], action: str = "adopt_policy") -> Handling[Any]:
        return Handling(
            command,
            action=action,
            targets=lambda c: (Target(adoption_stream(c.division), ADOPTED),),
            division=lambda c, _: c.division,
            learn=policies.adoption,
        )

    return [
        adopting(AdoptCountingRule, "adopt_counting_rule"),
        adopting(AdoptRiskInstrument),
        adopting(AdoptRetention),
        adopting(DefineOwnFields),
        of_child(AssessRisk, "assess_risk", learn=policies.assessment),
        of_child(RecordOwnFields, "record_own_fields", learn=policies.own_fields),
    ]
