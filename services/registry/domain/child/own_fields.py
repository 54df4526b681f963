"""What a county asks of a child's file by fields of its own: recorded by the definition in force, refused by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import ClassVar, Final

from services.registry.domain.child.states import OnFile
from shared.commands.command import Command
from shared.contracts.adoption import PolicyName
from shared.contracts.own_fields import (
    FieldKind,
    FieldValue,
    OwnField,
    OwnFieldsRecorded,
    OwnValue,
    OwnValues,
    RecordedField,
    RecordedFields,
)
from shared.contracts.refusal import Refusal
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId

MOST_CHARACTERS: Final = 200
MOST: Final = 10**12


class RecordOwnFields(Command):
    """``definition`` names the version of the definition that the form was made of."""

    child: ChildId
    definition: PolicyName
    values: Personal[OwnValues]


class OwnFieldsBy(RecordOwnFields):
    """``in_force`` names the definition that holds where the child lives on that day, None where there is none."""

    in_force: PolicyName | None
    fields: tuple[OwnField, ...]


class NoOwnFieldsDefined(Refusal):
    """Where the child lives no fields of one's own are asked for on that day."""

    what_to_do: ClassVar[str] = "Nothing; the county defines which are asked for."


class OwnFieldsNotInForce(Refusal):
    """definition: another version is in force where the child lives on that day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Fill in the fields of the version that is named."


class OwnFieldUnknown(Refusal):
    """The definition has no such field."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Send the fields of the definition that is in force, each once."


class OwnFieldDoesNotFit(Refusal):
    """A value is not of the kind that its field asks for."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Correct the field that is named."


class OwnFieldMissing(Refusal):
    """A field that is required is neither told nor on file."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Fill in the fields that are named."


def recorded(command: OwnFieldsBy, file: OnFile) -> OwnFieldsRecorded:
    if command.in_force is None:
        raise NoOwnFieldsDefined
    if command.definition != command.in_force:
        raise OwnFieldsNotInForce(f"definition: {command.in_force} is in force there on that day")
    fields = {one.key: one for one in command.fields}
    told = command.values.reveal().values
    _check_keys(told, fields)
    made = tuple(_recorded(one, fields[one.key]) for one in told)
    _check_required(made, fields, file)
    return OwnFieldsRecorded(
        child=command.child, definition=command.in_force, recorded=Personal(RecordedFields(fields=made))
    )


def told_after(told: frozenset[str], event: OwnFieldsRecorded) -> frozenset[str]:
    """The keys that have a value after the event; of an erased one nothing is known."""
    return _after(told, event.recorded.get() or RecordedFields(fields=()))


def _after(told: frozenset[str], recorded: RecordedFields) -> frozenset[str]:
    given = {one.key for one in recorded.fields if one.value is not None}
    return told - {one.key for one in recorded.fields} | given


def _check_keys(told: tuple[OwnValue, ...], fields: Mapping[str, OwnField]) -> None:
    for key, times in Counter(one.key for one in told).items():
        if key not in fields:
            raise OwnFieldUnknown(f"{key}: the definition has no such field")
        if times > 1:
            raise OwnFieldUnknown(f"{key}: told twice")


def _check_required(made: tuple[RecordedField, ...], fields: Mapping[str, OwnField], file: OnFile) -> None:
    held = _after(file.own_fields, RecordedFields(fields=made))
    if missing := [key for key, one in fields.items() if one.required and key not in held]:
        raise OwnFieldMissing(f"missing: {', '.join(missing)}")


def _recorded(told: OwnValue, field: OwnField) -> RecordedField:
    if told.value is not None and (rule := _broken_rule(told.value, field)):
        raise OwnFieldDoesNotFit(f"{field.key}: {rule}")
    return RecordedField(key=field.key, value=told.value, label=field.label, field_class=field.field_class)


def _broken_rule(value: FieldValue, field: OwnField) -> str | None:
    """What the value should be and is not, without telling it."""
    match field.kind:
        case FieldKind.TEXT:
            fits = isinstance(value, str) and len(value) <= MOST_CHARACTERS
            return None if fits else f"is to be a text of at most {MOST_CHARACTERS} characters"
        case FieldKind.NUMBER:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST
            return None if fits else "is to be a number"
        case FieldKind.DATE:
            return None if _is_day(value) else "is to be a day, like 2026-08-14"
        case FieldKind.YES_NO:
            return None if isinstance(value, bool) else "is to be true or false"
        case FieldKind.CHOICE:
            return None if value in field.options else "is to be one of the options"


def _is_day(value: FieldValue) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
