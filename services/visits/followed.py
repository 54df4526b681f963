"""The concerns about each child, and the files merged into another, as visits has heard of them: a private look-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from shared.contracts.concerns import ConcernRaised
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.refusal import Refusal
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import Kind
from shared.eventlog.placement import partition_of
from shared.eventlog.port import Log
from shared.eventlog.record import Position
from shared.projection.live import LiveModels
from shared.projection.read_model import Index, Occurred, ReadModel, Workspace

CONCERNS: Final = "concerns"
MERGED: Final = "merged"


class ChildConcerns(ReadModel):
    """``concerns``: ``{_id: concern, about}``; ``merged``: ``{_id: child, into}`` of files merged into another."""

    name: ClassVar[str] = "child_concerns"
    services: ClassVar[tuple[str, ...]] = ("registry", "visits")
    events: ClassVar[frozenset[str]] = frozenset(
        {"ConcernRaised", "ChildFilesMerged", "ChildMergeUndone", "SubjectKeyDestroyed"}
    )
    opens: ClassVar[frozenset[Kind]] = frozenset()
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CONCERNS: (Index((("about", 1),)),),
        MERGED: (Index((("into", 1),)),),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        """Each document is written whole by its event."""

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        match occurred.event:
            case ConcernRaised(concern=concern, about=about):
                work.put(CONCERNS, {"_id": concern, "about": about})
            case ChildFilesMerged(child=child, into=into):
                work.put(MERGED, {"_id": child, "into": into})
            case ChildMergeUndone(child=child):
                work.delete(MERGED, child)
            case SubjectKeyDestroyed(child=child):
                work.delete_where(CONCERNS, "about", child)


class ConcernsBehind(Refusal):
    """The look-up has not reached the end of visits' own log in time."""

    status: ClassVar[int] = 503
    what_to_do: ClassVar[str] = "Ask again."


class ConcernLookUp:
    """Never from behind visits' own log: a concern about a child stands in the child's partition."""

    def __init__(self, live: LiveModels, log: Log) -> None:
        self._live = live
        self._log = log

    async def about(self, child: str) -> list[str]:
        """Those about the child, and about files that were merged into its own. Raises ConcernsBehind, LogError."""
        files = await self._files(child)
        heads = await self._log.heads()
        last = [heads[partition_of(file, self._log.partitions)] for file in files]
        reached = [Position(self._log.service, head.partition, head.seq) for head in last]
        if not await self._live.wait_for_all(ChildConcerns.name, reached):
            raise ConcernsBehind
        concerns = await self._live.collection(ChildConcerns.name, CONCERNS)
        return [one["_id"] async for one in concerns.find({"about": {"$in": files}}, {"_id": 1}).sort("_id", 1)]

    async def _files(self, child: str) -> list[str]:
        merged = await self._live.collection(ChildConcerns.name, MERGED)
        files, into = [child], [child]
        while into:
            # No file twice: nothing would end if files were ever merged in a ring.
            found = merged.find({"into": {"$in": into}, "_id": {"$nin": files}})
            into = [one["_id"] async for one in found]
            files += into
        return files
