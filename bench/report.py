"""What a bench run found: rows with a figure, its target and whether it was met; printed, kept, published."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

BEGIN: Final = "<!-- figures -->"
END: Final = "<!-- end of figures -->"


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

    @property
    def cells(self) -> tuple[str, ...]:
        """Measure, figure, target, met, note, as they are printed."""
        sign = "≥" if self.better == "higher" else "≤"
        target = "" if self.target is None else f"{sign} {self.target:,g} {self.unit}"
        return self.measure, f"{_rounded(self.figure)} {self.unit}", target, _MET[self.met], self.note


_MET: Final = {True: "yes", False: "**NO**", None: ""}
COLUMNS: Final = ("measure", "figure", "target", "met", "note")


@dataclass
class Report:
    command: str
    rows: list[Row] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(self, *rows: Row) -> None:
        self.rows.extend(rows)

    @property
    def about(self) -> dict[str, Any]:
        """Where, when and how it was measured."""
        return {
            "command": self.command,
            "at": self.at.isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "python": platform.python_version(),
            "load_average_at_the_end": round(os.getloadavg()[0], 1),
            "settings": self.settings,
        }

    def show(self, console: Console) -> None:
        table = Table(title="Guanhu, measured", title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="right" if column in ("figure", "target") else "left")
        for row in self.rows:
            table.add_row(*row.cells)
        console.print(table)
        console.print(self.about, soft_wrap=True)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(row) | {"figure": _finite(row.figure), "met": row.met} for row in self.rows]
        path.write_text(json.dumps(self.about | {"rows": rows}, indent=2, ensure_ascii=False) + "\n")

    def put_into(self, page: Path) -> None:
        """Replaces what stands between the markers of a Markdown page; without an end marker, all that follows."""
        before, _, rest = page.read_text().partition(BEGIN)
        after = rest.partition(END)[2] or "\n"
        page.write_text("".join((before, BEGIN, "\n\n", "\n".join(self._lines()), "\n\n", END, after)))

    def _lines(self) -> Iterator[str]:
        about = self.about
        yield f"Made by `{self.command}` on {about['at'][:10]}: {about['cores']} cores, {about['memory_gib']} GiB,"
        yield f"Python {about['python']}; load average at the end {about['load_average_at_the_end']}."
        yield ""
        yield from (f"- {name}: {value}" for name, value in self.settings.items())
        yield ""
        yield f"| {' | '.join(COLUMNS)} |"
        yield "|---|--:|--:|---|---|"
        yield from (f"| {' | '.join(row.cells)} |" for row in self.rows)


def percentile(sorted_values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the sorted values lie."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))]


def p(values: Sequence[float], share: float) -> float:
    """A percentile of unsorted seconds, in milliseconds."""
    return percentile(sorted(values), share) * 1000


def cpu_row(measure: str, used: Mapping[str, float], count: int, unit: str) -> Row:
    """Seconds of CPU by process, for so many of a unit: what stays comparable when others use the machine too."""
    each = {name: seconds * 1e6 / count for name, seconds in used.items()}
    note = ", ".join(f"{name} {microseconds:.0f}" for name, microseconds in each.items())
    return Row(f"{measure}, CPU", sum(each.values()), f"µs/{unit}", note=note)


def _finite(figure: float) -> float | None:
    """JSON has no infinity."""
    return figure if isfinite(figure) else None


def _rounded(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
