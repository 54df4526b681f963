"""The small values that events are made of (domain section 3.0): ids, codes and dates, each with its rule."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints


def _id(kind: str) -> StringConstraints:
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    return StringConstraints(pattern=rf"^{kind}-{uuid}$")


ChildId = Annotated[str, _id("child")]
HouseholdId = Annotated[str, _id("household")]
PostingId = Annotated[str, _id("posting")]
DivisionId = Annotated[str, _id("division")]
RoleId = Annotated[str, _id("role")]
DutyId = Annotated[str, _id("duty")]
SchoolId = Annotated[str, _id("school")]
ContactId = Annotated[str, _id("contact")]
VisitId = Annotated[str, _id("visit")]
ConcernId = Annotated[str, _id("concern")]
ReportId = Annotated[str, _id("report")]
MajorChangeId = Annotated[str, _id("change")]
VisitPolicyId = Annotated[str, _id("policy")]
SchoolVisitId = Annotated[str, _id("schoolvisit")]
HelpPlanId = Annotated[str, _id("helpplan")]
HolidayPlanId = Annotated[str, _id("holidayplan")]
WorkLogId = Annotated[str, _id("worklog")]
LeaveId = Annotated[str, _id("leave")]
AssignmentId = Annotated[str, _id("assignment")]
AppointmentId = Annotated[str, _id("appointment")]
FlagId = Annotated[str, _id("flag")]
PairId = Annotated[str, _id("pair")]
ProposalId = Annotated[str, _id("proposal")]
DuplicateId = Annotated[str, _id("duplicate")]
CampaignId = Annotated[str, _id("campaign")]
MappingId = Annotated[str, _id("mapping")]
ImportId = Annotated[str, _id("import")]
ReceiptsId = Annotated[str, _id("receipts")]
AccessId = Annotated[str, _id("access")]
GlassId = Annotated[str, _id("glass")]
FileHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FindingCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,64}$")]
MadeId = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[0-9a-f-]{36}$")]
"""Of a stream that a row of a ledger began."""

AdoptionId = Annotated[str, _id("adoption")]
MappingGapId = Annotated[str, _id("gap")]
MatchingId = Annotated[str, _id("matching")]
ListExportId = Annotated[str, _id("export")]
PersonId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""Who the token says somebody is: the ``sub`` of the identity provider. Never a name or a number."""

PERSON: Final = r"[!-~]{1,64}"
ToldPersonId = Annotated[PersonId, StringConstraints(pattern=rf"^{PERSON}$")]
"""A PersonId in a command. It will stand in the clear for ever, so a name in Chinese is refused here; the events
themselves keep the wider form in which they are stored."""

DivisionCode = Annotated[str, StringConstraints(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})$")]
"""2 province, 4 city, 6 county (GB/T 2260), 9 township (GB/T 10114), 12 village. A parent is never cut from it."""

NodeCode = Annotated[str, StringConstraints(pattern=r"^(\d{2}|\d{4}|\d{6}|\d{9}|\d{12}(-\d{1,3})?)$")]
"""A DivisionCode, or that of a village group (村民组): its village's code and the local number."""

GroupNumber = Annotated[str, StringConstraints(pattern=r"^\d{1,3}$")]
"""Village groups have no national code: the village counts them itself."""

VillageCode = Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
BirthMonth = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Ethnicity = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|[1-4]\d|5[0-6]|97|98)$")]
"""GB/T 3304: 01 to 56, 97 other, 98 foreign."""

MIDDLE_DOTS: Final = str.maketrans({"•": "·", "．": "·", "・": "·", "‧": "·", ".": "·"})
"""The middle dot of minority names as it is typed, and as it is stored: U+00B7."""


def _one_dot(name: str) -> str:
    return name if name.isascii() else name.translate(MIDDLE_DOTS)


Name = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True), AfterValidator(_one_dot)]
Text = Annotated[str, StringConstraints(max_length=2000)]
Phone = Annotated[str, StringConstraints(min_length=3, max_length=20)]
Day = date
Count = Annotated[int, Field(ge=0)]


