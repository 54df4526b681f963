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
    samples = [path for path in ledgers.write(tmp_path, 40, TODAY) if path.name != "broken.xlsx"]
    assert len(samples) == 4
    for path in samples:
        assert {row.verdict for row in rows_in(path.read_bytes())} <= {"accepted", "warned"}, path.name


def test_sample_ledgers_are_written_from_the_command_line(tmp_path):
    outcome = CliRunner().invoke(app, ["demo", "ledgers", str(tmp_path), "--children", "5"])
    assert outcome.exit_code == 0, outcome.output
    assert {path.name.split("-")[0] for path in tmp_path.iterdir()} == {"E1", "E2", "E3", "E10", "broken.xlsx"}


def test_each_row_of_the_broken_ledger_breaks_another_rule(tmp_path):
    [path] = [path for path in ledgers.write(tmp_path, 10, TODAY) if path.name == "broken.xlsx"]
    sound, *broken = rows_in(path.read_bytes())
    assert codes(sound) == []
    assert all(len(codes(row)) == 1 for row in broken)
    rules = [codes(row)[0] for row in broken]
    assert set(rules) >= {code for code in RULES if code.startswith(("number_", "date_"))} - {
        "number_repeated",
        "number_ends_in_zeros",
        "number_province_unknown",
    }
    assert max(rules.count(code) for code in set(rules) - {"digits_lost"}) == 1
