"""The read model of all adoptions, and the look-up over it.

A document for each kind and division: ``{_id: kind/division, adopted: [[starts, known, version, name, may_override,
content], ...]}``, sorted; days are ISO strings, content is the JSON of the event.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Final

from shared.adoption.in_force import Adopted, in_force
from shared.commands.command import business_day
from shared.contracts.adoption import Adoption
from shared.contracts.sealed import Kind
from shared.projection.live import LiveModels
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

ADOPTIONS: Final = "adoptions"
KINDS: Final = ("CountingRuleAdopted", "RiskInstrumentAdopted", "RetentionAdopted", "OwnFieldsDefined")


class AdoptionsModel(ReadModel):
    name: ClassVar[str] = "adoptions"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(KINDS)
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {ADOPTIONS: ()}

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(ADOPTIONS, {_id(type(event).__name__, event.division) for event in _adoptions(batch)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        if not isinstance(event, Adoption):
            raise TypeError(f"{record.type} adopts nothing")
        key = _id(record.type, event.division)
        document = work.get(ADOPTIONS, key) or {"_id": key, "adopted": []}
        name, content = event.adopted
        known = business_day(record.recorded_at).isoformat()
        row = [event.starts.isoformat(), known, record.version, name, event.may_override]
        insort(document["adopted"], [*row, content.model_dump(mode="json")], key=lambda one: one[:4])
        work.put(ADOPTIONS, document)


def _adoptions(batch: Sequence[Occurred]) -> Iterator[Adoption]:
    yield from (event for _, event in batch if isinstance(event, Adoption))


def _id(kind: str, division: str) -> str:
    return f"{kind}/{division}"


Documents = Callable[[Collection[str]], Awaitable[list[Document]]]
"""The documents of the read model under these ids."""


class Adoptions:
    """Answers what is in force. The content is the JSON of the event's, or None where nothing was adopted."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def in_force(
        self, kind: type[Adoption], path: Sequence[str], on: date, known_at: date | None = None
    ) -> Adopted[dict[str, Any]] | None:
        return in_force(path, await self.of(kind, path), on, known_at)

    async def of(self, kind: type[Adoption], divisions: Collection[str]) -> list[Adopted[dict[str, Any]]]:
        """All that these divisions ever adopted of a kind."""
        found = await self._documents([_id(kind.__name__, division) for division in divisions])
        return [_adopted(document["_id"].partition("/")[2], row) for document in found for row in document["adopted"]]

    async def named(self, kind: type[Adoption], name: str) -> Adopted[dict[str, Any]] | None:
        """What a division adopted under a name of its own, which begins with the division's code."""
        found = await self.of(kind, [name.partition("-")[0]])
        return next((one for one in found if one.name == name), None)


def _adopted(division: str, row: Sequence[Any]) -> Adopted[dict[str, Any]]:
    starts, known, *told = row
    return Adopted(division, date.fromisoformat(starts), date.fromisoformat(known), *told)


def live_documents(live: LiveModels) -> Documents:
    """Of the read model's live version, as it is now."""

    async def documents(ids: Collection[str]) -> list[Document]:
        found = (await live.collection(AdoptionsModel.name, ADOPTIONS)).find({"_id": {"$in": list(ids)}})
        return [document async for document in found]

    return documents
