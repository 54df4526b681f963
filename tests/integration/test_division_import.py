"""A newer division list on a stack that runs: shown first, then taken over, then nothing is left to change."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from rich.console import Console

from deploy.local import divisions as division_lists
from deploy.local.operator import Operator, operator
from deploy.local.refusal import CannotRun
from services.registry.division_list import Row, part_of, shipped
from shared.commands.command import business_day
from tests.support.installation import installation

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

COUNTY, TOWNSHIP, NEW = "520303", "520303105", "520303399"
TODAY: date = business_day(datetime.now(UTC))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own() -> AsyncIterator[Operator]:
    async with installation("list") as guanhu, operator(guanhu.stack.environment("registry")) as own:
        await own.import_divisions(COUNTY)
        yield own


def a_newer_list(folder: Path) -> Path:
    """One township has another code, one village another name, one is new, one is gone."""
    rows = list(part_of(shipped(), COUNTY).values())
    villages = [row for row in rows if row.parent == TOWNSHIP]
    gone, renamed = villages[-1], villages[-2]
    newer = [_under_the_new_code(row) for row in rows if row is not gone]
    newer = [row._replace(name="新名村") if row.name == renamed.name and row.parent == NEW else row for row in newer]
    newer.append(Row(f"{NEW}299", NEW, "village", "新设村"))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(Row._fields)
    writer.writerows(row._replace(parent=row.parent or "") for row in newer)
    file = folder / "newer.csv"
    file.write_text(text.getvalue())
    return file


def _under_the_new_code(row: Row) -> Row:
    if row.code == TOWNSHIP:
        return row._replace(code=NEW)
    return row._replace(parent=NEW) if row.parent == TOWNSHIP else row


async def test_a_newer_list_is_shown_and_taken_over(own: Operator, tmp_path: Path) -> None:
    file = a_newer_list(tmp_path)
    console = Console(record=True, width=100, file=io.StringIO())
    changes = await division_lists.compare(own, COUNTY, file)
    division_lists.show(changes, COUNTY, console)
    shown = console.export_text()
    for part in ("added 1 · renamed 1 · recoded 1 · moved 0 · gone 1", f"now {NEW}", "新名村", "新设村"):
        assert part in shown, shown

    await own.take_over(changes, TODAY)
    after = await division_lists.compare(own, COUNTY, file)
    assert (after.added, after.renamed, after.recoded, after.moved, len(after.gone)) == ([], [], [], [], 1)


async def test_a_file_that_is_no_list_is_named_with_its_line(own: Operator, tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text("code,parent,kind,name\n52,,province,省\n52,,province,省\n")
    with pytest.raises(CannotRun, match=r"broken.csv: line 3: 52 stands in an earlier line too"):
        await division_lists.compare(own, "52", file)
    with pytest.raises(CannotRun, match="can not be read"):
        await division_lists.compare(own, "52", tmp_path / "missing.csv")
