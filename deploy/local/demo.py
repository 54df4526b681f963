"""``guanhu demo``: the whole road on this machine, from a generated village to the supervisor's table.

It starts everything, loads the city's real divisions, posts working groups, registers generated children, logs visits,
and asks reporting over HTTP for the table.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.loader import Item, Load, Loader
from deploy.local.operator import operator, settings_of
from deploy.local.population import CITY, DEMO, Family, Plan, Population, populate
from deploy.local.processes import Stack
from deploy.local.refusal import CannotRun
from services.registry.division_list import divisions
from shared.commands.command import business_day
from shared.contracts.values import DivisionKind, Role
from shared.eventlog.placement import derived_id
from shared.identity.issuer import Issuer

CITY_CODE: Final = "5203"
PLANS: Final = {"demo": DEMO, "city": CITY}
VISITS_PER_HUNDRED: Final = 20
LONGEST_LAG_SECONDS: Final = 120.0

OFFICE, DIRECTOR, SUPERVISOR = "demo-data-office", "demo-child-director", "demo-supervisor"
DIRECTED: Final = "520303105"
"""The township whose villages the demo's child director looks after."""
ROLES: Final[tuple[tuple[str, Role, str], ...]] = (
    (OFFICE, Role.DATA_OFFICE, "52"),
    (DIRECTOR, Role.CHILD_DIRECTOR, DIRECTED),
    (SUPERVISOR, Role.CHILD_SUPERVISOR, CITY_CODE),
    (SUPERVISOR, Role.COUNTY_CIVIL_AFFAIRS, CITY_CODE),
    ("demo-leader", Role.LEADER, CITY_CODE),
    ("demo-officer-1", Role.DATA_PROTECTION_OFFICER, CITY_CODE),
    ("demo-officer-2", Role.DATA_PROTECTION_OFFICER, CITY_CODE),
)
"""One person supervises every township of the city, so that one caller can load it."""


class DemoFailed(CannotRun):
    """A command of the demo was refused, or the figure did not come."""


