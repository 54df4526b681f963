"""Who put a message on a topic: each carries a keyed hash of its bytes, made with what only the services hold.

Without it a forged record with the next number and the right ``prev`` would be folded before the owner's next head or
record shows that it is false, and the read model would have to be built again.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Final

HEADER: Final = "guanhu-seal"
_PURPOSE: Final = b"guanhu messages on topics"


class Seal:
    """``secret`` is what the services of one installation share."""

    def __init__(self, secret: bytes) -> None:
        # A key of its own, so that no token signed with the secret passes for a seal.
        self._key = hmac.digest(secret, _PURPOSE, "sha256")

    def of(self, value: bytes) -> bytes:
        """The 32 bytes of the header."""
        return hmac.digest(self._key, value, "sha256")

    def fits(self, headers: Iterable[tuple[str, bytes | None]], value: bytes) -> bool:
        """Kafka's headers may be null, and may come twice: the first counts."""
        found = next((seal for name, seal in headers if name == HEADER), None)
        return hmac.compare_digest(found or b"", self.of(value))
