"""Documents in a form in which equal content has equal bytes, whatever the order it was written in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import bson

from shared.projection.read_model import Document
from shared.projection.store import Digest

_SPACE: Final = 1 << 256


def digest(documents: Iterable[Document], counted: bool) -> Digest:
    """``counted``: the documents hold sums, and a zero is the same as nothing.

    Whether a sum that came back to zero is stored depends on how the events fell into batches.
    """
    count = total = 0
    for document in documents:
        plain = _sorted(_without_zeros(document) if counted else document)
        if counted and not _holds_number(plain):
            continue
        count += 1
        total += int.from_bytes(hashlib.sha256(bson.encode(plain)).digest(), "big")
    return Digest(count, f"{total % _SPACE:064x}")


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _without_zeros(document: Document) -> Document:
    kept: Document = {}
    for name, value in document.items():
        if name == "_id":
            kept[name] = value
        elif isinstance(value, dict):
            if inner := _without_zeros(value):
                kept[name] = inner
        elif not _is_number(value) or value:
            kept[name] = value
    return kept


def _holds_number(document: Document) -> bool:
    return any(
        _holds_number(value) if isinstance(value, dict) else _is_number(value)
        for name, value in document.items()
        if name != "_id"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
