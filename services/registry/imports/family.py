"""How ledgers tell of a family: where each parent is, and who cares for the child."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from services.registry.imports.wording import parts, tight
from shared.contracts.values import CareKind, ParentState, Relation

RELATIONS: Final = {
    CareKind.PARENT: ("父亲", "母亲", "父", "母", "父母", "爸爸", "妈妈", "父子", "父女", "母子", "母女"),
    CareKind.GRANDPARENT: (
        *("祖父", "祖母", "祖父母", "外祖父", "外祖母", "外祖父母", "爷爷", "奶奶", "外公", "外婆", "姥姥", "姥爷"),
        *("爷爷奶奶", "外公外婆", "祖孙", "爷孙", "婆孙", "曾祖父", "曾祖母"),
    ),
    CareKind.OTHER_RELATIVE: (
        *("伯父", "伯母", "叔叔", "叔父", "婶婶", "姑姑", "姑妈", "姑父", "舅舅", "舅妈", "姨妈", "姨父", "小姨"),
        *(
            "伯伯",
            "大伯",
            "叔侄",
            "姑侄",
            "舅甥",
            "哥哥",
            "姐姐",
            "兄",
            "姐",
            "亲戚",
            "亲属",
            "其他亲属",
            "继父",
            "继母",
        ),
    ),
    CareKind.FRIEND_NEIGHBOUR: ("邻居", "朋友", "父母朋友", "邻里", "村干部", "非亲属"),
    CareKind.BOARDING_SCHOOL: ("学校", "寄宿学校", "老师", "教师"),
    CareKind.INSTITUTION: ("福利院", "儿童福利院", "福利机构", "机构"),
    CareKind.NOBODY: ("无人", "无人监护", "无人照料", "自己", "独居"),
}
CARE_BY_RELATION: Final = {word: kind for kind, words in RELATIONS.items() for word in words}


def _to_child(kind: CareKind, word: str) -> Relation:
    match kind:
        case CareKind.PARENT:
            return Relation.MOTHER if word[0] in "母妈" else Relation.FATHER
        case CareKind.GRANDPARENT:
            return Relation.MATERNAL_GRANDPARENT if word[0] in "外姥" else Relation.PATERNAL_GRANDPARENT
        case CareKind.OTHER_RELATIVE if word[0] in "哥姐兄":
            return Relation.SIBLING
        case CareKind.OTHER_RELATIVE if "亲" in word or word[0] == "继":
            return Relation.OTHER_RELATIVE
        case CareKind.OTHER_RELATIVE:
            return Relation.UNCLE_OR_AUNT
        case _:
            return Relation.NON_RELATIVE


RELATION_TO_CHILD: Final = {word: _to_child(kind, word) for word, kind in CARE_BY_RELATION.items()}

AWAY: Final = r"外出|务工|打工|在外|省外|外地|县外"
_STATES: Final = (
    (ParentState.DEAD, re.compile(r"去世|死亡|已故|亡故|病故|身亡|[父母双]亡")),
    (ParentState.LOST_CONTACT, re.compile(r"失联|失踪|下落不明|离家出走|音讯")),
    (ParentState.INCAPABLE, re.compile(r"无监护能力|服刑|坐牢|重病|重残|残疾|精神|戒毒|瘫痪")),
    (ParentState.HOME, re.compile(r"未外出|不外出|在家|本地|在村|留守家")),
    (ParentState.AWAY, re.compile(AWAY)),
    (ParentState.UNKNOWN, re.compile(r"不详|未知|不清楚|不明")),
)
_BOTH: Final = re.compile(r"双方|双双|父母|均|(?<!成)都")
_FATHER: Final = re.compile(r"父|爸")
_MOTHER: Final = re.compile(r"母|妈")


class Parents(NamedTuple):
    father: ParentState
    mother: ParentState


def parents_of(text: str) -> Parents | None:
    """``父外出、母在家``, ``双方外出``, ``父去世/母外出``; None where it does not say both of them.

    A part without a state goes with the next that has one: in ``父、母外出`` both are away.
    """
    found: dict[str, ParentState] = {}
    waiting: list[str] = []
    for part in _phrases(text):
        waiting += _who(part)
        state = _state(part)
        if state is None:
            continue
        for who in waiting or (("father", "mother") if not found else ()):
            found.setdefault(who, state)
        waiting = []
    if waiting or found.keys() != {"father", "mother"}:
        return None
    return Parents(found["father"], found["mother"])


def _phrases(text: str) -> Sequence[str]:
    """Parts, and within a part what is said of the father and of the mother: 父外出母在家 is two phrases."""
    phrases: list[str] = []
    for part in parts(text):
        one = tight(part)
        phrases += [one] if _BOTH.search(one) else re.split(r"(?<!^)(?=[父母爸妈])", one)
    return phrases


def _who(part: str) -> list[str]:
    if _BOTH.search(part):
        return ["father", "mother"]
    return [who for who, word in (("father", _FATHER), ("mother", _MOTHER)) if word.search(part)]


def _state(part: str) -> ParentState | None:
    return next((state for state, words in _STATES if words.search(part)), None)
