"""What a child's name is found by."""

from datetime import date

import pytest
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT

from deploy.local.population import DEMO, populate
from services.reporting.read_models.name_keys import name_keys

NAMES = ["王长大", "重庆", "张 Tom", "Aynur", "阿卜杜拉·买买提", "", "𠮷野", *list(PHRASES_DICT)[::4_000]]


def test_a_name_is_found_by_its_characters_its_pinyin_and_their_initials():
    assert name_keys("王 小明") == {"name_key": "王小明", "pinyin": "wangxiaoming", "initials": "wxm"}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_as_the_dictionary_reads_it_as_a_whole(name):
    keys = name_keys(name)
    assert keys["pinyin"] == "".join(lazy_pinyin(keys["name_key"])).lower()


def test_generated_names_are_read_as_the_dictionary_reads_them():
    families = populate(DEMO, ["520303105201", "520303105202"], date(2026, 8, 14)).families
    names = sorted({child["name"] for family in families for child in family.children})
    for name in names[:2_000]:
        assert name_keys(name)["initials"] == "".join(part[:1] for part in lazy_pinyin(name)).lower()
