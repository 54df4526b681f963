"""The other way round: open files that the register was to hold, and the list of those it does not hold."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from services.registry.duplicates.files import File, Files
from services.registry.duplicates.look_up import Within
from services.registry.duplicates.names import comparable
from services.registry.imports.cell import harmless
from services.registry.imports.rejected import new_book
from services.registry.matching.register import TITLES
from shared.commands.command import CHINA
from shared.contracts.masking import masked
from shared.contracts.values import RegisterKind, Sex

SCHOOL_AGE: Final = range(6, 16)
"""Whole years of age in which a child is to be on a school roll (prop)."""
MAX_CHILDREN: Final = 20_000
TOGETHER: Final = 250
_SEXES: Final = {Sex.MALE: "男", Sex.FEMALE: "女"}
_HEADERS: Final = ("姓名", "性别", "出生日期", "身份证号", "村", "父亲姓名", "母亲姓名", "户主", "学校", "档案号")
_WIDTH: Final = 20


def is_expected(file: File, kind: RegisterKind, school: str | None, today: date) -> bool:
    """Whether a register of this kind should hold the child: a school roll those of that school, or of school age."""
    if kind is not RegisterKind.SCHOOL_ROLL:
        return file.open
    if school:
        return file.open and file.school is not None and comparable(school) in comparable(file.school)
    month = file.particulars.month
    if month is None:
        return False
    years = today.year - int(month[:4]) - (today.month < int(month[5:]))
    return file.open and years in SCHOOL_AGE


class Absent(NamedTuple):
    child: str
    file: File


async def absent(files: Files, children: Sequence[str], within: Within) -> AsyncIterator[Absent]:
    """Their files, a few hundred at a time, without those that are closed by now or lie outside."""
    for start in range(0, len(children), TOGETHER):
        some = children[start : start + TOGETHER]
        found = await files.of(some)
        villages = await within({file.village for file in found.values()})
        for child in some:
            file = found.get(child)
            if file is not None and file.open and file.village in villages:
                yield Absent(child, file)


def workbook(kind: RegisterKind, listed: Sequence[Absent], person: str, at: datetime) -> bytes:
    """Text cells alone, none of which begins as a formula does; who took it and when stands above, and on each page."""
    out = io.BytesIO()
    book = new_book(out, person)
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True})
    sheet = book.add_worksheet("名册中没有")
    mark = f"{TITLES[kind]}中没有的在档儿童 · 导出人 {person} · {at.astimezone(CHINA):%Y-%m-%d %H:%M}"
    sheet.write_string(0, 0, harmless(mark), bold)
    sheet.set_footer(f"&C{mark.replace('&', '&&')}")
    for column, header in enumerate(_HEADERS):
        sheet.write_string(1, column, header, bold)
    for line, one in enumerate(listed, 2):
        for column, cell in enumerate(_cells(one)):
            sheet.write_string(line, column, harmless(cell), text)
    sheet.set_column(0, len(_HEADERS) - 1, _WIDTH, text)
    sheet.freeze_panes(2, 0)
    book.close()
    return out.getvalue()


def _cells(one: Absent) -> Sequence[str]:
    child, file = one
    told = file.particulars
    born = told.born.isoformat() if told.born else told.month
    found = (told.name, _SEXES.get(told.sex), born, masked(told.number), file.village)
    return [cell or "" for cell in (*found, told.father, told.mother, told.head, file.school, child)]
