"""A household's file (一户一档, domain 3.1, Household), with every child of it beside it in one partition.

``aggregate`` puts its parts together; what others need of it is named here.
"""

from services.registry.domain.household.aggregate import HOUSEHOLD
from services.registry.domain.household.closing import (
    CloseHouseholdFile,
    ClosingWith,
    HouseholdHasOpenChild,
    ReopenHouseholdFile,
)
from services.registry.domain.household.contents import (
    HouseholdInOtherVillage,
    HouseholdWithoutMember,
    OpenHouseholdFile,
    RegisterResident,
    SeveralHeads,
    UpdateHouseholdFile,
)
from services.registry.domain.household.erasure import (
    ApproveHouseholdErasure,
    HouseholdErasureApprovalBy,
    HouseholdErasureRequestBy,
    RequestHouseholdErasure,
)
from services.registry.domain.household.merge import (
    GiveBackHousehold,
    HouseholdHasTakenIn,
    HouseholdNotMerged,
    MergeBy,
    MergedIntoItself,
    MergeHouseholds,
    NoSuchHouseholdInVillage,
    TakeInHousehold,
    UndoHouseholdMerge,
    UndoingBy,
    claims,
)
from services.registry.domain.household.move import (
    HouseholdLivesThere,
    HouseholdTakeOverBy,
    MoveBy,
    MoveHousehold,
    NoMoveOffered,
    OfferHouseholdMove,
    TakeOverHousehold,
)
from services.registry.domain.household.states import (
    Household,
    HouseholdAlreadyOnFile,
    HouseholdFileIsClosed,
    HouseholdFileIsOpen,
    HouseholdIsErased,
    HouseholdIsMerged,
    children_of,
    offered_to,
    village_of,
)

__all__ = [
    "HOUSEHOLD",
    "ApproveHouseholdErasure",
    "CloseHouseholdFile",
    "ClosingWith",
    "GiveBackHousehold",
    "Household",
    "HouseholdAlreadyOnFile",
    "HouseholdErasureApprovalBy",
    "HouseholdErasureRequestBy",
    "HouseholdFileIsClosed",
    "HouseholdFileIsOpen",
    "HouseholdHasOpenChild",
    "HouseholdHasTakenIn",
    "HouseholdInOtherVillage",
    "HouseholdIsErased",
    "HouseholdIsMerged",
    "HouseholdLivesThere",
    "HouseholdNotMerged",
    "HouseholdTakeOverBy",
    "HouseholdWithoutMember",
    "MergeBy",
    "MergeHouseholds",
    "MergedIntoItself",
    "MoveBy",
    "MoveHousehold",
    "NoMoveOffered",
    "NoSuchHouseholdInVillage",
    "OfferHouseholdMove",
    "OpenHouseholdFile",
    "RegisterResident",
    "ReopenHouseholdFile",
    "RequestHouseholdErasure",
    "SeveralHeads",
    "TakeInHousehold",
    "TakeOverHousehold",
    "UndoHouseholdMerge",
    "UndoingBy",
    "UpdateHouseholdFile",
    "children_of",
    "claims",
    "offered_to",
    "village_of",
]
