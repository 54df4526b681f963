"""Counting rules (统计口径) as data, and the event by which one is adopted (domain 3.1, Rule versions).

A rule is a name and its terms. What was shipped under a name does not change: another reading of the same rule is a
rule with a name of its own. An authority adopts one of those shipped here, or one of its own that is made of the same
terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from shared.contracts.adoption import Adoption, Content, PolicyName
from shared.contracts.event import Fact
from shared.contracts.values import CareKind, HukouKind, ParentState, SchoolState

RuleName = PolicyName


class ParentsTerm(StrEnum):
    """Which parents must be away."""

    ANY_AWAY = "any_away"
    BOTH_AWAY = "both_away"
    BOTH_AWAY_OR_ONE_UNABLE = "both_away_or_one_unable"
    """Both away, or one away and the other unable to care."""


class CountingTerms(Fact):
    """What a rule asks. An empty list, a None and a zero ask nothing.

    ``max_age`` is the last age that counts, in whole years; ``months_away`` is how many whole months a parent must have
    been away without a break; ``across_county`` asks that it is away outside the home county. A fact that a rule asks
    for and the file does not have is unknown, and an unknown fact is never true.
    """

    max_age: int | None = None
    parents: ParentsTerm
    away: tuple[ParentState, ...]
    unable: tuple[ParentState, ...] = ()
    months_away: Annotated[int, Field(ge=0, le=120)] = 0
    across_county: bool = False
    hukou_kinds: tuple[HukouKind, ...] = ()
    care_kinds: tuple[CareKind, ...] = ()
    school_states: tuple[SchoolState, ...] = ()


_AWAY: Final = (ParentState.AWAY, ParentState.LOST_CONTACT)
_UNABLE: Final = (ParentState.INCAPABLE, ParentState.DEAD)
_NOT_WITH_PARENTS: Final = tuple(kind for kind in CareKind if kind is not CareKind.PARENT)

RULES: Final[Mapping[str, CountingTerms]] = {
    "BRIEF-0-14": CountingTerms(max_age=14, parents=ParentsTerm.BOTH_AWAY_OR_ONE_UNABLE, away=_AWAY, unable=_UNABLE),
    "MCA-2016": CountingTerms(
        max_age=15,
        parents=ParentsTerm.BOTH_AWAY_OR_ONE_UNABLE,
        away=_AWAY,
        unable=_UNABLE,
        hukou_kinds=(HukouKind.RURAL,),
        care_kinds=_NOT_WITH_PARENTS,
    ),
    # Of a parent who is lost nobody can say how long, and how far away: it can not care, but is not what is away.
    "MCA-2024": CountingTerms(
        max_age=15,
        parents=ParentsTerm.BOTH_AWAY_OR_ONE_UNABLE,
        away=(ParentState.AWAY,),
        unable=(*_UNABLE, ParentState.LOST_CONTACT),
        months_away=6,
        across_county=True,
        hukou_kinds=(HukouKind.RURAL,),
        care_kinds=_NOT_WITH_PARENTS,
    ),
    "CENSUS-WIDE": CountingTerms(max_age=17, parents=ParentsTerm.ANY_AWAY, away=_AWAY, months_away=6),
    "EDU": CountingTerms(
        parents=ParentsTerm.BOTH_AWAY, away=_AWAY, school_states=(SchoolState.PRIMARY, SchoolState.JUNIOR)
    ),
}
"""The rules that are shipped. The first one counts where none has been adopted."""

DEFAULT_RULE: Final = next(iter(RULES))


class CountingRuleAdopted(Adoption):
    """From its first day on a division and all below it counts by this rule, whose terms stand here as they were.

    Version 1 did not say whether divisions below may count by another.
    """

    schema_version: ClassVar[int] = 2

    rule: RuleName
    terms: CountingTerms

    @property
    def adopted(self) -> Content:
        return Content(self.rule, self.terms)
