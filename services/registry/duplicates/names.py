"""Names as they are compared: spelling levelled, variant characters folded, read aloud, worn by a dialect (domain 3.0).

A character is read for itself here, not by its neighbours as where names are searched: a wrong neighbour must not
change how the right one sounds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Final

from pypinyin import lazy_pinyin

_LEFT_OUT: Final = re.compile(r"[\s·•‧∙⋅・･.。．]+")
"""Spaces, and the dots that stand between the parts of a minority name."""

_SYLLABLES: Final = re.compile(r"[a-z]+|.", re.DOTALL)
"""A run of Latin letters is one syllable: what somebody typed who did not find the character."""

_VARIANTS: Final = (
    # one character in two forms: traditional, or a variant that older registers hold
    "刘劉 陈陳 张張 杨楊 赵趙 吴吳 郑鄭 冯馮 韩韓 许許 吕呂 孙孫 罗羅 苏蘇 叶葉 万萬 谢謝 龙龍 贺賀 顾顧 邹鄒 钱錢 "
    "汤湯 黄黃 国國 华華 丽麗 兰蘭 凤鳳 云雲 军軍 伟偉 强強 兴興 荣榮 贵貴 庆慶 晓曉 莹瑩 静靜 红紅 梦夢 艳豔艷 "
    "宝寶 学學 义義 书書 峰峯 坤堃 哲喆 升昇陞 钟鍾锺鐘 村邨 浚濬 佩珮 佑祐 辉煇暉晖 灿燦 泽澤 涛濤 润潤 乐樂 杰傑 "
    "群羣 岩巖嵒 昆崑 彦彥 温溫 启啟啓 "
    # two characters that are easily taken for each other and sound unlike
    "末未 己已巳 治冶 姝妹 栗粟 汪江 夭天 晴睛 甲申 由田 土士 戌戍戊 毫亳 见贝 枚玫 玥钥 昊旻 茜西 洋样 烨桦"
)
FOLDED: Final = {variant: group[0] for group in _VARIANTS.split() for variant in group[1:]}
"""What stands for a variant: the first of its group."""

_COMPOUND_SURNAMES: Final = frozenset(
    re.findall("..", "欧阳上官司马诸葛夏侯皇甫尉迟公孙慕容令狐东方司徒长孙宇文端木申屠轩辕南宫西门独孤")
)

_WORN: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("hu", "fu"))
"""Beginnings that Southwestern Mandarin does not tell apart; ``hu`` stands for itself alone."""

_BEFORE_A_NICKNAME: Final = frozenset("小阿老幺大")
_AFTER_A_NICKNAME: Final = frozenset("儿娃子妹仔")


def comparable(name: str) -> str:
    """NFKC, small letters, without spaces and dots; the same again when it is levelled twice."""
    while (levelled := _levelled(name)) != name:
        name = levelled
    return name


def _levelled(name: str) -> str:
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", name).lower())


class Spoken:
    """A name in the forms it is compared by, each made when it is first asked for."""

    def __init__(self, name: str) -> None:
        self.text = comparable(name)

    @cached_property
    def folded(self) -> str:
        return "".join(FOLDED.get(character, character) for character in self.text)

    @cached_property
    def sound(self) -> str:
        return " ".join(_sounds(self.text))

    @cached_property
    def worn(self) -> str:
        """What is left of the sound where variants are one and the dialect tells nothing apart: for keys."""
        return " ".join(_worn(syllable) for syllable in _sounds(self.folded))

    @cached_property
    def surname(self) -> Spoken:
        return Spoken(self.text[: self._cut])

    @cached_property
    def given(self) -> Spoken:
        return Spoken(self.text[self._cut :])

    @property
    def _cut(self) -> int:
        return 2 if self.text[:2] in _COMPOUND_SURNAMES and len(self.text) > 2 else 1

    def calls(self, other: Spoken) -> bool:
        """Whether the given name here is a nickname made of the other's: 小明, 明明, 阿明, 明娃 of 志明."""
        mine, others = self.given.text, other.given.text
        core = _core_of_nickname(mine)
        if core is None or core not in others or self.surname.sound != other.surname.sound:
            return False
        # 大明 and 小明 are brothers.
        return not (others[1:] == core and {mine[0], others[0]} <= _BEFORE_A_NICKNAME)

    def is_part_of(self, other: Spoken) -> bool:
        """Whether it is the other without its surname, or without the later part of a minority name."""
        mine, whole = self.text, other.text
        return 2 <= len(mine) < len(whole) and (
            (whole.endswith(mine) and other.given.text == mine) or (len(mine) >= 4 and whole.startswith(mine))
        )


def _core_of_nickname(given: str) -> str | None:
    if len(given) != 2:
        return None
    first, second = given[0], given[1]
    if first == second or first in _BEFORE_A_NICKNAME:
        return second
    return first if second in _AFTER_A_NICKNAME else None


def _sounds(text: str) -> Iterator[str]:
    for part in _SYLLABLES.findall(text):
        yield part if part.isascii() else _sound(part)


@lru_cache(maxsize=32_768)
def _sound(character: str) -> str:
    """Of one character: a cache of whole names would keep those of the erased. The dictionary's phrases say nothing of
    it, so that a process may be started without them (PYPINYIN_NO_PHRASES)."""
    return lazy_pinyin(character)[0]


def _worn(syllable: str) -> str:
    for told, worn in _WORN:
        if syllable.startswith(told) and (told != "hu" or syllable == told):
            syllable = worn + syllable[len(told) :]
    return syllable.removesuffix("g") if syllable.endswith(("eng", "ing")) else syllable
