"""How long a closed file and a photo are kept."""

from __future__ import annotations

from datetime import date

import pytest

from services.reporting.retention import Kept, Retention, closed_before
from shared.adoption.read_model import Adoptions
from shared.contracts.retention import RetentionPeriods, years_before
from shared.identity.directory import MemoryDirectory


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2029, 8, 14), date(2026, 8, 14)),
        (date(2028, 2, 29), date(2025, 2, 28)),
        (date(2028, 2, 28), date(2025, 2, 28)),
    ],
)
def test_a_closed_file_is_kept_for_three_years(today, day):
    assert closed_before(today) == day


def test_another_period_is_as_long_as_it_says():
    assert closed_before(date(2030, 1, 1), RetentionPeriods(closed_file_years=5)) == date(2025, 1, 1)


async def test_each_village_keeps_files_as_its_own_county_asks():
    directory = MemoryDirectory()
    above = None
    for code in ("52", "5299", "529901", "529901101", "529901101201"):
        directory.add_division(code, above)
        above = code
    for code, parent in (("529902", "5299"), ("529902101", "529902"), ("529902101201", "529902101")):
        directory.add_division(code, parent)

    async def documents(ids):
        row = ["2026-01-01", "2026-01-01", 1, "529902-RETENTION-1", True, {"closed_file_years": 5}]
        return [{"_id": one, "adopted": [row]} for one in ids if one == "RetentionAdopted/529902"]

    retention = Retention(Adoptions(documents), directory)
    villages = ("529901101201", "529902101201", "529999999201")
    assert await retention.kept(villages, date(2026, 8, 14)) == [
        Kept("529902-RETENTION-1", date(2021, 8, 14), ["529902101201"]),
        Kept("RETENTION-1", date(2023, 8, 14), ["529901101201"]),
    ]
    [kept] = await retention.kept(villages, date(2025, 12, 31))
    assert (kept.version, kept.villages) == ("RETENTION-1", ["529901101201", "529902101201"])


def test_a_photo_is_kept_for_one_year():
    assert years_before(date(2028, 2, 29), RetentionPeriods().photo_years) == date(2027, 2, 28)
