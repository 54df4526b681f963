"""The rules of an import: received, checked as often as wanted, committed once, taken back once."""

import pytest
from pydantic import ValidationError

from services.registry.domain.import_batch import (
    IMPORT_BATCH,
    RECEIPTS,
    ImportAlreadyCommitted,
    ImportAlreadyReceived,
    ImportIsWithdrawn,
    ImportNotChecked,
    ImportNotCommitted,
    ReceiveImport,
    RecordImportCheck,
    RecordImportCommitted,
    RecordImportReceipts,
    RecordImportWithdrawn,
    RowsAlreadyReceipted,
    division,
)
from shared.commands.command import NotOnFile
from shared.contracts.registry import (
    ImportBatchChecked,
    ImportBatchCommitted,
    ImportBatchReceived,
    ImportBatchWithdrawn,
    ImportRowsCommitted,
    RowReceipt,
)
from shared.contracts.values import LedgerKind, RowVerdict
from shared.eventlog.placement import new_id
from tests.support.builders import COUNTY
from tests.support.specification import given

BATCH = new_id("import")
RECEIVE = ReceiveImport(batch=BATCH, division=COUNTY, ledger=LedgerKind.ROSTER, file_hash="5e" * 32)
RECEIVED = ImportBatchReceived(batch=BATCH, division=COUNTY, ledger=LedgerKind.ROSTER, file_hash="5e" * 32)
CHECK = RecordImportCheck(batch=BATCH, accepted=2, warned=1, rejected=1)
CHECKED = ImportBatchChecked(batch=BATCH, accepted=2, warned=1, rejected=1)
COMMIT = RecordImportCommitted(batch=BATCH, taken_over=3, rejected=1)
COMMITTED = ImportBatchCommitted(batch=BATCH, taken_over=3, rejected=1)
WITHDRAW = RecordImportWithdrawn(batch=BATCH, closed=3)
WITHDRAWN = ImportBatchWithdrawn(batch=BATCH, closed=3)


def test_an_import_is_received_once():
    given(IMPORT_BATCH).when(RECEIVE).then(RECEIVED)
    given(IMPORT_BATCH, RECEIVED).when(RECEIVE).then_refused(ImportAlreadyReceived)


def test_an_import_is_checked_as_often_as_wanted_until_it_is_committed():
    given(IMPORT_BATCH, RECEIVED).when(CHECK).then(CHECKED)
    given(IMPORT_BATCH, RECEIVED, CHECKED).when(CHECK).then(CHECKED)
    given(IMPORT_BATCH, RECEIVED, CHECKED, COMMITTED).when(CHECK).then_refused(ImportAlreadyCommitted)


def test_an_import_is_committed_once_and_after_its_check():
    given(IMPORT_BATCH, RECEIVED, CHECKED).when(COMMIT).then(COMMITTED)
    given(IMPORT_BATCH, RECEIVED).when(COMMIT).then_refused(ImportNotChecked)
    given(IMPORT_BATCH, RECEIVED, CHECKED, COMMITTED).when(COMMIT).then_refused(ImportAlreadyCommitted)


def test_an_import_is_taken_back_once_and_after_its_commit():
    given(IMPORT_BATCH, RECEIVED, CHECKED, COMMITTED).when(WITHDRAW).then(WITHDRAWN)
    given(IMPORT_BATCH, RECEIVED, CHECKED).when(WITHDRAW).then_refused(ImportNotCommitted)
    for command in (CHECK, COMMIT, WITHDRAW):
        given(IMPORT_BATCH, RECEIVED, CHECKED, COMMITTED, WITHDRAWN).when(command).then_refused(ImportIsWithdrawn)


@pytest.mark.parametrize("command", [CHECK, COMMIT, WITHDRAW])
def test_nothing_becomes_of_an_import_that_was_not_received(command):
    given(IMPORT_BATCH).when(command).then_refused(NotOnFile)


def test_an_import_takes_effect_where_its_sender_may_import():
    state = IMPORT_BATCH.initial
    for event in (RECEIVED, CHECKED, COMMITTED, WITHDRAWN):
        state = IMPORT_BATCH.evolve(state, event)
        assert division(state) == COUNTY


def test_rows_have_one_receipt():
    rows = (RowReceipt(row=2, verdict=RowVerdict.WARNED, codes=("sex_differs",), made=(new_id("child"),)),)
    told = {"receipts_id": new_id("receipts", beside=BATCH), "batch": BATCH, "rows": rows}
    given(RECEIPTS).when(RecordImportReceipts(**told)).then(ImportRowsCommitted(**told))
    given(RECEIPTS, ImportRowsCommitted(**told)).when(RecordImportReceipts(**told)).then_refused(RowsAlreadyReceipted)


@pytest.mark.parametrize("wrong", [{"codes": ("姓名：测甲一",)}, {"made": ("测甲一",)}, {"verdict": "测甲一"}])
def test_no_free_text_slips_into_a_receipt(wrong):
    with pytest.raises(ValidationError):
        RowReceipt(**{"row": 2, "verdict": "accepted", **wrong})
