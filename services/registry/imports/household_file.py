"""E3 一户一档: read and recognised; the system has no command yet that takes a household without a child over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.registry.imports.entry import Entry
from services.registry.imports.ledger import Column, Ledger, RowIds
from shared.commands.command import Command
from shared.contracts.values import LedgerKind

COLUMNS: Final = (
    Column("number", ("序号", "编号"), taken=False),
    Column("county", ("县", "县区", "县市区"), taken=False),
    Column("township", ("乡镇", "镇乡"), taken=False),
    Column("village", ("村", "村居", "行政村"), taken=False),
    Column("head", ("户主", "户主姓名"), needed=True, taken=False),
    Column("persons", ("人口", "家庭人口", "人口数"), taken=False),
    Column("members", ("成员", "家庭成员"), taken=False),
    Column("address", ("住址", "家庭住址"), needed=True, taken=False),
    Column("income", ("收入来源", "家庭收入来源"), taken=False),
    Column("allowance", ("低保/建档立卡", "低保", "建档立卡"), taken=False),
    Column("children", ("留守儿童数", "留守儿童人数"), taken=False),
    Column("visitor", ("走访人",), taken=False),
    Column("day", ("日期", "走访日期"), taken=False),
)


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    entry.needed("head", "户主")
    entry.name("head")
    entry.day("day")
    return ()


HOUSEHOLD_FILE: Final = Ledger(LedgerKind.HOUSEHOLD_FILE, "一户一档", "register_child", COLUMNS, commands)
