"""Which forms there are, for a device to show."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from shared.contracts.forms import FORMS, VisitForm


class Forms(BaseModel):
    forms: list[VisitForm]


def form_routes(caller: Any) -> APIRouter:
    router = APIRouter(tags=["forms"])

    @router.get("/forms", summary="The forms of visits")
    async def forms(who: Any = Depends(caller)) -> Forms:  # noqa: B008
        """All of them, older versions too: a visit made offline names the form it was told by."""
        return Forms(forms=list(FORMS.values()))

    return router
