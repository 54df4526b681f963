"""The rule by which two files are suspected of being one child's: how much each likeness weighs, and from where on.

A weight is the logarithm to base 2 of how much more often the likeness is found between two files of one child than
between two children who come near each other (Fellegi and Sunter 1969), in whole bits, so that a person can add them
up. Two are set by hand, since likenesses of brothers and sisters are not independent: a given name that differs
outweighs all that one family shares, and an equal citizen number is enough whatever else is said (domain 3.0, rule 6
of the citizen number). ``bench/duplicates.py`` measures the whole on generated families.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.contracts.values import Likeness


@dataclass(frozen=True)
class Rule:
    """``threshold`` is in bits, as the weights are. A rule that was used is never changed: a new one has a version."""

    version: str
    threshold: int
    weights: Mapping[Likeness, int]


RULE: Final = Rule(
    version="likeness@1",
    threshold=15,
    weights={
        Likeness.NUMBER_EQUAL: 64,
        Likeness.NUMBER_NEARLY_EQUAL: 4,
        Likeness.NUMBER_OTHER_SERIAL: -3,
        Likeness.NUMBER_DIFFERS: -8,
        Likeness.NAME_EQUAL: 10,
        Likeness.NAME_VARIANT: 9,
        Likeness.NAME_SOUND: 8,
        Likeness.NAME_NEAR_SOUND: 5,
        Likeness.NAME_NICKNAME: 2,
        Likeness.NAME_PART: 6,
        Likeness.SURNAME_DIFFERS: 0,
        Likeness.GIVEN_NAME_DIFFERS: -18,
        Likeness.NAME_DIFFERS: -22,
        Likeness.BIRTH_DATE_EQUAL: 9,
        Likeness.BIRTH_DATE_SWAPPED: 8,
        Likeness.BIRTH_DATE_ONE_DIGIT: 4,
        Likeness.BIRTH_MONTH_EQUAL: 3,
        Likeness.BIRTH_DATE_DIFFERS: -7,
        Likeness.SEX_EQUAL: 1,
        Likeness.SEX_DIFFERS: -5,
        Likeness.VILLAGE_EQUAL: 4,
        Likeness.TOWNSHIP_EQUAL: 2,
        Likeness.PLACE_DIFFERS: -2,
        Likeness.FATHER_EQUAL: 4,
        Likeness.FATHER_DIFFERS: -4,
        Likeness.MOTHER_EQUAL: 4,
        Likeness.MOTHER_DIFFERS: -4,
        Likeness.HEAD_EQUAL: 3,
        Likeness.HEAD_DIFFERS: -1,
        Likeness.PHONE_EQUAL: 3,
        Likeness.SAME_HOUSEHOLD: -4,
    },
)
