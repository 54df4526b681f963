"""What is sealed, what stays in the clear, what comes back, and what an erasure leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from shared.contracts import catalogue
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.event import Event, Fact
from shared.contracts.registry import (
    CareSituation,
    ChildRegistered,
    DivisionAdded,
    HouseholdFileOpened,
    ParentSituation,
)
from shared.contracts.sealed import ERASED, KINDS, Counted, ErasedError, Kind, Personal
from shared.contracts.values import CareKind, DivisionKind, Name, ParentState, Sex, VisitKind
from shared.contracts.visits import ChildFinding, VisitLogged
from shared.eventlog.placement import new_id
from shared.eventlog.record import GENESIS, Actor, MalformedRecordError, Record, SealedPart, decode, encode
from shared.privacy.cipher import Aes256Gcm, DecryptionError
from shared.privacy.memory import MemoryVault
from shared.privacy.plan import UnsealableFieldError, plan_of
from shared.privacy.port import SubjectErasedError, SubjectKeys
from shared.privacy.sealing import Sealer, Sealing, TamperedRecordError, UnknownCipherError, UnknownEventError
from tests.support.builders import TOLD, VILLAGE, a_registered_child, care, parents

EVENT_ID = "0192f3c4-0000-7000-8000-000000000001"


def a_record(event: Event, sealing: Sealing, **changes: Any) -> Record:
    """The record of a sealed event, as it comes back from the bytes of the log."""
    fields: dict[str, Any] = {
        "id": EVENT_ID,
        "service": "registry",
        "partition": 3,
        "seq": 1,
        "stream": "child-a",
        "version": 1,
        "type": type(event).__name__,
        "schema": event.schema_version,
        "occurred_at": TOLD,
        "recorded_at": TOLD,
        "actor": Actor("person", "child_director"),
        "command_id": "command",
        "data": sealing.data,
        "prev": GENESIS,
        "sealed": sealing.sealed,
    }
    return decode(encode(Record(**fields | changes)))


def a_full_child(**changes: Any) -> ChildRegistered:
    """A child with every field given."""

    def parent(state: ParentState) -> ParentSituation:
        return ParentSituation(
            state=Counted(state),
            since=Counted(date(2026, 2, 20)),
            name=Personal("测家长"),
            phone=Personal("13900000000"),
            away_place=Personal("测省测市"),
        )

    return a_registered_child(
        citizen_number=Personal("529901201603090019"),
        parents=parents().model_copy(
            update={"father": parent(ParentState.AWAY), "mother": parent(ParentState.LOST_CONTACT)}
        ),
        care=CareSituation(
            kind=Counted(CareKind.GRANDPARENT),
            living_alone=Counted(False),
            caregiver=Personal("测奶奶"),
            caregiver_phone=Personal("13900000001"),
            note=Personal("身体好"),
        ),
        **changes,
    )


def a_logged_visit(*findings: ChildFinding) -> VisitLogged:
    household = new_id("household")
    return VisitLogged(
        visit=new_id("visit", beside=household),
        household=household,
        village=VILLAGE,
        kind=VisitKind.HOME,
        purposes=(),
        visited_on=date(2026, 8, 14),
        findings=findings,
    )


class CountingVault(MemoryVault):
    """Says how often keys were asked for."""

    calls = 0

    async def keys_for_sealing(self, subjects: Collection[str], new: Collection[str] = ()) -> Mapping[str, SubjectKeys]:
        self.calls += 1
        return await super().keys_for_sealing(subjects, new)

    async def keys_for_opening(self, subjects: Collection[str]) -> Mapping[str, SubjectKeys]:
        self.calls += 1
        return await super().keys_for_opening(subjects)


@pytest.fixture
def vault() -> CountingVault:
    return CountingVault()


@pytest.fixture
def sealer(vault: CountingVault) -> Sealer:
    return Sealer(vault, Aes256Gcm())


async def sealed_record(sealer: Sealer, event: Event, **changes: Any) -> Record:
    [sealing] = await sealer.seal([(EVENT_ID, event)])
    return a_record(event, sealing, **changes)


async def opened(sealer: Sealer, record: Record, kinds: Collection[Kind] = KINDS) -> Any:
    [event] = await sealer.open([record], kinds)
    return event


@pytest.mark.parametrize(
    "event",
    [
        a_registered_child(),
        a_full_child(),
        HouseholdFileOpened(household=new_id("household"), village=VILLAGE, head=Personal("测户主")),
        DivisionAdded(
            division=new_id("division"),
            code="52",
            name="测省",
            kind=DivisionKind.PROVINCE,
            parent=None,
            valid_from=date(2026, 1, 1),
        ),
        a_logged_visit(),
        a_logged_visit(
            ChildFinding(child=new_id("child"), life=Personal("好"), care_found=care(CareKind.NOBODY, alone=True)),
            ChildFinding(child=new_id("child")),
        ),
    ],
    ids=lambda event: type(event).__name__,
)
async def test_what_was_sealed_opens_as_the_same_event(sealer: Sealer, event: Event) -> None:
    again = await opened(sealer, await sealed_record(sealer, event))
    assert again == event
    # Not only equal: of the very types that validation gives, in all depths.
    assert list(again.__dict__) == list(event.__dict__)
    assert type(event).model_validate(again.model_dump()) == event
    assert again.model_dump_json() == event.model_dump_json()
    assert {**again.__dict__} == {**event.__dict__}


async def test_values_come_back_in_their_python_types(sealer: Sealer) -> None:
    child = await opened(sealer, await sealed_record(sealer, a_full_child()))
    assert type(child.birth_date.reveal()) is date
    assert child.sex.reveal() is Sex.FEMALE
    assert type(child.parents.father) is ParentSituation
    assert child.parents.mother.state.reveal() is ParentState.LOST_CONTACT
    visit = await opened(sealer, await sealed_record(sealer, a_logged_visit(ChildFinding(child=new_id("child")))))
    assert visit.kind is VisitKind.HOME
    assert type(visit.visited_on) is date
    assert type(visit.findings) is tuple
    assert type(visit.findings[0]) is ChildFinding


async def test_only_clear_fields_stand_in_the_clear(sealer: Sealer) -> None:
    child = a_full_child()
    [sealing] = await sealer.seal([(EVENT_ID, child)])
    data = msgspec.json.decode(sealing.data)
    assert {k: v for k, v in data.items() if isinstance(v, str)} == {
        "child": child.child,
        "household": child.household,
        "residence": child.residence,
        "hukou": child.hukou,
    }
    assert data["name"] is None
    assert data["parents"]["father"] == dict.fromkeys(("state", "since", "name", "phone", "away_place"))
    for value in ("测", "13900000000", "2016", "5299", "grandparent", 'away"', "false"):
        assert value not in bytes(sealing.data).decode()


async def test_each_kind_of_a_subject_is_sealed_once(sealer: Sealer) -> None:
    one, two = new_id("child"), new_id("child")
    visit = a_logged_visit(
        ChildFinding(child=one, life=Personal("好"), learning=Personal("好")),
        ChildFinding(child=two, psychology=Personal("好"), care_found=care()),
    )
    [sealing] = await sealer.seal([(EVENT_ID, visit)])
    assert [(part.subject, part.kind) for part in sealing.sealed] == [
        (one, "personal"),
        (two, "personal"),
        (two, "counted"),
    ]


async def test_an_event_about_nobody_needs_no_key(sealer: Sealer, vault: CountingVault) -> None:
    record = await sealed_record(sealer, a_logged_visit())
    assert record.sealed == ()
    await opened(sealer, record)
    assert vault.calls == 0


async def test_the_vault_is_asked_once_for_a_batch(sealer: Sealer, vault: CountingVault) -> None:
    children = [a_registered_child() for _ in range(5)]
    sealings = await sealer.seal([(EVENT_ID, child) for child in children])
    assert vault.calls == 1
    records = [a_record(child, sealing) for child, sealing in zip(children, sealings, strict=True)]
    assert await sealer.open(records, KINDS) == children
    assert vault.calls == 2


async def test_what_was_not_asked_for_comes_as_erased_and_what_was_not_given_as_none(sealer: Sealer) -> None:
    child = a_registered_child(citizen_number=None)
    again = await opened(sealer, await sealed_record(sealer, child), ["counted"])
    assert again.name == Personal(ERASED)
    assert again.citizen_number is None
    assert again.parents.father.phone is None
    assert again.sex == child.sex
    assert again.parents == child.parents
    assert again.care == child.care


async def test_erasure_takes_the_personal_values_and_leaves_the_counted(sealer: Sealer, vault: CountingVault) -> None:
    child = a_full_child()
    record = await sealed_record(sealer, child)
    await vault.destroy(child.child)
    again = await opened(sealer, record)
    assert again.name.erased
    assert again.citizen_number.erased
    assert again.care.note.erased
    assert again.parents.father.away_place.erased
    assert again.birth_month == child.birth_month
    assert again.care.kind == child.care.kind
    assert again.residence == child.residence


async def test_erasing_one_child_of_a_visit_leaves_the_other(sealer: Sealer, vault: CountingVault) -> None:
    one, two = new_id("child"), new_id("child")
    visit = a_logged_visit(ChildFinding(child=one, life=Personal("好")), ChildFinding(child=two, life=Personal("差")))
    record = await sealed_record(sealer, visit)
    await vault.destroy(one)
    again = await opened(sealer, record)
    assert [finding.life.get() for finding in again.findings] == [None, "差"]


async def test_nothing_is_sealed_for_an_erased_child(sealer: Sealer, vault: CountingVault) -> None:
    child = a_registered_child()
    await vault.destroy(child.child)
    with pytest.raises(SubjectErasedError):
        await sealer.seal([(EVENT_ID, child)])


async def test_an_erased_value_is_not_sealed_again(sealer: Sealer) -> None:
    with pytest.raises(ErasedError):
        await sealer.seal([(EVENT_ID, a_registered_child(name=Personal(ERASED)))])


async def test_a_part_opens_only_in_its_own_event(sealer: Sealer) -> None:
    child = a_registered_child()
    record = await sealed_record(sealer, child, id="another")
    with pytest.raises(TamperedRecordError):
        await opened(sealer, record)


@pytest.mark.parametrize("damage", ["AAAA", "", "no base64!", None])
async def test_a_changed_part_is_noticed(sealer: Sealer, damage: str | None) -> None:
    record = await sealed_record(sealer, a_registered_child())
    personal, counted = record.sealed
    changed = counted.ct[:-4] + "AAA=" if damage is None else damage
    parts = (personal, SealedPart(counted.subject, counted.kind, counted.key, changed))
    with pytest.raises(TamperedRecordError) as error:
        await opened(sealer, msgspec.structs.replace(record, sealed=parts))
    assert "registry/3/1" in str(error.value)


async def test_parts_are_not_exchanged_between_kinds(sealer: Sealer, vault: CountingVault) -> None:
    record = await sealed_record(sealer, a_registered_child())
    personal, counted = record.sealed
    exchanged = tuple(
        SealedPart(part.subject, part.kind, part.key, other.ct)
        for part, other in ((personal, counted), (counted, personal))
    )
    with pytest.raises(TamperedRecordError):
        await opened(sealer, msgspec.structs.replace(record, sealed=exchanged))


@pytest.mark.parametrize("changes", [{"type": "ChildFlewToTheMoon"}, {"schema": 99}])
async def test_an_event_newer_than_the_code_says_so(sealer: Sealer, changes: dict[str, Any]) -> None:
    record = await sealed_record(sealer, a_registered_child(), **changes)
    with pytest.raises(UnknownEventError):
        await opened(sealer, record)


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b'{"child": 1}', b'{"child":"a","household":"b","residence":"c","hukou":"d","more":1}']
)
async def test_data_of_another_shape_are_malformed_and_the_fault_quotes_no_value(sealer: Sealer, data: bytes) -> None:
    record = await sealed_record(sealer, a_registered_child(name=Personal("测雀")))
    with pytest.raises(MalformedRecordError) as error:
        await opened(sealer, msgspec.structs.replace(record, data=msgspec.Raw(data)))
    assert "测雀" not in repr(error.value)
    assert error.value.__suppress_context__


async def test_a_record_of_an_unset_cipher_says_so(vault: CountingVault) -> None:
    class OtherCipher(Aes256Gcm):
        id = "other"  # type: ignore[misc, assignment]

    child = a_registered_child()
    record = await sealed_record(Sealer(vault, OtherCipher()), child)
    with pytest.raises(UnknownCipherError, match="other"):
        await opened(Sealer(vault, Aes256Gcm()), record)
    assert await opened(Sealer(vault, Aes256Gcm(), OtherCipher()), record) == child


async def test_an_old_shape_is_made_new_with_its_sealed_values(
    sealer: Sealer, vault: CountingVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoteTaken(Event):
        schema_version: ClassVar[int] = 2
        subject: ClassVar[str | None] = "child"
        child: str
        text: Personal[str]
        length: Counted[int]

    def rename(data: dict[str, Any]) -> dict[str, Any]:
        return {"child": data["child"], "text": data["words"], "length": data["length"]}

    monkeypatch.setattr(catalogue, "CATALOGUE", {**CATALOGUE, "NoteTaken": NoteTaken})
    monkeypatch.setattr("shared.privacy.sealing.CATALOGUE", catalogue.CATALOGUE)
    monkeypatch.setattr(catalogue, "UPCASTS", {("NoteTaken", 1): rename})

    class OldNoteTaken(Event):
        subject: ClassVar[str | None] = "child"
        child: str
        words: Personal[str]
        length: Counted[int]

    old = OldNoteTaken(child="child-a", words=Personal("好"), length=Counted(1))
    record = await sealed_record(sealer, old, type="NoteTaken")
    assert await opened(sealer, record) == NoteTaken(child="child-a", text=Personal("好"), length=Counted(1))
    await vault.destroy("child-a")
    assert (await opened(sealer, record)).text.erased


class Weekday(Enum):
    FRIDAY = 5


class Line(Fact):
    text: str
    number: int = 1


class Everything(Event):
    """Shapes that no stored event has yet, but a new one may have."""

    subject: ClassVar[str | None] = "person"

    person: str
    at: datetime
    weekday: Weekday
    line: Line
    lines: tuple[Line, ...] | None = None
    amount: float
    by_day: dict[date, int]
    sealed_line: Personal[Line]
    sealed_days: Counted[tuple[date, ...]]
    maybe: Weekday | date | None = None


async def test_shapes_of_events_to_come_are_sealed_and_opened(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "CATALOGUE", {"Everything": Everything})
    monkeypatch.setattr("shared.privacy.sealing.CATALOGUE", catalogue.CATALOGUE)
    event = Everything(
        person="person-a",
        at=datetime(2026, 8, 14, 8, tzinfo=UTC),
        weekday=Weekday.FRIDAY,
        line=Line(text="一"),
        lines=(Line(text="二", number=2),),
        amount=1.5,
        by_day={date(2026, 8, 14): 3},
        sealed_line=Personal(Line(text="三")),
        sealed_days=Counted((date(2026, 8, 14), date(2026, 8, 15))),
        maybe=date(2026, 8, 16),
    )
    again = await opened(sealer, await sealed_record(sealer, event))
    assert again == event
    assert again.model_dump_json() == event.model_dump_json()


class Stranger(BaseModel):
    name: Personal[str]


@pytest.mark.parametrize(
    "annotation",
    [
        tuple[Personal[str], ...],
        dict[str, Personal[str]],
        list[ParentSituation],
        Stranger,
        Personal[str | None],
        Personal[Name | None] | None,
        Personal[ParentSituation],
    ],
    ids=lambda annotation: str(annotation).partition(" at 0x")[0],  # an address is another in each process
)
def test_a_sealed_value_where_it_cannot_be_sealed_is_refused(annotation: Any) -> None:
    event = create_model("Odd", __base__=Event, child=(str, ...), odd=(annotation, ...))
    event.subject = "child"
    with pytest.raises(UnsealableFieldError, match=r"Odd\.odd"):
        plan_of(event)


async def test_a_sealed_value_that_hides_in_a_clear_one_is_refused(sealer: Sealer) -> None:
    class Secretive(Line):
        name: Personal[str]

    class Open(Event):
        line: Line

    with pytest.raises(TypeError, match="not written in the clear"):
        await sealer.seal([(EVENT_ID, Open(line=Secretive(text="", name=Personal("测"))))])


words = st.text(max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=50),
    born=st.dates(),
    number=st.none() | words,
    findings=st.lists(st.tuples(st.none() | words, st.none() | words, st.sampled_from([*CareKind, None])), max_size=4),
    lost=st.booleans(),
)
async def test_whatever_was_written_is_read(
    name: str, born: date, number: str | None, findings: list[tuple[Any, ...]], lost: bool
) -> None:
    vault = MemoryVault()
    sealer = Sealer(vault, Aes256Gcm())
    child = a_registered_child(
        name=Personal(name), birth_date=Personal(born), citizen_number=None if number is None else Personal(number)
    )
    visit = a_logged_visit(
        *(
            ChildFinding(
                child=child.child if lost else new_id("child"),
                life=None if life is None else Personal(life),
                psychology=None if mind is None else Personal(mind),
                care_found=None if kind is None else care(kind),
            )
            for life, mind, kind in findings
        )
    )
    for event in (child, visit):
        assert await opened(sealer, await sealed_record(sealer, event)) == event


async def test_a_sealed_value_of_nobody_is_refused(sealer: Sealer) -> None:
    class Nameless(Event):
        name: Personal[str]

    with pytest.raises(UnsealableFieldError, match="no subject"):
        await sealer.seal([(EVENT_ID, Nameless(name=Personal("测")))])


def test_a_cipher_gives_back_what_it_took_and_refuses_all_else() -> None:
    cipher, key = Aes256Gcm(), bytes(32)
    sealed = cipher.encrypt(key, b"text", b"about")
    assert sealed != cipher.encrypt(key, b"text", b"about")
    assert cipher.decrypt(key, sealed, b"about") == b"text"
    for other_key, other, about in (
        (bytes(31) + b"1", sealed, b"about"),
        (key, sealed[:-1], b"about"),
        (key, sealed, b"else"),
        (key, b"", b"about"),
    ):
        with pytest.raises(DecryptionError):
            cipher.decrypt(other_key, other, about)
