"""The texts of the special notice on children's data, in Chinese, each with the day from which it is given.

Data: a text that was given once is not changed, a better one is a new version. The content is what PIPL art. 17, 28, 31
and the provisions on the network protection of children's personal data (art. 8 to 10) ask for; the words are ours, and
the authority should have them read by counsel before use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.contracts.consent import Basis, ConsentPurpose


@dataclass(frozen=True)
class Section:
    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class NoticedPurpose:
    """One purpose, with what it may rest on and what the notice says of it."""

    purpose: ConsentPurpose
    bases: frozenset[Basis]
    title: str
    text: str


@dataclass(frozen=True)
class NoticeText:
    """``starts`` is the first day it may be given."""

    version: str
    starts: date
    title: str
    sections: tuple[Section, ...]
    purposes: tuple[NoticedPurpose, ...]

    def bases(self, purpose: ConsentPurpose) -> frozenset[Basis]:
        """On what the purpose may rest by this text; on nothing where it does not name the purpose."""
        return next((one.bases for one in self.purposes if one.purpose is purpose), frozenset())


_CONSENT: Final = frozenset({Basis.CONSENT})
_EITHER: Final = frozenset({Basis.CONSENT, Basis.LEGAL_TASK})

_CHILD_2026_1: Final = NoticeText(
    version="CHILD-2026-1",
    starts=date(2026, 1, 1),
    title="儿童个人信息处理专门告知书",
    sections=(
        Section(
            "一、为什么告诉您",
            (
                "您的孩子（或您监护的孩子）将被登记在农村留守儿童关爱档案中。未满十四周岁孩子的个人信息都属于敏感个人信息，"
                "法律要求我们在登记之前，用您看得懂的话说清楚用途和您的权利。",
            ),
        ),
        Section(
            "二、谁来处理",
            (
                "由在本告知书上盖章的县（市、区）民政部门负责，乡镇（街道）儿童督导员、村（居）儿童主任和驻村工作队按各自职责办理。"
                "名称、地址和电话以盖章处填写的为准。",
            ),
        ),
        Section(
            "三、登记什么、为什么",
            (
                "登记孩子的姓名、性别、民族、出生日期、公民身份号码、户籍地和居住地，父母的去向和联系方式，由谁照护，就学、健康、"
                "家庭困难和享受救助的情况，以及走访中了解到的生活、学习和心理情况。",
                "登记是为了掌握孩子的处境、安排走访和帮扶、及时发现危险。村（居）民委员会建立留守未成年人档案是法律规定的职责，"
                "这一部分不以您的同意为前提；少填一项不影响孩子得到关爱和救助。",
            ),
        ),
        Section(
            "四、对孩子有什么影响、怎样保护",
            (
                "信息一旦泄露，可能使孩子被打扰、被歧视甚至受到侵害。为此，姓名、号码、电话、住址和文字记录均加密保存，"
                "每个孩子一把密钥；只有履行职责的人在其辖区、任期内才能打开，每次打开都要写明用途并留下记录；"
                "数据保存在中国境内，不出境。",
            ),
        ),
        Section(
            "五、保存多久",
            (
                "孩子符合登记条件期间一直保存；档案关闭后保存三年，期满经核准销毁密钥，此后任何人都无法再读出。"
                "照片最多保存一年，到期自动删除。打开档案的记录保存六年。",
            ),
        ),
        Section(
            "六、您和孩子的权利",
            (
                "您可以查看、复制孩子的全部信息，要求更正、补充或者删除；对下面每一项用途，可以同意，也可以不同意，"
                "同意之后随时可以撤回，撤回前已经做的事情仍然有效。不同意或者撤回，不影响登记，也不影响依法应得的关爱、救助和保护。",
                "未满十四周岁的，由父亲、母亲或者其他监护人决定；孩子自己说“不”，我们同样尊重。"
                "受委托照护人、志愿者不能代为同意。",
            ),
        ),
        Section(
            "七、向谁投诉",
            (
                "可以向盖章的民政部门个人信息保护负责人提出，也可以向当地网信部门投诉、举报。遇到孩子受到侵害或者面临危险，"
                "请立即拨打110。",
            ),
        ),
    ),
    purposes=(
        NoticedPurpose(
            ConsentPurpose.PAIRING_WITH_VOLUNTEER,
            _CONSENT,
            "与志愿者结对",
            "由经过审核的志愿者、爱心妈妈等与孩子结对。志愿者只知道孩子的名字、年龄、需要和见面地点；您同意后才知道照护人的电话。",
        ),
        NoticedPurpose(
            ConsentPurpose.PHOTO,
            _CONSENT,
            "拍照存档",
            "拍摄孩子的照片放入档案，用于辨认。照片中的位置信息会被去除，最多保存一年；撤回同意，照片随即删除。",
        ),
        NoticedPurpose(
            ConsentPurpose.PUBLICATION,
            _CONSENT,
            "对外宣传",
            "在简报、网络或者媒体上使用孩子的故事、声音或者照片。没有这一项同意，任何材料中都不出现孩子的姓名、面貌、住址和学校。",
        ),
        NoticedPurpose(
            ConsentPurpose.PSYCHOLOGICAL_SUPPORT,
            _EITHER,
            "心理辅导",
            "由专业人员为孩子提供心理辅导并记录要点。紧急情况下为保护孩子的生命健康，可以先行辅导，随后告知您。",
        ),
        NoticedPurpose(
            ConsentPurpose.TRANSFER_TO_BODY,
            _EITHER,
            "转交有关部门",
            "把办理一件事所必需的信息交给教育、公安、卫生健康、残联等部门。法律规定必须报告或者移送的，按法律办理并告知您。",
        ),
    ),
)

NOTICES: Final[Mapping[str, NoticeText]] = {text.version: text for text in (_CHILD_2026_1,)}
"""By version; each is kept for ever, since consents name it."""


def notice_on(day: date) -> NoticeText | None:
    """The text to be given on a day: the latest that has begun."""
    begun = [text for text in NOTICES.values() if text.starts <= day]
    return max(begun, key=lambda text: text.starts, default=None)
