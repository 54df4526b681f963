"""What a look-up of standings stands on, without a database and without HTTP."""

from shared.eventlog.client import OwnerUnavailableError
from shared.projection.live import Freshness
from tests.support.registry import Registry


class Owner:
    """registry as an owner of its log, without HTTP between."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.away = False

    async def stream(self, stream):
        if self.away:
            raise OwnerUnavailableError
        return await self._registry.log.load(stream)


class NothingHeard:
    """The look-up of a service that has heard of no child, and asks registry for each."""

    async def collection(self, name, collection):
        return self

    def find(self, query):
        return self

    async def __aiter__(self):
        return
        yield

    async def freshness(self, name):
        return Freshness(None, 0, None)
