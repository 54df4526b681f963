"""The seal on a message: only who holds the secret can make it, and whatever else stands in its place is none."""

from __future__ import annotations

import pytest

from shared.messaging.seal import HEADER, Seal

SEAL = Seal(b"s" * 32)
TRUE = SEAL.of(b"value")


def test_a_seal_fits_the_value_it_was_made_for() -> None:
    assert SEAL.fits([("traceparent", b"00-"), (HEADER, TRUE)], b"value")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(HEADER, None)],
        [(HEADER, b"")],
        [(HEADER, TRUE[:-1])],
        [(HEADER, Seal(b"t" * 32).of(b"value"))],
        [(HEADER, SEAL.of(b"another"))],
        [(HEADER, None), (HEADER, TRUE)],
        [("other", TRUE)],
    ],
)
def test_anything_else_is_no_seal(headers: list[tuple[str, bytes | None]]) -> None:
    assert not SEAL.fits(headers, b"value")
