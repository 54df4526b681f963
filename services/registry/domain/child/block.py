"""What a registration tells beyond the situation at the door: each block as the command that would tell it alone."""

from __future__ import annotations

from collections.abc import Iterator

from services.registry.domain.child.entrustment import EntrustCaregiver
from services.registry.domain.child.identity import RecordIdentity
from services.registry.domain.child.life import RecordHealth, RecordSchooling, RecordWelfare
from services.registry.domain.child.registration import RegisterChild
from services.registry.domain.child.situation import RecordCareSituation
from shared.contracts.child_file import Identity
from shared.contracts.sealed import Personal
from shared.contracts.values import CitizenNumberStatus, Ethnicity

BlockCommand = RecordCareSituation | RecordIdentity | RecordSchooling | RecordHealth | RecordWelfare | EntrustCaregiver


def blocks(command: RegisterChild) -> Iterator[BlockCommand]:
    child, at = command.child, command.occurred_at
    if command.care_quality is not None:
        yield RecordCareSituation(child=child, occurred_at=at, care=command.care, quality=command.care_quality)
    if command.ethnicity is not None:
        yield RecordIdentity(child=child, occurred_at=at, identity=_identity(command, command.ethnicity))
    if command.schooling is not None:
        yield RecordSchooling(child=child, occurred_at=at, schooling=command.schooling)
    if command.health is not None:
        yield RecordHealth(child=child, occurred_at=at, health=command.health)
    if command.welfare is not None:
        yield RecordWelfare(child=child, occurred_at=at, welfare=command.welfare)
    if command.entrustment is not None:
        yield EntrustCaregiver(child=child, occurred_at=at, entrustment=command.entrustment)


def _identity(command: RegisterChild, ethnicity: Personal[Ethnicity]) -> Personal[Identity]:
    """An identity is told as a whole: with the number and the status that the registration gives."""
    number, status = command.citizen_number, command.citizen_number_status
    otherwise = CitizenNumberStatus.UNKNOWN if number is None else CitizenNumberStatus.PRESENT
    return Personal(
        Identity(
            citizen_number_status=otherwise if status is None else status.reveal(),
            citizen_number=None if number is None else number.reveal(),
            ethnicity=ethnicity.reveal(),
        )
    )
