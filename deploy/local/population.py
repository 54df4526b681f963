"""A generated population for the demo and the bench: families in real villages, nobody of whom exists.

Of the children the rule BRIEF-0-14 counts, exactly the wanted number live in villages with a posting. Beside them live
children who must not count: aged 15, with a parent at home, or with a file that was closed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from services.registry.domain.citizen_number import check_character
from shared.eventlog.placement import derived_id

_SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎"
_GIVEN: Final = (
    "安宝晨初春丹朵恩方芳飞丰刚歌谷光广海涵航禾和弘虹花华欢辉慧佳嘉坚健江杰洁今锦晶景静军开康可兰乐丽林灵玲龙"
)
_OTHERS_PER_HUNDRED: Final = 9
"""Children who must not count, for each hundred who do."""


@dataclass(frozen=True)
class Plan:
    """How many children the rule counts, and how many of them live in villages with a posting."""

    counted: int
    in_posted: int
    seed: int = 5203


DEMO: Final = Plan(15_400, 8_515)
CITY: Final = Plan(154_000, 85_149)


@dataclass(frozen=True)
class Family:
    """One household: the bodies of the commands that register its children, and the children whose file is closed."""

    village: str
    household: str
    children: tuple[dict[str, Any], ...]
    closed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Population:
    families: tuple[Family, ...]
    posted_villages: tuple[str, ...]
    counted_by_village: dict[str, int]

    @property
    def children(self) -> int:
        return sum(len(family.children) for family in self.families)


def populate(plan: Plan, villages: Sequence[str], today: date) -> Population:
    """The same population for the same plan, villages and day."""
    chance = random.Random(plan.seed)
    shuffled = list(villages)
    chance.shuffle(shuffled)
    split = max(1, round(len(shuffled) * plan.in_posted / plan.counted))
    posted, unposted = shuffled[:split], shuffled[split:]
    maker = _Maker(chance, today, plan.seed)
    families = [
        *maker.counted(plan.in_posted, posted),
        *maker.counted(plan.counted - plan.in_posted, unposted),
    ]
    counted: dict[str, int] = {}
    for family in families:
        counted[family.village] = counted.get(family.village, 0) + len(family.children)
    families += maker.others(plan.counted * _OTHERS_PER_HUNDRED // 100, shuffled)
    chance.shuffle(families)
    return Population(tuple(families), tuple(sorted(posted)), counted)


class _Maker:
    """Makes families; every id and number follows from the seed and a running number."""

    def __init__(self, chance: random.Random, today: date, seed: int) -> None:
        self._chance = chance
        self._today = today
        self._seed = seed
        self._made = 0

    def counted(self, children: int, villages: Sequence[str]) -> Iterator[Family]:
        while children:
            size = min(children, self._chance.choice((1, 1, 1, 2, 2, 3)))
            children -= size
            yield self._family(self._chance.choice(villages), [self._born(0, 14) for _ in range(size)])

    def others(self, children: int, villages: Sequence[str]) -> Iterator[Family]:
        for number in range(children):
            village = self._chance.choice(villages)
            match number % 3:
                case 0:
                    yield self._family(village, [self._born(15, 16)])
                case 1:
                    yield self._family(village, [self._born(0, 14)], mother="home", care="parent")
                case _:
                    family = self._family(village, [self._born(0, 14)])
                    closed = tuple(child["child"] for child in family.children)
                    yield Family(family.village, family.household, family.children, closed)

    def _born(self, youngest: int, before: int) -> date:
        """A birth date of somebody who is at least ``youngest`` and, month's end counted, not yet ``before`` years."""
        latest = self._today - timedelta(days=youngest * 365.25 + 32)
        earliest = self._today - timedelta(days=before * 365.25 - 32)
        return earliest + timedelta(days=self._chance.randrange((latest - earliest).days))

    def _family(self, village: str, births: Sequence[date], mother: str = "away", care: str = "grandparent") -> Family:
        self._made += 1
        household = derived_id(f"{self._seed}/{self._made}", "household")
        surname = self._chance.choice(_SURNAMES)
        head = surname + self._chance.choice(_GIVEN) + "爷"
        phone = f"199{self._chance.randrange(10**8):08d}"
        children = tuple(
            {
                "child": derived_id(f"{self._seed}/{self._made}/{n}", "child", beside=household),
                "household": household,
                "residence": village,
                "hukou": village[:6],
                **self._person(surname, born),
                "parents": self._parents(mother),
                "care": {"kind": care, "living_alone": False, "caregiver": head, "caregiver_phone": phone},
                "household_head": head,
                "household_phone": phone,
            }
            for n, born in enumerate(births)
        )
        return Family(village, household, children)

    def _person(self, surname: str, born: date) -> dict[str, Any]:
        sex = self._chance.choice("12")
        serial = f"{self._chance.randrange(100):02d}{self._chance.randrange(int(sex) % 2, 10, 2)}"
        digits = f"5299{self._chance.randrange(1, 100):02d}{born:%Y%m%d}{serial}"
        return {
            "name": surname + self._chance.choice(_GIVEN) + self._chance.choice(_GIVEN),
            "birth_date": born.isoformat(),
            "sex": sex,
            "citizen_number": digits + check_character(digits),
        }

    def _parents(self, mother: str) -> dict[str, Any]:
        since = (self._today - timedelta(days=self._chance.randrange(200, 1500))).isoformat()
        return {
            "father": {"state": "away", "since": since, "away_place": "广东省东莞市"},
            "mother": {"state": mother, "since": since},
        }
