"""The lists of others that are matched with the files: few columns, of which the name alone is needed.

Nothing of a row is registered. So what cannot be read in a cell is warned about and not compared, and the row goes on;
only a row without a name, and one of a village outside, end here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from services.registry.duplicates.comparison import Particulars
from services.registry.imports.entry import Entry
from services.registry.imports.finding import REJECTED, Finding
from services.registry.imports.ledger import Column, Ledger, RowIds
from services.registry.imports.wording import month_begins
from shared.commands.command import Command
from shared.contracts.sealed import Personal, said
from shared.contracts.values import BirthMonth, GapSource, Name, Phone, RegisterKind, Sex, VillageCode

MATCH: Final = "match_register"

SOURCES: Final[Mapping[RegisterKind, GapSource]] = {
    RegisterKind.SCHOOL_ROLL: GapSource.SCHOOL,
    RegisterKind.CLINIC_LIST: GapSource.CLINIC,
    RegisterKind.ALLOWANCE_LIST: GapSource.ALLOWANCE_LIST,
}
TITLES: Final[Mapping[RegisterKind, str]] = {
    RegisterKind.SCHOOL_ROLL: "学校名册",
    RegisterKind.CLINIC_LIST: "卫生院名册",
    RegisterKind.ALLOWANCE_LIST: "补助发放名册",
}

COLUMNS: Final = (
    Column("number", ("序号", "编号", "学号", "学籍号")),
    Column("name", ("姓名", "学生姓名", "儿童姓名"), needed=True),
    Column("sex", ("性别",)),
    Column("birth_date", ("出生日期", "出生年月日", "出生年月")),
    Column("citizen_number", ("身份证号", "身份证号码", "公民身份号码", "公民身份证号码", "身份证件号")),
    Column("county", ("县", "县区", "县市区", "区县")),
    Column("township", ("乡镇", "镇乡", "乡镇街道", "乡")),
    Column("village", ("村", "村居", "村社区", "行政村", "所在村")),
    Column("address", ("住址", "家庭住址", "现居住地", "现住址", "家庭地址")),
    Column("school", ("学校", "就读学校", "学校名称")),
    Column("grade", ("年级", "就读年级")),
    Column("class", ("班级", "就读班级")),
    Column("guardian", ("监护人", "监护人姓名", "现监护人", "家长", "家长姓名")),
    Column("father", ("父亲姓名", "父亲", "父姓名")),
    Column("mother", ("母亲姓名", "母亲", "母姓名")),
    Column("phone", ("联系电话", "电话", "监护人电话", "家长电话", "联系方式")),
    Column("remark", ("备注",)),
)


class RegisterRow(Command):
    """What a row says of a child; ``village`` is one of the sender's scope."""

    name: Personal[Name]
    birth_date: Personal[date] | None = None
    birth_month: Personal[BirthMonth] | None = None
    sex: Sex = Sex.UNKNOWN
    citizen_number: Personal[str] | None = None
    village: VillageCode | None = None
    father: Personal[Name] | None = None
    mother: Personal[Name] | None = None
    guardian: Personal[Name] | None = None
    phone: Personal[Phone] | None = None

    @property
    def month(self) -> str | None:
        """The month of birth, as far as it is told."""
        born = said(self.birth_date)
        return f"{born:%Y-%m}" if born else said(self.birth_month)


def commands(entry: Entry, ids: RowIds) -> Sequence[Command]:
    entry.needed("name", "姓名")
    name = entry.name("name")
    village = _village(entry)
    decisive = list(entry.findings)
    number = entry.citizen_number("citizen_number")
    month = month_begins(entry.cell("birth_date"))
    tells_day = month is None and (number or entry.cell("birth_date"))
    born = entry.birth_date("birth_date", "出生日期", number) if tells_day else None
    told = {key: Personal(value) for key in ("father", "mother", "guardian") if (value := entry.name(key))}
    phone, sex = entry.phone("phone"), entry.sex("sex", number)
    # What is unreadable beside name and village only makes the comparison poorer.
    entry.findings[:] = [one if one in decisive else _softened(one) for one in entry.findings]
    if entry.rejected or not name:
        return ()
    return [
        RegisterRow(
            name=Personal(name),
            birth_date=born and Personal(born),
            birth_month=month and Personal(f"{month:%Y-%m}"),
            sex=sex,
            citizen_number=number and Personal(number),
            village=village,
            phone=phone and Personal(phone),
            **told,
        )
    ]


def _village(entry: Entry) -> str | None:
    """By the village's own column, else by the address; None where neither says anything, or several are meant."""
    if entry.cell("village"):
        found = entry.village("county", "township", "village")
    elif entry.cell("address"):
        found = entry.village_of_address("address", "住址")
    else:
        return None
    entry.findings[:] = [_softened(one) if one.code == "place_ambiguous" else one for one in entry.findings]
    return found


def _softened(finding: Finding) -> Finding:
    return Finding("not_compared", finding.column) if finding.verdict is REJECTED else finding


def particulars(row: RegisterRow, place: tuple[str, ...]) -> Particulars:
    """As duplicates compare them; ``place`` leads from the root to the row's village, and is empty without one."""
    born = said(row.birth_date)
    phone = said(row.phone)
    return Particulars(
        name=row.name.reveal(),
        born=born,
        birth_month=row.month,
        sex=row.sex,
        place=place,
        number=said(row.citizen_number),
        father=said(row.father),
        mother=said(row.mother),
        head=said(row.guardian),
        phones=frozenset({phone} if phone else ()),
    )


REGISTER: Final = Ledger(RegisterKind.SCHOOL_ROLL, "用于比对的名册", MATCH, COLUMNS, commands)
"""One shape for all kinds: which it is, is told with the file."""