class DivisionKind(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Sex(StrEnum):
    """GB/T 2261.1."""

    UNKNOWN = "0"
    MALE = "1"
    FEMALE = "2"
    NOT_STATED = "9"


class ParentState(StrEnum):
    """Where a parent is, as counting rules need it (domain 3.1, block Parents)."""

    HOME = "home"
    AWAY = "away"
    INCAPABLE = "incapable"
    DEAD = "dead"
    LOST_CONTACT = "lost_contact"
    UNKNOWN = "unknown"


class CareKind(StrEnum):
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    OTHER_RELATIVE = "other_relative"
    FRIEND_NEIGHBOUR = "friend_neighbour"
    BOARDING_SCHOOL = "boarding_school"
    INSTITUTION = "institution"
    NOBODY = "nobody"


class SchoolState(StrEnum):
    """Where a child learns (domain 3.1, block School): dropout is in compulsory age, not_in_school is after it."""

    NOT_ENROLLED = "not_enrolled"
    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"
    JUNIOR = "junior"
    SENIOR = "senior"
    VOCATIONAL = "vocational"
    DROPOUT = "dropout"
    NOT_IN_SCHOOL = "not_in_school"


class HealthState(StrEnum):
    HEALTHY = "healthy"
    DISABLED = "disabled"
    SERIOUSLY_ILL = "seriously_ill"


class DisabilityKind(StrEnum):
    """GB/T 26341."""

    VISUAL = "visual"
    HEARING = "hearing"
    SPEECH = "speech"
    PHYSICAL = "physical"
    INTELLECTUAL = "intellectual"
    MENTAL = "mental"
    MULTIPLE = "multiple"


class CareQuality(StrEnum):
    """监护情况评估: 较好, 一般, 差."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class IncapableReason(StrEnum):
    """Why a parent can not care for the child."""

    SERIOUS_ILLNESS = "serious_illness"
    DISABILITY = "disability"
    PRISON = "prison"
    COMPULSORY_TREATMENT = "compulsory_treatment"
    OTHER = "other"


class CitizenNumberStatus(StrEnum):
    """No number is legal: NONE marks the key group no_registration (domain 3.0)."""

    PRESENT = "present"
    APPLIED_FOR = "applied_for"
    NONE = "none"
    UNKNOWN = "unknown"


class HukouKind(StrEnum):
    """户口性质. Where registration no longer tells rural from urban, the place of registration does."""

    RURAL = "rural"
    URBAN = "urban"


class IdentityDoubt(StrEnum):
    """What does not fit in an identity, and may be right all the same: for the review."""

    SEX_DIFFERS_FROM_NUMBER = "sex_differs_from_number"
    BIRTH_DATE_DIFFERS_FROM_NUMBER = "birth_date_differs_from_number"
    NUMBER_ENDS_IN_ZEROS = "number_ends_in_zeros"


class KeyGroup(StrEnum):
    """The six key groups of the national action."""

    NO_GUARDIAN = "no_guardian"
    GUARDIAN_INCAPABLE = "guardian_incapable"
    DROPOUT = "dropout"
    NO_REGISTRATION = "no_registration"
    SERIOUS_ILLNESS = "serious_illness"
    DISABILITY = "disability"


class SpecialCategory(StrEnum):
    ORPHAN = "orphan"
    DE_FACTO_UNATTENDED = "de_facto_unattended"
    CHILD_IN_DIFFICULTY = "child_in_difficulty"


class CareProgramme(StrEnum):
    """The three cares (三关爱)."""

    MIGRANT_WORKERS = "migrant_workers"
    LEFT_BEHIND_CHILDREN = "left_behind_children"
    EMPTY_NEST_ELDERLY = "empty_nest_elderly"


class Relation(StrEnum):
    """To the child, after GB/T 4761."""

    FATHER = "father"
    MOTHER = "mother"
    PATERNAL_GRANDPARENT = "paternal_grandparent"
    MATERNAL_GRANDPARENT = "maternal_grandparent"
    SIBLING = "sibling"
    UNCLE_OR_AUNT = "uncle_or_aunt"
    OTHER_RELATIVE = "other_relative"
    NON_RELATIVE = "non_relative"


class HouseholdRelation(StrEnum):
    """To the head of the household, after GB/T 4761."""

    HEAD = "head"
    SPOUSE = "spouse"
    SON = "son"
    DAUGHTER = "daughter"
    GRANDCHILD = "grandchild"
    PARENT = "parent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    OTHER_RELATIVE = "other_relative"
    NON_RELATIVE = "non_relative"


class HouseholdPoverty(StrEnum):
    """Of a household: 建档立卡户, 脱贫户, 监测户, or none of them."""

    NONE = "none"
    REGISTERED_POOR = "registered_poor"
    LIFTED = "lifted"
    MONITORED = "monitored"


class Allowance(StrEnum):
    """救助帮扶: 低保, 临时救助, 医疗救助, 住房救助, other."""

    MINIMUM_ALLOWANCE = "minimum_allowance"
    TEMPORARY_AID = "temporary_aid"
    MEDICAL_AID = "medical_aid"
    HOUSING_AID = "housing_aid"
    OTHER = "other"


class IncomeSource(StrEnum):
    """家庭经济来源, as the form of 2016 asks for it [Z4]."""

    WAGES = "wages"
    FARMING = "farming"
    STATE_AID = "state_aid"
    RELATIVES = "relatives"
    OTHER = "other"


class HouseholdCloseReason(StrEnum):
    """Why a household's file ended. Two files of one household are merged instead."""

    MOVED_AWAY = "moved_away"
    DISSOLVED = "dissolved"
    NO_CHILD_LEFT = "no_child_left"
    OPENED_IN_ERROR = "opened_in_error"


class RiskLevel(StrEnum):
    """红, 黄, 蓝, 绿."""

    HIGH = "high"
    MEDIUM_HIGH = "medium_high"
    MEDIUM = "medium"
    LOW = "low"


RISING: Final = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.MEDIUM_HIGH, RiskLevel.HIGH)


