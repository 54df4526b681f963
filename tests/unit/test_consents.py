"""Whether a family had consented to something on a day, folded from registry's events."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from shared.contracts.consent import ConsentPurpose
from shared.contracts.registry import SubjectKeyDestroyed
from shared.contracts.sealed import ERASED, Personal
from shared.projection.read_model import Document, Occurred
from shared.standing.consents import CONSENTS, Consents, consented_on
from tests.support.workspace import MemoryWorkspace, a_record
from tests.unit.test_privacy_record import CHILD, GIVEN, REFUSED, WITHDRAWN

DAY = date(2026, 8, 14)
GONE = SubjectKeyDestroyed(child=CHILD, approved_by="officer-1")


async def folded(*events) -> Document:
    work = MemoryWorkspace({CONSENTS: {}})
    batch = [
        Occurred(msgspec.structs.replace(a_record(event), version=version), event)
        for version, event in enumerate(events, start=1)
    ]
    await Consents().prepare(batch, work)
    for occurred in batch:
        Consents().fold(occurred, work)
    return work.get(CONSENTS, CHILD) or {}


def on(event, days: int):
    return event.model_copy(update={"on": DAY + timedelta(days=days)})


@pytest.mark.parametrize(
    ("events", "consented"),
    [
        ((), [False, False, False]),
        ((GIVEN,), [False, True, True]),
        ((REFUSED,), [False, False, False]),
        ((GIVEN, on(WITHDRAWN, 1)), [False, True, False]),
        ((GIVEN, WITHDRAWN), [False, False, False]),
        ((GIVEN, WITHDRAWN, GIVEN), [False, True, True]),
        ((REFUSED, on(GIVEN, 1)), [False, False, True]),
        ((GIVEN, GONE), [False, False, False]),
        ((GONE, GIVEN), [False, False, False]),
        ((GIVEN.model_copy(update={"consent": Personal(ERASED)}),), [False, False, False]),
    ],
)
async def test_a_consent_holds_from_its_day_to_before_the_day_of_its_withdrawal(events, consented):
    document = await folded(*events)
    days = [DAY + timedelta(days=days) for days in (-1, 0, 1)]
    assert [consented_on(document, ConsentPurpose.PHOTO, day) for day in days] == consented
    assert not any(consented_on(document, ConsentPurpose.PUBLICATION, day) for day in days)
