"""What the service and the process that reads files say to each other: frames with their length before them."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from services.registry.imports.checked_row import CheckedRow, Opened, Terms

LENGTH_BYTES: Final = 4

Desk = Literal["imports", "matching"]
"""Who reads: each knows ledgers of its own."""


class Task(msgspec.Struct, frozen=True):
    """The first frame to the process; the bytes of the file follow until the end. Without terms: open it only."""

    terms: Terms | None = None
    desk: Desk = "imports"


class Answer(msgspec.Struct, frozen=True):
    """A frame from the process. ``refused`` is the code of a BadFile, with its detail; ``ended`` is the last.

    ``fault`` names class and place of what nobody expected, and nothing that stood in the file.
    """

    what: Literal["opened", "rows", "refused", "ended"]
    opened: Opened | None = None
    rows: list[CheckedRow] = []
    refused: str = ""
    detail: str = ""
    fault: str = ""


_encoder: Final = msgspec.msgpack.Encoder()
tasks: Final = msgspec.msgpack.Decoder(Task)
answers: Final = msgspec.msgpack.Decoder(Answer)


def framed(message: Task | Answer) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body
