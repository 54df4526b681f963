"""Ports of 127.0.0.1."""

from __future__ import annotations

import random
import socket


def is_free(port: int) -> bool:
    """Whether nobody listens on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a port that was just closed looks taken
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different ports nobody listens on, from below the range out of which Linux gives ports to clients."""
    tried = random.sample(range(20_000, 32_000), 100 + count)
    return [port for port in tried if is_free(port)][:count]
