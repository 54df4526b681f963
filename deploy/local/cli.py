"""``guanhu``: the commands of one machine. Each is a line here; what it does lives in a module of its own."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.local import audit, demo, importing, ledgers, matching, rebuild, supervisor
from deploy.local import divisions as division_lists
from deploy.local.operator import Operator, as_operator, issuer_of
from deploy.local.processes import Stack
from deploy.local.refusal import CannotRun
from deploy.local.settings import Settings
from deploy.local.status import table
from shared.commands.command import business_day
from shared.contracts.values import RegisterKind, Role

T = TypeVar("T")
C = TypeVar("C", bound=importing.DeskClient)

app = typer.Typer(
    help="Guanhu on one machine: real MongoDB, real Kafka, the services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
app.add_typer(audit.app, name="audit")
app.command()(rebuild.rebuild)
showing = typer.Typer(invoke_without_command=True, help="The system at work with generated people.")
app.add_typer(showing, name="demo")


@app.command()
def up(
    foreground: Annotated[bool, typer.Option(help="Stay in this terminal until Ctrl-C.")] = False,
) -> None:
    """Start the stack; its data is kept."""
    settings = Settings()
    if foreground:
        asyncio.run(supervisor.hold(settings, on_ready=_show))
    else:
        supervisor.detach(settings)
        asyncio.run(_show(settings))


@app.command()
def down() -> None:
    """Stop the stack; its data is kept."""
    supervisor.end(Settings())


@app.command()
def status() -> None:
    """Show the processes of the stack."""
    asyncio.run(_show(Settings()))


async def _show(settings: Settings) -> None:
    console.print(await table(settings))


@app.command()
def grant(person: str, role: Role, division: str) -> None:
    """Give a person a role from today on, by the operator's own right: how the first of them come to be."""
    asyncio.run(as_operator(lambda own: own.grant(person, role, division, business_day(datetime.now(UTC)))))
    console.print(f"{person} is {role.value} of {division} and all below it")


@app.command()
def divisions(
    code: str,
    file: Annotated[Path | None, typer.Option(help="A list as CSV, plain or gzipped: code,parent,kind,name.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only show what the list changes on the map.")] = False,
    valid_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day of the changes; today without it.")
    ] = None,
) -> None:
    """Load a node of a division list, its ancestors and all below it: 52 is the province, 5203 a city.

    Without a file it is the shipped list, of which only what is missing is added.
    """
    if file is None and not dry_run:
        added = asyncio.run(as_operator(lambda own: own.import_divisions(code)))
        console.print(f"{added:,} divisions are new")
        return
    day = business_day(datetime.now(UTC)) if valid_from is None else valid_from.date()
    asyncio.run(as_operator(lambda own: _compare(own, code, file, None if dry_run else day)))


async def _compare(own: Operator, code: str, file: Path | None, day: date | None) -> None:
    """Without a day nothing is changed."""
    changes = await division_lists.compare(own, code, file)
    division_lists.show(changes, code, console)
    if day is not None:
        await own.take_over(changes, day)
        division_lists.show_done(changes, day, console)


@app.command()
def token(person: str) -> None:
    """Print a token of the embedded issuer for a person; good for an hour."""
    sys.stdout.write(issuer_of(Settings()).issue(person, seconds=3600) + "\n")


@showing.callback()
def show(
    context: typer.Context,
    size: Annotated[Literal["demo", "city"], typer.Option(help="15,400 children, or 154,000.", envvar="SIZE")] = "demo",
    once: Annotated[bool, typer.Option(help="End after the table.")] = False,
) -> None:
    """Start everything, fill it with generated families, show the supervision table. Nothing is kept."""
    if context.invoked_subcommand is not None:
        return
    home = Path(tempfile.mkdtemp(prefix="guanhu-demo-"))
    settings = Settings(home=home)
    asyncio.run(demo.hold(Stack(settings, home, keep=False), console, size, once=once))


@showing.command(name="ledgers")
def sample_ledgers(
    folder: Path, children: Annotated[int, typer.Option(help="How many of them, about.", min=1)] = 200
) -> None:
    """Write sample ledgers of generated families, and one in which each row breaks another rule."""
    for path in ledgers.write(folder, children, business_day(datetime.now(UTC))):
        console.print(str(path))


@app.command(name="import")
def import_ledger(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    person: Annotated[str, typer.Option(help="Who imports: a child supervisor, or county civil affairs.")],
    commit: Annotated[bool, typer.Option("--commit", help="Take over what was not rejected.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what this file registered.")] = False,
    rejected: Annotated[Path | None, typer.Option(help="Write the rejected rows to this workbook.")] = None,
) -> None:
    """Check a ledger, and with --commit take it over. Exit code 1: there are rejected rows."""

    async def work(client: importing.ImportClient) -> tuple[importing.Import, bytes]:
        found = await importing.run(client, file.read_bytes(), console, commit=commit, withdraw=withdraw)
        wanted = rejected is not None and _has_rejected(found)
        return found, await client.rejected(found["batch"]) if wanted else b""

    found, left = asyncio.run(_at_the_desk(person, work, importing.ImportClient))
    if rejected is not None and left:
        rejected.write_bytes(left)
        console.print(f"the rows that are not taken over: {rejected}")
    raise typer.Exit(1 if _has_rejected(found) else 0)


@app.command(name="match")
def match_register(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    register: Annotated[RegisterKind, typer.Option(help="What kind of list it is.")],
    division: Annotated[str, typer.Option(help="Whose children the list was to hold: a division's code.")],
    person: Annotated[str, typer.Option(help="Who matches: a child supervisor, or county civil affairs.")],
    school: Annotated[str | None, typer.Option(help="The school of the roll, as the files name it.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Match the same list once more.")] = False,
    record_gaps: Annotated[bool, typer.Option("--record-gaps", help="Record what is missing here.")] = False,
    missing_there: Annotated[Path | None, typer.Option(help="Write the files that the list lacks to this.")] = None,
) -> None:
    """Match a list of others with the files. Exit code 1: there are doubtful rows."""

    async def work(client: matching.MatchingClient) -> tuple[matching.Matching, bytes]:
        content = file.read_bytes()
        found = await matching.run(
            client, content, register.value, division, console, school, again=again, record_gaps=record_gaps
        )
        return found, await client.missing_there(found["matching"]) if missing_there else b""

    found, book = asyncio.run(_at_the_desk(person, work, matching.MatchingClient))
    if missing_there is not None:
        missing_there.write_bytes(book)
        console.print(f"the files that the list does not hold: {missing_there}")
    raise typer.Exit(1 if found["counts"]["doubtful"] else 0)


async def _at_the_desk(person: str, work: Callable[[C], Awaitable[T]], client: type[C]) -> T:
    settings = Settings()
    token = issuer_of(settings).issue(person, seconds=3600)
    async with httpx.AsyncClient(trust_env=False) as http:
        try:
            return await work(client(http, settings.url("registry"), token))
        except httpx.TransportError:
            raise CannotRun("registry does not answer; start the stack with: guanhu up") from None


def _has_rejected(found: importing.Import) -> bool:
    return bool(found["rejected"] or found["refused"])


def main() -> None:
    """The entry point: what is expected to go wrong is one line, without a traceback."""
    try:
        app()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        sys.exit(f"guanhu: GUANHU_{str(first['loc'][0]).upper()}: {first['msg']}")
    except CannotRun as reason:
        sys.exit(f"guanhu: {reason}")
