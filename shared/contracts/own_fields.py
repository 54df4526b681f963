"""A county's own fields (自定义字段): what it asks of a child's file beyond the form, and what was recorded of it.

A fact of this kind is told by the county's wish alone, so no figure and no rule reads it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, StringConstraints

from shared.contracts.adoption import Adoption, Content, PolicyName
from shared.contracts.event import Event, Fact
from shared.contracts.sealed import Personal
from shared.contracts.values import ChildId

FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)]
FieldValue = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | StrictStr | None


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"


class FieldClass(StrEnum):
    """How sensitive a field is (domain 6.1)."""

    INTERNAL = "C1"
    PERSONAL = "C2"
    SENSITIVE = "C3"


class OwnField(Fact):
    """``options`` are for a choice alone."""

    key: FieldKey
    label: Label
    kind: FieldKind
    field_class: FieldClass
    required: bool = False
    options: tuple[Label, ...] = ()


class OwnFields(Fact):
    fields: tuple[OwnField, ...]


class OwnFieldsDefined(Adoption):
    """From its first day on these are the own fields of a division and all below it."""

    version: PolicyName
    content: OwnFields

    @property
    def adopted(self) -> Content:
        return Content(self.version, self.content)


class OwnValue(Fact):
    """A day is its ISO text; None takes the value back."""

    key: FieldKey
    value: FieldValue


class OwnValues(Fact):
    values: tuple[OwnValue, ...]


class RecordedField(Fact):
    """With the label and the class of the definition that it was recorded under, so that it can be shown for ever."""

    key: FieldKey
    value: FieldValue
    label: Label
    field_class: FieldClass


class RecordedFields(Fact):
    fields: tuple[RecordedField, ...]


class OwnFieldsRecorded(Event):
    """``definition`` is the version of the definition that was in force where the child lives."""

    subject: ClassVar[str | None] = "child"

    child: ChildId
    definition: PolicyName
    recorded: Personal[RecordedFields]
