"""What offices are told about imports is what the code does."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.local import ledgers
from deploy.local.cli import app
from services.registry.imports.bad_file import BAD_FILES
from services.registry.imports.finding import RULES
from services.registry.imports.ledgers import LEDGERS
from tests.support.importing import TODAY, codes, rows_in

PAGE = (Path(__file__).parents[3] / "docs" / "imports.md").read_text("utf-8")


@pytest.mark.parametrize("code", [*RULES, *BAD_FILES])
def test_every_code_is_documented(code):
    assert f"| `{code}` |" in PAGE


def test_every_column_is_documented_with_whether_it_is_taken_over():
    for ledger in LEDGERS:
        line = next(line for line in PAGE.splitlines() if line.startswith(f"| {ledger.kind.value} "))
        cells = line.split("|")[2].strip().split("、")
        for column in ledger.columns:
            shown = f"**{column.names[0]}**" if column.needed else column.names[0]
            assert shown + ("" if column.taken else "°") in cells


def test_no_row_of_the_sample_ledgers_is_rejected(tmp_path):
    samples = [path for path in ledgers.write(tmp_path, 40, TODAY) if not path.name.startswith("broken")]
    assert len(samples) == 4
    for path in samples:
        assert {row.verdict for row in rows_in(path.read_bytes())} <= {"accepted", "warned"}, path.name


def test_sample_ledgers_are_written_from_the_command_line(tmp_path):
    outcome = CliRunner().invoke(app, ["demo", "ledgers", str(tmp_path), "--children", "5"])
    assert outcome.exit_code == 0, outcome.output
    kinds = {path.name.split("-")[0] for path in tmp_path.iterdir() if not path.name.startswith("broken")}
    assert kinds == {"E1", "E2", "E3", "E10"}


def rows_of_the_table() -> dict[str, tuple[str, str]]:
    """Of the page's table of row codes: verdict and sentence by code."""
    lines = PAGE.split("## Codes of rows")[1].split("## Codes of files")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {code.strip("`"): (verdict, reason) for code, verdict, reason in cells}


def test_the_table_says_what_the_code_says():
    told = {code: (rule.verdict.value, rule.reason.format(column="列名")) for code, rule in RULES.items()}
    assert rows_of_the_table() == told


REFUSED_AT_COMMIT = frozenset(RULES) - frozenset(list(RULES)[: list(RULES).index("child_already_registered")])
NOT_IN_A_SAMPLE = {
    "error_value",  # the writer of the samples can write none
    "not_of_your_role",  # a matter of who sends it
    "not_compared",  # of lists that are matched alone
}


def test_the_broken_ledgers_show_every_code_and_verdict_that_the_page_documents(tmp_path):
    shown: dict[str, str] = {}
    for path in (one for one in ledgers.write(tmp_path, 10, TODAY) if one.name.startswith("broken")):
        sound, *broken = rows_in(path.read_bytes())
        assert codes(sound) == [], path.name
        assert [len(codes(row)) for row in broken] == [1] * len(broken), path.name
        shown |= {codes(row)[0]: row.verdict for row in broken}
    documented = {code: verdict for code, (verdict, _) in rows_of_the_table().items()}
    assert shown == {
        code: documented[code] for code in RULES if code not in REFUSED_AT_COMMIT and code not in NOT_IN_A_SAMPLE
    }
