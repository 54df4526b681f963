"""How long a closed file and a photo are kept."""

from __future__ import annotations

from datetime import date

import pytest

from shared.standing.retention import CLOSED_FILES, PHOTOS, Retention, kept_long_enough


@pytest.mark.parametrize(
    ("today", "day"),
    [
        (date(2029, 8, 14), date(2026, 8, 14)),
        (date(2028, 2, 29), date(2025, 2, 28)),
        (date(2028, 2, 28), date(2025, 2, 28)),
    ],
)
def test_a_closed_file_is_kept_for_three_years(today, day):
    assert kept_long_enough(today, CLOSED_FILES) == day


def test_another_period_holds_from_its_first_day():
    policy = (Retention(date.min, 3), Retention(date(2030, 1, 1), 5))
    assert kept_long_enough(date(2029, 12, 31), policy) == date(2026, 12, 31)
    assert kept_long_enough(date(2030, 1, 1), policy) == date(2025, 1, 1)


def test_a_photo_is_kept_for_one_year():
    assert kept_long_enough(date(2028, 2, 29), PHOTOS) == date(2027, 2, 28)
