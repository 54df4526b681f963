"""The read model ``children`` folded in memory over the events of one child."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from services.reporting.read_models.children import CARDS, ENTRIES, Children
from shared.contracts.event import Event
from shared.projection.checkpoint import Checkpoint, ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.read_model import Document, Occurred
from shared.projection.workspace import Work
from tests.support.builders import TOLD
from tests.support.figure_histories import told

VERSION = ModelVersion("children", 1)


async def card_and_entries(events: Iterable[Event]) -> tuple[Document, list[Document]]:
    """The card of a child and its time line, oldest first; each event happened on the day of ``TOLD``."""
    return await card_of(occurrences(events))


async def card_of(batch: Sequence[Occurred]) -> tuple[Document, list[Document]]:
    """The same of events that happened on days of their own."""
    model, store = Children(), MemoryProjectionStore()
    work = Work(store, VERSION)
    await model.prepare(batch, work)
    for occurred in batch:
        model.fold(occurred, work)
    assert await store.commit(VERSION, work.changes, Checkpoint(), Checkpoint(revision=1))
    held: dict[str, dict[Any, Document]] = store.collections
    [card] = held[VERSION.collection(CARDS)].values()
    return card, list(held.get(VERSION.collection(ENTRIES), {}).values())


def occurrences(events: Iterable[Event]) -> list[Occurred]:
    return [_occurred(number, event) for number, event in enumerate(events, start=1)]


def _occurred(number: int, event: Event) -> Occurred:
    record, event = told(event, TOLD.date(), TOLD.date(), version=number)
    return Occurred(msgspec.structs.replace(record, id=f"event-{number}"), event)