@dataclass
class Demo:
    """A demo on a stack that runs."""

    stack: Stack
    console: Console
    plan: Plan
    http: httpx.AsyncClient

    async def run(self) -> dict[str, Any]:
        """The supervision table, as reporting answered it. Raises DemoFailed."""
        begun = time.monotonic()
        today = business_day(datetime.now(UTC))
        await self._open_the_tree(today)
        villages = [node.code for node in divisions(CITY_CODE) if node.kind is DivisionKind.VILLAGE]
        population = populate(self.plan, villages, today)
        loads = await self._load(population, today)
        table = await self._table(loads)
        self._show(table, time.monotonic() - begun)
        return table

    def token(self, person: str) -> str:
        """For a person of the demo, from the issuer's own folder; good for an hour."""
        settings = settings_of(self.stack.environment("reporting"))
        return Issuer(settings.data / "issuer", settings.issuer_url).issue(person, seconds=3600)

    async def _open_the_tree(self, today: date) -> None:
        with self.console.status("divisions and roles …"):
            async with operator(self.stack.environment("registry")) as own:
                added = await own.import_divisions(CITY_CODE)
                for person, role, division in ROLES:
                    await own.grant(person, role, division, today)
                await own.everybody_knows()
        self.console.print(f"divisions loaded: {added:,} of the city {CITY_CODE} and above")

    async def _load(self, population: Population, today: date) -> list[Load]:
        posted = list(_postings(population, today))
        children = list(_registrations(population))
        closed = list(_closings(population, today))
        visits = list(_visits(population))
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console) as progress:
            return [
                await self._send(progress, "postings", "registry", OFFICE, posted),
                await self._send(progress, "children", "registry", SUPERVISOR, children),
                await self._send(progress, "closed files", "registry", SUPERVISOR, closed),
                await self._send(progress, "visits", "visits", SUPERVISOR, visits),
            ]

    async def _send(self, progress: Progress, what: str, service: str, person: str, items: list[Item]) -> Load:
        task = progress.add_task(what, total=len(items))
        loader = Loader(self.http, self.stack.url(service), self.token(person))
        load = await loader.load(items, lambda n: progress.advance(task, n))
        if load.refused:
            first = load.refused[0]
            raise DemoFailed(f"{len(load.refused)} of {what} were refused, the first with {first['code']}")
        return load

    async def _table(self, loads: list[Load]) -> dict[str, Any]:
        """Asks until the answer holds all that was told. Raises DemoFailed."""
        after = ",".join(f"{partition}/{seq}" for load in loads for partition, seq in load.positions.items())
        deadline = time.monotonic() + LONGEST_LAG_SECONDS
        with self.console.status("the projector catches up …"):
            while time.monotonic() < deadline:
                table = await self.ask("/figures/table", SUPERVISOR, after=after, division=CITY_CODE)
                if table["freshness"]["reached"]:
                    return table
        raise DemoFailed("the read models did not catch up in two minutes; see `guanhu status` and the projector's log")

    async def ask(self, path: str, person: str, after: str | None = None, **parameters: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.token(person)}"} | ({"guanhu-after": after} if after else {})
        answer = await self.http.get(self.stack.url("reporting") + path, params=parameters, headers=headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _show(self, answer: dict[str, Any], seconds: float) -> None:
        total = answer["total"]
        table = Table(
            title=f"{total['name']} · 口径 {answer['rule']} · 截至 {answer['as_of']} · 当时所知 {answer['known_at']}",
            caption=f"complete up to {answer['freshness']['complete_up_to']}",
        )
        table.add_column("县（市、区）", overflow="fold")
        for head in ("儿童", "其中\n有驻村", "I1 %", "村", "其中\n有驻村", "I1b %", "走访"):
            table.add_column(head, justify="right", no_wrap=True)
        for row in (total, *answer["rows"]):
            table.add_row(row["name"], *_cells(row["figures"]), style="bold" if row is total else "")
        self.console.print(table)
        rate = total["figures"]["I1"]["rate"]
        self.console.print(f"I1 by {answer['rule']}: [bold]{rate} %[/bold]   ({seconds:.1f} s)")


def _cells(figures: dict[str, Any]) -> list[str]:
    i1, i1b, visits = figures["I1"], figures["I1b"], figures["VISITS"]
    numbers = (i1["denominator"], i1["numerator"], i1["rate"], i1b["denominator"], i1b["numerator"], i1b["rate"])
    return [f"{n:,}" if isinstance(n, int) else n for n in (*numbers, visits["numerator"])]


def _postings(population: Population, today: date) -> Iterator[Item]:
    for village in population.posted_villages:
        body = {
            "posting": derived_id(village, "posting"),
            "village": village,
            "level": "county",
            "unit": "县直帮扶单位",
            "starts": (today - timedelta(days=150)).isoformat(),
            "first_secretary": f"secretary-{village}",
        }
        yield Item("PostWorkingGroup", f"post-{village}", body)


def _registrations(population: Population) -> Iterator[Item]:
    for family in population.families:
        for body in family.children:
            yield Item("RegisterChild", f"register-{body['child'][-36:]}", body)


def _closings(population: Population, today: date) -> Iterator[Item]:
    for family in population.families:
        for child in family.closed:
            body = {"child": child, "reason": "parent_returned", "closed_on": today.isoformat()}
            yield Item("CloseChildFile", f"close-{child[-36:]}", body)


def _visits(population: Population) -> Iterator[Item]:
    for number, family in enumerate(population.families):
        if number % 100 < VISITS_PER_HUNDRED and not family.closed:
            yield visit(family)


def visit(family: Family, number: int = 0) -> Item:
    """The family's ``number``-th visit, with two sealed findings for each child."""
    id_ = derived_id(f"{family.household}/{number}", "visit", beside=family.household)
    findings = [
        {"child": child["child"], "life": f"衣食无忧，{sleeps}", "learning": "按时到校"}
        for child, sleeps in zip(family.children, cycle(_SLEEPS))
    ]
    body = {
        "visit": id_,
        "household": family.household,
        "village": family.village,
        "kind": "home",
        "purposes": ["left_behind"],
        "findings": findings,
    }
    return Item("LogVisit", f"visit-{id_[-36:]}", body)


_SLEEPS: Final = ("与祖母同住", "与祖父同住", "独住一间")
"""Each child has an answer of its own."""


async def hold(stack: Stack, console: Console, size: str, *, once: bool) -> None:
    """Starts the stack, runs the demo on it, and keeps it up until Ctrl-C, unless ``once``."""
    async with stack, httpx.AsyncClient(trust_env=False, timeout=60) as http:
        await Demo(stack, console, PLANS[size], http).run()
        if not once:
            console.print(f"reporting answers at {stack.url('reporting')}; Ctrl-C ends everything")
            await stack.watch()
