"""A personal value shows in nothing that is written for people or machines to read."""

from __future__ import annotations

import io
import json
import logging
import traceback
from datetime import date
from typing import Any

import pytest
import structlog
from pydantic import ValidationError

from services.registry.domain.child import CHILD
from shared.contracts import child_file, risk
from shared.contracts.clear import CLEAR
from shared.contracts.event import Event
from shared.contracts.registry import CareSituation, ChildRegistered
from shared.contracts.sealed import ERASED, Counted, ErasedError, Personal
from shared.contracts.values import CareKind
from shared.eventlog.record import SealedPart
from shared.privacy.cipher import Aes256Gcm
from shared.privacy.masking import PersonalFilter, mask_personal
from shared.privacy.memory import MemoryVault
from shared.privacy.sealing import Sealer
from tests.support.builders import a_registered_child, a_registration
from tests.support.golden import an_event

CANARY = "测金丝雀"
NUMBER = "52990120160309001X"
PHONE = "13912345678"
SECRETS = (CANARY, NUMBER, PHONE)


def a_canary() -> ChildRegistered:
    return a_registered_child(
        name=Personal(CANARY),
        citizen_number=Personal(NUMBER),
        care=CareSituation(
            kind=Counted(CareKind.GRANDPARENT),
            living_alone=Counted(False),
            caregiver=Personal(CANARY),
            caregiver_phone=Personal(PHONE),
        ),
    )


