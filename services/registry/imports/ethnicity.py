"""The peoples of GB/T 3304, by how they are written in a ledger."""

from __future__ import annotations

from typing import Final

_IN_ORDER: Final = (
    "汉", "蒙古", "回", "藏", "维吾尔", "苗", "彝", "壮", "布依", "朝鲜", "满", "侗", "瑶", "白", "土家", "哈尼",
    "哈萨克", "傣", "黎", "傈僳", "佤", "畲", "高山", "拉祜", "水", "东乡", "纳西", "景颇", "柯尔克孜", "土",
    "达斡尔", "仫佬", "羌", "布朗", "撒拉", "毛南", "仡佬", "锡伯", "阿昌", "普米", "塔吉克", "怒", "乌孜别克",
    "俄罗斯", "鄂温克", "德昂", "保安", "裕固", "京", "塔塔尔", "独龙", "鄂伦春", "赫哲", "门巴", "珞巴", "基诺",
)  # fmt: skip
_NOT_AMONG_THEM: Final = ("其他", "穿青人", "未识别民族", "未定族称")
_FOREIGN: Final = ("外国血统", "外国血统中国籍人士")

ETHNICITIES: Final = {
    **{name + ending: f"{n:02}" for n, name in enumerate(_IN_ORDER, 1) for ending in ("", "族")},
    **dict.fromkeys(_NOT_AMONG_THEM, "97"),
    **dict.fromkeys(_FOREIGN, "98"),
}
