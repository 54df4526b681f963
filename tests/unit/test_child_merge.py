"""Two files of one child become one, and can be two again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.registry.domain.child import (
    CHILD,
    ChildFileIsClosed,
    ChildFileNotMerged,
    ChildFileWasMerged,
    CloseChildFile,
    ClosedBeforeItBegan,
    ErasureRequestBy,
    FileThatGoesOnIsClosed,
    HoldsFromTheFuture,
    MergeBy,
    MergedWithoutAnother,
    RecordCareSituation,
    ReopenChildFile,
    UndoBy,
    merge_claims,
)
from services.registry.domain.duplicate import ReviewerIsRegistrar, SameFile
from shared.contracts.file_keeping import ChildFilesMerged, ChildMergeUndone
from shared.contracts.registry import ChildFileClosed, ChildFileReopened, ErasureRequested
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason
from shared.eventlog.placement import new_id
from shared.standing import standing as standings
from shared.standing.look_up import change, standing_of
from shared.standing.standing import ChildFileWasClosed, check_standing
from tests.support.builders import TOLD, VILLAGE, a_registered_child, care
from tests.support.child_cards import card_and_entries, occurrences
from tests.support.specification import given

FILE = a_registered_child()
CHILD_ID, INTO = FILE.child, new_id("child")
DAY = TOLD.date()
ELSEWHERE = "520303106201"
MERGE = MergeBy(
    child=CHILD_ID,
    into=INTO,
    reason=Personal("同一儿童"),
    merged_on=date(2026, 8, 10),
    person="supervisor-1",
    registered_by=frozenset({"director-1"}),
    village=VILLAGE,
    goes_on=True,
    occurred_at=TOLD,
)
MERGED = (
    ChildFilesMerged(
        child=CHILD_ID,
        into=INTO,
        village=VILLAGE,
        merged_on=date(2026, 8, 10),
        reason=Personal("同一儿童"),
        merged_by="supervisor-1",
    ),
    ChildFileClosed(child=CHILD_ID, reason=CloseReason.MERGED, closed_on=date(2026, 8, 10)),
)
UNDO = UndoBy(
    child=CHILD_ID,
    into=INTO,
    reason=Personal("两名儿童"),
    person="county-1",
    registered_by=frozenset({"director-1"}),
    occurred_at=TOLD + timedelta(days=30),
)
UNDONE = (
    ChildMergeUndone(child=CHILD_ID, into=INTO, reason=Personal("两名儿童"), undone_by="county-1"),
    ChildFileReopened(child=CHILD_ID, reason=Personal("两名儿童"), reopened_on=date(2026, 8, 10)),
)


def merge(**changes) -> MergeBy:
    return MERGE.model_copy(update=changes)


class TestMerging:
    def test_the_file_that_is_merged_away_is_closed_from_that_day_on(self):
        given(CHILD, FILE).when(MERGE).then(*MERGED)

    def test_without_a_day_it_is_closed_from_the_day_it_is_told(self):
        _, closed = CHILD.decide(merge(merged_on=None), CHILD.evolve(CHILD.initial, FILE))
        assert closed.closed_on == DAY

    def test_a_file_is_not_merged_into_itself(self):
        given(CHILD, FILE).when(merge(into=CHILD_ID)).then_refused(SameFile)

    def test_who_registered_one_of_the_two_does_not_merge_them(self):
        given(CHILD, FILE).when(merge(person="director-1")).then_refused(ReviewerIsRegistrar)

    def test_nothing_is_merged_into_a_file_that_is_closed(self):
        given(CHILD, FILE).when(merge(goes_on=False)).then_refused(FileThatGoesOnIsClosed, "into")

    def test_it_is_not_told_ahead(self):
        given(CHILD, FILE).when(merge(merged_on=DAY + timedelta(days=1))).then_refused(HoldsFromTheFuture, "merged_on")

    def test_a_file_is_not_merged_before_the_last_day_it_was_opened(self):
        closed = ChildFileClosed(child=CHILD_ID, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 11))
        reopened = ChildFileReopened(child=CHILD_ID, reason=Personal("误"), reopened_on=date(2026, 8, 12))
        given(CHILD, FILE, closed, reopened).when(MERGE).then_refused(ClosedBeforeItBegan)

    def test_a_closed_file_is_not_merged(self):
        closed = ChildFileClosed(child=CHILD_ID, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 1))
        given(CHILD, FILE, closed).when(MERGE).then_refused(ChildFileIsClosed)

    def test_no_file_is_closed_as_merged_without_the_file_that_goes_on(self):
        close = CloseChildFile(child=CHILD_ID, reason=CloseReason.MERGED, occurred_at=TOLD)
        given(CHILD, FILE).when(close).then_refused(MergedWithoutAnother, "reason")

    def test_two_who_merge_a_pair_the_other_way_round_in_the_same_moment_claim_the_same(self):
        other = MERGED[0].model_copy(update={"child": INTO, "into": CHILD_ID})
        assert merge_claims(MERGED).taken.keys() == merge_claims([other]).taken.keys()
        assert set(merge_claims(UNDONE).released) == merge_claims(MERGED).taken.keys()


@pytest.mark.parametrize(
    "command",
    [
        RecordCareSituation(child=CHILD_ID, care=care(), occurred_at=TOLD),
        ReopenChildFile(child=CHILD_ID, reason=Personal("误"), occurred_at=TOLD),
        CloseChildFile(child=CHILD_ID, reason=CloseReason.DIED, occurred_at=TOLD),
        MERGE,
    ],
    ids=lambda command: type(command).__name__,
)
class TestAMergedFile:
    def test_takes_no_command_and_names_the_file_that_goes_on(self, command):
        given(CHILD, FILE, *MERGED).when(command).then_refused(ChildFileWasMerged, INTO)

    def test_does_not_name_a_file_of_another_village(self, command):
        elsewhere = MERGED[0].model_copy(update={"village": ELSEWHERE})
        with pytest.raises(ChildFileWasMerged) as refused:
            given(CHILD, FILE, elsewhere, MERGED[1]).when(command).then()
        assert INTO not in refused.value.detail


def test_the_erasure_of_a_merged_file_can_be_asked_for():
    request = ErasureRequestBy(child=CHILD_ID, basis=Personal("监护人申请"), person="director-1", occurred_at=TOLD)
    requested = ErasureRequested(child=CHILD_ID, basis=Personal("监护人申请"), requested_by="director-1")
    given(CHILD, FILE, *MERGED).when(request).then(requested)


class TestUndoing:
    def test_the_file_is_open_again_from_the_day_of_the_merge(self):
        given(CHILD, FILE, *MERGED).when(UNDO).then(*UNDONE)

    def test_what_was_not_merged_is_not_undone(self):
        given(CHILD, FILE).when(UNDO).then_refused(ChildFileNotMerged)
        given(CHILD, FILE, *MERGED, *UNDONE).when(UNDO).then_refused(ChildFileNotMerged)
        closed = ChildFileClosed(child=CHILD_ID, reason=CloseReason.MOVED_OUT, closed_on=date(2026, 8, 1))
        given(CHILD, FILE, closed).when(UNDO).then_refused(ChildFileNotMerged)

    def test_it_is_undone_of_the_file_that_it_was_merged_into_alone(self):
        other = UNDO.model_copy(update={"into": new_id("child")})
        given(CHILD, FILE, *MERGED).when(other).then_refused(ChildFileNotMerged)

    def test_who_registered_one_of_the_two_does_not_undo_it(self):
        given(CHILD, FILE, *MERGED).when(UNDO.model_copy(update={"person": "director-1"})).then_refused(
            ReviewerIsRegistrar
        )

    def test_afterwards_the_file_takes_commands_and_can_be_merged_again(self):
        given(CHILD, FILE, *MERGED, *UNDONE).when(MERGE).then(*MERGED)


def test_the_standing_is_closed_from_the_day_of_the_merge_and_open_again_after_the_undo():
    def standing(day, *events):
        document = {"_id": CHILD_ID, "turns": []}
        for record, event in occurrences(events):
            change(document, record, event)
        return replace(standing_of(document, day), registered_by_then=True)

    before, on = date(2026, 8, 9), date(2026, 8, 10)
    assert standing(before, FILE, *MERGED).open
    merged = standing(on, FILE, *MERGED)
    assert (merged.open, merged.merged_into) == (False, INTO)
    elsewhere = MERGED[0].model_copy(update={"village": "520303105202"})
    assert standing(on, FILE, elsewhere, *MERGED[1:]).merged_into is None
    with pytest.raises(standings.ChildFileWasMerged, match=INTO):
        check_standing(standing(on, FILE, *MERGED), VILLAGE)
    with pytest.raises(ChildFileWasClosed):
        check_standing(standing(on, FILE, elsewhere, *MERGED[1:]), VILLAGE)
    assert standing(on, FILE, *MERGED, *UNDONE) == standing(on, FILE)
    assert standing(on, FILE).open


async def test_the_card_says_what_the_file_was_merged_into_until_that_is_undone():
    card, entries = await card_and_entries([FILE, *MERGED])
    shown = {name: card["file"][name] for name in ("open", "closed_on", "closed_for", "merged_into")}
    assert shown == {"open": False, "closed_on": "2026-08-10", "closed_for": "merged", "merged_into": INTO}
    assert entries[1]["facts"] == {"into": INTO, "on": "2026-08-10", "reason": "同一儿童"}
    never, _ = await card_and_entries([FILE])
    undone, entries = await card_and_entries([FILE, *MERGED, *UNDONE])
    assert (undone, len(entries)) == (never, 5)