def assert_silent(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text
        assert json.dumps(secret).strip('"') not in text


class Lines:
    """A structlog logger that writes JSON lines into a text."""

    def __init__(self) -> None:
        self.out = io.StringIO()
        self.logger = structlog.wrap_logger(
            structlog.WriteLogger(self.out),
            processors=[
                structlog.processors.format_exc_info,
                mask_personal,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )

    @property
    def text(self) -> str:
        return self.out.getvalue()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.mark.parametrize("wrap", [Personal, Counted])
def test_a_sealed_value_prints_as_stars(wrap: type[Personal[str]]) -> None:
    value = wrap(CANARY)
    printed = [repr(value), str(value), f"{value}", f"{value!r:>9}", f"{value:>9}", "%s" % value, "{}".format(value)]  # noqa: UP031, UP032
    assert {text.strip() for text in printed} == {"***"}
    for container in ([value], (value,), {"key": value}, {value: "value"}):
        assert_silent(repr(container))


def test_an_event_prints_without_its_values() -> None:
    assert_silent(repr(a_canary()) + str(a_canary()) + f"{a_canary()}")


def test_a_fault_of_validation_quotes_no_value() -> None:
    child = a_canary()
    fields = dict(child)
    for wrong in (
        {"name": CANARY * 20},
        {"name": Personal(CANARY), "birth_date": CANARY},
        {"sex": CANARY},
        {"birth_month": Personal(CANARY)},
        {"care": {"kind": CANARY, "note": [CANARY]}},
        {"more": CANARY},
    ):
        with pytest.raises(ValidationError) as fault:
            ChildRegistered(**fields | wrong)
        assert_silent(str(fault.value) + repr(fault.value))
        assert_silent("".join(traceback.format_exception(fault.value)))


def test_an_erased_value_and_its_fault_say_only_the_kind() -> None:
    assert repr(Personal(ERASED)) == "***"
    with pytest.raises(ErasedError, match="personal"):
        Personal(ERASED).reveal()


BLOCKS = [
    event
    for event in (*vars(child_file).values(), *vars(risk).values())
    if isinstance(event, type) and issubclass(event, Event)
]


@pytest.mark.parametrize("event", [event for event in BLOCKS if event.subject], ids=lambda event: event.__name__)
async def test_no_block_of_a_file_shows_what_it_says_in_print_or_in_the_clear(event: type[Event]) -> None:
    """The clear part holds ids and codes of divisions and offices; all else is a null in place of a sealed value."""
    people = {name: "person-1" for name in CLEAR[event.__name__] if name.endswith("_by")}
    told = an_event(event).model_copy(update=people)
    assert "测甲一" not in repr(told) + str(told)
    [sealing] = await Sealer(MemoryVault(), Aes256Gcm()).seal([("event", told)])
    clear = {name: value for name, value in json.loads(bytes(sealing.data)).items() if value is not None}
    assert clear.keys() <= CLEAR[event.__name__]
    assert "测甲一" not in str(clear)


def test_the_state_of_a_file_prints_nothing_of_it() -> None:
    assert_silent(repr(CHILD.evolve(CHILD.initial, a_canary())))


async def test_a_sealing_prints_without_the_values() -> None:
    [sealing] = await Sealer(MemoryVault(), Aes256Gcm()).seal([("event", a_canary())])
    assert_silent(repr(sealing) + bytes(sealing.data).decode())
    assert all(isinstance(part, SealedPart) for part in sealing.sealed)


def test_a_log_line_shows_no_sealed_value_in_any_depth(lines: Lines) -> None:
    child = a_canary()
    lines.logger.info("registered", child=child, one=child.name, many=[child.care, {"deep": (child.citizen_number,)}])
    assert_silent(lines.text)
    assert json.loads(lines.text) == {
        "event": "registered",
        "child": "<ChildRegistered>",
        "one": "***",
        "many": ["<CareSituation>", {"deep": ["***"]}],
    }


@pytest.mark.parametrize(
    "field",
    [
        *("name", "phone", "citizen_number", "address", "note", "head", "caregiver", "household_head", "psychology"),
        *("identity", "correction", "health", "welfare", "schooling", "entrustment", "details", "doubts", "reason"),
        *("former_names", "ethnicity", "illness", "certificate", "school", "homeroom_teacher"),
    ],
)
def test_a_log_line_shows_no_field_that_is_known_to_be_personal(lines: Lines, field: str) -> None:
    lines.logger.info("x", **{field: CANARY}, form={field: CANARY}, rows=[{field: [CANARY]}])
    assert_silent(lines.text)


def test_a_log_line_prints_no_command(lines: Lines) -> None:
    lines.logger.info("x", command=a_registration(name=CANARY))
    assert_silent(lines.text)
    assert "<RegisterChild>" in lines.text


def test_a_log_line_shows_no_citizen_or_phone_number_in_a_text(lines: Lines) -> None:
    lines.logger.info(f"seen {NUMBER}", text=f"call {PHONE}, please", error=ValueError(f"{NUMBER}?"))
    try:
        raise ValueError(f"not a number: {NUMBER}")
    except ValueError:
        lines.logger.exception("failed")
    assert_silent(lines.text)
    assert "not a number: ***" in lines.text


def test_a_log_line_keeps_what_is_not_personal(lines: Lines) -> None:
    kept: dict[str, Any] = {
        "event": "kept",
        "stream": "child-0192f3c4-5d6e-7f80-9a1b-139123456780",
        "village": "529901001001",
        "count": 13912345678,
        "flag": False,
        "nothing": None,
        "at": "2026-08-14T08:12:33.120Z",
    }
    lines.logger.info(**kept)
    assert json.loads(lines.text) == kept


@pytest.fixture
def standard() -> tuple[logging.Logger, io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(PersonalFilter())
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(child)s", defaults={"child": ""}))
    logger = logging.Logger("canary")
    logger.addHandler(handler)
    return logger, out


def test_the_standard_librarys_lines_are_masked_too(standard: tuple[logging.Logger, io.StringIO]) -> None:
    logger, out = standard
    child = a_canary()
    logger.info("%s and %s: %s", child.name, NUMBER, child, extra={"child": child, "phone": PHONE, "day": date.today()})
    try:
        raise ValueError(f"{PHONE}")
    except ValueError:
        logger.exception("failed for %s", PHONE)
    assert_silent(out.getvalue())
    assert out.getvalue().startswith("canary *** and ***: ")
    assert "ValueError: ***" in out.getvalue()
