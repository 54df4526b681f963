"""Golden files: for every event and every version of its schema one whole record, as it is stored, kept for ever.

``python -m tests.support.golden`` writes the files that are missing, with a fingerprint of the model beside them, and
touches no file that exists: what was stored once must stay readable. A model that changed needs a new
``schema_version`` and an upcast, then this command. (While a version has never been stored anywhere, it may be deleted
by hand and written anew.)
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from shared.contracts.catalogue import MODULES, events_of
from shared.contracts.event import Event, Fact, Layout, layout_of
from shared.contracts.sealed import Counted, Personal
from shared.eventlog.record import GENESIS, Actor, Record, decode, encode
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer

FOLDER: Final = Path(__file__).parents[1] / "unit" / "golden"
SEED: Final = b"golden files are sealed with keys that everybody may know"

_FINGERPRINTS: Final = "fingerprints.json"
_UUID: Final = "0192f3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
_DAY: Final = date(2026, 8, 14)
_NOW: Final = datetime(2026, 8, 14, 8, 12, 33, 120_000, UTC)
_TEXTS: Final = (
    *("测甲一", "529901001001", "529901", "2016-03", "13900000000", "529901201603090019"),
    *("1", "01", f"child-{_UUID}", "5e" * 32, "mood", "HOME-1", "GCJ-02", "529901001001-1"),
)
"""Tried in order until one fits a field: name or text, village, division, month, phone, citizen number, group,
ethnicity, stream, digest, code or key, form, system of coordinates, village group."""
_NUMBERS: Final = (1, 10, 1000, 0, 105, 27)


def versions() -> Iterator[tuple[str, type[Event], int]]:
    """(service, event, schema) for every version of every event there has been."""
    for service in MODULES:
        for event in events_of(service).values():
            for schema in range(1, event.schema_version + 1):
                yield service, event, schema


def path_of(service: str, event: type[Event], schema: int, folder: Path = FOLDER) -> Path:
    return folder / service / f"{event.__name__}.v{schema}.json"


def read(path: Path) -> Record:
    return decode(path.read_bytes().rstrip(b"\n"))


def fingerprints(folder: Path = FOLDER) -> dict[str, str]:
    """By ``ChildRegistered.v1``."""
    path = folder / _FINGERPRINTS
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return known


def fingerprint(event: type[Event]) -> str:
    """Changes with the names, types, rules, subjects and seals of a model's fields; not with its docstrings."""
    shape = [_without_words(event.model_json_schema()), _seals(layout_of(event))]
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def _without_words(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _without_words(value)
            for key, value in schema.items()
            if not (key in ("title", "description") and isinstance(value, str))
        }
    return [_without_words(one) for one in schema] if isinstance(schema, list) else schema


def _seals(layout: Layout) -> list[Any]:
    own = sorted([field.name, field.kind] for field in layout.sealed)
    return [layout.subject, own, sorted([name, many, _seals(nested)] for name, nested, many in layout.nested)]


def example(annotation: Any) -> Any:
    """A generated value of a type, the same every time, with every optional field given. Raises LookupError."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Personal, Counted):
        return origin(example(arguments[0]))
    if NoneType in arguments:
        return example(next(one for one in arguments if one is not NoneType))
    if origin is tuple:
        return (example(arguments[0]),)
    if origin is Mapping:
        return {example(arguments[0]): example(arguments[1])}
    if origin in (Union, UnionType):
        return example(arguments[0])
    if origin is Literal:
        return arguments[0]
    bare = arguments[0] if origin is Annotated else annotation
    if isinstance(bare, type) and issubclass(bare, Fact):
        return an_event(bare)
    return next(value for value in _candidates(bare, annotation) if _allowed(annotation, value))


def an_event(fact: type[Fact]) -> Any:
    """An example of every field; the model's own rules judge them together."""
    return fact(**{name: _example_of_field(fact, name) for name in fact.model_fields})


def _example_of_field(fact: type[Fact], name: str) -> Any:
    field = fact.model_fields[name]
    annotation: Any = field.annotation
    for rule in field.metadata:  # pydantic takes the rules of the outermost Annotated off the annotation
        annotation = Annotated[annotation, rule]
    try:
        return example(annotation)
    except StopIteration:
        raise LookupError(f"no example for {fact.__name__}.{name}: teach tests/support/golden.py one") from None


def _candidates(bare: Any, annotation: Any) -> Iterator[Any]:
    if isinstance(bare, type) and issubclass(bare, Enum):
        yield from bare
    elif bare is str:
        yield from (f"{kind}-{_UUID}" for kind in _kinds_of_id(annotation))
        yield from _TEXTS
    yield from {
        bool: [True],
        int: _NUMBERS,
        float: [float(n) for n in _NUMBERS],
        date: [_DAY],
        datetime: [_NOW],
        AwareDatetime: [_NOW],
    }.get(bare, ())


def _kinds_of_id(annotation: Any) -> Iterator[str]:
    """``child`` for the rule ``^child-<uuid>$``."""
    for rule in get_args(annotation)[1:]:
        pattern = str(getattr(rule, "pattern", "") or "")
        if "-[0-9a-f]{8}-" in pattern:
            yield pattern.removeprefix("^").split("-[", 1)[0]


def _allowed(annotation: Any, value: Any) -> bool:
    try:
        TypeAdapter(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


async def _record(service: str, event: Event) -> Record:
    name = type(event).__name__
    event_id = f"{_UUID[:-12]}{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    [sealing] = await Sealer(MemoryVault(SEED), Aes256Gcm()).seal([(event_id, event)])
    return Record(
        id=event_id,
        service=service,
        partition=1,
        seq=1,
        stream=f"stream-{_UUID}",
        version=1,
        type=name,
        schema=event.schema_version,
        occurred_at=_NOW,
        recorded_at=_NOW,
        actor=Actor("person-1", "child_director", "529901001001"),
        command_id=f"command-{_UUID}",
        data=sealing.data,
        prev=GENESIS,
        sealed=sealing.sealed,
        source="phone",
    )


def write_missing(folder: Path = FOLDER) -> list[Path]:
    """Writes the golden files that do not exist yet and says which.

    Raises LookupError when an older version has none: it can only be brought back from where it was kept.
    """
    written, known = [], fingerprints(folder)
    for service, event, schema in versions():
        path = path_of(service, event, schema, folder)
        if path.exists():
            continue
        if schema != event.schema_version:
            raise LookupError(f"{path.name} is lost; today's model cannot write it")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(asyncio.run(_record(service, an_event(event)))) + b"\n")
        known[path.stem] = fingerprint(event)
        written.append(path)
    (folder / _FINGERPRINTS).write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    return written


if __name__ == "__main__":
    for path in write_missing():
        print(path.relative_to(FOLDER.parent))
