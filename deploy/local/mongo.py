"""A real MongoDB on 127.0.0.1: one node, a replica set so that it has transactions."""

from __future__ import annotations

import importlib.util
import shutil
from enum import IntEnum
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.child import Child
from deploy.local.refusal import ToolMissing

REPLICA_SET = "rs0"

# These parts of MongoDB quote commands when they are slow or fail, with all their values: names and numbers of
# persons. The first can be switched off, the second cannot, so such lines do not reach the log.
_NO_COMMANDS = ("grep", "--line-buffered", "-vE", '"c":"(QUERY|COMMAND|WRITE|TXN|INDEX)"')


class Refused(IntEnum):
    """MongoDB's codes for the two states in which a node asks to be configured."""

    NOT_YET_INITIALIZED = 94
    NOT_IN_THE_CONFIGURATION = 93


def url(port: int) -> str:
    return f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"


def executable() -> Path:
    """The mongod of the machine, else the one a Python wheel carries. Raises ToolMissing."""
    if found := shutil.which("mongod"):
        return Path(found)
    spec = importlib.util.find_spec("fiftyone")
    for place in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(place) / "db" / "bin" / "mongod"
        if bundled.exists():
            return bundled
    raise ToolMissing("mongod", "make setup")


def start(data: Path, port: int, *, log: Path, cache_gb: float = 1.0, oplog_mb: int = 990) -> Child:
    """Start the server; it is of use once ``ready`` has returned."""
    data.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [executable(), "--dbpath", data, "--bind_ip", "127.0.0.1", "--port", str(port)]
    command += ["--replSet", REPLICA_SET, "--oplogSize", str(oplog_mb), "--wiredTigerCacheSizeGB", str(cache_gb)]
    command += ["--nounixsocket", "--setParameter", "diagnosticDataCollectionEnabled=false"]
    command += ["--profile", "0", "--slowms", "1000000", "--slowOpSampleRate", "0"]
    return Child("mongodb", command, log=log, sieve=_NO_COMMANDS)


async def ready(child: Child, port: int, *, seconds: float = 60) -> None:
    """Make the node a replica set of one and wait until it takes writes. Raises ChildDied."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500
    )
    try:
        await child.until(lambda: _takes_writes(client, port), seconds=seconds)
    finally:
        client.close()


async def _takes_writes(client: AsyncIOMotorClient[dict[str, Any]], port: int) -> bool:
    try:
        hello = await client.admin.command("hello")
        if "setName" not in hello:
            await _configure(client, f"127.0.0.1:{port}")
        return bool(hello.get("isWritablePrimary"))
    except PyMongoError:
        return False


async def _configure(client: AsyncIOMotorClient[dict[str, Any]], host: str) -> None:
    """Make a new node a replica set of one, and a node that knows itself under another port that one again."""
    try:
        await client.admin.command("replSetGetStatus")
    except OperationFailure as refused:
        match refused.code:
            case Refused.NOT_YET_INITIALIZED:
                members = [{"_id": 0, "host": host}]
                await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            case Refused.NOT_IN_THE_CONFIGURATION:
                config = (await client.admin.command("replSetGetConfig"))["config"]
                config["members"][0]["host"] = host
                await client.admin.command("replSetReconfig", config, force=True)
            case _:
                raise
