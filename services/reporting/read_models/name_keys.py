"""What a name is found by: itself, its pinyin, and the initials of that."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT


def name_keys(name: str) -> dict[str, str]:
    """What a name is found by: itself without spaces (NFKC), its pinyin, and the initials of that."""
    key = unicodedata.normalize("NFKC", name).replace(" ", "")
    syllables = _syllables(key)
    return {
        "name_key": key,
        "pinyin": "".join(syllables).lower(),
        "initials": "".join(syllable[:1] for syllable in syllables).lower(),
    }


def _syllables(name: str) -> list[str]:
    """As ``lazy_pinyin`` gives them, which takes half the time of a registration's fold when it is asked every time.

    How a character is read depends on its neighbours only within a phrase of the dictionary.
    """
    parts = {name[start:end] for start in range(len(name)) for end in range(start + 2, len(name) + 1)}
    if all(ord(character) in PINYIN_DICT for character in name) and PHRASES_DICT.keys().isdisjoint(parts):
        return [_syllable(character) for character in name]
    return lazy_pinyin(name, style=Style.NORMAL)


@lru_cache(maxsize=32_768)
def _syllable(character: str) -> str:
    return lazy_pinyin(character, style=Style.NORMAL)[0]
