"""The rules of a pair of files that may be one child's."""

import pytest

from services.registry.domain.duplicate import (
    DUPLICATE,
    ComparedPair,
    DismissalBy,
    DuplicateAlreadySuspected,
    DuplicateWasDismissed,
    FilesNotAlike,
    ReviewerIsRegistrar,
    SameFile,
    duplicate_of,
)
from shared.commands.command import NotOnFile
from shared.contracts.registry import DuplicateDismissed, DuplicateSuspected
from shared.contracts.values import DismissReason, Likeness
from shared.eventlog.placement import new_id, placement_of
from tests.support.builders import COUNTY
from tests.support.specification import given

FIRST, SECOND = sorted((new_id("child"), new_id("child")))
PAIR = duplicate_of(FIRST, SECOND)
FOUND = {
    "alike": True,
    "score": 24,
    "rule": "likeness@1",
    "reasons": (Likeness.NAME_EQUAL, Likeness.BIRTH_DATE_EQUAL),
    "division": COUNTY,
}
COMPARED = ComparedPair(one=FIRST, other=SECOND, **FOUND)
SUSPECTED = DuplicateSuspected(
    duplicate=PAIR,
    first=FIRST,
    second=SECOND,
    division=COUNTY,
    score=24,
    rule="likeness@1",
    reasons=(Likeness.NAME_EQUAL, Likeness.BIRTH_DATE_EQUAL),
)
DISMISS = DismissalBy(
    duplicate=PAIR,
    reason=DismissReason.SIBLINGS,
    person="reviewer-1",
    registered_by=frozenset({"director-1", "director-2"}),
)
DISMISSED = DuplicateDismissed(
    duplicate=PAIR, first=FIRST, second=SECOND, reason=DismissReason.SIBLINGS, dismissed_by="reviewer-1"
)


@pytest.mark.parametrize(("one", "other"), [(FIRST, SECOND), (SECOND, FIRST)], ids=["in order", "in the other order"])
def test_two_files_are_one_pair_in_whichever_order_they_are_named(one, other):
    assert duplicate_of(one, other) == PAIR
    assert placement_of(PAIR) == placement_of(FIRST)
    given(DUPLICATE).when(ComparedPair(one=one, other=other, **FOUND)).then(SUSPECTED)


def test_a_pair_is_suspected_once():
    given(DUPLICATE, SUSPECTED).when(COMPARED).then_refused(DuplicateAlreadySuspected)


def test_what_somebody_has_dismissed_is_not_suspected_again():
    given(DUPLICATE, SUSPECTED, DISMISSED).when(COMPARED).then_refused(DuplicateWasDismissed)


def test_files_that_are_not_alike_are_not_suspected():
    given(DUPLICATE).when(COMPARED.model_copy(update={"alike": False})).then_refused(FilesNotAlike)


def test_a_file_is_not_suspected_of_being_itself():
    given(DUPLICATE).when(ComparedPair(one=FIRST, other=FIRST, **FOUND)).then_refused(SameFile)


def test_a_suspicion_is_dismissed_by_somebody_who_has_looked():
    given(DUPLICATE, SUSPECTED).when(DISMISS).then(DISMISSED)


@pytest.mark.parametrize("registrar", ["director-1", "director-2"])
def test_who_registered_one_of_the_two_does_not_dismiss(registrar):
    own = DISMISS.model_copy(update={"person": registrar})
    given(DUPLICATE, SUSPECTED).when(own).then_refused(ReviewerIsRegistrar)


def test_a_suspicion_is_dismissed_once():
    given(DUPLICATE, SUSPECTED, DISMISSED).when(DISMISS).then_refused(DuplicateWasDismissed)


def test_what_nobody_suspects_is_not_dismissed():
    given(DUPLICATE).when(DISMISS).then_refused(NotOnFile)
