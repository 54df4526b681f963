"""To what families have consented, as a service has heard it from registry: a private look-up, built at any time.

It holds purposes and days, and no names. Of an erased child it holds nothing, and nothing is consented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import ClassVar, Final

from shared.contracts.consent import ConsentGiven, ConsentPurpose, ConsentRefused, ConsentWithdrawn
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.projection.live import LiveModels
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CONSENTS: Final = "consents"


class Consents(ReadModel):
    """One document per child: ``{_id, turns: {purpose: [[day, version, given]]}}``, or ``{_id, erased}``."""

    name: ClassVar[str] = "consents"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {"ConsentGiven", "ConsentRefused", "ConsentWithdrawn", "SubjectKeyDestroyed"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"personal"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {CONSENTS: ()}

    def pause(self, written: int) -> timedelta:
        """A consent is told some time before anybody builds on it."""
        return timedelta(milliseconds=100)

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        await work.load(CONSENTS, {occurred.event.child for occurred in batch})  # type: ignore[attr-defined]

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        record, event = occurred
        match event:
            case SubjectKeyDestroyed():
                work.put(CONSENTS, {"_id": event.child, "erased": True})
            case ConsentGiven() | ConsentRefused() | ConsentWithdrawn():
                document = work.get(CONSENTS, event.child) or {"_id": event.child, "turns": {}}
                consent = event.consent.get()
                if "erased" in document or consent is None:
                    return
                turn = [event.on.isoformat(), record.version, isinstance(event, ConsentGiven)]
                document["turns"].setdefault(consent.purpose.value, []).append(turn)
                work.put(CONSENTS, document)
            case _:
                pass


def consented_on(document: Document, purpose: ConsentPurpose, day: date) -> bool:
    """Of two answers on one day the later told one holds; a consent that is withdrawn holds no more on that day."""
    turns = document.get("turns", {}).get(purpose.value, ())
    return max((turn for turn in turns if turn[0] <= day.isoformat()), default=("", 0, False))[2] is True


class ConsentLookUp:
    def __init__(self, live: LiveModels) -> None:
        self._live = live

    async def consented(self, child: str, purpose: ConsentPurpose, day: date) -> bool:
        """Whether a consent to the purpose was in force on a business day, or a task of law allowed it, as far as is
        known here."""
        consents = await self._live.collection(Consents.name, CONSENTS)
        return consented_on(await consents.find_one({"_id": child}) or {}, purpose, day)
