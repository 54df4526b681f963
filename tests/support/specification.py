"""Given events, when a command is decided, then these events follow, or it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from shared.commands.command import Aggregate, Command
from shared.contracts.event import Event
from shared.contracts.refusal import Refusal


class Given:
    def __init__(self, aggregate: Aggregate[Any], events: tuple[Event, ...]) -> None:
        self._aggregate = aggregate
        self._state = aggregate.initial
        for event in events:
            self._state = aggregate.evolve(self._state, event)

    def when(self, command: Command) -> When:
        return When(self._aggregate, self._state, command)


class When:
    def __init__(self, aggregate: Aggregate[Any], state: Any, command: Command) -> None:
        self._decide = lambda: list(aggregate.decide(command, state))

    def then(self, *expected: Event) -> None:
        assert self._decide() == list(expected)

    def then_refused(self, refusal: type[Refusal], saying: str = "") -> None:
        with pytest.raises(refusal) as caught:
            self._decide()
        assert saying in caught.value.detail


def given(aggregate: Aggregate[Any], *events: Event) -> Given:
    return Given(aggregate, events)
