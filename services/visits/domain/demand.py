"""What a child's file says that demands a protection report, though no visit has found it (domain 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.visits.domain.danger import lives_alone
from shared.contracts.event import Event
from shared.contracts.registry import CareSituationRecorded, ChildRegistered
from shared.contracts.risk import RiskAssessed
from shared.contracts.values import Situation

CARE: Final = frozenset({"ChildRegistered", "CareSituationRecorded"})
"""Of these a demand depends on the child's age: who is old enough may live alone."""
TELLING: Final = CARE | {"RiskAssessed"}

SIGNS: Final[Mapping[str, Situation]] = {
    "violence_now": Situation.VIOLENCE_OR_NEGLECT,
    "trafficked": Situation.MISSING_OR_TRAFFICKED,
    "missing": Situation.MISSING_OR_TRAFFICKED,
}
"""The emergencies of a risk sheet that name one of the nine situations; any other is another serious one."""


def demanded(event: Event) -> frozenset[Situation]:
    """The situations that are to be reported; none where what was told is erased."""
    match event:
        case ChildRegistered() | CareSituationRecorded() if lives_alone(event.care):
            return frozenset({Situation.WITHOUT_CARE})
        case RiskAssessed():
            answers = event.answers.get()
            signs = () if answers is None else answers.emergencies
            return frozenset(SIGNS.get(sign, Situation.OTHER_SERIOUS) for sign in signs)
        case _:
            return frozenset()
