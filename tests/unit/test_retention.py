"""How long a closed file is kept."""

from __future__ import annotations

from datetime import date

import pytest

from services.reporting.retention import closed_before
from shared.contracts.retention import RetentionPeriods


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