class CheckLevel(StrEnum):
    """Who checks a child's file, one after the other."""

    TOWNSHIP = "township"
    COUNTY = "county"


class Guardian(StrEnum):
    """Who confirms what a form or a file says."""

    PARENT = "parent"
    CAREGIVER = "caregiver"


class ConfirmationMeans(StrEnum):
    SIGNATURE = "signature"
    PHONE = "phone"


class FileBlock(StrEnum):
    """A part of a child's file that is told as a whole, and of which two people may tell two things."""

    PARENTS = "parents"
    CARE = "care"
    SCHOOLING = "schooling"
    HEALTH = "health"
    WELFARE = "welfare"
    IDENTITY = "identity"
    REGISTRATION = "registration"


class CloseReason(StrEnum):
    PARENT_RETURNED = "parent_returned"
    LEFT_WITH_PARENT = "left_with_parent"
    TURNED_16 = "turned_16"
    MOVED_OUT = "moved_out"
    ADOPTED = "adopted"
    DIED = "died"
    REGISTERED_IN_ERROR = "registered_in_error"
    MERGED = "merged"


class PairEndReason(StrEnum):
    """Why a pair ended; ``other`` needs a note."""

    CHILD_FILE_CLOSED = "child_file_closed"
    CHILD_ERASED = "child_erased"
    HELPER_ROTATED = "helper_rotated"
    HELPER_LEFT = "helper_left"
    GOALS_REACHED = "goals_reached"
    WISH_OF_FAMILY = "wish_of_family"
    OTHER = "other"


