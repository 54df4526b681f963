"""How a village's measures change when its children or its postings do. Pure.

All of them follow from two step functions: how many children count, and whether a posting is active. The join of the
two is their product, so a posting that begins needs none of the children's facts.
"""

from __future__ import annotations

from services.reporting.figures.counting_rules import CountingRule
from services.reporting.figures.indicators import Measures
from services.reporting.figures.steps import Steps, plus, positive, product


def changes(
    rule: CountingRule, counts: Steps, more: Steps, posted: Steps, posted_before: Steps
) -> tuple[Steps, dict[str, Steps]]:
    """The counts after ``more`` was added to ``counts``, and by measure what is to be added to the sums."""
    measures = Measures.of(rule.name)
    after = plus(counts, more)
    settled = _inhabited(counts, after, more)
    newly_posted = plus(posted, posted_before, -1)
    change = {
        measures.children: more,
        measures.children_with_posting: product(more, posted),
        measures.villages: settled,
        measures.villages_with_posting: product(settled, posted),
    }
    if newly_posted:
        for measure, stood in (
            (measures.children_with_posting, counts),
            (measures.villages_with_posting, positive(counts)),
        ):
            change[measure] = plus(change[measure], product(stood, newly_posted))
    return after, change


def _inhabited(before: Steps, after: Steps, more: Steps) -> Steps:
    """How "at least one child counts" changed: only from the first known day on that changed itself."""
    if not more:
        return {}
    since = min(more)
    return plus(positive(after, since), positive(before, since), -1)
