"""``guanhu import``: a ledger goes to registry over HTTP as a browser would send it, and what was found is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.refusal import CannotRun

LOOK_SECONDS: Final = 0.2
_COLOURS: Final = {"accepted": "green", "warned": "yellow", "rejected": "red"}
Import = dict[str, Any]


class ImportRefused(CannotRun):
    """registry did not do what was asked for; the message is registry's own."""


@dataclass(frozen=True)
class DeskClient:
    """A desk of one registry, as one caller. ``at_work`` tells by the states in which something is done what grows."""

    http: httpx.AsyncClient
    url: str
    token: str
    path: ClassVar[str]
    at_work: ClassVar[Mapping[str, str]]

    async def look(self, batch: str, **parameters: int | str) -> Import:
        return await self._ask("GET", f"/{batch}", params=parameters)

    async def settled(self, batch: str, progress: Progress | None = None) -> Import:
        """Waits until nothing is done on it any more."""
        bars: dict[str, Any] = {}
        while (found := await self.look(batch))["state"] in self.at_work:
            if progress is not None:
                self._advance(progress, bars, found)
            await asyncio.sleep(LOOK_SECONDS)
        for state, bar in bars.items():
            if progress is not None:
                progress.update(bar, completed=self._whole(state, found), total=self._whole(state, found))
        return found

    def _advance(self, progress: Progress, bars: dict[str, Any], found: Import) -> None:
        state = found["state"]
        if state not in bars:
            bars[state] = progress.add_task(state, total=self._whole(state, found) if state != "received" else None)
        progress.update(bars[state], completed=self._done(found))

    def _whole(self, state: str, found: Import) -> int:
        return int(found["rows"])

    def _done(self, found: Import) -> int:
        return int(found[self.at_work[found["state"]]])

    async def _ask(self, method: str, path: str, **request: Any) -> Import:
        found: Import = (await self._send(method, path, **request)).json()
        return found

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Raises ImportRefused, httpx.HTTPError."""
        headers = {"authorization": f"Bearer {self.token}"}
        url = f"{self.url}{self.path}{path}"
        answer = await self.http.request(method, url, headers=headers, timeout=120, **request)
        if answer.is_error:
            problem = answer.json()
            raise ImportRefused(f"{problem['code']}: {problem['detail']} {problem['what_to_do']}")
        return answer


class ImportClient(DeskClient):
    """The import desk."""

    path = "/imports"
    at_work: ClassVar[Mapping[str, str]] = {"received": "rows", "committing": "taken_over", "withdrawing": "taken_over"}

    async def receive(self, content: bytes) -> Import:
        """Raises ImportRefused, httpx.HTTPError."""
        return await self._ask("POST", "", files={"file": ("ledger", content)})

    async def commit(self, batch: str) -> Import:
        return await self._ask("POST", f"/{batch}/commit")

    async def withdraw(self, batch: str) -> Import:
        return await self._ask("POST", f"/{batch}/withdraw")

    async def rejected(self, batch: str) -> bytes:
        return (await self._send("GET", f"/{batch}/rejected.xlsx")).content

    def _done(self, found: Import) -> int:
        refused = 0 if found["state"] == "received" else int(found["refused"])
        return super()._done(found) + refused


async def run(
    client: ImportClient, content: bytes, console: Console, *, commit: bool = False, withdraw: bool = False
) -> Import:
    """Checks a file, takes it over or back where that is wanted, and shows what was found. Raises ImportRefused."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        found = await client.settled((await client.receive(content))["batch"], progress)
        if commit and found["state"] == "checked":
            found = await client.settled((await client.commit(found["batch"]))["batch"], progress)
        if withdraw:
            found = await client.settled((await client.withdraw(found["batch"]))["batch"], progress)
    if found["problem"]:
        raise ImportRefused(f"{found['problem']['detail']} {found['problem']['what_to_do']}")
    console.print(table(found))
    console.print(_conclusion(found))
    return found


def table(found: Import) -> Table:
    """What was found, by code and column."""
    shown = Table(title=f"{found['title']}（{found['ledger']}）")
    for head in ("结果", "列", "行数", "首行", "说明", "代码"):
        shown.add_column(head, overflow="fold", justify="right" if head in ("行数", "首行") else "left")
    for line in found["summary"]:
        colour = _COLOURS[line["verdict"]]
        verdict = f"[{colour}]{line['verdict']}[/{colour}]"
        shown.add_row(
            verdict, line["column"], f"{line['rows']:,}", str(line["first_row"]), line["reason"], line["code"]
        )
    return shown


def _conclusion(found: Import) -> str:
    counts = f"{found['rows']:,} rows: {found['accepted']:,} accepted, {found['warned']:,} warned, "
    counts += f"{found['rejected']:,} rejected"
    match found["state"]:
        case "committed":
            return f"{counts}; {found['taken_over']:,} taken over as {found['batch']}"
        case "withdrawn":
            return f"{found['batch']} was taken back: {found['closed']:,} are closed, {found['left']:,} could not be"
        case _:
            return f"{counts}; nothing is registered yet: {found['batch']} waits for --commit"
