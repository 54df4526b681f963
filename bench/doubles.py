"""Generated children among whom some have two files, each with a slip of its own; nobody of them exists.

Among the innocent are twins (everything the same but the given name), brothers and sisters, and neighbours of one name
with nearly one birth date. Villages, surnames and given names are as unevenly spread as they are in a county.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate
from typing import Final

from services.registry.domain.citizen_number import check_character
from services.registry.duplicates.comparison import Particulars
from shared.contracts.values import Sex

CHILDREN: Final = 10_000
PAIRS: Final = 500

_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
)
_GIVEN: Final = (
    "欣怡子涵梓萱浩宇轩雨泽佳诗琪梦思俊杰嘉豪博文明志强小伟丽娜静敏芳艳军勇磊洋婷玲霞秀兰英华慧巧美红云莲真环雪荣爱妹香月莺媛"
    "瑞凡晴岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽羽希宁飘育滢馥筠柔竹霭凝晓欢枫芸菲寒伊亚宜可姬舒影荔枝阳妮宝贝初程"
)
_SOUND_ALIKE: Final = (
    "欣新心鑫馨 怡依仪伊宜 子紫梓 涵晗寒 萱轩宣 浩昊皓 宇雨羽玉语 泽则 佳嘉家加 诗施 琪棋其奇 梦孟 思斯丝 俊军君钧 "
    "杰洁捷节 豪毫 博伯波 文雯闻 明铭鸣名 志智致治 强蔷 伟玮炜维 丽莉利 娜那 静婧靖敬 敏闽 芳方 艳燕雁彦 勇永咏 磊蕾垒 "
    "洋阳扬 婷亭廷 玲灵伶凌 霞侠 秀绣 兰岚蓝 英瑛莺鹰 华桦 慧惠会 美梅 红虹宏洪 云芸筠 莲连 荣蓉融 爱艾 香湘 月悦玥 "
    "瑞睿 晓小筱 欢环"
)
_HOMOPHONES: Final = {one: group.replace(one, "") for group in _SOUND_ALIKE.split() for one in group}
_LOOK_ALIKE: Final = (
    "伟偉 丽麗 军軍 强強 华華 云雲 晓曉 静靜 杰傑 张張 刘劉 陈陳 杨楊 黄黃 吴吳 罗羅 梦夢 红紅 艳豔 妹姝 晴睛 玥钥"
)
_LOOKALIKES: Final = {group[0]: group[1] for group in _LOOK_ALIKE.split()}
_MINORITY: Final = (
    ["阿依古丽", "尼加提", "吉克", "沙马", "古丽娜", "曲比", "阿卜杜拉", "热依汗", "迪丽娜尔", "木沙"],
    ["买买提", "艾合买提", "阿依", "拉且", "木呷", "阿乌", "吐尔逊", "伊力", "玉素甫", "日黑"],
)
"""The two parts of a name with a dot."""

SECOND_SLIP: Final = 0.2
"""How many of those who have two files have another slip in them beside the one they are counted under."""


@dataclass(frozen=True)
class Files:
    """``kinds`` tells for each pair of places in ``files`` that is one child's what slip was made."""

    files: tuple[Particulars, ...]
    kinds: Mapping[tuple[int, int], str]


