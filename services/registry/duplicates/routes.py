"""Duplicates over HTTP: asked before a file is opened, and listed for those who review (domain 6.2, rule 6).

Nobody learns of a file outside their scope, not even that there is one. One exception: who may ``learn_of_elsewhere``
(the county) is told that an equal citizen number exists elsewhere, and nothing more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.registry.domain import citizen_number
from services.registry.duplicates.comparison import Particulars
from services.registry.duplicates.look_up import DuplicateLookUp, Likely
from services.registry.duplicates.read_model import PairState
from services.registry.duplicates.service import REVIEW
from shared.commands.command import business_day
from shared.contracts.refusal import Refusal
from shared.contracts.values import (
    BirthMonth,
    ChildId,
    DismissReason,
    DuplicateId,
    Likeness,
    Name,
    Phone,
    Sex,
    VillageCode,
)
from shared.identity.access import NoRole
from shared.identity.scope import Scope
from shared.projection.read_model import Document
from shared.runtime.kernel import now

REGISTER = "register_child"
SEE = "list_children"
ELSEWHERE = "learn_of_elsewhere"

Level = Callable[[], Awaitable[bool]]
"""Whether the look-up has come as far as registry's own log, after a short wait."""


class ToldOfChild(BaseModel):
    """What is known of a child before its file is opened. ``birth_month`` where the day is not known."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    village: VillageCode
    name: Name
    birth_date: date | None = None
    birth_month: BirthMonth | None = None
    sex: Sex = Sex.UNKNOWN
    citizen_number: Annotated[str, Field(max_length=40)] | None = None
    father: Name | None = None
    mother: Name | None = None
    household_head: Name | None = None
    phone: Phone | None = None


class LikelyFile(BaseModel):
    """An open file in your scope that may be this child's. ``reasons`` say what speaks for it, and what against."""

    child: ChildId
    village: VillageCode
    score: int
    reasons: list[Likeness]


class Checked(BaseModel):
    """``exists_elsewhere`` is told to the county alone: a file outside its scope has the same citizen number.

    ``complete`` is False when files were opened in the last moments that could not be looked at yet.
    """

    files: list[LikelyFile]
    exists_elsewhere: bool = False
    rule: str
    complete: bool


class Pair(BaseModel):
    """Two files in your scope; or one, and ``elsewhere``: its citizen number is on a file outside your scope."""

    duplicate: DuplicateId | None = None
    children: list[ChildId]
    villages: list[VillageCode]
    state: PairState
    reasons: list[Likeness]
    score: int | None = None
    rule: str | None = None
    dismissed_for: DismissReason | None = None
    elsewhere: bool = False


class Pairs(BaseModel):
    """``next`` is to be sent as ``after`` for the pairs that follow; None at the end."""

    pairs: list[Pair]
    next: str | None = None
    complete: bool


class TwoBirths(Refusal):
    """birth_date and birth_month do not agree."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send the birth date alone, or the month alone where the day is not known."


def duplicate_routes(look_up: DuplicateLookUp, scope: Scope, level: Level, caller: Any) -> APIRouter:
    router = APIRouter(prefix="/duplicates", tags=["duplicates"])

    @router.post("/check", summary="Is this child on file already?")
    async def check(told: ToldOfChild, who: Any = Depends(caller)) -> Checked:  # noqa: B008 - how FastAPI names a dependency
        """The open files in your scope that are likely to be of this child. Ask before you register it."""
        await scope.permit(who.person, REGISTER, told.village)
        particulars = await _particulars(told, scope)
        complete = await level()
        reach = await scope.grants(who.person, SEE)
        likely = await look_up.likely(particulars, lambda villages: scope.within(reach, villages))
        return Checked(
            files=[_file(one) for one in likely],
            exists_elsewhere=await _elsewhere(who.person, particulars.number),
            rule=look_up.rule,
            complete=complete,
        )

    async def _elsewhere(person: str, number: str | None) -> bool:
        grants = await scope.grants(person, ELSEWHERE)
        if not grants or number is None:
            return False
        villages = await look_up.villages_of_number(number)
        return bool(villages - await scope.within(await scope.grants(person, SEE), villages))

    @router.get("", summary="Pairs of files that may be one child's")
    async def listed(
        state: PairState = PairState.SUSPECTED,
        after: DuplicateId | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        who: Any = Depends(caller),  # noqa: B008
    ) -> Pairs:
        """Those of your scope, by id. Raises NoRole for who reviews nowhere."""
        grants = await scope.grants(who.person, REVIEW)
        if not grants:
            raise NoRole
        complete = await level()
        villages = await scope.villages_of(grants)
        found = await look_up.pairs(state, villages, await _of_county(who.person, state), after, limit)
        own = set(villages)
        return Pairs(
            pairs=[_pair(pair, own) for pair in found],
            next=found[-1]["_id"] if len(found) == limit else None,
            complete=complete,
        )

    async def _of_county(person: str, state: PairState) -> list[str]:
        """Where the person learns of a pair although its other file lies elsewhere, and only while it is open."""
        if state is not PairState.SUSPECTED:
            return []
        return await scope.villages_of(await scope.grants(person, ELSEWHERE))

    return router


async def _particulars(told: ToldOfChild, scope: Scope) -> Particulars:
    """Raises TwoBirths, CitizenNumberInvalid."""
    month = told.birth_date.isoformat()[:7] if told.birth_date else told.birth_month
    if told.birth_month not in (None, month):
        raise TwoBirths
    number = told.citizen_number and citizen_number.normalised(told.citizen_number, business_day(now()))
    return Particulars(
        name=told.name,
        born=told.birth_date,
        birth_month=month,
        sex=told.sex,
        place=await scope.path(told.village),
        number=number or None,
        father=told.father,
        mother=told.mother,
        head=told.household_head,
        phones=frozenset({told.phone} if told.phone else ()),
    )


def _file(likely: Likely) -> LikelyFile:
    score, _, reasons, _ = likely.comparison
    return LikelyFile(child=likely.file.child, village=likely.file.village, score=score, reasons=list(reasons))


def _pair(pair: Document, own: set[str]) -> Pair:
    if own.issuperset(pair["villages"]):
        return Pair(duplicate=pair["_id"], **{name: value for name, value in pair.items() if name != "_id"})
    [(child, village)] = [one for one in zip(pair["children"], pair["villages"], strict=True) if one[1] in own]
    return Pair(
        children=[child],
        villages=[village],
        state=PairState(pair["state"]),
        reasons=[Likeness.NUMBER_EQUAL],
        elsewhere=True,
    )
