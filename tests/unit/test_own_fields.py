"""A county's own fields: recorded by the definition in force, refused by name, shown for ever with their label."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.registry.domain.adoption import DefineOwnFields
from services.registry.domain.child import (
    CHILD,
    NoOwnFieldsDefined,
    OwnFieldDoesNotFit,
    OwnFieldMissing,
    OwnFieldsBy,
    OwnFieldsNotInForce,
    OwnFieldUnknown,
    RecordOwnFields,
)
from services.reporting.api.field_classes import without_detail
from shared.commands.command import NotOnFile
from shared.contracts.own_fields import OwnFieldsRecorded, OwnValue, OwnValues, RecordedField, RecordedFields
from shared.contracts.sealed import Personal
from tests.support.adopted import FIELDS
from tests.support.builders import COUNTY, TOLD, a_registered_child, a_registration
from tests.support.child_cards import card_and_entries
from tests.support.offices import Offices
from tests.support.specification import given

KNOWN = a_registered_child()
FIRST, SECOND = f"{COUNTY}-FIELDS-1", f"{COUNTY}-FIELDS-2"


def values(**told: Any) -> Personal[OwnValues]:
    return Personal(OwnValues(values=tuple(OwnValue(key=key, value=value) for key, value in told.items())))


def record(definition: str = FIRST, in_force: str | None = FIRST, **told: Any) -> OwnFieldsBy:
    return OwnFieldsBy(
        child=KNOWN.child,
        occurred_at=TOLD,
        definition=definition,
        values=values(**told),
        in_force=in_force,
        fields=FIELDS,
    )


def recorded(definition: str = FIRST, **told: Any) -> OwnFieldsRecorded:
    of = {one.key: one for one in FIELDS}
    fields = tuple(
        RecordedField(key=key, value=value, label=of[key].label, field_class=of[key].field_class)
        for key, value in told.items()
    )
    return OwnFieldsRecorded(child=KNOWN.child, definition=definition, recorded=Personal(RecordedFields(fields=fields)))


WHOLE = {"wifi": False, "hobby": "二胡", "debt": 1200.5, "met": "2026-06-01", "way": "步行"}


def test_own_fields_are_recorded_with_label_and_class():
    given(CHILD, KNOWN).when(record(**WHOLE)).then(recorded(**WHOLE))


@pytest.mark.parametrize(
    ("told", "refusal", "saying"),
    [
        ({"shoes": "38"}, OwnFieldUnknown, "shoes: the definition has no such field"),
        ({"wifi": "yes"}, OwnFieldDoesNotFit, "wifi: is to be true or false"),
        ({"wifi": 1}, OwnFieldDoesNotFit, "wifi"),
        ({"hobby": 7}, OwnFieldDoesNotFit, "hobby: is to be a text"),
        ({"hobby": "唱" * 201}, OwnFieldDoesNotFit, "hobby: is to be a text of at most 200 characters"),
        ({"debt": "1200"}, OwnFieldDoesNotFit, "debt: is to be a number"),
        ({"debt": True}, OwnFieldDoesNotFit, "debt"),
        ({"debt": 10**13}, OwnFieldDoesNotFit, "debt"),
        ({"met": "2026-02-30"}, OwnFieldDoesNotFit, "met: is to be a day"),
        ({"met": "20260601"}, OwnFieldDoesNotFit, "met"),
        ({"way": "飞行"}, OwnFieldDoesNotFit, "way: is to be one of the options"),
        ({"way": True}, OwnFieldDoesNotFit, "way"),
        ({"hobby": "二胡"}, OwnFieldMissing, "missing: wifi"),
        ({"wifi": None}, OwnFieldMissing, "missing: wifi"),
    ],
    ids=lambda case: str(case)[:40],
)
def test_what_does_not_fit_the_definition_is_refused_by_name_and_its_value_is_not_told(told, refusal, saying):
    given(CHILD, KNOWN).when(record(**told)).then_refused(refusal, saying)


def test_a_field_that_is_told_twice_is_refused():
    twice = Personal(OwnValues(values=(OwnValue(key="wifi", value=True), OwnValue(key="wifi", value=False))))
    given(CHILD, KNOWN).when(record().model_copy(update={"values": twice})).then_refused(OwnFieldUnknown, "told twice")


def test_the_form_must_be_of_the_definition_in_force():
    given(CHILD, KNOWN).when(record(SECOND, wifi=True)).then_refused(OwnFieldsNotInForce, f"{FIRST} is in force")
    given(CHILD, KNOWN).when(record(in_force=None, wifi=True)).then_refused(NoOwnFieldsDefined)


def test_what_is_on_file_needs_not_be_told_again_until_it_is_taken_back():
    given(CHILD, KNOWN, recorded(wifi=True)).when(record(hobby="二胡")).then(recorded(hobby="二胡"))
    given(CHILD, KNOWN, recorded(wifi=True)).when(record(wifi=None)).then_refused(OwnFieldMissing)


async def test_the_card_keeps_what_is_no_longer_asked_for_and_hides_what_is_sensitive():
    card, entries = await card_and_entries([KNOWN, recorded(**WHOLE), recorded(SECOND, wifi=True, hobby=None)])
    shown = card["file"]["own_fields"]
    assert shown["wifi"] == {"label": "家中有无网络", "value": True, "class": "C2", "definition": SECOND}
    assert (shown["way"]["value"], shown["way"]["definition"]) == ("步行", FIRST)
    assert shown.keys() == {"wifi", "debt", "met", "way"}
    assert without_detail(card["file"])["own_fields"].keys() == {"wifi", "met", "way"}
    assert entries[-1]["facts"].keys() == {"wifi"}


async def test_a_director_records_by_the_fields_of_the_county_and_a_new_version_asks_for_a_new_form():
    offices, registration = Offices(), a_registration()
    await offices.tell(registration, "director-1")
    form = RecordOwnFields(child=registration.child, definition=FIRST, values=values(wifi=True), occurred_at=TOLD)
    with pytest.raises(NoOwnFieldsDefined):
        await offices.tell(form, "director-1")
    define = DefineOwnFields(division=COUNTY, starts=date(2026, 8, 1), fields=FIELDS)
    await offices.tell(define, "county-1")
    await offices.tell(form, "director-1")
    await offices.tell(define.model_copy(update={"starts": date(2026, 8, 14), "fields": FIELDS[1:]}), "county-1")
    with pytest.raises(OwnFieldsNotInForce):
        await offices.tell(form, "director-1")
    newer = form.model_copy(update={"definition": SECOND})
    with pytest.raises(OwnFieldUnknown, match="wifi"):
        await offices.tell(newer, "director-1")
    await offices.tell(newer.model_copy(update={"values": values(hobby="二胡")}), "supervisor-1")
    with pytest.raises(NotOnFile):
        await offices.tell(form, "office-1")