class Likeness(StrEnum):
    """What two children's files have in common, or not: why they may be one child's. Each says what, never which."""

    NUMBER_EQUAL = "number_equal"
    NUMBER_NEARLY_EQUAL = "number_nearly_equal"
    NUMBER_OTHER_SERIAL = "number_other_serial"
    NUMBER_DIFFERS = "number_differs"
    NAME_EQUAL = "name_equal"
    NAME_VARIANT = "name_variant"
    NAME_SOUND = "name_sound"
    NAME_NEAR_SOUND = "name_near_sound"
    NAME_NICKNAME = "name_nickname"
    NAME_PART = "name_part"
    SURNAME_DIFFERS = "surname_differs"
    GIVEN_NAME_DIFFERS = "given_name_differs"
    NAME_DIFFERS = "name_differs"
    BIRTH_DATE_EQUAL = "birth_date_equal"
    BIRTH_DATE_SWAPPED = "birth_date_swapped"
    BIRTH_DATE_ONE_DIGIT = "birth_date_one_digit"
    BIRTH_MONTH_EQUAL = "birth_month_equal"
    BIRTH_DATE_DIFFERS = "birth_date_differs"
    SEX_EQUAL = "sex_equal"
    SEX_DIFFERS = "sex_differs"
    VILLAGE_EQUAL = "village_equal"
    TOWNSHIP_EQUAL = "township_equal"
    PLACE_DIFFERS = "place_differs"
    FATHER_EQUAL = "father_equal"
    FATHER_DIFFERS = "father_differs"
    MOTHER_EQUAL = "mother_equal"
    MOTHER_DIFFERS = "mother_differs"
    HEAD_EQUAL = "head_equal"
    HEAD_DIFFERS = "head_differs"
    PHONE_EQUAL = "phone_equal"
    SAME_HOUSEHOLD = "same_household"


class DismissReason(StrEnum):
    """Why two files that look like one child's are not."""

    SIBLINGS = "siblings"
    SAME_NAME = "same_name"
    NUMBER_MISTYPED = "number_mistyped"
    OTHER_CHILDREN = "other_children"


class Role(StrEnum):
    """The roles this system knows so far (domain 6.2)."""

    CHILD_DIRECTOR = "child_director"
    FIRST_SECRETARY = "first_secretary"
    GROUP_LEADER = "group_leader"
    POSTED_CADRE = "posted_cadre"
    CHILD_SUPERVISOR = "child_supervisor"
    COUNTY_CIVIL_AFFAIRS = "county_civil_affairs"
    ORGANISATION_DEPARTMENT = "organisation_department"
    WOMENS_FEDERATION = "womens_federation"
    LEADER = "leader"
    STATISTICS_USER = "statistics_user"
    DATA_OFFICE = "data_office"
    DATA_PROTECTION_OFFICER = "data_protection_officer"
    SYSTEM = "system"


class Access(StrEnum):
    """What opens files beside the roles: grants for a time, by field class (domain 6.1), and a broken glass."""

    PERSONAL_DATA = "access_c2"
    SENSITIVE_DATA = "access_c3"
    BROKEN_GLASS = "broken_glass"


class AccessPurpose(StrEnum):
    """What somebody is let in for. A code, since it stands in the clear with the grant."""

    INSPECTION = "inspection"
    COMPLAINT = "complaint"
    CASE = "case"
    HAND_OVER = "hand_over"
    PAIRING = "pairing"
    DATA_QUALITY = "data_quality"


class GlassReason(StrEnum):
    """Emergencies in which a glass is broken; what the file is then opened for is told with each opening."""

    DANGER_TO_LIFE = "danger_to_life"
    VIOLENCE = "violence"
    MISSING = "missing"
    WITHOUT_CARE = "without_care"
    MEDICAL = "medical"
    DISASTER = "disaster"


class LedgerKind(StrEnum):
    """The ledgers that can be imported, by their numbers (domain 8.2)."""

    REGISTRATION_FORM = "E1"
    ROSTER = "E2"
    HOUSEHOLD_FILE = "E3"
    WORKING_GROUPS = "E10"


class RowVerdict(StrEnum):
    """Of a row of a ledger: taken over, taken over with a warning, or not."""

    ACCEPTED = "accepted"
    WARNED = "warned"
    REJECTED = "rejected"


class PostingLevel(StrEnum):
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"


