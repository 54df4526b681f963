"""A real Kafka on 127.0.0.1: one node that is broker and controller, from the jars `make setup` brings."""

from deploy.local.kafka.server import address, check, ready, start

__all__ = ["address", "check", "ready", "start"]
