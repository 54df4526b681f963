"""``guanhu audit``: is the log what it was? Needs MongoDB or an exported folder, and none of the services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.table import Table

from deploy.local import mongo
from deploy.local.refusal import CannotRun
from deploy.local.settings import SERVICES, Settings, checkpoint_folder, witness_keys
from shared.eventlog import witness
from shared.eventlog.evidence import DatabaseEvidence, Evidence, EvidenceError, FolderEvidence, export
from shared.eventlog.verification import Checkpoint, Findings, Verification

SERVICES_WITH_A_LOG = tuple(dict.fromkeys(service.folder for service in SERVICES))
MONGO_PATIENCE_MS = 5_000

app = typer.Typer(help="Is the log what it was? Names the first bad record.", no_args_is_help=True)
console = Console()

ServiceOption = Annotated[list[str] | None, typer.Option("--service", help="Only this service; may be repeated.")]
MongoUrlOption = Annotated[str | None, typer.Option(help="Where MongoDB is; by default that of the local stack.")]


class Report(NamedTuple):
    """What was found in the log of one service, and the bad lines of its checkpoint file."""

    service: str
    partitions: list[Findings]
    forged: list[int]

    @property
    def clean(self) -> bool:
        return not self.forged and not any(findings.found for findings in self.partitions)


@app.callback()
def audit() -> None:
    """Is the log what it was?"""


@app.command()
def verify(
    service: ServiceOption = None,
    mongo_url: MongoUrlOption = None,
    dump: Annotated[Path | None, typer.Option(help="A folder that was exported, instead of MongoDB.")] = None,
    checkpoints: Annotated[Path | None, typer.Option(help="The folder of signed checkpoints.")] = None,
    public_key: Annotated[Path | None, typer.Option(help="The key that their signatures must fit.")] = None,
) -> None:
    """Check every record against its neighbours, the head and the checkpoints. Exit code 1: something was found."""
    home = Settings().home
    key = public_key or witness_keys(home)[1]
    folder = checkpoints or checkpoint_folder(home)
    services = service or SERVICES_WITH_A_LOG
    reports = _run(_verify(services, mongo_url, dump, folder, key))
    console.print(_table(reports))
    for report in reports:
        _explain(report)
    raise typer.Exit(0 if all(report.clean for report in reports) else 1)


@app.command(name="export")
def export_(folder: Path, service: ServiceOption = None, mongo_url: MongoUrlOption = None) -> None:
    """Write the log to a folder, byte for byte, so that others can verify it without the database."""
    for name, count in _run(_export(service or SERVICES_WITH_A_LOG, mongo_url, folder)):
        console.print(f"{name}: {count:,} records")


async def examine(
    evidence: Evidence, service: str, checkpoints: Sequence[Checkpoint], forged: Sequence[int] = ()
) -> Report:
    """The whole log of one service. Raises EvidenceError."""
    numbers = await evidence.partitions(service) | {checkpoint.partition for checkpoint in checkpoints}
    partitions = [
        await _examine_partition(evidence, service, number, [c for c in checkpoints if c.partition == number])
        for number in sorted(numbers)
    ]
    return Report(service, partitions, list(forged))


async def _examine_partition(
    evidence: Evidence, service: str, partition: int, checkpoints: Sequence[Checkpoint]
) -> Findings:
    head = await evidence.head(service, partition)
    verification = Verification(service, partition, checkpoints)
    async for rows in evidence.rows(service, partition, head):
        for row in rows:
            verification.take(row)
    return verification.end(head)


async def _verify(
    services: Sequence[str], mongo_url: str | None, dump: Path | None, folder: Path, key: Path
) -> list[Report]:
    async with _evidence(mongo_url, dump) as evidence:
        return [await examine(evidence, name, *_testimony(name, folder, key)) for name in services]


def _testimony(service: str, folder: Path, key: Path) -> witness.Testimony:
    file = witness.checkpoint_file(folder, service)
    if not file.exists():
        return witness.Testimony([], [])
    return witness.read(file, witness.public_key(key))


async def _export(services: Sequence[str], mongo_url: str | None, folder: Path) -> list[tuple[str, int]]:
    async with _evidence(mongo_url, None) as evidence:
        return [(name, await export(evidence, name, folder)) for name in services]


@asynccontextmanager
async def _evidence(mongo_url: str | None, dump: Path | None) -> AsyncIterator[Evidence]:
    if dump is not None:
        yield FolderEvidence(dump)
        return
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        mongo_url or mongo.url(Settings().mongodb_port), tz_aware=True, serverSelectionTimeoutMS=MONGO_PATIENCE_MS
    )
    try:
        yield DatabaseEvidence(client)
    finally:
        client.close()


def _run(work: Any) -> Any:
    """Raises CannotRun, which the command line shows in one line."""
    try:
        return asyncio.run(work)
    except PyMongoError as error:
        raise CannotRun(f"MongoDB can not be read: {type(error).__name__}") from None
    except (EvidenceError, witness.KeyFileError, OSError) as error:
        raise CannotRun(str(error)) from None


def _table(reports: Sequence[Report]) -> Table:
    table = Table("service", "partition", "records", "last seq", "checkpoints", "finding")
    for column in table.columns[1:5]:
        column.justify = "right"
    for report in reports:
        for p in report.partitions:
            finding = f"[bold red]{p.found[0]}[/]" if p.found else "[green]none[/]"
            seen = f"{p.checkpoints:,}" if p.checkpoints or not p.last_seq else "[yellow]none[/]"
            table.add_row(report.service, str(p.partition), f"{p.records:,}", f"{p.last_seq:,}", seen, finding)
    return table


def _explain(report: Report) -> None:
    """Every finding on a line of its own: the table shows the first of each partition, and may have to fold it."""
    for partition in report.partitions:
        for finding in partition.found:
            console.print(f"{report.service}/{partition.partition}: {finding}", soft_wrap=True)
    if report.forged:
        lines = ", ".join(map(str, report.forged[:20]))
        console.print(f"{report.service}.jsonl: lines that the key did not sign: {lines}", style="red", soft_wrap=True)
