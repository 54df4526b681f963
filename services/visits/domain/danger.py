"""What a sign of danger demands (domain 2c, 3.2): a concern, and a protection report where the law asks for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from services.visits.domain.form import dangers_of
from shared.contracts.forms import FORMS
from shared.contracts.registry import CareSituation
from shared.contracts.values import CareKind, ConcernKind, Danger, Situation
from shared.contracts.visits import ChildFinding


class Demand(NamedTuple):
    """``situation`` is that of the report; None where none is demanded. ``under``: only below this age, in years."""

    concern: ConcernKind
    severity: int
    situation: Situation | None = None
    under: int | None = None


DEMANDS: Final[Mapping[Danger, Demand]] = {
    Danger.LIVING_ALONE: Demand(ConcernKind.CARE, 3, Situation.WITHOUT_CARE, under=16),
    Danger.ABANDONED: Demand(ConcernKind.CARE, 3, Situation.WITHOUT_CARE),
    Danger.HURT: Demand(ConcernKind.SAFETY, 3, Situation.VIOLENCE_OR_NEGLECT),
    Danger.SELF_HARM: Demand(ConcernKind.PSYCHOLOGY, 3, Situation.UNNATURAL_INJURY),
    Danger.SEXUAL_HARM: Demand(ConcernKind.SAFETY, 3, Situation.INTIMATE_INJURY),
    Danger.MISSING: Demand(ConcernKind.SAFETY, 3, Situation.MISSING_OR_TRAFFICKED),
    Danger.BEGGING: Demand(ConcernKind.SAFETY, 3, Situation.ORGANISED_BEGGING),
    Danger.OUT_OF_SCHOOL: Demand(ConcernKind.DROPOUT, 2),
    Danger.NOT_REGISTERED: Demand(ConcernKind.NO_REGISTRATION, 2),
    Danger.HOME_UNSAFE: Demand(ConcernKind.SAFETY, 2),
    Danger.UNATTENDED_BY_DAY: Demand(ConcernKind.UNATTENDED_DAYTIME, 2),
}

LIVES_ALONE: Final = DEMANDS[Danger.LIVING_ALONE]


def dangers_found(finding: ChildFinding, form: str | None) -> tuple[Danger, ...]:
    """Of one child, in the order of ``Danger``: as told, as the answers show, and as the care found says."""
    found = set(finding.dangers.reveal() if finding.dangers else ())
    if form is not None and form in FORMS and finding.answers is not None:
        found.update(dangers_of(FORMS[form], finding.answers.reveal()))
    if finding.care_found is not None and lives_alone(finding.care_found):
        found.add(Danger.LIVING_ALONE)
    return tuple(danger for danger in Danger if danger in found)


def lives_alone(care: CareSituation) -> bool:
    """Whether nobody cares for the child; not where that is erased."""
    return bool(care.living_alone.get()) or care.kind.get() is CareKind.NOBODY


def may_live_alone(birth_month: str | None, day: date) -> bool:
    """By the age on that day. A birthday counts as the last day of its month; whose age nobody can tell is taken to be
    a child: a report too many does no harm."""
    years = LIVES_ALONE.under or 0
    return f"{day.year - years:04}-{day:%m}" > (birth_month or "9")
