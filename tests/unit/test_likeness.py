"""How two files are compared: what counts as alike, and what no order or spelling may change."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.doubles import generate
from bench.duplicates import search
from services.registry.duplicates.comparison import Particulars, compare
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.names import FOLDED, Spoken, comparable
from services.registry.duplicates.rule import RULE
from shared.contracts.values import Likeness, Sex

PLACE = ("52", "5299", "529901", "529901100", "529901100201")
CHILD = Particulars(
    name="王志明",
    born=date(2016, 3, 9),
    sex=Sex.MALE,
    place=PLACE,
    number="529901201603090019",
    father="王建国",
    mother="李秀英",
    head="王德福",
    phones=frozenset({"19912345678"}),
    household="household-1",
)
DIVISIONS = st.sampled_from([PLACE, (*PLACE[:4], "529901100202"), (*PLACE[:2], "529902", "529902100", "529902100201")])
NAMES = st.one_of(
    st.text(min_size=1, max_size=6), st.sampled_from(["王志明", "王智明", "陳小明", "陈明明", "阿依·古丽"])
)
MAYBE_NAMES = st.none() | NAMES
CHILDREN = st.builds(
    Particulars,
    name=NAMES,
    born=st.none() | st.dates(date(2010, 1, 1), date(2012, 12, 31)),
    birth_month=st.none() | st.sampled_from(["2010-01", "2011-12"]),
    sex=st.sampled_from(Sex),
    place=DIVISIONS | st.just(()),
    number=st.none() | st.sampled_from(["529901201603090019", "529901201603090035", "529902201603090011"]),
    father=MAYBE_NAMES,
    mother=MAYBE_NAMES,
    head=MAYBE_NAMES,
    phones=st.frozensets(st.sampled_from(["19900000001", "19900000002"])),
    household=st.none() | st.sampled_from(["household-1", "household-2"]),
)


def reasons(**changes: object) -> set[Likeness]:
    """What the comparison says of this child and of the same with something changed."""
    return set(compare(CHILD, replace(CHILD, **changes)).reasons)  # type: ignore[arg-type]


@settings(deadline=None)
@given(CHILDREN, CHILDREN)
def test_which_of_two_files_comes_first_changes_nothing(one: Particulars, other: Particulars) -> None:
    assert compare(one, other) == compare(other, one)


@settings(deadline=None)
@given(CHILDREN, CHILDREN)
def test_the_score_is_the_sum_of_what_the_reasons_weigh(one: Particulars, other: Particulars) -> None:
    found = compare(one, other)
    assert found.score == sum(RULE.weights[reason] for reason in found.reasons)
    assert found.alike == (found.score >= RULE.threshold)


@settings(deadline=None)
@given(st.text())
def test_a_name_that_was_levelled_stays_as_it_is(name: str) -> None:
    assert comparable(comparable(name)) == comparable(name)


@settings(deadline=None)
@given(CHILDREN, CHILDREN)
def test_an_equal_citizen_number_is_enough_whatever_else_is_said(one: Particulars, other: Particulars) -> None:
    number = "529901201603090019"
    assert compare(replace(one, number=number), replace(other, number=number)).alike


def test_every_likeness_has_its_weight() -> None:
    assert RULE.weights.keys() == set(Likeness)


@pytest.mark.parametrize(
    ("written", "likeness"),
    [
        ("王 志明", Likeness.NAME_EQUAL),
        ("王志眀", Likeness.NAME_SOUND),
        ("王智铭", Likeness.NAME_SOUND),
        ("王zhi明", Likeness.NAME_SOUND),
        ("王自敏", Likeness.NAME_NEAR_SOUND),
        ("王明明", Likeness.NAME_NICKNAME),
        ("王小明", Likeness.NAME_NICKNAME),
        ("王明娃", Likeness.NAME_NICKNAME),
        ("志明", Likeness.NAME_PART),
        ("李志明", Likeness.SURNAME_DIFFERS),
        ("王志亮", Likeness.GIVEN_NAME_DIFFERS),
        ("李秀英", Likeness.NAME_DIFFERS),
    ],
)
def test_a_name_is_compared_by_what_may_have_happened_to_it(written: str, likeness: Likeness) -> None:
    assert likeness in reasons(name=written)


@pytest.mark.parametrize("written", ["阿依古丽买买提", "阿依古丽•买买提", "阿依古丽．买买提", "阿依古丽. 买买提"])
def test_the_dot_in_a_name_and_its_form_do_not_count(written: str) -> None:
    assert (
        compare(replace(CHILD, name="阿依古丽·买买提"), replace(CHILD, name=written)).reasons[1] == Likeness.NAME_EQUAL
    )


@pytest.mark.parametrize(("written", "meant"), [("劉偉", "刘伟"), ("王姝", "王妹"), ("张钟锺", "张鍾鐘")])
def test_a_variant_character_is_the_same_character(written: str, meant: str) -> None:
    assert Spoken(written).folded == Spoken(meant).folded


def test_every_character_stands_in_one_group_of_variants() -> None:
    assert {Spoken(character).folded for character in FOLDED.values()} == set(FOLDED.values())


def test_big_and_little_brother_are_two() -> None:
    assert not Spoken("王大明").calls(Spoken("王小明"))


@pytest.mark.parametrize(
    ("told", "likeness"),
    [
        (date(2016, 3, 9), Likeness.BIRTH_DATE_EQUAL),
        (date(2016, 9, 3), Likeness.BIRTH_DATE_SWAPPED),
        (date(2018, 3, 9), Likeness.BIRTH_DATE_ONE_DIGIT),
        (date(2016, 3, 12), Likeness.BIRTH_MONTH_EQUAL),
        (date(2014, 11, 27), Likeness.BIRTH_DATE_DIFFERS),
    ],
)
def test_a_birth_date_is_compared_by_what_may_have_happened_to_it(told: date, likeness: Likeness) -> None:
    assert likeness in reasons(born=told)


def test_where_only_the_month_is_known_the_month_is_compared() -> None:
    assert Likeness.BIRTH_MONTH_EQUAL in reasons(born=None, birth_month="2016-03")
    assert Likeness.BIRTH_DATE_DIFFERS in reasons(born=None, birth_month="2016-04")
    assert not {reason for reason in reasons(born=None) if reason.startswith("birth")}


@pytest.mark.parametrize(
    ("number", "likeness"),
    [
        ("529901201603090019", Likeness.NUMBER_EQUAL),
        ("529901201603090035", Likeness.NUMBER_OTHER_SERIAL),
        ("529901201703090011", Likeness.NUMBER_NEARLY_EQUAL),
        ("529910201603090011", Likeness.NUMBER_NEARLY_EQUAL),
        ("529935201211270011", Likeness.NUMBER_DIFFERS),
    ],
)
def test_a_citizen_number_is_compared_digit_by_digit(number: str, likeness: Likeness) -> None:
    assert likeness in reasons(number=number)


@pytest.mark.parametrize("written", ["+86 199 1234 5678", "199-1234-5678", "１９９１２３４５６７８"])
def test_a_phone_is_compared_as_it_is_dialled(written: str) -> None:
    assert Likeness.PHONE_EQUAL in reasons(phones=frozenset({written, "0851-1234567"}))


def test_what_nobody_said_counts_neither_way() -> None:
    bare = Particulars(name="王志明")
    assert compare(CHILD, bare).reasons == (Likeness.NAME_EQUAL,)


def test_twins_are_two_children() -> None:
    twin = replace(CHILD, name="王志亮", number="529901201603090035")
    assert not compare(CHILD, twin).alike
    assert not compare(replace(CHILD, number=None), replace(twin, number=None, household="household-2")).alike


def test_neighbours_of_one_name_are_two_children() -> None:
    neighbour = Particulars(
        name="王志明", born=date(2015, 11, 2), sex=Sex.MALE, place=PLACE, father="王大勇", household="household-2"
    )
    assert not compare(CHILD, neighbour).alike


def test_a_key_is_the_same_for_the_same_secret_and_says_nothing_of_the_name() -> None:
    keys, others = BlindKeys(b"one"), BlindKeys(b"another")
    told = ("王志明", date(2016, 3, 9), None, "529901201603090019", PLACE[-1])
    assert keys.of_child(*told) == BlindKeys(b"one").of_child(*told)
    assert not set(keys.of_child(*told)) & set(others.of_child(*told))
    assert all(-(2**63) <= key < 2**63 for key in keys.of_child(*told))


def test_a_slip_in_one_thing_leaves_a_key_standing() -> None:
    keys = BlindKeys(b"one")
    known = set(keys.of_child("王志明", date(2016, 3, 9), None, None, PLACE[-1]))
    slips = [("王智明", date(2016, 9, 3)), ("王志明", date(2017, 3, 9)), ("李志明", date(2016, 3, 9))]
    for name, born in slips:
        assert known & set(keys.of_child(name, born, None, None, PLACE[-1]))


def test_a_character_taken_for_another_leaves_the_keys_of_the_name_standing() -> None:
    keys = BlindKeys(b"one")
    assert keys.of_child("李姝", None, "2016-03", None, PLACE[-1]) == keys.of_child(
        "李妹", None, "2016-03", None, PLACE[-1]
    )


def test_generated_doubles_are_found_and_the_innocent_left_alone() -> None:
    found = search(7)
    assert found.recall >= 0.95
    assert found.precision >= 0.9


def test_the_same_seed_generates_the_same_files() -> None:
    assert generate(7, 500, 40) == generate(7, 500, 40)


def test_a_character_sounds_the_same_without_the_dictionarys_phrases():
    asked = "import hashlib;from pypinyin import lazy_pinyin;from pypinyin.constants import PINYIN_DICT as known;"
    asked += "print(hashlib.sha256(''.join(lazy_pinyin(chr(one))[0] for one in sorted(known)).encode()).hexdigest())"
    with_them, without = (
        subprocess.run([sys.executable, "-c", asked], env=os.environ | more, capture_output=True, check=True).stdout
        for more in ({}, {"PYPINYIN_NO_PHRASES": "1"})
    )
    assert with_them == without
