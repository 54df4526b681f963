"""What a device brings for registry, passed on to it in the device's name before its visits are decided."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from fastapi import Request

from shared.commands.routes import Item, ItemAnswer, answer_of
from shared.commands.sync import SyncAnswer, SyncBatch
from shared.contracts.refusal import Refusal


class RegistryUnreachable(Refusal):
    """registry does not answer now."""

    status = 503
    what_to_do = "Send the same item again later; it takes effect once."


class RegistryItems:
    """``http`` is shared and closed by whoever made it."""

    def __init__(self, registry: str, http: httpx.AsyncClient) -> None:
        self._url = f"{registry.rstrip('/')}/sync"
        self._http = http

    async def __call__(self, items: Sequence[Item], batch: SyncBatch, request: Request) -> Sequence[ItemAnswer]:
        """registry's answers; none is lost when it does not give them."""
        body = batch.model_copy(update={"items": list(items)}).model_dump_json()
        headers = {"content-type": "application/json", "authorization": request.headers.get("authorization", "")}
        try:
            answer = await self._http.post(self._url, content=body, headers=headers)
            answer.raise_for_status()
        except httpx.HTTPError:
            return [answer_of(item.id, RegistryUnreachable()) for item in items]
        return SyncAnswer.model_validate_json(answer.content).answers
