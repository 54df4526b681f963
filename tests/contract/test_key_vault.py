"""What every key vault promises, and what the one in MongoDB promises beyond it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from shared.privacy.cipher import Aes256Gcm
from shared.privacy.erasures import ErasureListDamagedError
from shared.privacy.memory import MemoryVault
from shared.privacy.mongo import ErasureListUnsetError, MasterKeyError, MongoVault
from shared.privacy.port import KeyVault, SubjectErasedError, SubjectKeys

MASTER_KEY = bytes(range(32))
CHILD, OTHER = "child-a", "child-b"

Open = Callable[..., MongoVault]


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 8, 14, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def client(mongo_url: str) -> AsyncIterator[AsyncIOMotorClient[Any]]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongo_url, tz_aware=True)
    yield client
    client.close()


@pytest.fixture
def database() -> str:
    return f"keys_{uuid.uuid4().hex}"


@pytest.fixture
async def open_vault(client: AsyncIOMotorClient[Any], database: str, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens vaults on one database, as several processes would."""

    def open_vault(master_key: bytes = MASTER_KEY, **options: Any) -> MongoVault:
        options = {"database": database, "erasure_list": tmp_path / "erased.jsonl"} | options
        return MongoVault(client, master_key, Aes256Gcm(), **options)

    yield open_vault
    await client.drop_database(database)


@pytest.fixture(params=["memory", "mongo"])
def vault(request: pytest.FixtureRequest) -> KeyVault:
    if request.param == "memory":
        return MemoryVault()
    opened: KeyVault = request.getfixturevalue("open_vault")()
    return opened


async def refused(sealing: Awaitable[Any]) -> str:
    with pytest.raises(SubjectErasedError) as refusal:
        await sealing
    return refusal.value.subject


class TestEveryVault:
    async def test_each_subject_has_two_keys_of_its_own(self, vault: KeyVault) -> None:
        keys = await vault.keys_for_sealing([CHILD, OTHER])
        all_keys = [key for subject in (CHILD, OTHER) for key in keys[subject]]
        assert len(set(all_keys)) == 4
        assert {len(key) for key in all_keys if key} == {32}

    async def test_who_is_taken_for_new_and_is_not_has_the_keys_it_had(self, vault: KeyVault) -> None:
        before = await vault.keys_for_sealing([CHILD])
        both = await vault.keys_for_sealing([CHILD, OTHER], new={CHILD, OTHER})
        assert both[CHILD] == before[CHILD]
        assert await vault.keys_for_opening([CHILD, OTHER]) == both

    async def test_who_is_taken_for_new_and_was_erased_is_refused(self, vault: KeyVault) -> None:
        await vault.destroy(CHILD)
        assert await refused(vault.keys_for_sealing([CHILD], new=[CHILD])) == CHILD

    async def test_what_sealed_opens(self, vault: KeyVault) -> None:
        sealing = await vault.keys_for_sealing({CHILD, OTHER})
        assert await vault.keys_for_opening({CHILD, OTHER}) == sealing
        assert await vault.keys_for_sealing({CHILD, OTHER}) == sealing

    async def test_opening_makes_no_keys(self, vault: KeyVault) -> None:
        for _ in range(2):
            assert await vault.keys_for_opening([CHILD]) == {CHILD: SubjectKeys(None, None)}

    async def test_nothing_asked_nothing_given(self, vault: KeyVault) -> None:
        assert await vault.keys_for_sealing([]) == {}
        assert await vault.keys_for_opening([]) == {}

    async def test_erasure_destroys_the_personal_key_alone(self, vault: KeyVault) -> None:
        before = (await vault.keys_for_sealing([CHILD, OTHER])) | {}
        await vault.destroy(CHILD)
        after = await vault.keys_for_opening([CHILD, OTHER])
        assert after == {CHILD: SubjectKeys(None, before[CHILD].counted), OTHER: before[OTHER]}

    async def test_nothing_is_sealed_for_an_erased_subject(self, vault: KeyVault) -> None:
        await vault.keys_for_sealing([CHILD])
        await vault.destroy(CHILD)
        assert await refused(vault.keys_for_sealing([OTHER, CHILD])) == CHILD

    async def test_a_subject_without_keys_can_be_erased(self, vault: KeyVault) -> None:
        await vault.destroy(CHILD)
        assert await refused(vault.keys_for_sealing([CHILD])) == CHILD
        assert await vault.keys_for_opening([CHILD]) == {CHILD: SubjectKeys(None, None)}

    async def test_erased_subjects_stay_listed_however_often_erased(self, vault: KeyVault) -> None:
        await vault.keys_for_sealing([CHILD, OTHER])
        assert await vault.erased() == frozenset()
        await vault.destroy(CHILD)
        await vault.destroy(CHILD)
        assert await vault.erased() == {CHILD}


