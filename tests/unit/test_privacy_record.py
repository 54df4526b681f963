"""Notices, consents and what is kept with a file: who may declare what, in which order, and what goes with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.registry.domain.child import ChildFileIsClosed, ChildIsErased
from services.registry.domain.privacy import (
    MOST_ATTACHMENTS,
    ON_FILE,
    OPENING,
    PRIVACY,
    AddAttachment,
    AttachmentIdTaken,
    BasisNotOfThisPurpose,
    ConsentIsGiven,
    ConsentNotGiven,
    ConsentToldLate,
    DeclarantMayNot,
    ExpireAttachment,
    GiveConsent,
    GivePrivacyNotice,
    GuardianDeclares,
    NoSuchAttachment,
    NoticeNotGiven,
    NoticeUnknown,
    OpenAttachment,
    PhotoWithoutConsent,
    RefuseConsent,
    RemoveAttachment,
    RestsOnLegalTask,
    TooManyAttachments,
    WithdrawConsent,
    privacy_stream,
)
from services.registry.domain.privacy.notice import NOTICES, notice_on
from shared.commands.command import NothingToRecord, NotOnFile
from shared.contracts.consent import (
    AttachedFile,
    AttachmentAdded,
    AttachmentKind,
    AttachmentOpened,
    AttachmentRemoved,
    Basis,
    Consent,
    ConsentGiven,
    ConsentPurpose,
    ConsentRefused,
    ConsentWithdrawn,
    Declarant,
    Declaration,
    Means,
    MediaType,
    PrivacyNoticeGiven,
    RemovalReason,
)
from shared.contracts.registry import ChildFileClosed, SubjectKeyDestroyed
from shared.contracts.sealed import Personal
from shared.contracts.values import CloseReason
from shared.eventlog.placement import new_id
from tests.support.builders import TOLD, VILLAGE, a_registered_child, a_registration
from tests.support.offices import Offices
from tests.support.specification import given

TODAY = date(2026, 8, 14)
EARLIER = TOLD - timedelta(days=30)
KNOWN = a_registered_child()
OF_15 = a_registered_child(birth_date=Personal(date(2011, 3, 9)))
CHILD = KNOWN.child
NOTICE = "CHILD-2026-1"
PHOTO, TRANSFER = ConsentPurpose.PHOTO, ConsentPurpose.TRANSFER_TO_BODY
ATTACHMENT, SHA256 = new_id("attachment"), "5e" * 32


def declared(by: Declarant = Declarant.MOTHER) -> Personal[Declaration]:
    return Personal(Declaration(declarant=by, name="测某", means=Means.PHONE))


def consent(
    purpose: ConsentPurpose = PHOTO, basis: Basis = Basis.CONSENT, by: Declarant = Declarant.MOTHER
) -> Personal[Consent]:
    return Personal(Consent(purpose=purpose, basis=basis, declaration=declared(by).reveal()))


def give_notice(**changes) -> GivePrivacyNotice:
    return GivePrivacyNotice(**{"child": CHILD, "notice": NOTICE, "to": declared(), "occurred_at": TOLD} | changes)


def give(**changes) -> GiveConsent:
    return GiveConsent(**{"child": CHILD, "purpose": PHOTO, "declaration": declared(), "occurred_at": TOLD} | changes)


def refuse(**changes) -> RefuseConsent:
    return RefuseConsent(**{"child": CHILD, "purpose": PHOTO, "declaration": declared(), "occurred_at": TOLD} | changes)


def withdraw(**changes) -> WithdrawConsent:
    fields = {"child": CHILD, "purpose": PHOTO, "declaration": declared(), "occurred_at": TOLD}
    return WithdrawConsent(**fields | changes)


def add(kind: AttachmentKind = AttachmentKind.PHOTO, **changes) -> AddAttachment:
    file = AttachedFile(kind=kind, media_type=MediaType.JPEG, size=1000)
    fields = {"child": CHILD, "attachment": ATTACHMENT, "sha256": SHA256, "file": Personal(file), "occurred_at": TOLD}
    return AddAttachment(**fields | changes)


def added(kind: AttachmentKind = AttachmentKind.PHOTO, attachment: str = ATTACHMENT) -> AttachmentAdded:
    return AttachmentAdded(child=CHILD, attachment=attachment, sha256=SHA256, file=add(kind).file)


def removed(reason: RemovalReason, attachment: str = ATTACHMENT) -> AttachmentRemoved:
    return AttachmentRemoved(child=CHILD, attachment=attachment, reason=Personal(reason))


NOTICED = PrivacyNoticeGiven(child=CHILD, notice=NOTICE, on=TODAY, to=declared())
GIVEN = ConsentGiven(child=CHILD, notice=NOTICE, on=TODAY, consent=consent())
BY_TASK = ConsentGiven(child=CHILD, notice=NOTICE, on=TODAY, consent=consent(TRANSFER, Basis.LEGAL_TASK))
REFUSED = ConsentRefused(child=CHILD, on=TODAY, consent=consent())
WITHDRAWN = ConsentWithdrawn(child=CHILD, on=TODAY, consent=consent())
REMOVE = RemoveAttachment(child=CHILD, attachment=ATTACHMENT, reason=RemovalReason.NOT_NEEDED, occurred_at=TOLD)
EXPIRE = ExpireAttachment(child=CHILD, attachment=ATTACHMENT, occurred_at=TOLD)


# Notice


def test_a_notice_is_given_by_the_version_of_its_text():
    given(PRIVACY).when(give_notice()).then(NOTICED)


@pytest.mark.parametrize("version", ["CHILD-1999-1", "X"])
def test_a_text_that_was_never_shipped_is_not_given(version: str):
    given(PRIVACY).when(give_notice(notice=version)).then_refused(NoticeUnknown)


def test_a_text_is_not_given_before_its_first_day():
    given(PRIVACY).when(give_notice(occurred_at=datetime(2025, 12, 31, 15, 59, tzinfo=UTC))).then_refused(NoticeUnknown)
    assert notice_on(date(2025, 12, 31)) is None
    assert notice_on(TODAY) is NOTICES[NOTICE]


def test_every_text_says_on_what_each_purpose_may_rest():
    for text in NOTICES.values():
        assert all(text.bases(purpose) for purpose in ConsentPurpose)


# Consent


def test_a_consent_needs_a_notice_given_before():
    given(PRIVACY).when(give()).then_refused(NoticeNotGiven)
    given(PRIVACY, NOTICED).when(give(occurred_at=EARLIER)).then_refused(NoticeNotGiven)
    given(PRIVACY, NOTICED).when(give()).then(GIVEN)


def test_a_consent_that_is_in_force_is_nothing_new():
    given(PRIVACY, NOTICED, GIVEN).when(give()).then()


def test_a_purpose_rests_on_a_task_of_law_only_where_the_notice_says_so():
    given(PRIVACY, NOTICED).when(give(purpose=TRANSFER, basis=Basis.LEGAL_TASK)).then(BY_TASK)
    given(PRIVACY, NOTICED).when(give(basis=Basis.LEGAL_TASK)).then_refused(BasisNotOfThisPurpose)


def test_what_rests_on_a_task_of_law_is_neither_withdrawn_nor_refused():
    given(PRIVACY, NOTICED, BY_TASK).when(refuse(purpose=TRANSFER)).then_refused(RestsOnLegalTask)
    given(PRIVACY, NOTICED, BY_TASK).when(withdraw(purpose=TRANSFER)).then_refused(RestsOnLegalTask)


def test_a_consent_is_withdrawn_and_given_again():
    given(PRIVACY, NOTICED, GIVEN).when(withdraw()).then(WITHDRAWN)
    given(PRIVACY, NOTICED, GIVEN, WITHDRAWN).when(give()).then(GIVEN)


@pytest.mark.parametrize("history", [(), (NOTICED,), (NOTICED, REFUSED), (NOTICED, GIVEN, WITHDRAWN)])
def test_what_was_not_given_is_not_withdrawn(history):
    given(PRIVACY, *history).when(withdraw()).then_refused(ConsentNotGiven)


def test_a_no_is_recorded_once_and_needs_no_notice():
    given(PRIVACY).when(refuse()).then(REFUSED)
    given(PRIVACY, NOTICED, REFUSED).when(refuse()).then()
    given(PRIVACY, NOTICED, REFUSED).when(give()).then(GIVEN)


def test_what_was_given_is_withdrawn_and_not_refused():
    given(PRIVACY, NOTICED, GIVEN).when(refuse()).then_refused(ConsentIsGiven)


@pytest.mark.parametrize("command", [give, refuse, withdraw])
def test_an_answer_of_an_earlier_day_does_not_replace_a_later_one(command):
    noticed = NOTICED.model_copy(update={"on": date(2026, 1, 2)})
    given(PRIVACY, noticed, GIVEN).when(command(occurred_at=EARLIER)).then_refused(ConsentToldLate)


def test_each_purpose_has_its_own_answer():
    given(PRIVACY, NOTICED, GIVEN).when(refuse(purpose=ConsentPurpose.PUBLICATION)).then(
        ConsentRefused(child=CHILD, on=TODAY, consent=consent(ConsentPurpose.PUBLICATION))
    )


@examples(st.lists(st.sampled_from([give, refuse, withdraw]), max_size=12))
def test_a_consent_is_in_force_exactly_from_a_yes_to_its_withdrawal(commands):
    record, in_force = PRIVACY.evolve(PRIVACY.initial, NOTICED), False
    for command in commands:
        try:
            events = PRIVACY.decide(command(), record)
        except (ConsentIsGiven, ConsentNotGiven):
            assert in_force is (command is refuse)
            continue
        for event in events:
            record = PRIVACY.evolve(record, event)
        in_force = command is give
        assert record.in_force(PHOTO) is in_force


# Who declares, and on which file


@pytest.mark.parametrize(
    "command", [lambda by: give_notice(to=declared(by)), lambda by: give(declaration=declared(by))]
)
def test_under_14_a_guardian_is_told_and_consents(command):
    for guardian in (Declarant.FATHER, Declarant.MOTHER, Declarant.GUARDIAN):
        given(ON_FILE, KNOWN).when(command(guardian)).then()
    given(ON_FILE, KNOWN).when(command(Declarant.CHILD)).then_refused(GuardianDeclares)
    given(ON_FILE, OF_15).when(command(Declarant.CHILD)).then()


def test_a_child_consents_itself_from_its_fourteenth_birthday_on():
    born = a_registered_child(birth_date=Personal(date(2012, 8, 15)))
    itself = {"declaration": declared(Declarant.CHILD)}
    given(ON_FILE, born).when(give(**itself)).then_refused(GuardianDeclares)
    given(ON_FILE, born).when(give(**itself, occurred_at=TOLD + timedelta(days=1))).then()


@pytest.mark.parametrize("command", [refuse, withdraw])
def test_a_no_counts_from_the_child_at_any_age(command):
    given(ON_FILE, KNOWN).when(command(declaration=declared(Declarant.CHILD))).then()


@pytest.mark.parametrize("command", [give, refuse, withdraw])
@pytest.mark.parametrize("declarant", [Declarant.VOLUNTEER, Declarant.ENTRUSTED_CAREGIVER])
def test_a_volunteer_or_a_caregiver_declares_nothing(command, declarant):
    given(ON_FILE, OF_15).when(command(declaration=declared(declarant))).then_refused(DeclarantMayNot)


def test_a_closed_file_takes_no_new_consent_and_any_no():
    closed = (KNOWN, ChildFileClosed(child=CHILD, reason=CloseReason.TURNED_16, closed_on=TODAY))
    for command in (give_notice(), give(), add()):
        given(ON_FILE, *closed).when(command).then_refused(ChildFileIsClosed)
    for command in (refuse(), withdraw(), REMOVE, EXPIRE):
        given(ON_FILE, *closed).when(command).then()


@pytest.mark.parametrize("command", [give_notice(), give(), refuse(), withdraw(), add(), REMOVE, EXPIRE])
def test_of_an_erased_child_and_of_an_unknown_one_nothing_is_recorded(command):
    erased = SubjectKeyDestroyed(child=CHILD, approved_by="officer-1")
    given(ON_FILE, KNOWN, erased).when(command).then_refused(ChildIsErased)
    given(ON_FILE).when(command).then_refused(NotOnFile)


# Attachments


def test_each_opening_of_an_attachment_is_on_record_with_its_purpose():
    fields = {"child": CHILD, "attachment": ATTACHMENT, "person": "county-1", "purpose": Personal("核对")}
    command = OpenAttachment(opening=new_id("opening"), village=VILLAGE, occurred_at=TOLD, **fields)
    given(OPENING).when(command).then(AttachmentOpened(**fields))


def test_a_photo_is_kept_only_while_there_is_a_consent_to_it():
    given(PRIVACY, NOTICED, GIVEN).when(add()).then(added())
    for history in [(), (NOTICED,), (NOTICED, REFUSED), (NOTICED, GIVEN, WITHDRAWN)]:
        given(PRIVACY, *history).when(add()).then_refused(PhotoWithoutConsent)


def test_a_signed_form_needs_no_consent():
    given(PRIVACY).when(add(AttachmentKind.ENTRUSTMENT_FORM)).then(added(AttachmentKind.ENTRUSTMENT_FORM))


def test_photos_go_with_the_consent_to_them_and_forms_stay():
    form = added(AttachmentKind.CONSENT_FORM, new_id("attachment"))
    given(PRIVACY, NOTICED, GIVEN, added(), form).when(withdraw()).then(
        WITHDRAWN, removed(RemovalReason.CONSENT_WITHDRAWN)
    )


def test_an_id_is_used_for_one_attachment_alone():
    for history in [(added(AttachmentKind.OTHER),), (added(AttachmentKind.OTHER), removed(RemovalReason.NOT_NEEDED))]:
        given(PRIVACY, *history).when(add(AttachmentKind.OTHER)).then_refused(AttachmentIdTaken)


def test_a_file_has_a_bounded_number_of_attachments_at_a_time():
    full = [added(AttachmentKind.OTHER, new_id("attachment")) for _ in range(MOST_ATTACHMENTS)]
    given(PRIVACY, *full).when(add(AttachmentKind.OTHER)).then_refused(TooManyAttachments)
    less = removed(RemovalReason.NOT_NEEDED, full[0].attachment)
    given(PRIVACY, *full, less).when(add(AttachmentKind.OTHER)).then(added(AttachmentKind.OTHER))


def test_what_is_kept_is_removed_for_a_reason_or_when_its_time_has_ended():
    given(PRIVACY, added()).when(REMOVE).then(removed(RemovalReason.NOT_NEEDED))
    given(PRIVACY, added()).when(EXPIRE).then(removed(RemovalReason.TIME_ENDED))


@pytest.mark.parametrize("command", [REMOVE, EXPIRE])
def test_what_is_not_kept_is_not_removed(command):
    given(PRIVACY).when(command).then_refused(NoSuchAttachment)


# Through the handler


async def test_a_consent_is_told_by_those_who_keep_the_file_and_stands_beside_it():
    offices = Offices()
    registration = a_registration()
    child, stream = registration.child, privacy_stream(registration.child)
    await offices.tell(registration, "director-1")
    await offices.tell(give_notice(child=child), "director-1")
    await offices.tell(give(child=child), "supervisor-1")
    with pytest.raises(NothingToRecord):
        await offices.tell(give(child=child), "county-1")
    with pytest.raises(NotOnFile):
        await offices.tell(withdraw(child=child), "office-1")
    assert [type(event) for event in await offices.events(stream)] == [PrivacyNoticeGiven, ConsentGiven]
    assert (await offices.events(child))[-1].child == child
