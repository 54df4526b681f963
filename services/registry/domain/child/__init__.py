"""A child's file (一人一档, domain 3.1, Child): its states, its check in two steps, and a module for each block.

``aggregate`` puts them together; what others need of it is named here.
"""

from services.registry.domain.child.aggregate import CHILD
from services.registry.domain.child.check import (
    CHECKED,
    AuthorChecks,
    ChildFileIncomplete,
    ChildFileIsSubmitted,
    ChildFileNotReviewed,
    ChildFileNotSubmitted,
    ChildFileNotVerified,
    ConfirmChildFileReview,
    NoCheckIsWaiting,
    ReturnBy,
    ReturnChildFile,
    ReviewBy,
    ReviewChildFile,
    SubmissionBy,
    SubmitChildFile,
    VerificationBy,
    VerifyChildFile,
)
from services.registry.domain.child.closing import CloseChildFile, ClosedBeforeItBegan, ReopenChildFile
from services.registry.domain.child.erasure import (
    ApproveErasure,
    ApproverIsRequester,
    ErasureApprovalBy,
    ErasureNotRequested,
    ErasureRequestBy,
    RequestErasure,
)
from services.registry.domain.child.life import (
    HealthContradictsItself,
    HoldsFromTheFuture,
    RecordHealth,
    RecordSchooling,
)
from services.registry.domain.child.proposal import ProposeChange
from services.registry.domain.child.registration import BornInTheFuture, ChildStandsElsewhere, RegisterChild
from services.registry.domain.child.situation import RecordCareSituation, RecordParentSituation
from services.registry.domain.child.states import (
    ChildAlreadyRegistered,
    ChildFileIsClosed,
    ChildFileIsOpen,
    ChildIsErased,
    residence,
)

__all__ = [
    "CHECKED",
    "CHILD",
    "ApproveErasure",
    "ApproverIsRequester",
    "AuthorChecks",
    "BornInTheFuture",
    "ChildAlreadyRegistered",
    "ChildFileIncomplete",
    "ChildFileIsClosed",
    "ChildFileIsOpen",
    "ChildFileIsSubmitted",
    "ChildFileNotReviewed",
    "ChildFileNotSubmitted",
    "ChildFileNotVerified",
    "ChildIsErased",
    "ChildStandsElsewhere",
    "CloseChildFile",
    "ClosedBeforeItBegan",
    "ConfirmChildFileReview",
    "ErasureApprovalBy",
    "ErasureNotRequested",
    "ErasureRequestBy",
    "HealthContradictsItself",
    "HoldsFromTheFuture",
    "NoCheckIsWaiting",
    "ProposeChange",
    "RecordCareSituation",
    "RecordHealth",
    "RecordParentSituation",
    "RecordSchooling",
    "RegisterChild",
    "ReopenChildFile",
    "RequestErasure",
    "ReturnBy",
    "ReturnChildFile",
    "ReviewBy",
    "ReviewChildFile",
    "SubmissionBy",
    "SubmitChildFile",
    "VerificationBy",
    "VerifyChildFile",
    "residence",
]
