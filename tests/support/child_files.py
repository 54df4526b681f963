"""Builders of whole files: a child with every block that a verification asks for."""

from __future__ import annotations

from services.registry.domain.child import RecordSchooling
from shared.contracts.child_file import Health, HealthRecorded, Schooling, SchoolingRecorded
from shared.contracts.registry import ChildRegistered
from shared.contracts.sealed import Counted, Personal
from shared.contracts.values import HealthState, SchoolState
from tests.support.builders import TOLD, a_registered_child

NUMBER = "529901201603090022"


def health() -> Personal[Health]:
    return Personal(Health(state=HealthState.HEALTHY))


def schooling(child: str, state: SchoolState = SchoolState.PRIMARY) -> RecordSchooling:
    return RecordSchooling(child=child, schooling=Personal(Schooling(state=state, school="测小学")), occurred_at=TOLD)


def a_complete_file() -> tuple[ChildRegistered, SchoolingRecorded, HealthRecorded]:
    registered = a_registered_child(citizen_number=Personal(NUMBER))
    return (
        registered,
        SchoolingRecorded(
            child=registered.child,
            schooling=Personal(Schooling(state=SchoolState.PRIMARY, school="测小学")),
            state=Counted(SchoolState.PRIMARY),
            since=Counted(TOLD.date()),
        ),
        HealthRecorded(child=registered.child, health=health()),
    )
