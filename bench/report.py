"""What a bench run found: rows with a figure, its target and whether it was met; printed as a table, kept as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One figure. ``better`` says which way is good; without a ``target`` it is there to be compared with."""

    measure: str
    figure: float
    unit: str
    target: float | None = None
    better: str = "higher"
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.figure >= self.target if self.better == "higher" else self.figure <= self.target


@dataclass
class Report:
    rows: list[Row] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        self.rows.extend(rows)

    def show(self, console: Console) -> None:
        table = Table(title="Guanhu, measured", title_justify="left")
        for column in ("measure", "figure", "target", "met", "note"):
            table.add_column(column, justify="right" if column in ("figure", "target") else "left")
        for row in self.rows:
            sign = "≥" if row.better == "higher" else "≤"
            target = "" if row.target is None else f"{sign} {row.target:,g} {row.unit}"
            met = {True: "yes", False: "NO", None: ""}[row.met]
            table.add_row(row.measure, f"{row.figure:,.4g} {row.unit}", target, met, row.note)
        console.print(table)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {
            "at": datetime.now(UTC).isoformat(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "settings": self.settings,
        }
        rows = [asdict(row) | {"met": row.met} for row in self.rows]
        path.write_text(json.dumps(about | {"rows": rows}, indent=2, ensure_ascii=False) + "\n")


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the sorted values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]