class TestMongoVault:
    async def test_two_processes_that_create_at_once_agree(self, open_vault: Open) -> None:
        subjects = [f"child-{number}" for number in range(200)]
        given = await asyncio.gather(*(open_vault().keys_for_sealing(subjects) for _ in range(6)))
        assert all(keys == given[0] for keys in given)

    async def test_keys_are_stored_wrapped(
        self, open_vault: Open, client: AsyncIOMotorClient[Any], database: str
    ) -> None:
        keys = (await open_vault().keys_for_sealing([CHILD]))[CHILD]
        stored = await client[database]["keys"].find_one({"_id": CHILD})
        assert stored is not None
        assert stored.keys() == {"_id", "personal", "counted", "created_at"}
        assert keys.personal not in stored["personal"]
        assert keys.counted not in stored["counted"]

    async def test_another_master_key_opens_nothing(self, open_vault: Open) -> None:
        await open_vault().keys_for_sealing([CHILD])
        with pytest.raises(MasterKeyError):
            await open_vault(bytes(32)).keys_for_opening([CHILD])

    async def test_a_wrapped_key_serves_its_own_subject_only(
        self, open_vault: Open, client: AsyncIOMotorClient[Any], database: str
    ) -> None:
        await open_vault().keys_for_sealing([CHILD, OTHER])
        collection = client[database]["keys"]
        stolen = await collection.find_one({"_id": CHILD})
        assert stolen is not None
        await collection.update_one({"_id": OTHER}, {"$set": {"personal": stolen["personal"]}})
        with pytest.raises(MasterKeyError):
            await open_vault().keys_for_opening([OTHER])

    async def test_a_short_master_key_is_refused(self, open_vault: Open) -> None:
        with pytest.raises(MasterKeyError):
            open_vault(b"short")

    async def test_another_process_stops_sealing_within_the_lifetime_of_its_cache(self, open_vault: Open) -> None:
        clock = Clock()
        elsewhere = open_vault(clock=clock, ttl=timedelta(seconds=60))
        await elsewhere.keys_for_sealing([CHILD])
        await open_vault().destroy(CHILD)
        clock.now += timedelta(seconds=59)
        assert await elsewhere.keys_for_sealing([CHILD])
        clock.now += timedelta(seconds=1)
        assert await refused(elsewhere.keys_for_sealing([CHILD])) == CHILD

    async def test_a_look_up_under_way_brings_no_destroyed_key_back(self, open_vault: Open) -> None:
        for round_number in range(10):
            vault, subject = open_vault(), f"child-{round_number}"
            await vault.keys_for_sealing([subject])
            fresh = open_vault()
            await asyncio.gather(fresh.destroy(subject), *(fresh.keys_for_opening([subject]) for _ in range(20)))
            assert await refused(fresh.keys_for_sealing([subject])) == subject

    async def test_the_cache_is_bounded(self, open_vault: Open) -> None:
        vault = open_vault(cached=3)
        subjects = [f"child-{number}" for number in range(10)]
        keys = await vault.keys_for_sealing(subjects)
        assert len(keys) == 10
        assert len(vault._cache._entries) == 3
        assert await vault.keys_for_opening(subjects) == keys

    async def test_an_erasure_comes_back_after_a_restore(
        self, open_vault: Open, client: AsyncIOMotorClient[Any], database: str, tmp_path: Path
    ) -> None:
        vault = open_vault()
        await vault.keys_for_sealing([CHILD, OTHER])
        backup = await client[database]["keys"].find().to_list(None)
        await vault.destroy(CHILD)
        erased_at = (await client[database]["keys"].find_one({"_id": CHILD}) or {})["destroyed_at"]

        await client[database]["keys"].drop()
        await client[database]["keys"].insert_many(backup)
        restored = open_vault()
        assert (await restored.keys_for_opening([CHILD]))[CHILD].personal is not None

        assert await restored.reapply(tmp_path / "erased.jsonl") == 1
        assert await refused(restored.keys_for_sealing([CHILD])) == CHILD
        assert (await restored.keys_for_sealing([OTHER]))[OTHER].personal is not None
        again = await client[database]["keys"].find_one({"_id": CHILD}) or {}
        # MongoDB keeps milliseconds.
        assert abs(again["destroyed_at"] - erased_at) < timedelta(milliseconds=1)

    async def test_a_torn_line_hides_no_erasure(self, open_vault: Open, tmp_path: Path) -> None:
        path = tmp_path / "erased.jsonl"
        await open_vault().destroy(CHILD)
        path.write_text(path.read_text() + '\n{"subject": "chi')
        await open_vault().destroy(OTHER)
        restored = open_vault(database=f"keys_{uuid.uuid4().hex}")
        with pytest.raises(ErasureListDamagedError, match="line 4"):
            await restored.reapply(path)
        assert await restored.erased() == {CHILD, OTHER}
        await restored._keys.drop()

    async def test_no_key_is_destroyed_without_the_list_outside(self, open_vault: Open) -> None:
        vault = open_vault(erasure_list=None)
        await vault.keys_for_sealing([CHILD])
        with pytest.raises(ErasureListUnsetError):
            await vault.destroy(CHILD)
        assert (await vault.keys_for_sealing([CHILD]))[CHILD].personal is not None
