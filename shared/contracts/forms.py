"""Forms of visits (走访登记表) as data: questions by block, when each is asked, and which answer is a sign of danger.

What was shipped under a name does not change; the next version is one more entry (domain 3.2, 8.1 screen 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.contracts.event import Fact
from shared.contracts.values import Danger, VisitKind
from shared.contracts.visits import Answer, Code, FormName


class Block(StrEnum):
    DANGER = "danger"
    LIFE = "life"
    LEARNING = "learning"
    PSYCHOLOGY = "psychology"


class AnswerKind(StrEnum):
    YES_NO = "yes_no"
    NUMBER = "number"
    CHOICE = "choice"
    TICKS = "ticks"


class AskedWhen(Fact):
    """The skip rule: asked only when an earlier question has this answer."""

    question: Code
    answer: Answer


class Question(Fact):
    """``danger`` is what the answers in ``danger_answers`` are a sign of."""

    key: Code
    block: Block
    label: str
    kind: AnswerKind
    choices: tuple[Code, ...] = ()
    required: bool = True
    asked_when: AskedWhen | None = None
    danger: Danger | None = None
    danger_answers: tuple[Answer, ...] = (True,)


class VisitForm(Fact):
    """``kinds`` are the visits it is for."""

    name: FormName
    kinds: tuple[VisitKind, ...]
    questions: tuple[Question, ...]


_GOOD = ("good", "fair", "poor")


def _yes_no(key: str, block: Block, label: str, danger: Danger | None = None) -> Question:
    return Question(key=key, block=block, label=label, kind=AnswerKind.YES_NO, danger=danger)


def _grade(key: str, block: Block, label: str) -> Question:
    return Question(key=key, block=block, label=label, kind=AnswerKind.CHOICE, choices=_GOOD)


_DANGERS: Final = (
    _yes_no("alone", Block.DANGER, "是否独自居住、无人照料", Danger.LIVING_ALONE),
    _yes_no("hurt", Block.DANGER, "身上有无可疑伤痕，有无挨打、受欺凌", Danger.HURT),
    _yes_no("self_harm", Block.DANGER, "有无自伤、轻生的言行", Danger.SELF_HARM),
    _yes_no("out_of_school", Block.DANGER, "学龄儿童是否没有上学", Danger.OUT_OF_SCHOOL),
)

HOME_1: Final = VisitForm(
    name="HOME-1",
    kinds=(VisitKind.HOME, VisitKind.CONDOLENCE, VisitKind.MAPPING),
    questions=(
        *_DANGERS,
        _grade("meals", Block.LIFE, "三餐"),
        _grade("clothing", Block.LIFE, "衣被"),
        _grade("daily_care", Block.LIFE, "日常照料"),
        _yes_no("ill", Block.LIFE, "近期是否生病"),
        Question(
            key="treated",
            block=Block.LIFE,
            label="生病后是否就医",
            kind=AnswerKind.YES_NO,
            asked_when=AskedWhen(question="ill", answer=True),
        ),
        Question(
            key="home_dangers",
            block=Block.LIFE,
            label="居家安全隐患",
            kind=AnswerKind.TICKS,
            choices=("electricity", "fire", "gas", "geology", "unsafe_house", "drowning"),
            required=False,
        ),
        Question(
            key="attendance",
            block=Block.LEARNING,
            label="到校情况",
            kind=AnswerKind.CHOICE,
            choices=("regular", "irregular", "holidays", "too_young"),
            asked_when=AskedWhen(question="out_of_school", answer=False),
        ),
        Question(
            key="homework",
            block=Block.LEARNING,
            label="作业完成",
            kind=AnswerKind.CHOICE,
            choices=(*_GOOD, "none"),
            asked_when=AskedWhen(question="out_of_school", answer=False),
        ),
        _grade("mood", Block.PSYCHOLOGY, "情绪"),
        _grade("sleep", Block.PSYCHOLOGY, "睡眠"),
        _grade("friends", Block.PSYCHOLOGY, "与同伴交往"),
        Question(
            key="days_since_parents",
            block=Block.PSYCHOLOGY,
            label="距上次与父母联系（天）",
            kind=AnswerKind.NUMBER,
            required=False,
        ),
    ),
)

PHONE_1: Final = VisitForm(
    name="PHONE-1",
    kinds=(VisitKind.PHONE, VisitKind.VIDEO),
    questions=(
        *_DANGERS,
        _grade("daily_care", Block.LIFE, "日常照料"),
        _grade("learning", Block.LEARNING, "学习"),
        _grade("mood", Block.PSYCHOLOGY, "情绪"),
    ),
)

FORMS: Final[Mapping[str, VisitForm]] = {form.name: form for form in (HOME_1, PHONE_1)}
"""Every form there has been, by name."""
