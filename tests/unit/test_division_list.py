"""Division lists: what is no list is refused by line, and what a newer list changes is told before it is done."""

from __future__ import annotations

import gzip
from datetime import date

import pytest

from services.registry.division_changes import compared
from services.registry.division_list import CUT, ListMalformedError, Row, parsed, part_of, shipped
from services.registry.division_map import DivisionMap
from services.registry.domain.division import Node, RecodeDivision, RenameDivision, division_stream
from tests.unit.test_division import COUNTY, E1, E2, EAST, FAR, OTHER_COUNTY, W1, WEST, Map, an_addition

HEAD = "code,parent,kind,name\n"
NEW = "529901009"


def as_rows(tree: list[tuple[str, str | None, str]]) -> dict[str, Row]:
    kinds = {2: "province", 4: "city", 6: "county", 9: "township", 12: "village"}
    return {code: Row(code, parent, kinds[len(code)], name) for code, parent, name in tree}


BASE: list[tuple[str, str | None, str]] = [
    ("52", None, "省"),
    ("5299", "52", "市"),
    (COUNTY, "5299", "甲县"),
    (OTHER_COUNTY, "5299", "乙县"),
    (EAST, COUNTY, "东乡"),
    (WEST, COUNTY, "西乡"),
    (FAR, OTHER_COUNTY, "远乡"),
    (E1, EAST, "一村"),
    (E2, EAST, "二村"),
    (W1, WEST, "一村"),
]


def as_nodes(rows: dict[str, Row]) -> list[Node]:
    return [Node(division_stream(code), code, row.name, row.kind, row.parent, CUT) for code, row in rows.items()]


MAP = as_nodes(as_rows(BASE))


def a_list(*changes: tuple[str, str | None, str], without: tuple[str, ...] = ()) -> dict[str, Row]:
    kept = {code: (code, parent, name) for code, parent, name in BASE if code not in without}
    return as_rows(list((kept | {change[0]: change for change in changes}).values()))


def test_the_shipped_list_is_whole():
    rows = shipped()
    assert len(rows) == 19_572
    assert len(part_of(rows, "520303105")) == len([row for row in rows.values() if row.parent == "520303105"]) + 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("code,name\n", "line 1"),
        (HEAD + "52,,province,省\n5299,52,town,市\n", "line 3: kind"),
        (HEAD + "529,,province,省\n", "line 2: the code of a province has 2 digits"),
        (HEAD + "52,,province,省\n52,,province,省\n", "line 3: 52 stands"),
        (HEAD + "5299,52,city,市\n", "line 2: the parent 52"),
        (HEAD + "52,,province, \n", "line 2: the name is missing"),
    ],
)
def test_what_is_no_division_list_is_refused_with_its_line(text, reason):
    with pytest.raises(ListMalformedError, match=reason):
        parsed(text.encode())


def test_a_list_may_be_gzipped_and_begin_with_a_mark():
    text = (HEAD + "52,,province,省\n").encode("utf-8-sig")
    assert parsed(text) == parsed(gzip.compress(text)) == {"52": Row("52", None, "province", "省")}
    with pytest.raises(ListMalformedError, match="no CSV"):
        parsed(b"\x1f\x8bbroken")


def test_the_same_list_again_changes_nothing():
    changes = compared(a_list(), MAP)
    assert changes.nothing
    assert changes.unchanged == len(BASE)


def test_what_is_new_and_what_is_gone_is_told():
    changes = compared(a_list(("529901003", COUNTY, "南乡"), without=(E2,)), MAP)
    assert [row.code for row in changes.added] == ["529901003"]
    assert [node.code for node in changes.gone] == [E2]
    assert changes.unchanged == len(BASE) - 1


def test_another_name_under_the_same_code_is_a_renaming():
    [renamed] = compared(a_list((WEST, COUNTY, "西镇")), MAP).renamed
    assert (renamed.node.code, renamed.name) == (WEST, "西镇")


def test_an_equal_name_below_the_same_parent_under_another_code_is_a_recoding_and_its_children_come_along():
    moved = [(NEW, COUNTY, "东乡"), ("529901009001", NEW, "一村"), ("529901009002", NEW, "二村")]
    changes = compared(a_list(*moved, without=(EAST, E1, E2)), MAP)
    assert [(r.node.code, r.row.code) for r in changes.recoded] == [
        (EAST, NEW),
        (E1, "529901009001"),
        (E2, "529901009002"),
    ]
    assert (changes.added, changes.gone, changes.moved) == ([], [], [])


def test_children_of_a_recoded_division_that_kept_their_codes_did_not_move():
    changes = compared(a_list((NEW, COUNTY, "东乡"), (E1, NEW, "一村"), (E2, NEW, "二村"), without=(EAST,)), MAP)
    assert [(r.node.code, r.row.code) for r in changes.recoded] == [(EAST, NEW)]
    assert not changes.moved


def test_what_might_be_one_of_two_is_told_as_new_and_gone():
    doubled = as_nodes(a_list(("529901001003", EAST, "一村")))
    changes = compared(a_list(("529901001009", EAST, "一村"), without=(E1,)), doubled)
    assert [row.code for row in changes.added] == ["529901001009"]
    assert {node.code for node in changes.gone} == {E1, "529901001003"}


def test_another_parent_is_told_and_left_to_a_person():
    [moved] = compared(a_list((FAR, COUNTY, "远乡")), MAP).moved
    assert (moved.node.code, moved.node.parent, moved.parent) == (FAR, OTHER_COUNTY, COUNTY)


async def test_the_map_of_a_division_is_what_lives_there_below_todays_codes():
    tree = Map()
    await tree.tell(an_addition("52", None), an_addition("5299", "52"), an_addition(COUNTY, "5299"))
    await tree.tell(an_addition(EAST, COUNTY), an_addition(E1, EAST))
    day = date(2026, 8, 1)
    await tree.tell(RecodeDivision(division=division_stream(EAST), code=NEW, valid_from=day))
    await tree.tell(RenameDivision(division=division_stream(E1), name="一村", valid_from=day))
    found = {node.code: node for node in await DivisionMap(tree._documents).living(COUNTY, also=["5299"])}
    assert found.keys() == {"52", "5299", COUNTY, NEW, E1}
    assert (found[E1].parent, found[E1].name, found[NEW].parent) == (NEW, "一村", COUNTY)
