"""``guanhu match``: a list of others goes to registry over HTTP, and what either side lacks is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.importing import DeskClient, ImportRefused

SHOWN: Final = 200
"""Rows that are shown of those a person has to look at."""
_COLOURS: Final = {"matched": "green", "doubtful": "yellow", "missing": "red", "outside": "blue", "unread": "red"}
_MEANING: Final = {
    "matched": "在档",
    "doubtful": "待人工确认",
    "missing": "档案中没有",
    "outside": "不在您的管辖范围内",
    "unread": "无法读取",
}

Matching = dict[str, Any]


class MatchingClient(DeskClient):
    """The matching desk."""

    path = "/matchings"
    at_work: ClassVar[Mapping[str, str]] = {"received": "rows", "matching": "done", "recording": "done"}

    async def receive(
        self, content: bytes, register: str, division: str, school: str | None = None, *, again: bool = False
    ) -> Matching:
        told = {"register": register, "division": division, "again": str(again).lower()}
        told |= {"school": school} if school else {}
        return await self._ask("POST", "", params=told, files={"file": ("register", content)})

    async def decide(self, matching: str, row: int, child: str | None, village: str | None = None) -> Matching:
        return await self._ask("POST", f"/{matching}/rows/{row}", json={"child": child, "village": village})

    async def record(self, matching: str) -> Matching:
        return await self._ask("POST", f"/{matching}/record-gaps")

    async def missing_there(self, matching: str) -> bytes:
        return (await self._send("GET", f"/{matching}/missing-there.xlsx")).content

    def _whole(self, state: str, found: Matching) -> int:
        return int(found["rows"] if state == "received" else found["pieces"])


async def run(
    client: MatchingClient,
    content: bytes,
    register: str,
    division: str,
    console: Console,
    school: str | None = None,
    *,
    again: bool = False,
    record_gaps: bool = False,
) -> Matching:
    """Matches a list, records what is missing here where that is wanted, and shows both. Raises ImportRefused."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        sent = await client.receive(content, register, division, school, again=again)
        found = await client.settled(sent["matching"], progress)
        if record_gaps and found["state"] == "matched":
            found = await client.settled((await client.record(found["matching"]))["matching"], progress)
    if found["problem"]:
        raise ImportRefused(f"{found['problem']['detail']} {found['problem']['what_to_do']}")
    console.print(counts(found))
    for state in ("doubtful", "missing", "unread"):
        rows = (await client.look(found["matching"], state=state, limit=SHOWN))["found"]
        if rows:
            console.print(table(state, rows))
    console.print(_conclusion(found))
    return found


def counts(found: Matching) -> Table:
    """How many rows came to what, and how many files the register does not hold."""
    shown = Table(title=f"{found['title']} · {found['division']}")
    for head in ("结果", "行数", "说明"):
        shown.add_column(head, justify="right" if head == "行数" else "left")
    for state, count in found["counts"].items():
        shown.add_row(f"[{_COLOURS[state]}]{state}[/{_COLOURS[state]}]", f"{count:,}", _MEANING[state])
    shown.add_row("missing there", f"{found['missing_there']:,}", "在档儿童，名册中没有")
    return shown


def table(state: str, rows: list[dict[str, Any]]) -> Table:
    """Rows by their numbers: what they say stands in the list itself."""
    shown = Table(title=f"{state}（{_MEANING[state]}）")
    for head in ("行", "村", "档案", "得分", "相同与不同", "说明"):
        shown.add_column(head, overflow="fold")
    for row in rows:
        files = row["files"] or [{"child": "", "score": "", "reasons": []}]
        reasons = "\n".join(finding["reason"] for finding in row["findings"])
        for place, file in enumerate(files):
            lead = (str(row["row"]), row["village"] or "") if place == 0 else ("", "")
            shown.add_row(*lead, file["child"], str(file["score"]), " ".join(file["reasons"]), reasons * (place == 0))
    return shown


def _conclusion(found: Matching) -> str:
    if found["state"] == "recorded":
        told = f"{found['recorded']:,} gaps recorded, {found['known']:,} known before"
        return f"{told}, {found['not_recorded']:,} not recorded (no village, or refused) as {found['matching']}"
    return f"{found['rows']:,} rows; nothing is recorded yet: {found['matching']} waits for --record-gaps"
