"""How a process of this system lets Python look for cycles: rarely."""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """To be called once, when all modules are loaded.

    A batch of commands or events is ten thousands of live objects without cycles, and Python's collector looks at them
    again and again: it took 45 % of a projector's time, and of a command in a batch 181 us where 102 do.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
