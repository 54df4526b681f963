"""Why this machine cannot run the stack, each said in one line that also says what to do.

CannotRun
├── ToolMissing       Java, Maven or mongod is not installed
├── PortTaken         somebody else listens where a process of the stack should
├── DiskFull          less free space than the stores need
├── OtherLayout       the data folder was written by another version
├── AlreadyRunning    a supervisor holds this data folder
├── NotRunning        nothing holds this data folder
└── ChildDied         a process ended, or never became ready
"""

from __future__ import annotations

from pathlib import Path


class CannotRun(Exception):
    """The message is one line for the terminal; it is shown without a traceback, with exit code 1."""


class ToolMissing(CannotRun):
    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(f"{tool} is missing; install it with: {remedy}")


class PortTaken(CannotRun):
    def __init__(self, name: str, port: int, variable: str) -> None:
        super().__init__(
            f"port {port} on 127.0.0.1, needed by {name}, is taken; stop what listens there or set {variable}"
        )


class DiskFull(CannotRun):
    def __init__(self, folder: Path, free: int, needed: int) -> None:
        super().__init__(
            f"{folder} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are needed; "
            "make room or set GUANHU_HOME to a folder on another disk"
        )


class OtherLayout(CannotRun):
    def __init__(self, folder: Path, found: object, known: int) -> None:
        super().__init__(
            f"{folder} has data layout {found} and this version reads {known}; "
            "use the version that wrote it, or set GUANHU_HOME to a new folder"
        )


class AlreadyRunning(CannotRun):
    def __init__(self, folder: Path, pid: int) -> None:
        super().__init__(f"a stack already runs on {folder} (process {pid}); stop it with: guanhu down")


class NotRunning(CannotRun):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"no stack runs on {folder}; start it with: guanhu up")


class ChildDied(CannotRun):
    def __init__(self, name: str, what: str, log: Path) -> None:
        super().__init__(f"{name} {what}; its log is {log}")