class PostingOffice(StrEnum):
    """What a person is in a posting; each is the role of the same name."""

    GROUP_LEADER = "group_leader"
    FIRST_SECRETARY = "first_secretary"
    POSTED_CADRE = "posted_cadre"


class WithdrawalReason(StrEnum):
    """Why a posting ended. ``rotated``: another one follows it."""

    ROTATED = "rotated"
    TERM_ENDED = "term_ended"
    TASK_DONE = "task_done"
    DIVISION_CHANGED = "division_changed"
    RECORDED_IN_ERROR = "recorded_in_error"
    OTHER = "other"


class Duty(StrEnum):
    """Duties that no posting gives (domain 3.1, DutyHolder)."""

    CHILD_DIRECTOR = "child_director"
    CHILD_SUPERVISOR = "child_supervisor"
    SCHOOL_CONTACT = "school_contact"
    VILLAGE_CONTACT = "village_contact"


class ReliefReason(StrEnum):
    """Why somebody no longer holds a duty."""

    TERM_ENDED = "term_ended"
    TRANSFERRED = "transferred"
    RESIGNED = "resigned"
    REMOVED = "removed"
    DIVISION_CHANGED = "division_changed"
    RECORDED_IN_ERROR = "recorded_in_error"
    OTHER = "other"


class SchoolKind(StrEnum):
    KINDERGARTEN = "kindergarten"
    TEACHING_POINT = "teaching_point"
    PRIMARY = "primary"
    JUNIOR = "junior"
    NINE_YEAR = "nine_year"
    SENIOR = "senior"
    VOCATIONAL = "vocational"
    SPECIAL = "special"


class RoadKind(StrEnum):
    """The best road that leads to a village."""

    PAVED = "paved"
    GRAVEL = "gravel"
    DIRT = "dirt"
    NONE = "none"


class PovertyStatus(StrEnum):
    """Of a village: whether it is on the list of poor ones, left it, or never was."""

    NEVER = "never"
    LIFTED = "lifted"
    MONITORED = "monitored"
    POOR = "poor"


class VisitKind(StrEnum):
    HOME = "home"
    SCHOOL = "school"
    PHONE = "phone"
    VIDEO = "video"
    CONDOLENCE = "condolence"
    MAPPING = "mapping"
    SPOT = "spot"


class VisitPurpose(StrEnum):
    LEFT_BEHIND = "left_behind"
    POVERTY = "poverty"
    MASS_CONTACT = "mass_contact"
    PAIRING = "pairing"
    ACTIVITY = "activity"


class PairKind(StrEnum):
    DUTY = "duty"
    ACTING_PARENT = "acting_parent"
    LOVE_MOTHER = "love_mother"
    STUDENT_MENTOR = "student_mentor"


class Present(StrEnum):
    """Who was met at a visit, or heard over the line."""

    CHILD = "child"
    CAREGIVER = "caregiver"
    OTHER_ADULT = "other_adult"
    CHILD_BY_PHONE = "child_by_phone"
    CAREGIVER_BY_PHONE = "caregiver_by_phone"
    PARENT_BY_PHONE = "parent_by_phone"


class VisitDoubt(StrEnum):
    """Why a visit that a device told later waits for a supervisor's eye; it is on record all the same."""

    FILE_WAS_CLOSED = "file_was_closed"
    OFFICE_ENDED = "office_ended"
    CLOCK_CORRECTED = "clock_corrected"


class AmendReason(StrEnum):
    SLIP = "slip"
    ADDED = "added"
    ASKED_FOR = "asked_for"


class VerifyMethod(StrEnum):
    PHONE = "phone"
    ON_SITE = "on_site"


class ReturnReason(StrEnum):
    INCOMPLETE = "incomplete"
    CONTRADICTS_FILE = "contradicts_file"
    NOT_CONFIRMED = "not_confirmed"
    WRONG_CHILD = "wrong_child"
    OTHER = "other"


