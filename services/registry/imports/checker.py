"""Runs in a process of its own: ``python -m services.registry.imports.checker`` reads one file and judges its rows.

A file comes from outside and may be made to hurt whoever reads it. Here it can use a bounded amount of memory and of
time, and write no file; whatever happens to this process, the service goes on.
"""

from __future__ import annotations

import os
import resource
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Final

from services.registry.imports.bad_file import BadFile, FileIsDamaged
from services.registry.imports.checking import checked, opened
from services.registry.imports.frame import LENGTH_BYTES, Answer, Desk, Task, framed, tasks
from services.registry.imports.ledger import Ledger
from services.registry.imports.ledgers import LEDGERS
from services.registry.matching.register import REGISTER

LEDGERS_OF: Final[Mapping[Desk, tuple[Ledger, ...]]] = {"imports": LEDGERS, "matching": (REGISTER,)}
MEMORY: Final = 384 * 1024 * 1024
CPU_SECONDS: Final = 600
NICE: Final = 5
"""Commands of others go before a dry run."""


def main() -> None:
    _bound()
    source, out = sys.stdin.buffer, sys.stdout.buffer
    task = tasks.decode(source.read(int.from_bytes(source.read(LENGTH_BYTES), "big")))
    for answer in answers_to(task, source.read()):
        out.write(framed(answer))
        out.flush()


def answers_to(task: Task, content: bytes) -> Iterator[Answer]:
    """What is said about a file; the last answer is ``ended``, or ``refused``."""
    ledgers = LEDGERS_OF[task.desk]
    try:
        yield Answer("opened", opened=opened(content, ledgers))
        if task.terms is not None:
            for rows in checked(content, task.terms, ledgers):
                yield Answer("rows", rows=rows)
        yield Answer("ended")
    except BadFile as bad:
        yield Answer("refused", refused=bad.code, detail=bad.detail)
    except Exception as fault:  # what a reader makes of a file that was made to break it is anybody's guess
        damaged, place = FileIsDamaged(), traceback.extract_tb(fault.__traceback__)[-1]
        where = f"{type(fault).__name__} at {place.filename}:{place.lineno}"
        yield Answer("refused", refused=damaged.code, detail=damaged.detail, fault=where)


def _bound() -> None:
    for what, limit in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),  # a dump would hold the file
    ):
        resource.setrlimit(what, (limit, limit))
    os.nice(NICE)


if __name__ == "__main__":
    main()
