"""E10 驻村工作组和第一书记花名册: one posting a row.

A person is known to the system by the account they log in with. Where the ledger has a name instead, the posting is
taken over without the person, and a warning says so: a name would stand in the clear for ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from services.registry.domain.posting import JoinPosting, PostWorkingGroup, WithdrawWorkingGroup
from services.registry.imports import wording
from services.registry.imports.entry import Entry
from services.registry.imports.ledger import Column, Ledger, RowIds
from shared.commands.command import Command
from shared.contracts.values import PERSON, LedgerKind, PostingLevel, WithdrawalReason

COLUMNS: Final = (
    Column("number", ("序号", "编号")),
    Column("unit", ("派出单位", "派驻单位", "选派单位"), needed=True),
    Column("level", ("级别", "派出单位级别", "层级"), needed=True),
    Column("county", ("县", "县区", "县市区", "区县")),
    Column("township", ("乡镇", "镇乡", "乡镇街道")),
    Column("village", ("村", "驻村", "所驻村", "派驻村"), needed=True),
    Column("leader", ("组长", "工作组组长", "队长")),
    Column("members", ("成员", "工作组成员", "队员")),
    Column("first_secretary", ("第一书记",)),
    Column("phone", ("电话", "联系电话"), taken=False),
    Column("period", ("驻村起止", "驻村起止时间", "驻村时间"), needed=True),
)

LEVELS: Final = {
    word + ending: level
    for level, words in {
        PostingLevel.PROVINCE: ("省", "省级", "省直", "中央", "中直"),
        PostingLevel.CITY: ("市", "市级", "市直", "州", "州级", "市州"),
        PostingLevel.COUNTY: ("县", "县级", "县直", "区", "区级", "区直", "县区"),
        PostingLevel.TOWNSHIP: ("乡", "镇", "乡镇", "乡级", "镇级", "乡镇级"),
    }.items()
    for word in words
    for ending in ("", "派")
}
_PERSON: Final = re.compile(PERSON)
_TO: Final = re.compile(r"至今|至|到|~|—+|–|--|-(?=\d{4}[年./])|-(?=至今|今)|(?<=\d{8})-")
_STILL: Final = frozenset({"", "今", "至今"})


class Period(NamedTuple):
    """``last`` is None where it goes on."""

    first: date
    last: date | None


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    village = entry.village("county", "township", "village")
    entry.needed("unit", "派出单位")
    unit = entry.text("unit", 100)
    entry.needed("level", "级别")
    level = entry.choice("level", LEVELS)
    leader, first_secretary = _person(entry, "leader"), _person(entry, "first_secretary")
    members = [one for one in _people(entry, "members") if one not in (leader, first_secretary)]
    period = _period(entry)
    if entry.rejected or not (village and unit and level and period):
        return ()
    posting = ids.of("posting", None)
    begun = PostWorkingGroup(
        posting=posting,
        village=village,
        level=level,
        unit=unit,
        starts=period.first,
        leader=leader,
        first_secretary=first_secretary,
    )
    joined = [JoinPosting(posting=posting, person=one, starts=period.first) for one in members]
    if period.last is None or period.last >= entry.today:
        return [begun, *joined]
    return [
        begun,
        *joined,
        WithdrawWorkingGroup(posting=posting, ends=period.last + timedelta(days=1), reason=WithdrawalReason.TERM_ENDED),
    ]


def _person(entry: Entry, key: str) -> str | None:
    told = wording.narrow(entry.cell(key)).strip()
    return told if told and _identified(entry, key, told) else None


def _people(entry: Entry, key: str) -> list[str]:
    return [one for one in dict.fromkeys(wording.parts(entry.cell(key))) if _identified(entry, key, one)]


def _identified(entry: Entry, key: str, told: str) -> bool:
    if not _PERSON.fullmatch(told):
        entry.note("named_not_identified", key)
        return False
    return True


def _period(entry: Entry) -> Period | None:
    told = wording.tight(entry.needed("period", "驻村起止"))
    if not told:
        return None
    begin, *rest = _TO.split(told, maxsplit=1)
    end = rest[0] if rest else ""
    first, last = _first_day(begin), None if end in _STILL else _last_day(end)
    if first is None or (last is None and end not in _STILL):
        entry.note("date_unreadable", "period")
        return None
    if last and last < first:
        entry.note("posting_ends_first", "period")
        return None
    if last and last >= entry.today:
        entry.note("posting_ends_later", "period")
    return Period(first, last)


def _first_day(text: str) -> date | None:
    return wording.day(text) or wording.month_begins(text)


def _last_day(text: str) -> date | None:
    """A month lasts to its end."""
    begins = wording.month_begins(text)
    next_month = begins and (begins + timedelta(days=31)).replace(day=1)
    return wording.day(text) or (next_month and next_month - timedelta(days=1))


WORKING_GROUPS: Final = Ledger(
    LedgerKind.WORKING_GROUPS, "驻村工作组和第一书记花名册", "post_working_group", COLUMNS, commands
)
