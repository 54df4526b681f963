"""MongoDB's own log holds nothing about a person, also when commands are slow or fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo.errors import DuplicateKeyError, ExecutionTimeout, OperationFailure

from deploy.local import mongo
from deploy.local.port import free_port

_NAME = "金丝雀7Q"
_SLOWLY = {"name": _NAME, "$where": "sleep(200) || true"}


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[AsyncIOMotorCollection[dict[str, Any]]]:
    port = free_port()
    server = mongo.start(tmp_path / "db", port, log=tmp_path / "mongodb.log", cache_gb=0.25, oplog_mb=64)
    try:
        await mongo.ready(server, port)
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(mongo.url(port))
        yield client["privacy"]["people"]
        client.close()
    finally:
        server.stop(grace=5)


async def test_mongodb_keeps_values_out_of_its_log(
    people: AsyncIOMotorCollection[dict[str, Any]], tmp_path: Path
) -> None:
    await people.create_index("name", unique=True)
    await people.insert_one({"name": _NAME})
    await people.find_one(_SLOWLY)
    await people.update_one(_SLOWLY, {"$set": {"also": _NAME}})
    with pytest.raises(DuplicateKeyError):
        await people.insert_one({"name": _NAME})
    with pytest.raises(ExecutionTimeout):
        await people.find_one(_SLOWLY, max_time_ms=50)
    with pytest.raises(OperationFailure):
        await people.find_one_and_update({"name": _NAME}, {"$inc": {"name": 1}})
    log = (tmp_path / "mongodb.log").read_text()
    assert "Waiting for connections" in log
    assert _NAME not in log
