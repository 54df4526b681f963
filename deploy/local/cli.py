"""``guanhu``: the commands of one machine. Each is a line here; what it does lives in a module of its own."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from rich.console import Console

from deploy.local import demo, supervisor
from deploy.local.processes import Stack
from deploy.local.refusal import CannotRun
from deploy.local.settings import Settings
from deploy.local.status import table

app = typer.Typer(
    help="Guanhu on one machine: real MongoDB, real Kafka, the services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()


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


@app.command(name="demo")
def show(
    size: Annotated[Literal["demo", "city"], typer.Option(help="15,400 children, or 154,000.", envvar="SIZE")] = "demo",
    once: Annotated[bool, typer.Option(help="End after the table.")] = False,
) -> None:
    """Start everything, fill it with generated families, show the supervision table. Nothing is kept."""
    home = Path(tempfile.mkdtemp(prefix="guanhu-demo-"))
    settings = Settings(home=home)
    asyncio.run(demo.hold(Stack(settings, home, keep=False), console, size, once=once))


def main() -> None:
    """The entry point: what is expected to go wrong is one line, without a traceback."""
    try:
        app()
    except ValidationError as wrong:
        first = wrong.errors()[0]
        sys.exit(f"guanhu: GUANHU_{str(first['loc'][0]).upper()}: {first['msg']}")
    except CannotRun as reason:
        sys.exit(f"guanhu: {reason}")
