"""Policies of a county: a sheet that needs no code, a counting rule, and fields of its own. All are generated."""

from __future__ import annotations

from shared.contracts.counting import CountingTerms, ParentsTerm
from shared.contracts.own_fields import FieldClass, FieldKind, OwnField
from shared.contracts.risk import RiskInstrument
from shared.contracts.values import HukouKind, ParentState

SAFETY = RiskInstrument.model_validate(
    {
        "direction": "safety",
        "items": [
            {
                "code": "age",
                "label": "年龄",
                "choices": [
                    {"code": "to_5", "points": 3},
                    {"code": "to_10", "points": 5},
                    {"code": "to_15", "points": 10},
                ],
            },
            {
                "code": "home",
                "weight": 3,
                "choices": [{"code": "unsafe", "points": 0}, {"code": "safe", "points": 10}],
            },
        ],
        "bands": [
            {"at_least": 0, "at_most": 8, "level": "high", "name": "极高风险"},
            {"at_least": 9, "at_most": 20, "level": "high", "name": "高风险"},
            {"at_least": 21, "at_most": 33, "level": "medium_high", "name": "较高风险"},
            {"at_least": 34, "at_most": 38, "level": "medium", "name": "一般风险"},
            {"at_least": 39, "level": "low", "name": "低风险"},
        ],
        "vetoes": [{"item": "home", "choice": "unsafe", "level": "high"}],
        "emergencies": ["missing"],
        "months": [6],
    }
)
"""Points for safety, five grades on four levels."""

YOUNG = CountingTerms(
    max_age=5,
    parents=ParentsTerm.BOTH_AWAY,
    away=(ParentState.AWAY,),
    months_away=3,
    hukou_kinds=(HukouKind.RURAL,),
)

FIELDS = (
    OwnField(key="wifi", label="家中有无网络", kind=FieldKind.YES_NO, field_class=FieldClass.PERSONAL, required=True),
    OwnField(key="hobby", label="特长", kind=FieldKind.TEXT, field_class=FieldClass.PERSONAL),
    OwnField(key="debt", label="家庭负债（元）", kind=FieldKind.NUMBER, field_class=FieldClass.SENSITIVE),
    OwnField(key="met", label="家长会日期", kind=FieldKind.DATE, field_class=FieldClass.PERSONAL),
    OwnField(
        key="way",
        label="上学方式",
        kind=FieldKind.CHOICE,
        field_class=FieldClass.PERSONAL,
        options=("步行", "校车", "接送"),
    ),
)
