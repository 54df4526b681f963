"""Every command and every refusal of a domain is named by a test: what nobody specified is found here."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

from shared.commands.command import Command
from shared.contracts.refusal import Refusal

T = TypeVar("T")

TESTS = Path(__file__).parents[1]
DOMAINS = (
    *("services.registry.domain", "services.registry.duplicates", "services.visits.domain"),
    *("services.pairing.domain", "services.reporting.domain"),
)


def _modules(root: str) -> Iterator[ModuleType]:
    module = importlib.import_module(root)
    yield module
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{root}."):
        yield importlib.import_module(found.name)


def _defined(kind: type[T]) -> list[type[T]]:
    found = {
        thing
        for root in DOMAINS
        for module in _modules(root)
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, kind) and thing.__module__ == module.__name__
    }
    return sorted(found, key=lambda thing: thing.__name__)


@cache
def _told_in_tests() -> frozenset[str]:
    """All names and texts that the tests' code holds."""
    told = set[str]()
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    told.add(name)
                case ast.Constant(value=str(text)):
                    told.add(text)
                case _:
                    pass
    return frozenset(told)


def _with_those_below(kind: type[Command]) -> Iterator[type[Command]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _with_those_below(below)


@pytest.mark.parametrize("refusal", _defined(Refusal), ids=lambda refusal: refusal.__name__)
def test_a_refusal_is_specified(refusal: type[Refusal]) -> None:
    code = refusal.code.fget(refusal.__new__(refusal))  # type: ignore[attr-defined]
    assert {refusal.__name__, code} & _told_in_tests()


@pytest.mark.parametrize("command", _defined(Command), ids=lambda command: command.__name__)
def test_a_command_is_specified_as_it_is_told_or_as_it_is_judged(command: type[Command]) -> None:
    forms = {*_with_those_below(command), *command.__mro__[1 : command.__mro__.index(Command)]}
    assert {one.__name__ for one in forms} & _told_in_tests()
