"""Two sentences of the brief as they are counted (domain 1f, items 1 and 11)."""

from __future__ import annotations

from datetime import date, timedelta

from services.reporting.api.postings import sending_units
from services.reporting.figures.counting_rules import BRIEF_0_14
from services.reporting.figures.indicators import indicator_named, share
from services.reporting.read_models.postings import POSTINGS, Postings
from shared.contracts.registry import WorkingGroupPosted, WorkingGroupWithdrawn
from shared.contracts.values import PostingLevel, WithdrawalReason
from shared.eventlog.placement import new_id
from shared.projection.read_model import Occurred
from tests.support.builders import parents
from tests.support.figure_histories import a_child_of, a_division, a_posting, folded, sum_at, told
from tests.support.workspace import fold_all

CITY, WITH_POSTING, WITHOUT = "5203", "520303105201", "520303105202"
DAY = date(2015, 8, 31)


def the_city(children: int, in_villages_with_a_posting: int) -> list[Occurred]:
    """Generated children of ten, both parents away, in two villages of which one has a working group."""
    born = f"{DAY.year - 10}-01"
    tree = [(CITY, None), (WITH_POSTING, CITY), (WITHOUT, CITY)]
    events = [told(a_division(code, above, DAY - timedelta(days=9)), DAY, DAY) for code, above in tree]
    events.append(told(a_posting(1, WITH_POSTING, DAY - timedelta(days=9)), DAY, DAY))
    for number in range(children):
        village = WITH_POSTING if number < in_villages_with_a_posting else WITHOUT
        events.append(told(a_child_of(number, village, born, parents(since=DAY)), DAY, DAY))
    return events


async def test_85_149_of_154_000_children_in_villages_with_a_posting_are_55_3_percent_and_so_after_a_full_replay():
    # At one in a hundred: 1,540 and 851. The share of the whole numbers is asked of the same arithmetic.
    history = the_city(1_540, 851)
    indicator = indicator_named("I1", BRIEF_0_14.name)
    rates = []
    for batches in ([history], [history[at : at + 97] for at in range(0, len(history), 97)]):
        held = await folded(batches)
        counted = [sum_at(held, measure or "", CITY, DAY, DAY) for measure in indicator]
        assert counted == [851, 1_540]
        rates.append(share(*counted))
    assert [*rates, share(85_149, 154_000)] == ["55.3", "55.3", "55.3"]


async def test_three_groups_of_one_college_count_as_three_groups_one_unit():
    def posted(unit: str, village: str) -> WorkingGroupPosted:
        return WorkingGroupPosted(
            posting=new_id("posting"), village=village, level=PostingLevel.CITY, unit=unit, starts=DAY
        )

    groups = [posted("测试学院", f"52030310520{number}") for number in (1, 2, 3)]
    gone = posted("测试局", WITHOUT)
    ended = WorkingGroupWithdrawn(
        posting=gone.posting, village=WITHOUT, ends=DAY, reason=WithdrawalReason.RECORDED_IN_ERROR
    )
    held = await fold_all(Postings(), [[*groups, gone], [ended]])
    active = [one for one in held[POSTINGS].values() if one["ends"] is None]
    [college] = sending_units([*active, active[0] | {"unit": "测试 学院"}])
    assert (college.unit, college.groups, college.villages) == ("测试学院", 4, 3)
    [college] = sending_units(active)
    assert (college.groups, college.villages) == (3, 3)
    assert held[POSTINGS][gone.posting]["ends"] == DAY.isoformat()
