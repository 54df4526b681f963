"""``python -m bench``: runs all measures, or those named, and shows, keeps and publishes what they found."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import append, bulk, chain, demo, duplicates, figures, http, imports, matching, projection, visits
from bench.report import Report, Row
from deploy.local.settings import Settings

MEASURES: Final[Mapping[str, Callable[[], Awaitable[list[Row]]]]] = {
    "append": append.measure,
    "projection": projection.measure,
    "bulk": bulk.measure,
    "imports": imports.measure,
    "http": http.measure,
    "chain": chain.measure,
    "freshness": chain.freshness,
    "figures": figures.measure,
    "visits": visits.measure,
    "duplicates": duplicates.measure,
    "matching": matching.measure,
    "demo": demo.measure,
    "memory": demo.memory,
}
RESULTS: Final = Path(__file__).parent / "results" / "latest.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "benchmarks.md"


async def run(names: Sequence[str]) -> Report:
    """One after the other; what was found is written after each of them."""
    console = Console()
    report = Report(" ".join(["python -m bench", *(names if names != list(MEASURES) else [])]), settings=_settings())
    for name in names:
        with console.status(f"{name} …"):
            report.add(*await MEASURES[name]())
        report.write(RESULTS)
        report.show(console)
    return report


def _settings() -> dict[str, str]:
    settings = Settings()
    return {
        "servers": f"one MongoDB, WiredTiger cache {settings.cache_gb} GB; one Kafka; all on this machine",
        "durability": "MongoDB majority and journaled, majority reads of the log; Kafka acks=all",
        "partitions": str(settings.partitions),
        "processes": "registry, visits, pairing, reporting, projector; the load comes from a process of its own",
    }


def main() -> None:
    names = sys.argv[1:] or list(MEASURES)
    if unknown := set(names) - MEASURES.keys():
        sys.exit(f"bench: no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    asyncio.run(run(names)).put_into(PAGE)


if __name__ == "__main__":
    main()
