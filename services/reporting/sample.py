"""Which visits of a month a supervisor is to verify: a draw that everybody can repeat. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple


class Candidate(NamedTuple):
    """A visit of somebody else; ``preferred`` when it is doubted or flagged."""

    visit: str
    preferred: bool
    verified: bool


def seed_of(division: str, month: str) -> str:
    return hashlib.sha256(f"{division}/{month}".encode()).hexdigest()[:16]


def draw(candidates: Iterable[Candidate], share: Fraction, seed: str) -> list[str]:
    """The visits that are left to verify, in the order they were drawn.

    As many as the share asks for, rounded up, less those that are verified already, whichever they are. Preferred ones
    come first; the rest follow by the hash of the seed and their id, so that one more visit changes no other's place.
    """
    every = list(candidates)
    verified = sum(one.verified for one in every)
    wanted = max(0, math.ceil(share * len(every)) - verified)
    left = sorted((one for one in every if not one.verified), key=lambda one: (not one.preferred, _rank(seed, one)))
    return [one.visit for one in left[:wanted]]


def _rank(seed: str, candidate: Candidate) -> str:
    return hashlib.sha256(f"{seed}/{candidate.visit}".encode()).hexdigest()