def generate(seed: int, children: int = CHILDREN, pairs: int = PAIRS) -> Files:
    """The same files for the same seed."""
    maker = _Maker(random.Random(seed))
    innocent = maker.innocent(children)
    chosen = maker.chance.sample(range(children), pairs)
    files, kinds = list(innocent), {}
    for number, place in enumerate(chosen):
        kind = list(_SLIPS)[number % len(_SLIPS)]
        files[place], second = maker.twice(innocent[place], kind)
        kinds[place, len(files)] = kind
        files.append(second)
    return Files(tuple(files), kinds)


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self._households = 0
        self._issued: set[str] = set()
        self._places = [
            ("52", "5299", f"5299{county:02d}", f"5299{county:02d}{township:03d}", f"5299{county:02d}{township:03d}{v}")
            for county in (1, 2, 3)
            for township in range(100, 106)
            for v in range(201, 206)
        ]
        self._clans = {place: chance.choice(_SURNAMES) for place in self._places}
        self._surnames = list(accumulate(1 / (rank + 3) for rank in range(len(_SURNAMES))))
        self._given = list(accumulate(1 / (rank + 10) for rank in range(len(_GIVEN))))

    def innocent(self, count: int) -> list[Particulars]:
        children: list[Particulars] = []
        while len(children) < count:
            children += self._family()
            if self.chance.random() < 0.04:
                children.append(self._namesake(children[-1]))
        return children[:count]

    def _family(self) -> list[Particulars]:
        place = self.chance.choice(self._places)
        minority = self.chance.random() < 0.04
        surname = self._clans[place] if self.chance.random() < 0.35 else self.surname()
        base = Particulars(
            name="",
            place=place,
            father=surname + self.given() if self.chance.random() < 0.75 else None,
            mother=self.surname() + self.given() if self.chance.random() < 0.75 else None,
            head=surname + self.given(),
            phones=frozenset({self.phone()}) if self.chance.random() < 0.8 else frozenset(),
            household=self.household(),
        )
        twins = self.chance.random() < 0.03
        births = [self._born()] * 2 if twins else [self._born() for _ in range(self.chance.choice((1, 1, 1, 2, 2, 3)))]
        shared = self.given()[0] if self.chance.random() < 0.4 else ""
        counties = (place[2], f"5299{self.chance.randrange(4, 40):02d}")
        issued = self.chance.choices(counties, (85, 15))[0]
        children = [self._child(base, born, surname, shared, minority, issued) for born in births]
        return list({child.name: child for child in children}.values())

    def _child(
        self, base: Particulars, born: date, surname: str, shared: str, minority: bool, issued: str
    ) -> Particulars:
        sex = self.chance.choice((Sex.MALE, Sex.FEMALE))
        name = self.minority_name() if minority else surname + shared + self.given()[: 1 if shared else 2]
        number = self.number(born, sex, issued) if self.chance.random() < 0.85 else None
        return replace(base, name=name, born=born, sex=sex, number=number)

    def _namesake(self, child: Particulars) -> Particulars:
        """A neighbour of the same name, born within the same two years, of other parents."""
        other = self._family()[0]
        assert child.born is not None
        born = child.born + timedelta(days=self.chance.choice((-1, 1)) * self.chance.randrange(1, 700))
        number = other.number and self.number(born, child.sex, other.place[2])
        return replace(other, name=child.name, sex=child.sex, born=born, place=child.place, number=number)

    def twice(self, child: Particulars, kind: str) -> tuple[Particulars, Particulars]:
        """The two files of one child, opened by two people: what each of them left out, and one slip of a kind."""
        first = child
        second = replace(child, household=self.household())
        if self.chance.random() < 0.25:
            second = replace(second, number=None)
        if self.chance.random() < 0.2:
            second = replace(second, father=None, mother=None)
        if self.chance.random() < 0.4:
            second = replace(second, head=self.surname() + self.given())
        if self.chance.random() < 0.4:
            second = replace(second, phones=frozenset({self.phone()}))
        if self.chance.random() < SECOND_SLIP:
            first, second = self.chance.choice(_FURTHER)(self, first, second)
        return _SLIPS[kind](self, first, second)

    def given(self) -> str:
        characters = self.chance.choices(_GIVEN, cum_weights=self._given, k=2)
        return "".join(characters) if self.chance.random() < 0.9 else characters[0]

    def minority_name(self) -> str:
        return "·".join(self.chance.choice(parts) for parts in _MINORITY)

    def surname(self) -> str:
        return self.chance.choices(_SURNAMES, cum_weights=self._surnames)[0]

    def phone(self) -> str:
        return f"199{self.chance.randrange(10**8):08d}"

    def household(self) -> str:
        self._households += 1
        return f"household-{self._households}"

    def number(self, born: date, sex: Sex, county: str) -> str:
        """One that nobody has yet."""
        while True:
            serial = f"{self.chance.randrange(100):02d}{self.chance.randrange(int(sex) % 2, 10, 2)}"
            if (number := _with_check(f"{county}{born:%Y%m%d}{serial}")) not in self._issued:
                self._issued.add(number)
                return number

    def _born(self) -> date:
        return date(2011, 1, 1) + timedelta(days=self.chance.randrange(15 * 365))

    def other_place(self, place: tuple[str, ...]) -> tuple[str, ...]:
        near = [one for one in self._places if one != place and one[2] == place[2]]
        return self.chance.choice(near if self.chance.random() < 0.7 else self._places)