class Danger(StrEnum):
    """A sign that a visit asks for first (domain 8.1, screen 2; 2c)."""

    LIVING_ALONE = "living_alone"
    HURT = "hurt"
    SELF_HARM = "self_harm"
    SEXUAL_HARM = "sexual_harm"
    ABANDONED = "abandoned"
    MISSING = "missing"
    BEGGING = "begging"
    OUT_OF_SCHOOL = "out_of_school"
    NOT_REGISTERED = "not_registered"
    HOME_UNSAFE = "home_unsafe"
    UNATTENDED_BY_DAY = "unattended_by_day"


class ConcernKind(StrEnum):
    LIVELIHOOD = "livelihood"
    LEARNING = "learning"
    PSYCHOLOGY = "psychology"
    SAFETY = "safety"
    CARE = "care"
    NO_REGISTRATION = "no_registration"
    DROPOUT = "dropout"
    HEALTH = "health"
    UNATTENDED_DAYTIME = "unattended_daytime"
    POLICY_QUESTION = "policy_question"
    OTHER = "other"


class Body(StrEnum):
    """Who a concern is for, or is passed on to."""

    VILLAGE = "village"
    TOWNSHIP = "township"
    CIVIL_AFFAIRS = "civil_affairs"
    EDUCATION = "education"
    POLICE = "police"
    HEALTH = "health"
    DISABLED_FEDERATION = "disabled_federation"
    WOMENS_FEDERATION = "womens_federation"
    YOUTH_LEAGUE = "youth_league"


class Situation(StrEnum):
    """The nine situations of the mandatory report of 2020, in their order (domain 3.2)."""

    INTIMATE_INJURY = "intimate_injury"
    GIRL_UNDER_14 = "girl_under_14"
    GIRL_FROM_14 = "girl_from_14"
    VIOLENCE_OR_NEGLECT = "violence_or_neglect"
    UNNATURAL_INJURY = "unnatural_injury"
    WITHOUT_CARE = "without_care"
    MISSING_OR_TRAFFICKED = "missing_or_trafficked"
    ORGANISED_BEGGING = "organised_begging"
    OTHER_SERIOUS = "other_serious"


class ReportChannel(StrEnum):
    EMERGENCY_CALL = "110"
    STATION = "station"
    CENTRE = "centre"


class EmergencyMeasure(StrEnum):
    """Known from 2016 (domain 3.2)."""

    PARENTS_ORDERED_BACK = "parents_ordered_back"
    PARENTS_ADMONISHED = "parents_admonished"
    CAREGIVER_FIXED = "caregiver_fixed"
    OTHER_RELATIVE = "other_relative"
    SEARCH_STARTED = "search_started"
    VIOLENCE_STOPPED = "violence_stopped"
    SHELTER = "shelter"
    MEDICAL_HELP = "medical_help"


class TemporaryCare(StrEnum):
    RELATIVE = "relative"
    VILLAGE_COMMITTEE = "village_committee"
    INSTITUTION = "institution"


class ReportResult(StrEnum):
    """How a protection report ends; ``not_confirmed`` is for the police or the centre alone."""

    SAFE = "safe"
    GUARDIAN_CHANGED = "guardian_changed"
    NOT_CONFIRMED = "not_confirmed"


class GapSource(StrEnum):
    """Who found a child that the mapping had missed (domain 4.1, MappingGapFound)."""

    SCHOOL = "school"
    CLINIC = "clinic"
    POLICE = "police"
    SPOT_CHECK = "spot_check"
    ALLOWANCE_LIST = "allowance_list"
    OTHER = "other"


class GapOutcome(StrEnum):
    """What became of a gap of the mapping."""

    REGISTERED = "registered"
    NOT_LEFT_BEHIND = "not_left_behind"
    OTHER_VILLAGE = "other_village"
    NO_SUCH_CHILD = "no_such_child"


class RegisterKind(StrEnum):
    """The lists of others that are matched with the files."""

    SCHOOL_ROLL = "school_roll"
    CLINIC_LIST = "clinic_list"
    ALLOWANCE_LIST = "allowance_list"
