"""An expected "no": a fact, with a status and a code on its class, rendered by the one renderer in ``shared.web``.

A domain raises refusals and knows no HTTP; the status is a number and nothing more.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

_FIELD: Final = re.compile(r"([a-z][a-z_]*(?:\.[a-z_]+)*): ")


class Refusal(Exception):
    """Root of every expected refusal. ``detail`` says what is wrong, ``what_to_do`` how to go on: nothing personal.

    A detail about one field of what was sent begins with it and a colon: ``merged_on: this day lies ahead``.
    """

    status: ClassVar[int] = 409
    what_to_do: ClassVar[str] = ""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail or (type(self).__doc__ or "").strip()

    @property
    def field(self) -> str | None:
        """The field that the detail is about, as a dotted path; None when it is about the whole."""
        named = _FIELD.match(self.detail)
        return None if named is None else named[1]

    @property
    def code(self) -> str:
        """The class name in snake case: ``ChildAlreadyRegistered`` is ``child_already_registered``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
