"""The rules of a pair."""

from datetime import date

from services.pairing.domain.pair import (
    PAIR,
    EndPair,
    FormPair,
    JudgedPair,
    PairAlreadyEnded,
    PairAlreadyFormed,
    PairEndsBeforeItBegan,
    PairEndUnexplained,
    PairStandsElsewhere,
    claims,
)
from shared.commands.command import NotOnFile
from shared.contracts.pairing import PairEnded, PairFormed
from shared.contracts.sealed import Personal
from shared.contracts.values import PairEndReason, PairKind
from shared.eventlog.placement import new_id
from shared.standing.standing import ChildFileWasClosed, ChildNotOnFile, Standing
from tests.support.builders import VILLAGE
from tests.support.specification import given

CHILD = new_id("child")
WISH = FormPair(
    pair=new_id("pair", beside=CHILD),
    child=CHILD,
    helper="helper-1",
    kind=PairKind.ACTING_PARENT,
    village=VILLAGE,
    starts=date(2026, 8, 14),
)
FORM = JudgedPair(**dict(WISH), standing=Standing(VILLAGE, open=True))
FORMED = PairFormed(**WISH.model_dump(exclude={"occurred_at"}))
END = EndPair(pair=FORM.pair, ends=date(2026, 9, 1), reason=PairEndReason.HELPER_ROTATED)
ENDED = PairEnded(
    pair=FORM.pair,
    child=CHILD,
    kind=PairKind.ACTING_PARENT,
    ends=date(2026, 9, 1),
    reason=PairEndReason.HELPER_ROTATED,
)


def test_a_pair_is_formed_and_ended_once():
    given(PAIR).when(FORM).then(FORMED)
    given(PAIR, FORMED).when(FORM).then_refused(PairAlreadyFormed)
    given(PAIR, FORMED).when(END).then(ENDED)
    given(PAIR, FORMED, ENDED).when(END).then_refused(PairAlreadyEnded)
    given(PAIR).when(END).then_refused(NotOnFile)


def test_a_pair_does_not_end_before_it_began():
    given(PAIR, FORMED).when(END.model_copy(update={"ends": date(2026, 8, 13)})).then_refused(PairEndsBeforeItBegan)


def test_another_reason_than_those_listed_is_told_in_a_note():
    other = END.model_copy(update={"reason": PairEndReason.OTHER})
    given(PAIR, FORMED).when(other).then_refused(PairEndUnexplained)
    told = ENDED.model_copy(update={"reason": PairEndReason.OTHER, "note": Personal("随迁")})
    given(PAIR, FORMED).when(other.model_copy(update={"note": Personal("随迁")})).then(told)


def test_a_pair_stands_beside_its_child():
    elsewhere = "pair-00000000-0000-7000-8000-000000000001"
    child = "child-00000000-0000-7000-8000-000000000002"
    given(PAIR).when(FORM.model_copy(update={"pair": elsewhere, "child": child})).then_refused(PairStandsElsewhere)


def test_a_child_has_one_pair_of_a_kind_at_a_time():
    assert claims([FORMED]).taken == {f"acting_parent/{CHILD}": FORM.pair}
    assert claims([ENDED]).released == (f"acting_parent/{CHILD}",)


def test_a_pair_needs_a_child_with_an_open_file_in_the_village():
    for standing, refusal in (
        (None, ChildNotOnFile),
        (Standing("520303105202", open=True), ChildNotOnFile),
        (Standing(VILLAGE, open=False), ChildFileWasClosed),
    ):
        given(PAIR).when(FORM.model_copy(update={"standing": standing})).then_refused(refusal)
