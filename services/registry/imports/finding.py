"""What can be found about a row: a code, a verdict and a sentence in Chinese that names column, rule and what to do.

The codes stand in receipts for ever and in docs/imports.md; the sentences may change. No sentence repeats a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from shared.contracts.values import RowVerdict

ACCEPTED, WARNED, REJECTED = RowVerdict.ACCEPTED, RowVerdict.WARNED, RowVerdict.REJECTED


class Rule(NamedTuple):
    """``reason`` has a place for the column's name."""

    verdict: RowVerdict
    reason: str


class Finding(NamedTuple):
    """``column`` is the ledger's name of it, empty where the row as a whole is meant."""

    code: str
    column: str = ""

    @property
    def verdict(self) -> RowVerdict:
        return rule_of(self.code).verdict

    @property
    def reason(self) -> str:
        return rule_of(self.code).reason.format(column=self.column)


RULES: Final[Mapping[str, Rule]] = {
    # the row
    "header_in_rows": Rule(REJECTED, "这一行又是表头；每个文件只能有一行表头，请删除这一行。"),
    "row_repeated": Rule(REJECTED, "与前面某一行完全相同；同一儿童只登记一次，请删除这一行。"),
    "row_too_long": Rule(REJECTED, "整行文字超过 8,000 字；请缩短后再导入（退回的表中只保留每格前 40 字）。"),
    "beyond_header": Rule(REJECTED, "最后一个表头右侧的单元格有内容；请补上表头，或删除这些内容。"),
    # any column
    "required": Rule(REJECTED, "「{column}」不能为空；请填写。"),
    "formula": Rule(REJECTED, "「{column}」是公式；请复制后“选择性粘贴—数值”，再上传。"),
    "error_value": Rule(REJECTED, "「{column}」是错误值（如 #REF!）；请填写实际内容。"),
    "too_long": Rule(REJECTED, "「{column}」字数过多；请缩短。"),
    "code_unknown": Rule(REJECTED, "「{column}」不是规定的选项；请按填表说明选填。"),
    "not_taken_over": Rule(WARNED, "「{column}」系统暂不能接收，本次没有导入；请保留原表。"),
    "not_compared": Rule(WARNED, "「{column}」看不懂，比对时没有使用；请核对原表。"),
    # names
    "name_unreadable": Rule(REJECTED, "「{column}」不是姓名，应为 1 至 50 个文字，不含数字；请核对。"),
    # days
    "date_unreadable": Rule(
        REJECTED, "「{column}」不是日期；请写成 2016-07-31、2016.7.31、20160731 或 2016年7月31日。"
    ),
    "date_in_future": Rule(REJECTED, "「{column}」在今天之后；请核对。"),
    "birth_date_differs": Rule(WARNED, "「{column}」与身份证号第 7 至 14 位不一致；已按「{column}」登记，请核对原件。"),
    "birth_date_from_number": Rule(WARNED, "「{column}」为空，已按身份证号第 7 至 14 位登记；请核对。"),
    # citizen numbers
    "digits_lost": Rule(
        REJECTED,
        "「{column}」的末几位已在 Excel 中丢失（被当作数字保存）；请把这一列设为“文本”格式，对照原件重新录入完整号码。",
    ),
    "number_malformed": Rule(REJECTED, "「{column}」应为 17 位数字加 1 位数字或 X；请对照原件重新录入，没有则留空。"),
    "number_of_15_digits": Rule(REJECTED, "「{column}」是 15 位旧号码，2013 年起停用；请录入 18 位现号码。"),
    "number_province_unknown": Rule(REJECTED, "「{column}」前两位不是省级代码；请对照原件重新录入。"),
    "number_date_wrong": Rule(REJECTED, "「{column}」第 7 至 14 位不是真实的出生日期；请对照原件重新录入。"),
    "number_check_wrong": Rule(REJECTED, "「{column}」校验码不符，某一位录错了；请对照原件重新录入。"),
    "number_ends_in_zeros": Rule(WARNED, "「{column}」以 000 结尾，可能在 Excel 中丢过末几位；请对照原件核对。"),
    "number_repeated": Rule(WARNED, "「{column}」与本文件前面某一行相同；请核对是否为同一儿童。"),
    "sex_differs": Rule(WARNED, "「{column}」与身份证号第 17 位不一致；已按「{column}」登记，请核对原件。"),
    # phones
    "phone_unreadable": Rule(REJECTED, "「{column}」不是电话号码；请填 11 位手机号或带区号的座机号。"),
    # places
    "place_unknown": Rule(
        REJECTED, "「{column}」不在您的管辖范围内，或区划名录中没有；请按名录填写县、乡镇、村的名称或 12 位代码。"
    ),
    "place_ambiguous": Rule(REJECTED, "「{column}」有几个同名的村；请补上乡镇和县，或填 12 位代码。"),
    "hukou_unknown": Rule(REJECTED, "「{column}」找不到对应的区划；请填写户籍所在县的 6 位区划代码。"),
    "hukou_assumed": Rule(WARNED, "「{column}」为空，已按现居住的县登记；请核对。"),
    # families
    "parents_unreadable": Rule(
        REJECTED, "「{column}」看不懂；请写明父、母各在何处，例如“父外出、母在家”“双方外出”“父去世、母外出”。"
    ),
    "parents_not_told": Rule(WARNED, "「{column}」为空，父母去向按“不详”登记；请走访后补充。"),
    "incapable_parent_missing": Rule(REJECTED, "「{column}」没有写明是父还是母；请填“父”或“母”。"),
    "situations_contradict": Rule(REJECTED, "「{column}」与“父母双方同时外出”不能都为“是”；请核对。"),
    "unattended": Rule(WARNED, "「{column}」为无人监护；导入只做登记，请立即另行报告并核查。"),
    "parent_younger_than_child": Rule(REJECTED, "「{column}」不早于儿童的出生日期；请核对。"),
    "without_entrustment": Rule(
        WARNED, "「{column}」随委托照护一起登记；“有无委托监护人”未填“有”，本次没有导入；请核对。"
    ),
    # the child's file
    "registration_contradicts": Rule(REJECTED, "「{column}」为“否”，却填了身份证号；请核对。"),
    "school_state_unknown": Rule(
        WARNED, "「{column}」看不出就学阶段（如“三年级”“初一”“幼儿园”），就学情况本次没有导入；请补录。"
    ),
    "health_incomplete": Rule(WARNED, "「{column}」为残疾或患病，但没有写明是哪一种，健康情况本次没有导入；请补录。"),
    "health_contradicts": Rule(REJECTED, "「{column}」为健康，却填了残疾或患病；请核对。"),
    "not_of_your_role": Rule(WARNED, "「{column}」须由村儿童主任或县级民政登记，本次没有导入；请转交登记。"),
    # households
    "persons_differ": Rule(WARNED, "「{column}」与户主加成员的人数不一致；已按写明的成员登记，请核对。"),
    "relation_assumed": Rule(
        WARNED, "「{column}」中有人没有写明与户主的关系，如“测甲一（孙子）”；已按“其他亲属”登记，请核对。"
    ),
    # postings
    "named_not_identified": Rule(WARNED, "「{column}」填的是姓名，本次没有导入；登记到人需填写登录账号。"),
    "posting_ends_later": Rule(WARNED, "「{column}」的结束日期还没有到，本次只登记开始；到期后请办理撤回。"),
    "posting_ends_first": Rule(REJECTED, "「{column}」的结束早于开始；请核对。"),
    # refused when it was to be committed
    "child_already_registered": Rule(REJECTED, "这一行的儿童在之前的导入中已经登记；无需再导入。"),
    "household_already_on_file": Rule(REJECTED, "这一行的家庭在之前的导入中已经建档；无需再导入。"),
    "posting_already_begun": Rule(REJECTED, "这一行的工作组在之前的导入中已经登记；无需再导入。"),
    "claim_taken": Rule(REJECTED, "该村已有在任的第一书记；请先办理前任的撤回。"),
    "household_in_other_village": Rule(REJECTED, "同一户登记在另一个村；请核对村名。"),
    "citizen_number_invalid": Rule(REJECTED, "身份证号不符合 GB 11643；请对照原件重新录入，没有则留空。"),
    "not_on_file": Rule(REJECTED, "这一行所指的档案不存在，或不在您的管辖范围内；请核对。"),
    "not_recorded": Rule(REJECTED, "这一行没有能写入；请重新上传，反复出现时请联系系统管理员。"),
    "no_role": Rule(REJECTED, "您今天没有办理这类登记的职责；请联系县级管理员。"),
    "out_of_scope": Rule(REJECTED, "这一行的村不在您今天的管辖范围内；请由当地办理。"),
    "unknown_division": Rule(REJECTED, "区划名录中没有这一行的村；请先导入新的名录。"),
}

_REFUSED: Final = Rule(REJECTED, "系统没有接受这一行；请按代码在 docs/imports.md 中查找原因。")


def rule_of(code: str) -> Rule:
    """A refusal that has no sentence of its own is told by its code."""
    return RULES.get(code, _REFUSED)


def verdict_of(findings: Iterable[Finding]) -> RowVerdict:
    verdicts = {finding.verdict for finding in findings}
    return REJECTED if REJECTED in verdicts else WARNED if WARNED in verdicts else ACCEPTED
