"""What every store of read models promises, through the workspace that writes to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.messaging.run import Mark, Source
from shared.projection.checkpoint import Checkpoint, ModelVersion, Seen, Stopped
from shared.projection.memory import MemoryProjectionStore
from shared.projection.mongo import MongoProjectionStore
from shared.projection.read_model import Document
from shared.projection.store import ProjectionStore, UnwritableError
from shared.projection.workspace import Work
from tests.support.counting_model import CHILDREN, SEEN, TOTALS, Closings

OF = ModelVersion(Closings.name, 1)
NEXT = ModelVersion(Closings.name, 2)
SOURCE = Source("registry", 3)
TIME = datetime(2026, 8, 14, 8, 12, 33, 120_000, tzinfo=UTC)

Write = Callable[[Callable[[Work], Any]], Awaitable[None]]


@pytest.fixture(params=["memory", "mongo"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[ProjectionStore]:
    if request.param == "memory":
        yield MemoryProjectionStore()
        return
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(request.getfixturevalue("mongo_url"))
    name = f"projection_{uuid4().hex}"
    yield MongoProjectionStore(client, name)
    await client.drop_database(name)
    client.close()


@pytest.fixture
async def write(store: ProjectionStore) -> Write:
    """Commits what is done in one workspace."""
    await store.prepare(Closings(), OF)

    async def commit(do: Callable[[Work], Any]) -> None:
        work = Work(store, OF)
        done = do(work)
        if done is not None:
            await done
        before = await store.checkpoint(OF)
        assert await store.commit(OF, work.changes, before, moved(before))

    return commit


def moved(before: Checkpoint, **changes: Any) -> Checkpoint:
    return msgspec.structs.replace(before, revision=before.revision + 1, **changes)


async def stored(store: ProjectionStore, key: Any, collection: str = CHILDREN) -> Document | None:
    found = await store.find(OF, collection, "_id", [key])
    return found[0] if found else None


class TestDocuments:
    async def test_what_was_put_is_there(self, store: ProjectionStore, write: Write) -> None:
        document = {"_id": "a", "at": TIME, "n": {"2026-08": 3}, "list": ["x"]}
        await write(lambda work: work.put(CHILDREN, document))
        assert await stored(store, "a") == document

    async def test_a_put_replaces_the_whole_document(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "x": 1, "y": 2}))
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "x": 3}))
        assert await stored(store, "a") == {"_id": "a", "x": 3}

    async def test_what_was_not_loaded_is_absent(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a"}))
        work = Work(store, OF)
        assert work.get(CHILDREN, "a") is None
        await work.load(CHILDREN, ["a", "b"])
        assert work.get(CHILDREN, "a") == {"_id": "a"}
        assert work.get(CHILDREN, "b") is None

    async def test_of_what_was_looked_for_the_new_and_the_old_are_written_together(
        self, store: ProjectionStore, write: Write
    ) -> None:
        await write(lambda work: [work.put(CHILDREN, {"_id": n, "x": 0}) for n in range(0, 6, 2)] and None)
        work = Work(store, OF)
        await work.load(CHILDREN, range(6))
        for n in range(6):
            work.put(CHILDREN, {"_id": n, "x": n})
        work.delete(CHILDREN, 5)
        work.delete(CHILDREN, 4)
        checkpoint = await store.checkpoint(OF)
        assert await store.commit(OF, work.changes, checkpoint, moved(checkpoint))
        found = await store.find(OF, CHILDREN, "_id", range(6))
        assert sorted((one["_id"], one["x"]) for one in found) == [(n, n) for n in range(4)]

    async def test_one_deleted_looked_for_and_put_again_in_one_batch_is_as_it_was_put(
        self, store: ProjectionStore, write: Write
    ) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "x": 1}))

        async def do(work: Work) -> None:
            work.delete(CHILDREN, "a")
            await work.load(CHILDREN, ["a"])
            work.put(CHILDREN, {"_id": "a", "x": 2})

        await write(do)
        assert await stored(store, "a") == {"_id": "a", "x": 2}

    async def test_a_loaded_document_changed_in_place_is_written_only_when_put(
        self, store: ProjectionStore, write: Write
    ) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "x": 1}))
        work = Work(store, OF)
        await work.load(CHILDREN, ["a"])
        (work.get(CHILDREN, "a") or {})["x"] = 2
        assert await stored(store, "a") == {"_id": "a", "x": 1}

    async def test_loading_again_keeps_what_is_here(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "reason": "x", "n": 1}))
        work = Work(store, OF)
        work.put(CHILDREN, {"_id": "a", "reason": "x", "n": 2})
        await work.load(CHILDREN, ["a"])
        await work.load_where(CHILDREN, "reason", ["x"])
        assert work.get(CHILDREN, "a") == {"_id": "a", "reason": "x", "n": 2}

    async def test_documents_are_loaded_by_a_field(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: [work.put(CHILDREN, {"_id": n, "file": {"reason": n % 2}}) for n in range(4)] and None)
        work = Work(store, OF)
        await work.load_where(CHILDREN, "file.reason", [1])
        assert [document["_id"] for document in work.where(CHILDREN, "file.reason", 1)] == [1, 3]
        assert work.get(CHILDREN, 2) is None

    async def test_a_list_is_found_by_what_it_holds(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "villages": ["x", "y"]}))
        work = Work(store, OF)
        await work.load_where(CHILDREN, "villages", ["y"])
        assert work.where(CHILDREN, "villages", "x") == [{"_id": "a", "villages": ["x", "y"]}]

    async def test_an_insert_of_what_exists_is_refused_and_nothing_is_written(
        self, store: ProjectionStore, write: Write
    ) -> None:
        await write(lambda work: work.insert(SEEN, {"_id": "a", "n": 1}))
        work, before = Work(store, OF), await store.checkpoint(OF)
        work.put(CHILDREN, {"_id": "b"})
        work.insert(SEEN, {"_id": "a", "n": 2})
        with pytest.raises(UnwritableError):
            await store.commit(OF, work.changes, before, moved(before))
        assert await stored(store, "a", SEEN) == {"_id": "a", "n": 1}
        assert await stored(store, "b") is None
        assert await store.checkpoint(OF) == before

    async def test_what_bson_cannot_hold_is_refused(self, store: ProjectionStore, write: Write) -> None:
        work, before = Work(store, OF), await store.checkpoint(OF)
        work.put(CHILDREN, {"_id": "a", "x": object()})
        with pytest.raises(UnwritableError, match="InvalidDocument"):
            await store.commit(OF, work.changes, before, moved(before))

    async def test_two_inserts_of_one_id_are_refused_at_once(self, store: ProjectionStore) -> None:
        work = Work(store, OF)
        work.insert(SEEN, {"_id": "a"})
        with pytest.raises(ValueError, match="already"):
            work.insert(SEEN, {"_id": "a"})


class TestIncrements:
    async def test_they_create_the_document_with_its_fixed_fields(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.increment(TOTALS, "a", "n.x", 2, {"village": "v"}))
        assert await stored(store, "a", TOTALS) == {"_id": "a", "village": "v", "n": {"x": 2}}

    async def test_they_add_to_what_is_stored_and_leave_its_fields(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.increment(TOTALS, "a", "n.x", 2, {"village": "v"}))
        await write(lambda work: work.increment(TOTALS, "a", "n.y", 1, {"village": "w"}))
        assert await stored(store, "a", TOTALS) == {"_id": "a", "village": "v", "n": {"x": 2, "y": 1}}

    async def test_those_of_one_batch_on_one_path_are_summed(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: [work.increment(TOTALS, "a", "n", by) for by in (1, 2, -1)] and None)
        assert await stored(store, "a", TOTALS) == {"_id": "a", "n": 2}

    async def test_a_sum_of_zero_is_not_written(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: [work.increment(TOTALS, "a", "n", by, {"v": 1}) for by in (1, -1)] and None)
        assert await stored(store, "a", TOTALS) is None

    async def test_a_put_gives_up_the_increments_before_it_and_takes_those_after_it(
        self, store: ProjectionStore, write: Write
    ) -> None:
        def do(work: Work) -> None:
            work.increment(TOTALS, "a", "n", 5)
            work.put(TOTALS, {"_id": "a", "n": 1})
            work.increment(TOTALS, "a", "n", 1)

        await write(do)
        assert await stored(store, "a", TOTALS) == {"_id": "a", "n": 2}


class TestDeletions:
    async def test_a_deleted_document_is_gone(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a"}))
        await write(lambda work: work.delete(CHILDREN, "a"))
        assert await stored(store, "a") is None

    async def test_one_put_again_is_there(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "n": 1}))

        def do(work: Work) -> None:
            work.delete(CHILDREN, "a")
            assert work.get(CHILDREN, "a") is None
            work.put(CHILDREN, {"_id": "a", "n": 2})

        await write(do)
        assert await stored(store, "a") == {"_id": "a", "n": 2}

    async def test_one_deleted_in_this_batch_is_not_loaded_again(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "reason": "x"}))
        work = Work(store, OF)
        work.delete(CHILDREN, "a")
        await work.load(CHILDREN, ["a"])
        assert work.get(CHILDREN, "a") is None

    async def test_what_was_inserted_in_the_batch_can_be_deleted_in_it(
        self, store: ProjectionStore, write: Write
    ) -> None:
        def do(work: Work) -> None:
            work.insert(SEEN, {"_id": "a"})
            work.delete(SEEN, "a")

        await write(do)
        assert await stored(store, "a", SEEN) is None

    async def test_all_with_a_value_are_deleted_stored_and_here(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: [work.put(SEEN, {"_id": n, "child": n % 2}) for n in range(4)] and None)

        def do(work: Work) -> None:
            work.insert(SEEN, {"_id": 5, "child": 1})
            work.put(SEEN, {"_id": 7, "child": 1})
            work.delete_where(SEEN, "child", 1)
            work.insert(SEEN, {"_id": 9, "child": 1})
            assert work.get(SEEN, 7) is None

        await write(do)
        assert sorted([d["_id"] for d in await store.find(OF, SEEN, "child", [0, 1])]) == [0, 2, 9]

    async def test_one_that_came_to_the_value_in_this_batch_is_deleted_too(
        self, store: ProjectionStore, write: Write
    ) -> None:
        await write(lambda work: work.put(SEEN, {"_id": "a", "child": 0}))

        def do(work: Work) -> None:
            work.put(SEEN, {"_id": "a", "child": 1})
            work.delete_where(SEEN, "child", 1)

        await write(do)
        assert await stored(store, "a", SEEN) is None


class TestCheckpoints:
    async def test_a_model_never_written_has_the_empty_one(self, store: ProjectionStore) -> None:
        await store.prepare(Closings(), OF)
        assert await store.checkpoint(OF) == Checkpoint()

    async def test_all_it_says_is_kept(self, store: ProjectionStore, write: Write) -> None:
        after = Checkpoint(
            revision=1,
            epoch=4,
            marks={SOURCE: Mark(7, "h", None), Source("visits", 0): Mark(1, "g", 12)},
            heads={SOURCE: Seen(9, TIME)},
            complete={SOURCE: TIME},
            stopped=Stopped("registry/3/8", "ChildRegistered", "id", "KeyError"),
            passed=2,
            counted=frozenset({TOTALS}),
            frozen_until=TIME,
        )
        assert await store.commit(OF, {}, Checkpoint(), after)
        assert await store.checkpoint(OF) == after

    async def test_who_stands_elsewhere_writes_nothing(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a", "n": 1}))
        now = await store.checkpoint(OF)
        work = Work(store, OF)
        work.put(CHILDREN, {"_id": "a", "n": 2})
        work.increment(TOTALS, "all", "n", 1)
        assert not await store.commit(OF, work.changes, Checkpoint(), moved(Checkpoint()))
        assert not await store.commit(OF, work.changes, moved(now), moved(moved(now)))
        assert await stored(store, "a") == {"_id": "a", "n": 1}
        assert await stored(store, "all", TOTALS) is None
        assert await store.checkpoint(OF) == now

    @pytest.mark.parametrize("first", [True, False])
    async def test_of_many_writers_at_once_one_commits(self, store: ProjectionStore, write: Write, first: bool) -> None:
        if not first:
            await write(lambda work: None)
        before = await store.checkpoint(OF)

        async def attempt(n: int) -> bool:
            work = Work(store, OF)
            work.increment(TOTALS, "all", "n", 1)
            work.put(CHILDREN, {"_id": f"{n}"})
            return await store.commit(OF, work.changes, before, moved(before, epoch=n))

        assert sum(await asyncio.gather(*(attempt(n) for n in range(8)))) == 1
        assert await stored(store, "all", TOTALS) == {"_id": "all", "n": 1}
        assert len(await store.find(OF, CHILDREN, "_id", [f"{n}" for n in range(8)])) == 1

    async def test_versions_do_not_meet(self, store: ProjectionStore, write: Write) -> None:
        await store.prepare(Closings(), NEXT, indexed=False)
        await write(lambda work: work.put(CHILDREN, {"_id": "a"}))
        assert await store.checkpoint(NEXT) == Checkpoint()
        assert await store.find(NEXT, CHILDREN, "_id", ["a"]) == []


class TestVersions:
    async def test_the_first_is_live_until_another_is(self, store: ProjectionStore, write: Write) -> None:
        assert await store.live(OF.name) == 1
        await write(lambda work: None)
        before = await store.checkpoint(OF)
        assert await store.switch(OF, before, moved(before), 2)
        assert await store.live(OF.name) == 2
        assert await store.checkpoint(OF) == moved(before)

    async def test_no_switch_once_the_old_writer_has_gone_on(self, store: ProjectionStore, write: Write) -> None:
        before = await store.checkpoint(OF)
        await write(lambda work: None)
        assert not await store.switch(OF, before, moved(before), 2)
        assert await store.live(OF.name) == 1

    async def test_no_switch_from_what_is_not_live(self, store: ProjectionStore, write: Write) -> None:
        await store.prepare(Closings(), NEXT)
        assert not await store.switch(NEXT, Checkpoint(), moved(Checkpoint()), 3)
        assert await store.live(OF.name) == 1
        assert await store.checkpoint(NEXT) == Checkpoint()

    async def test_a_dropped_version_is_gone_and_can_be_begun_again(self, store: ProjectionStore, write: Write) -> None:
        await write(lambda work: work.put(CHILDREN, {"_id": "a"}))
        await store.drop(Closings(), OF)
        await store.drop(Closings(), OF)
        assert await store.checkpoint(OF) == Checkpoint()
        await store.prepare(Closings(), OF)
        assert await stored(store, "a") is None

    async def test_equal_content_has_equal_digests_whatever_the_order(
        self, store: ProjectionStore, write: Write
    ) -> None:
        def do(work: Work) -> None:
            work.put(CHILDREN, {"_id": "a", "x": 1, "y": {"p": 1, "q": 2}})
            work.put(CHILDREN, {"_id": "b"})

        def other(work: Work) -> None:
            work.put(CHILDREN, {"_id": "b"})
            work.put(CHILDREN, {"y": {"q": 2, "p": 1}, "x": 1, "_id": "a"})

        await write(do)
        one = await store.digests(Closings(), OF, frozenset())
        await store.drop(Closings(), OF)
        await store.prepare(Closings(), OF)
        await write(other)
        assert await store.digests(Closings(), OF, frozenset()) == one
        assert one[CHILDREN].documents == 2
        await write(lambda work: work.put(CHILDREN, {"_id": "b", "x": None}))
        assert (await store.digests(Closings(), OF, frozenset()))[CHILDREN] != one[CHILDREN]

    async def test_a_sum_that_came_back_to_zero_counts_as_one_never_written(
        self, store: ProjectionStore, write: Write
    ) -> None:
        counted = frozenset({TOTALS})
        await write(lambda work: work.increment(TOTALS, "a", "n.x", 1, {"village": "v"}))
        one = await store.digests(Closings(), OF, counted)
        for by in (1, -1):
            await write(lambda work, by=by: work.increment(TOTALS, "a", "n.y", by))  # type: ignore[misc]
            await write(lambda work, by=by: work.increment(TOTALS, "b", "n.y", by, {"v": "v"}))  # type: ignore[misc]
        assert await store.digests(Closings(), OF, counted) == one
        assert (await store.digests(Closings(), OF, frozenset()))[TOTALS] != one[TOTALS]
