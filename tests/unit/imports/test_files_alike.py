"""What a file says does not depend on its kind, its encoding, or the order of its columns."""

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.imports.bad_file import BadFile
from services.registry.imports.household_file import HOUSEHOLD_FILE
from services.registry.imports.ledger import letter
from services.registry.imports.registration_form import REGISTRATION_FORM
from services.registry.imports.roster import ROSTER
from services.registry.imports.sheet import rows_of
from services.registry.imports.working_groups import WORKING_GROUPS
from shared.contracts.values import LedgerKind
from tests.support.importing import FORM_ROW, GROUP_ROW, ROSTER_ROW, rows_in, table
from tests.support.sheets import csv_, files, xlsx

CELLS = st.text(alphabet="测试甲乙一二三·/、" + string.ascii_letters + string.digits + "０１２", max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=6)
ENTRIES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["测甲一", "测乙·二", "", "13900000000"]),
        "birth_date": st.sampled_from(["2016-03-09", "2016.3.9", "20160309", "2016年3月9日", "２０１６-3-9", "不详"]),
        "village": st.sampled_from(["松杉村", "上坝村", "没有村"]),
        "sex": st.sampled_from(["男", "女", ""]),
        "school": st.sampled_from(["", "泗渡小学"]),
    }
)
BRISK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@BRISK
@given(ROWS, st.sampled_from(["测试", "一", "联通"]))
def test_xlsx_xls_and_csv_give_the_same_rows(rows, chinese):
    """Of a text without a Chinese character nobody can tell how it is encoded; a ledger has them."""
    rows = [[chinese], *rows]
    found = {kind: [(row.number, row.cells) for row in rows_of(content)] for kind, content in files(rows)}
    assert len({str(one) for one in found.values()}) == 1, found


@BRISK
@given(st.lists(ENTRIES, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(entries, chance):
    rows = table(ROSTER, *(ROSTER_ROW | entry for entry in entries))
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    shuffled = [[row[place] for place in order] for row in rows]

    def told(content):
        return [
            (row.number, row.verdict, sorted(row.findings), [w.command for w in row.wishes]) for row in rows_in(content)
        ]

    assert told(xlsx(rows)) == told(xlsx(shuffled))


@BRISK
@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_the_same_file_gives_the_same_ids_and_another_file_gives_others(entries):
    rows = table(ROSTER, *(ROSTER_ROW | entry for entry in entries))
    content = xlsx(rows)
    first, again = rows_in(content), rows_in(content)
    assert [(row.made, row.wishes) for row in first] == [(row.made, row.wishes) for row in again]
    other = rows_in(xlsx([*rows, rows[1]]))
    assert not {one for row in first for one in row.made} & {one for row in other for one in row.made}


def test_columns_are_called_as_a_spreadsheet_calls_them():
    assert [letter(index) for index in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_short_text_in_gb18030_that_is_utf_8_by_chance_is_read_as_chinese():
    for text in ("一", "联通", "测甲·一"):
        for encoding in ("utf-8", "gb18030"):
            [row] = rows_of(csv_([[text]], encoding))
            assert row.cells == [text], encoding


ANYTHING = st.text(max_size=12) | st.sampled_from(
    ["2016-02-30", "2016年", "E+17", "1.5E+17", "/", "父", "至", "²" * 18, "１" * 17 + "X"]
)


BASES = {
    LedgerKind.ROSTER: ROSTER_ROW,
    LedgerKind.REGISTRATION_FORM: FORM_ROW,
    LedgerKind.WORKING_GROUPS: GROUP_ROW,
    LedgerKind.HOUSEHOLD_FILE: {"head": "测户主", "address": "松杉村"},
}


@BRISK
@given(
    st.sampled_from([ROSTER, REGISTRATION_FORM, HOUSEHOLD_FILE, WORKING_GROUPS]),
    st.data(),
)
def test_whatever_stands_in_the_cells_a_row_is_judged(ledger, data):
    base = BASES[ledger.kind]
    changed = data.draw(
        st.dictionaries(st.sampled_from([c.key for c in ledger.columns if c.key != "number"]), ANYTHING)
    )
    content = csv_(table(ledger, dict.fromkeys((c.key for c in ledger.columns), "") | base | changed))
    try:
        rows = rows_in(content)
    except BadFile:
        return  # such as a row of nothing but white space
    assert all(row.verdict in ("accepted", "warned", "rejected") for row in rows)
    assert all(row.findings for row in rows if row.verdict != "accepted")
    assert all(bool(row.wishes) == (row.verdict != "rejected") for row in rows if ledger is not HOUSEHOLD_FILE)