def _with_check(digits: str) -> str:
    return digits + check_character(digits)


Two = tuple[Particulars, Particulars]


def _homophone(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    name = list(second.name)
    places = [i for i, character in enumerate(name) if i and character in _HOMOPHONES]
    if not places:  # a name without one gets one
        first = replace(first, name=first.name[:1] + "欣怡")
        name, places = list(first.name), [1, 2]
    place = maker.chance.choice(places)
    name[place] = maker.chance.choice(_HOMOPHONES[name[place]])
    return first, replace(second, name="".join(name))


def _swapped(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    assert first.born is not None
    day = maker.chance.choice([day for day in range(1, 13) if day != first.born.month])
    born = first.born.replace(day=day)
    number = first.number and maker.number(born, first.sex, first.number[:6])
    typed = born.replace(month=born.day, day=born.month)
    return replace(first, born=born, number=number), replace(second, born=typed, number=second.number and number)


def _wrong_digit(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    """The check character was made to fit: a number that does not fit is refused at the door."""
    assert first.born is not None
    number = first.number or maker.number(first.born, first.sex, first.place[2])
    place = maker.chance.choice((*range(6), 14, 15, 16))
    digit = maker.chance.choice([d for d in "0123456789" if d != number[place]])
    wrong = _with_check(number[:place] + digit + number[place + 1 : 17])
    return replace(first, number=number), replace(second, number=wrong)


def _no_number(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    return first, replace(second, number=None)


def _moved(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    return first, replace(
        second,
        place=maker.other_place(first.place),
        head=maker.surname() + maker.given(),
        phones=second.phones if maker.chance.random() < 0.5 else frozenset({maker.phone()}),
    )


def _spelled(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    """Without the middle dot, with another dot, or with a variant character."""
    if "·" in first.name:
        return first, replace(second, name=first.name.replace("·", maker.chance.choice(("", "•", "．", " "))))
    places = [i for i, character in enumerate(first.name) if character in _LOOKALIKES]
    if not places:
        first = replace(first, name=maker.minority_name())
        return first, replace(second, name=first.name.replace("·", maker.chance.choice(("", "•", ". "))))
    place = maker.chance.choice(places)
    name = first.name[:place] + _LOOKALIKES[first.name[place]] + first.name[place + 1 :]
    return first, replace(second, name=name)


def _nickname(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    """One in four has nothing of the name in it."""
    surname, last = first.name[0], first.name[-1]
    forms = (f"{surname}{last}{last}", f"{surname}小{last}", f"{surname}阿{last}", f"{surname}{last}娃")
    if maker.chance.random() < 0.25:
        forms = (f"{surname}狗娃", f"{surname}石头", f"{surname}毛毛", f"{surname}幺妹")
    return first, replace(second, name=maker.chance.choice([form for form in forms if form != first.name]))


def _partly_parents(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    """One file knows the father alone, the other the mother alone, or neither."""
    father = first.father if maker.chance.random() < 0.7 else None
    return replace(first, father=father, mother=None), replace(second, father=None)


def _wrong_sex(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    return first, replace(second, sex=Sex.MALE if first.sex is Sex.FEMALE else Sex.FEMALE)


def _another_day(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    """Remembered by the month: another day of it."""
    assert second.born is not None
    return first, replace(second, born=second.born.replace(day=maker.chance.randrange(1, 29)), number=None)


def _father_by_ear(maker: _Maker, first: Particulars, second: Particulars) -> Two:
    return first, replace(second, father=second.father and second.father[:1] + maker.given())


_SLIPS: Final[Mapping[str, Callable[[_Maker, Particulars, Particulars], Two]]] = {
    "homophone": _homophone,
    "day and month swapped": _swapped,
    "digit of the number": _wrong_digit,
    "number missing": _no_number,
    "moved": _moved,
    "dot or variant": _spelled,
    "nickname": _nickname,
    "parents in part": _partly_parents,
}


_FURTHER: Final = (_homophone, _no_number, _moved, _wrong_sex, _another_day, _father_by_ear)


def kinds() -> Sequence[str]:
    return list(_SLIPS)
