"""Whatever a handful of people, each with every office, do to a file: no check is passed by whom it checks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.registry.domain.child import (
    AcceptChange,
    ConfirmChildFileReview,
    ProposeChange,
    RecordCareSituation,
    RecordHealth,
    RecordIdentity,
    RecordParentSituation,
    RefuseChange,
    ReturnChildFile,
    ReviewChildFile,
    SubmitChildFile,
    VerifyChildFile,
)
from shared.commands.command import Told
from shared.contracts.child_file import Identity
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import CareKind, CitizenNumberStatus, ParentState, Role
from shared.eventlog.placement import new_id
from shared.eventlog.record import Record, decode
from tests.support.builders import VILLAGE, a_registration, care, parents
from tests.support.child_files import NUMBER, health, schooling
from tests.support.registry import Registry

PEOPLE = ("person-1", "person-2", "person-3")
OFFICES = (Role.CHILD_DIRECTOR, Role.CHILD_SUPERVISOR, Role.COUNTY_CIVIL_AFFAIRS)
ENTRIES = {
    "ChildRegistered",
    "CareSituationRecorded",
    "ParentSituationRecorded",
    "ChildIdentityRecorded",
    "SchoolingRecorded",
    "HealthRecorded",
}

CHECKS = (ReviewChildFile, VerifyChildFile, ReviewChildFile, VerifyChildFile, SubmitChildFile, ConfirmChildFileReview)


def commands(child: str, proposals: Sequence[str]) -> st.SearchStrategy[Any]:
    cares = st.sampled_from([CareKind.NOBODY, CareKind.PARENT, CareKind.OTHER_RELATIVE]).map(care)
    number = Identity(citizen_number_status=CitizenNumberStatus.PRESENT, citizen_number=NUMBER)
    entries = st.one_of(
        cares.map(lambda told: RecordCareSituation(child=child, care=told)),
        st.sampled_from([ParentState.AWAY, ParentState.HOME]).map(
            lambda state: RecordParentSituation(child=child, parents=parents(mother=state))
        ),
        st.just(RecordIdentity(child=child, identity=Personal(number))),
        st.just(RecordHealth(child=child, health=health())),
        st.just(schooling(child)),
    )
    found = st.builds(
        lambda proposal, told: ProposeChange(
            child=child, proposal=proposal, visit=new_id("visit", beside=child), care=told
        ),
        st.sampled_from(proposals),
        cares,
    )
    decided = st.sampled_from(proposals).map(lambda proposal: AcceptChange(child=child, proposal=proposal))
    seldom = st.sampled_from(
        [
            ReturnChildFile(child=child, reason=Personal("补")),
            RefuseChange(child=child, proposal=proposals[0], reason=Personal("不符")),
        ]
    )
    checks = st.sampled_from(CHECKS).map(lambda check: check(child=child))
    kinds = st.sampled_from([*[checks] * 8, entries, entries, found, decided, decided, seldom])
    return kinds.flatmap(lambda kind: kind)


async def lived(told: Sequence[tuple[Any, str]], registration: Any) -> list[Record]:
    registry = Registry()
    for person in PEOPLE:
        for office in OFFICES:
            registry.directory.add_grant(person, office, VILLAGE, date(2026, 1, 1))
    for number, (command, person) in enumerate([(registration, "person-1"), *told]):
        with suppress(Refusal):  # what matters is what got through
            await registry.handler.handle(Told(command, f"command-{number}", person))
    return [decode(raw) for raw in await registry.log.load(registration.child)]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nobody_passes_what_they_entered_and_nobody_passes_both_checks(data: st.DataObject) -> None:
    registration = a_registration(citizen_number=NUMBER)
    child = registration.child
    proposals = [new_id("proposal", beside=child) for _ in range(2)]
    # A file that is complete and submitted, so that the checks are reached.
    begun = [(RecordHealth(child=child, health=health()), "person-1"), (schooling(child), "person-1")]
    more = st.lists(st.tuples(commands(child, proposals), st.sampled_from(PEOPLE)), min_size=15, max_size=40)
    submitted = [*begun, (SubmitChildFile(child=child), "person-1")]
    records = asyncio.run(lived([*submitted, *data.draw(more)], registration))

    authors: set[str] = set()
    finders: dict[str, str] = {}
    reviewed_by = taken_over = ""
    for record in records:
        by, clear = record.actor.id, bytes(record.data).decode()
        match record.type:
            case "ChangeProposed":
                finders[next(one for one in proposals if one in clear)] = by
            case "ChangeAccepted":
                proposal = next(one for one in proposals if one in clear)
                assert by != finders[proposal]
                authors.add(finders[proposal])
                taken_over = record.command_id
            case "ChildFileReviewed":
                assert by not in authors
                reviewed_by = by
            case "ChildFileVerified":
                assert reviewed_by, "nobody has reviewed what stands there now"
                assert by not in authors | {reviewed_by}
                authors, reviewed_by = set(), ""
            case entry if entry in ENTRIES:
                reviewed_by = ""
                if record.command_id != taken_over:
                    authors.add(by)
            case "ChildFileReturned":
                reviewed_by = ""
            case _:
                pass
