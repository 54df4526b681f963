"""A household's file (一户一档, domain 3.1, Household), with every child of it beside it in one partition.

``aggregate`` puts its parts together; what others need of it is named here.
"""

from services.registry.domain.household.aggregate import HOUSEHOLD
from services.registry.domain.household.contents import (
    HouseholdInOtherVillage,
    HouseholdWithoutMember,
    OpenHouseholdFile,
    RegisterResident,
    SeveralHeads,
    UpdateHouseholdFile,
)
from services.registry.domain.household.states import HouseholdAlreadyOnFile, village_of

__all__ = [
    "HOUSEHOLD",
    "HouseholdAlreadyOnFile",
    "HouseholdInOtherVillage",
    "HouseholdWithoutMember",
    "OpenHouseholdFile",
    "RegisterResident",
    "SeveralHeads",
    "UpdateHouseholdFile",
    "village_of",
]
