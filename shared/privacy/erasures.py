"""The erasure list kept outside the database: whose keys were destroyed, applied again after a restore.

One JSON object a line, each written through to the disk before the key is destroyed.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path


class ErasureListDamagedError(Exception):
    """Lines cannot be read. ``subjects`` are those of all other lines: apply them, then mend the file by hand."""

    def __init__(self, path: Path, lines: list[int], subjects: dict[str, datetime]) -> None:
        super().__init__(f"{path}: cannot read line {', '.join(map(str, lines))}")
        self.subjects = subjects


def note(path: Path, subject: str, destroyed_at: datetime) -> None:
    """Adds a line; it is on the disk when this returns."""
    line = json.dumps({"subject": subject, "destroyed_at": destroyed_at.isoformat()})
    created = not path.exists()
    # The newline in front parts the line from what a crash may have left of another.
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
        file.flush()
        os.fsync(file.fileno())
    if created:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A new file is only safe once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def noted(path: Path) -> dict[str, datetime]:
    """When each subject was first erased. Raises ErasureListDamagedError, FileNotFoundError."""
    subjects: dict[str, datetime] = {}
    damaged: list[int] = []
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        if line.strip():
            try:
                entry = json.loads(line)
                subjects.setdefault(entry["subject"], datetime.fromisoformat(entry["destroyed_at"]))
            except (ValueError, TypeError, KeyError):
                damaged.append(number)
    if damaged:
        raise ErasureListDamagedError(path, damaged, subjects)
    return subjects
