"""What was stored once stays readable, models do not change behind its back, and no field slips into the clear."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin

import pytest

from shared.contracts.catalogue import CATALOGUE, UPCASTS
from shared.contracts.clear import CLEAR
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import KINDS, Counted, Personal
from shared.eventlog.record import encode
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.memory import MemoryVault
from shared.privacy.plan import plan_of
from shared.privacy.sealing import Sealer
from tests.support.golden import FOLDER, SEED, fingerprint, fingerprints, path_of, read, versions, write_missing

EVERY_VERSION = [pytest.param(*version, id=f"{version[1].__name__}.v{version[2]}") for version in versions()]


@pytest.mark.parametrize(("service", "event", "schema"), EVERY_VERSION)
async def test_every_version_of_every_event_opens_as_todays_event(
    service: str, event: type[Event], schema: int
) -> None:
    path = path_of(service, event, schema)
    assert path.exists(), "run: python -m tests.support.golden"
    record = read(path)
    assert (record.service, record.type, record.schema) == (service, event.__name__, schema)
    assert encode(record) == path.read_bytes().rstrip(b"\n")

    vault = MemoryVault(SEED)
    await vault.keys_for_sealing({part.subject for part in record.sealed})
    [opened] = await Sealer(vault, Aes256Gcm()).open([record], KINDS)
    assert type(opened) is event
    assert event.model_validate(opened.model_dump()) == opened


@pytest.mark.parametrize(("service", "event", "schema"), EVERY_VERSION)
async def test_every_version_of_every_event_opens_after_an_erasure(
    service: str, event: type[Event], schema: int
) -> None:
    [opened] = await Sealer(MemoryVault(SEED), Aes256Gcm()).open([read(path_of(service, event, schema))], KINDS)
    assert type(opened) is event


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_a_changed_model_has_a_new_version(event: type[Event]) -> None:
    kept = fingerprints().get(f"{event.__name__}.v{event.schema_version}")
    assert kept == fingerprint(event), (
        f"{event.__name__} is not what version {event.schema_version} was: raise schema_version, add an upcast, "
        "then run: python -m tests.support.golden"
    )


def test_every_old_version_has_its_upcast() -> None:
    old = {(event.__name__, schema) for _, event, schema in versions() if schema < event.schema_version}
    assert UPCASTS.keys() == old


def test_no_golden_file_is_an_orphan() -> None:
    known = {path_of(*version) for version in versions()}
    assert set(FOLDER.glob("*/*.json")) == known
    assert fingerprints().keys() == {path.stem for path in known}


def test_a_golden_file_is_never_written_twice(tmp_path: Path) -> None:
    folder = tmp_path / "golden"
    shutil.copytree(FOLDER, folder)
    kept, lost = folder / "registry" / "ChildRegistered.v1.json", folder / "visits" / "VisitVerified.v1.json"
    kept.write_text("kept")
    lost.unlink()
    (folder / "fingerprints.json").write_text(json.dumps(fingerprints() | {"ChildRegistered.v1": "kept"}))
    assert write_missing(folder) == [lost]
    assert kept.read_text() == "kept"
    assert fingerprints(folder) == fingerprints() | {"ChildRegistered.v1": "kept"}


class Before(Event):
    subject: ClassVar[str | None] = "child"
    child: str
    name: Personal[str]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": Counted[str]},
        {"name": Personal[int]},
        {"name": Personal[str] | None},
        {"child": int},
        {"more": str},
        {"subject": ClassVar[str | None]},
    ],
    ids=str,
)
def test_a_fingerprint_changes_with_types_seals_and_subject(changes: dict[str, Any]) -> None:
    annotations = {"child": str, "name": Personal[str]} | changes
    subject = None if "subject" in changes else "child"
    after = type("Before", (Event,), {"__annotations__": annotations, "subject": subject, "__module__": __name__})
    assert fingerprint(after) != fingerprint(Before)


def test_a_fingerprint_does_not_change_with_words() -> None:
    annotations = {"child": str, "name": Personal[str]}
    same = {"__annotations__": annotations, "subject": "child", "__module__": __name__, "__doc__": "Other words."}
    assert fingerprint(type("Before", (Event,), same)) == fingerprint(Before)


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_only_allowed_fields_stand_in_the_clear(event: type[Event]) -> None:
    assert clear_fields(event) == CLEAR.get(event.__name__), "see shared/contracts/clear.py before you add a field"


def test_the_allow_list_names_no_event_that_does_not_exist() -> None:
    assert CLEAR.keys() <= CATALOGUE.keys()


@pytest.mark.parametrize("event", CATALOGUE.values(), ids=CATALOGUE)
def test_every_sealed_field_can_be_sealed(event: type[Event]) -> None:
    plan_of(event)  # raises UnsealableFieldError


def clear_fields(fact: type[Fact], prefix: str = "") -> frozenset[str]:
    """The dotted names of the fields that are not sealed, down to the leaves."""
    names: set[str] = set()
    for name, field in fact.model_fields.items():
        if (nested := _fact_in(field.annotation)) is not None:
            names |= clear_fields(nested, f"{prefix}{name}.")
        elif not _is_sealed(field.annotation):
            names.add(prefix + name)
    return frozenset(names)


def _is_sealed(annotation: Any) -> bool:
    return any(get_origin(shape) in (Personal, Counted) for shape in (annotation, *get_args(annotation)))


def _fact_in(annotation: Any) -> type[Fact] | None:
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, Fact) else None
    if get_origin(annotation) in (Personal, Counted):
        return None
    return next((found for one in get_args(annotation) if (found := _fact_in(one))), None)
