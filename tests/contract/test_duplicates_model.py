"""What the look-up of duplicates holds, in every store of read models and in whatever order its events come."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.registry.domain.duplicate import duplicate_of
from services.registry.duplicates.keys import BlindKeys
from services.registry.duplicates.read_model import FILES, PAIRS, Duplicates
from shared.contracts.child_file import ChildIdentityRecorded, ChildTransferred, Identity
from shared.contracts.event import Event
from shared.contracts.registry import (
    ChildFileClosed,
    ChildFileReopened,
    DuplicateDismissed,
    DuplicateSuspected,
    ParentSituation,
    ParentSituationRecorded,
    ParentsSituation,
    SubjectKeyDestroyed,
)
from shared.contracts.sealed import ERASED, Counted, Personal
from shared.contracts.values import CitizenNumberStatus, CloseReason, DismissReason, Likeness, ParentState
from shared.projection.checkpoint import ModelVersion
from shared.projection.memory import MemoryProjectionStore
from shared.projection.mongo import MongoProjectionStore
from shared.projection.read_model import Document, Occurred
from shared.projection.store import ProjectionStore
from shared.projection.workspace import Work
from tests.support.builders import COUNTY, VILLAGE, a_registered_child
from tests.support.workspace import a_record

OTHER_VILLAGE = "520303105202"
KEYS = BlindKeys(b"secret")
FATHER = "测建国"
AWAY = ParentSituation(state=Counted(ParentState.AWAY), name=Personal(FATHER))
NAMELESS = ParentSituation(state=Counted(ParentState.AWAY))


def the_pair() -> tuple[list[Event], list[Event], DuplicateSuspected]:
    """Two registrations, each the beginning of its stream, and the suspicion of the two."""
    children = sorted((a_registered_child(), a_registered_child(residence=OTHER_VILLAGE)), key=lambda one: one.child)
    first, second = children
    suspected = DuplicateSuspected(
        duplicate=duplicate_of(first.child, second.child),
        first=first.child,
        second=second.child,
        division=COUNTY,
        score=20,
        rule="likeness@1",
        reasons=(Likeness.NAME_EQUAL, Likeness.BIRTH_DATE_EQUAL),
    )
    return [first], [second], suspected


class Model:
    """The read model over a store, folded batch by batch."""

    def __init__(self, store: ProjectionStore) -> None:
        self.store = store
        self.version = 0

    async def fold(self, *batches: Sequence[Event]) -> dict[str, dict[str, Document]]:
        """What a fresh version holds after these batches."""
        self.version += 1
        of, model = ModelVersion(Duplicates.name, self.version), Duplicates(KEYS)
        await self.store.prepare(model, of)
        for batch in batches:
            work = Work(self.store, of)
            occurred = [Occurred(a_record(event), event) for event in batch]
            await model.prepare(occurred, work)
            for one in occurred:
                model.fold(one, work)
            before = await self.store.checkpoint(of)
            after = msgspec.structs.replace(before, revision=before.revision + 1)
            assert await self.store.commit(of, work.changes, before, after)
        ids = {getattr(e, name) for b in batches for e in b for name in ("child", "duplicate") if hasattr(e, name)}
        return {
            name: {found["_id"]: found for found in await self.store.find(of, name, "_id", sorted(ids))}
            for name in (FILES, PAIRS)
        }


@pytest.fixture(params=["memory", "mongo"])
async def model(request: pytest.FixtureRequest) -> AsyncIterator[Model]:
    if request.param == "memory":
        yield Model(MemoryProjectionStore())
        return
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(request.getfixturevalue("mongo_url"))
    name = f"duplicates_{uuid4().hex}"
    yield Model(MongoProjectionStore(client, name))
    await client.drop_database(name)
    client.close()


def closing(child: str) -> ChildFileClosed:
    return ChildFileClosed(child=child, reason=CloseReason.REGISTERED_IN_ERROR, closed_on=date(2026, 9, 1))


def dismissal(pair: DuplicateSuspected) -> DuplicateDismissed:
    return DuplicateDismissed(
        duplicate=pair.duplicate,
        first=pair.first,
        second=pair.second,
        reason=DismissReason.SAME_NAME,
        dismissed_by="reviewer-1",
    )


async def test_a_file_is_found_by_its_own_keys_and_those_of_its_parents(model: Model) -> None:
    child = a_registered_child(parents=ParentsSituation(father=AWAY, mother=NAMELESS))
    file = (await model.fold([child]))[FILES][child.child]
    own = KEYS.of_child("测甲一", date(2016, 3, 9), "2016-03", None, VILLAGE)
    assert (file["village"], file["open"]) == (VILLAGE, True)
    assert file["keys"] == sorted({*own, *KEYS.of_parents(FATHER, None, VILLAGE)})


async def test_what_is_told_of_the_parents_last_counts(model: Model) -> None:
    child = a_registered_child(parents=ParentsSituation(father=AWAY, mother=NAMELESS))
    told = ParentSituationRecorded(child=child.child, parents=ParentsSituation(father=NAMELESS, mother=NAMELESS))
    file = (await model.fold([child], [told]))[FILES][child.child]
    assert file["keys"] == sorted(KEYS.of_child("测甲一", date(2016, 3, 9), "2016-03", None, VILLAGE))


async def test_a_number_that_is_told_later_is_a_key_too(model: Model) -> None:
    child, number = a_registered_child(), "529901201603090019"
    identity = Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=number)
    recorded = ChildIdentityRecorded(child=child.child, identity=Personal(identity))
    keys = (await model.fold([child], [recorded]))[FILES][child.child]["keys"]
    assert set(keys) > {KEYS.of_number(number), *KEYS.of_child("测甲一", date(2016, 3, 9), "2016-03", None, VILLAGE)}


async def test_a_child_that_has_moved_is_in_its_new_village_and_so_are_its_pairs(model: Model) -> None:
    first, second, pair = the_pair()
    old = first[0].residence  # type: ignore[attr-defined]
    moved = ChildTransferred(
        child=pair.first,
        from_village=old,
        to_village="520303106201",
        taken_over_by="supervisor-9",
        moved_on=date(2026, 8, 10),
    )
    found = await model.fold(first, second, [pair], [moved])
    assert found[FILES][pair.first]["village"] == "520303106201"
    assert "520303106201" in found[PAIRS][pair.duplicate]["villages"]
    assert old not in found[PAIRS][pair.duplicate]["villages"]


async def test_no_word_about_a_person_is_kept(model: Model) -> None:
    child = a_registered_child(
        citizen_number=Personal("529901201603090019"), parents=ParentsSituation(father=AWAY, mother=NAMELESS)
    )
    kept = str(await model.fold([child]))
    for word in ("测", "2016-03", "529901201603090019", "jia"):
        assert word not in kept


async def test_a_pair_is_suspected_until_somebody_dismisses_it(model: Model) -> None:
    first, second, pair = the_pair()
    found = (await model.fold(first, second, [pair]))[PAIRS][pair.duplicate]
    assert (found["state"], found["children"]) == ("suspected", [pair.first, pair.second])
    assert found["villages"] == [first[0].residence, second[0].residence]  # type: ignore[attr-defined]
    found = (await model.fold(first, second, [pair], [dismissal(pair)]))[PAIRS][pair.duplicate]
    assert (found["state"], found["dismissed_for"]) == ("dismissed", "same_name")


async def test_a_pair_is_settled_while_one_of_its_files_is_closed(model: Model) -> None:
    first, second, pair = the_pair()
    history = [first, second, [pair], [closing(pair.second)]]
    assert (await model.fold(*history))[PAIRS][pair.duplicate]["state"] == "settled"
    reopened = ChildFileReopened(child=pair.second, reason=Personal("误关"), reopened_on=date(2026, 9, 2))
    assert (await model.fold(*history, [reopened]))[PAIRS][pair.duplicate]["state"] == "suspected"


async def test_an_erased_child_leaves_its_id_and_takes_its_pairs_with_it(model: Model) -> None:
    first, second, pair = the_pair()
    erased = SubjectKeyDestroyed(child=pair.first, approved_by="officer-2")
    found = await model.fold(first, second, [pair], [erased])
    assert found[FILES][pair.first] == {"_id": pair.first, "erased": True}
    assert found[PAIRS] == {}
    assert "keys" in found[FILES][pair.second]


async def test_a_registration_whose_key_is_gone_leaves_no_keys(model: Model) -> None:
    child = a_registered_child(name=Personal(ERASED), birth_date=Personal(ERASED))
    assert (await model.fold([child]))[FILES][child.child]["keys"] == []


@pytest.mark.parametrize("ending", ["suspected", "dismissed", "closed", "erased"])
async def test_events_of_different_streams_give_the_same_in_whatever_order_they_come(model: Model, ending: str) -> None:
    first, second, pair = the_pair()
    if ending == "closed":
        second = [*second, closing(pair.second)]
    elif ending == "erased":
        first = [*first, SubjectKeyDestroyed(child=pair.first, approved_by="officer-2")]
    of_pair: list[Event] = [pair, *([dismissal(pair)] if ending == "dismissed" else [])]
    chance = random.Random(ending)
    expected = await model.fold(first, second, of_pair)
    for _ in range(12):
        assert await model.fold(*interleaved(chance, first, second, of_pair)) == expected


def interleaved(chance: random.Random, *streams: Sequence[Event]) -> list[list[Event]]:
    """Each stream in its own order, cut into batches at random."""
    turns = [number for number, stream in enumerate(streams) for _ in stream]
    chance.shuffle(turns)
    rest = [iter(stream) for stream in streams]
    batches: list[list[Event]] = [[]]
    for turn in turns:
        if chance.random() < 0.5:
            batches.append([])
        batches[-1].append(next(rest[turn]))
    return [batch for batch in batches if batch]
