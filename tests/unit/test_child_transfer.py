"""A child moves to another village, whose township takes it over."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from services.registry.domain.child import (
    CHILD,
    ChildFileIsClosed,
    ChildLivesThere,
    HoldsFromTheFuture,
    NoTransferOffered,
    OfferTransfer,
    RecordCareSituation,
    TakeOverBy,
    TakeOverChild,
    residence,
)
from shared.commands.command import NotOnFile
from shared.contracts.child_file import ChildTransferOffered, ChildTransferred
from shared.contracts.registry import ChildFileClosed
from shared.contracts.sealed import Personal
from shared.contracts.values import CareKind, CloseReason, Role
from shared.standing.look_up import change, standing_of
from tests.support.builders import TOLD, VILLAGE, a_registered_child, a_registration, care
from tests.support.child_cards import card_and_entries
from tests.support.offices import Offices
from tests.support.specification import given
from tests.support.workspace import a_record

NEW, OTHER = "520303106201", "520303106202"
MOVED, TODAY, TOMORROW = date(2026, 8, 10), date(2026, 8, 14), date(2026, 8, 15)
KNOWN = a_registered_child()
WHO = {"child": KNOWN.child}
OFFERED = ChildTransferOffered(**WHO, to_village=NEW, reason=Personal("随祖父母迁居"))
TRANSFERRED = ChildTransferred(
    **WHO, from_village=VILLAGE, to_village=NEW, taken_over_by="supervisor-9", moved_on=MOVED
)
OFFER = OfferTransfer(**WHO, to_village=NEW, reason=Personal("随祖父母迁居"), occurred_at=TOLD)
TAKE_OVER = TakeOverBy(**WHO, person="supervisor-9", moved_on=MOVED, occurred_at=TOLD)


def test_a_transfer_is_offered_and_taken_over():
    given(CHILD, KNOWN).when(OFFER).then(OFFERED)
    given(CHILD, KNOWN, OFFERED).when(TAKE_OVER).then(TRANSFERRED)
    at_once = TAKE_OVER.model_copy(update={"moved_on": None})
    given(CHILD, KNOWN, OFFERED).when(at_once).then(TRANSFERRED.model_copy(update={"moved_on": TODAY}))


def test_a_child_is_not_offered_to_the_village_it_lives_in():
    given(CHILD, KNOWN).when(OFFER.model_copy(update={"to_village": VILLAGE})).then_refused(ChildLivesThere)
    given(CHILD, KNOWN, OFFERED, TRANSFERRED).when(OFFER).then_refused(ChildLivesThere)


def test_a_later_offer_takes_the_place_of_an_earlier_one():
    later = OFFERED.model_copy(update={"to_village": OTHER})
    given(CHILD, KNOWN, OFFERED, later).when(TAKE_OVER).then(TRANSFERRED.model_copy(update={"to_village": OTHER}))


def test_nobody_takes_over_what_was_not_offered_or_twice():
    given(CHILD, KNOWN).when(TAKE_OVER).then_refused(NoTransferOffered)
    given(CHILD, KNOWN, OFFERED, TRANSFERRED).when(TAKE_OVER).then_refused(NoTransferOffered)


def test_a_child_has_moved_when_it_has_moved():
    ahead = TAKE_OVER.model_copy(update={"moved_on": TOMORROW})
    given(CHILD, KNOWN, OFFERED).when(ahead).then_refused(HoldsFromTheFuture)


def test_a_closed_file_is_not_transferred():
    closed = ChildFileClosed(**WHO, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 9, 1))
    given(CHILD, KNOWN, closed).when(OFFER).then_refused(ChildFileIsClosed)
    given(CHILD, KNOWN, OFFERED, closed).when(TAKE_OVER).then_refused(ChildFileIsClosed)


def test_a_command_takes_effect_where_the_child_lives_now():
    assert residence(CHILD.evolve(CHILD.evolve(CHILD.initial, KNOWN), TRANSFERRED)) == NEW


class TwoTownships(Offices):
    def __init__(self) -> None:
        super().__init__()
        for code, parent in (("520303106", "520303"), (NEW, "520303106")):
            self.directory.add_division(code, parent)
        self.directory.add_grant("supervisor-9", Role.CHILD_SUPERVISOR, "520303106", date(2026, 1, 1))


async def test_the_new_township_takes_over_and_the_old_one_knows_the_child_no_more():
    offices, registration = TwoTownships(), a_registration()
    child = registration.child
    await offices.tell(registration, "director-1")
    with pytest.raises(NotOnFile):
        await offices.tell(TakeOverChild(child=child), "supervisor-9")
    await offices.tell(OfferTransfer(child=child, to_village=NEW, reason=Personal("迁居")), "supervisor-1")
    for person in ("supervisor-1", "director-1"):
        with pytest.raises(NotOnFile):
            await offices.tell(TakeOverChild(child=child), person)
    await offices.tell(TakeOverChild(child=child), "supervisor-9")
    record = RecordCareSituation(child=child, care=care(CareKind.NOBODY))
    with pytest.raises(NotOnFile):
        await offices.tell(record, "supervisor-1")
    await offices.tell(record, "supervisor-9")


def test_a_visit_is_judged_by_the_village_the_child_lived_in_on_that_day():
    document = {"_id": KNOWN.child, "turns": []}
    for version, event in enumerate((KNOWN, OFFERED, TRANSFERRED), start=1):
        change(document, msgspec.structs.replace(a_record(event), version=version), event)
    lived = [standing_of(document, day).village for day in (date(2026, 8, 9), MOVED, TOMORROW)]
    assert lived == [VILLAGE, NEW, NEW]


async def test_the_card_goes_to_the_new_village_when_it_is_taken_over():
    card, _ = await card_and_entries([KNOWN, OFFERED])
    assert (card["village"], card["file"]["offered_to"]) == (VILLAGE, NEW)
    card, entries = await card_and_entries([KNOWN, OFFERED, TRANSFERRED])
    assert (card["village"], "offered_to" in card["file"]) == (NEW, False)
    assert [entry.get("facts") for entry in entries[1:]] == [
        {"to": NEW, "reason": "随祖父母迁居"},
        {"from": VILLAGE, "to": NEW, "on": "2026-08-10"},
    ]
