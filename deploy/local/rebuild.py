"""``guanhu rebuild``: builds a read model anew beside the live one, compares, and switches if nothing differs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy.local.operator import environment_of, settings_of
from deploy.local.refusal import CannotRun
from deploy.local.settings import Settings
from services.registry.duplicates.parts import blind_keys
from services.registry.duplicates.read_model import Duplicates
from services.registry.service import SERVICE as REGISTRY
from services.reporting.domain import SERVICE as REPORTING
from services.reporting.projector import READ_MODELS
from shared.eventlog.lease import MongoLeases
from shared.projection.mongo import MongoProjectionStore
from shared.projection.projector import FoldFailedError
from shared.projection.read_model import ReadModel
from shared.projection.rebuild import Progress as Built
from shared.projection.rebuild import Rebuild, RebuildError, Report
from shared.projection.store import StoreUnavailableError
from shared.runtime.kernel import Kernel
from shared.runtime.memory import collect_rarely
from shared.web.settings import ServiceSettings

ReadModels = Mapping[str, Callable[[], ReadModel]]

console = Console()


def rebuild(
    name: Annotated[str, typer.Argument(help="The read model, such as children.")],
    accept_difference: Annotated[
        bool, typer.Option(help="Switch although the versions differ, as after a fold was corrected.")
    ] = False,
    fresh: Annotated[bool, typer.Option(help="Drop what a rebuild that was stopped has built.")] = False,
) -> None:
    """Build a read model anew beside the live one, compare, switch. Ctrl-C stops it; it goes on where it stood."""
    collect_rarely()
    try:
        report = asyncio.run(_in_local_stack(name, accept_difference, fresh))
    except KeyboardInterrupt:
        raise CannotRun(f"stopped; go on with: guanhu rebuild {name}") from None
    _tell(name, report)
    if not report.switched:
        raise typer.Exit(1)


async def _in_local_stack(name: str, accept_difference: bool, fresh: bool) -> Report:
    service = REGISTRY if name == Duplicates.name else REPORTING
    kernel = Kernel(settings_of(environment_of(Settings(), service)), service, process="rebuild")
    try:
        models = read_models(kernel.settings)
        return await rebuild_in(kernel, name, models, accept_difference=accept_difference, fresh=fresh)
    finally:
        await kernel.close()


def read_models(settings: ServiceSettings) -> ReadModels:
    """Those of reporting, and registry's look-up whose keys depend on a dictionary."""
    return {**READ_MODELS, Duplicates.name: lambda: Duplicates(blind_keys(settings))}


async def rebuild_in(
    kernel: Kernel, name: str, models: ReadModels, *, accept_difference: bool = False, fresh: bool = False
) -> Report:
    """Rebuilds one of ``models`` in the kernel's database, with a bar on the terminal. Raises CannotRun."""
    if name not in models:
        raise CannotRun(f"there is no read model {name}; there are: {', '.join(sorted(models))}")
    model, settings = models[name](), kernel.settings
    with _bar() as bar:
        task = bar.add_task(name, total=None)
        rebuilding = Rebuild(
            model,
            MongoProjectionStore(kernel.client, kernel.database.name),
            kernel.sealer,
            partial(kernel.consumer, model.services),
            MongoLeases(kernel.database),
            f"{kernel.holder}/{os.getpid()}",
            partitions=settings.partitions,
            accept_difference=accept_difference,
            fresh=fresh,
            progress=lambda built: _move(bar, task, built),
        )
        try:
            return await rebuilding.run()
        except RebuildError as reason:
            raise CannotRun(str(reason)) from None
        except FoldFailedError as stopped:
            raise CannotRun(f"{stopped}; correct the fold, then: guanhu rebuild {name} --fresh") from None
        except (PyMongoError, StoreUnavailableError):
            raise CannotRun(f"MongoDB does not answer; start it, then go on with: guanhu rebuild {name}") from None


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def _move(bar: Progress, task: object, built: Built) -> None:
    bar.update(task, completed=built.taken, total=built.wanted)  # type: ignore[arg-type]


def _tell(name: str, report: Report) -> None:
    for_all = f"{report.new} of {report.records:,} records"
    if not report.differences:
        console.print(f"{for_all} equals {report.old} and is live now")
        return
    table = Table("collection", f"documents in {report.old}", f"documents in {report.new}")
    for one in report.differences:
        table.add_row(one.collection, f"{one.old.documents:,}", f"{one.new.documents:,}")
    console.print(table)
    if report.switched:
        console.print(f"{for_all} differs, as was accepted, and is live now")
    else:
        console.print(
            f"{report.old} stays live; {report.new} is kept beside it. If the difference is meant: "
            f"guanhu rebuild {name} --accept-difference; if not, correct the fold and: guanhu rebuild {name} --fresh"
        )
