"""The ledgers that can be imported."""

from __future__ import annotations

from typing import Final

from services.registry.imports.household_file import HOUSEHOLD_FILE
from services.registry.imports.ledger import Ledger
from services.registry.imports.registration_form import REGISTRATION_FORM
from services.registry.imports.roster import ROSTER
from services.registry.imports.working_groups import WORKING_GROUPS

LEDGERS: Final[tuple[Ledger, ...]] = (ROSTER, REGISTRATION_FORM, HOUSEHOLD_FILE, WORKING_GROUPS)
