"""What a dry run works on and comes to, as the service and the process that reads files hand it to each other."""

from __future__ import annotations

from datetime import date

import msgspec

from services.registry.imports.place import Node


class Terms(msgspec.Struct, frozen=True):
    """What a file is checked against: the divisions, where the sender may do what, and today in China."""

    nodes: list[Node]
    roots: dict[str, list[str]]
    """By action: the divisions below which the sender may do it."""
    today: date


class Wish(msgspec.Struct, frozen=True):
    """A command that a row became: its name and its body as JSON."""

    command: str
    body: bytes


class CheckedRow(msgspec.Struct, frozen=True):
    """``findings`` are (code, column). A rejected row has no wishes. ``made`` are the streams that they begin.

    ``numbers`` are the places of the cells that were numbers in the file, and are to come back as such.
    """

    number: int
    verdict: str
    findings: list[tuple[str, str]]
    cells: list[str]
    numbers: list[int]
    wishes: list[Wish]
    made: list[str]


class Opened(msgspec.Struct, frozen=True):
    """What the head of a file says."""

    ledger: str
    headers: list[str]
