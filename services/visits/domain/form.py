"""Answers held to their form: nothing is answered that was not asked, and nothing is left out that was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from shared.contracts.forms import FORMS, AnswerKind, Question, VisitForm
from shared.contracts.refusal import Refusal
from shared.contracts.values import Danger, VisitKind
from shared.contracts.visits import Answer

Answers = Mapping[str, Answer]
MOST: int = 1_000
"""No number that a form asks for is larger."""


class FormUnknown(Refusal):
    """There is no form of this name and version, or it is for another kind of visit."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Ask GET /forms which forms there are, and fill in one for this kind of visit."


class AnswerRefused(Refusal):
    """An answer does not fit its question."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Put the named question right; the form says what it takes, and when it is asked."


def form_of(name: str, kind: VisitKind) -> VisitForm:
    """Raises FormUnknown."""
    form = FORMS.get(name)
    if form is None or kind not in form.kinds:
        raise FormUnknown(f"{name} is no form for a visit of kind {kind}")
    return form


def check_answers(form: VisitForm, answers: Answers) -> None:
    """Raises AnswerRefused, which names the question and no answer."""
    questions = {question.key: question for question in form.questions}
    for key in answers:
        if key not in questions:
            raise AnswerRefused(f"{form.name} has no question {key}")
    for question in form.questions:
        _check(question, answers)


def dangers_of(form: VisitForm, answers: Answers) -> Iterator[Danger]:
    """The signs of danger that the answers show."""
    for question in form.questions:
        if question.danger is not None and answers.get(question.key) in question.danger_answers:
            yield question.danger


def _check(question: Question, answers: Answers) -> None:
    answer = answers.get(question.key)
    if not _asked(question, answers):
        if answer is not None:
            raise AnswerRefused(f"{question.key}: not asked after what was answered before")
    elif answer is None:
        if question.required:
            raise AnswerRefused(f"{question.key}: no answer")
    elif not _fits(question, answer):
        raise AnswerRefused(f"{question.key}: takes {question.kind.replace('_', ' or ')}")


def _asked(question: Question, answers: Answers) -> bool:
    when = question.asked_when
    return when is None or answers.get(when.question) == when.answer


def _fits(question: Question, answer: Answer) -> bool:
    match question.kind:
        case AnswerKind.YES_NO:
            return isinstance(answer, bool)
        case AnswerKind.NUMBER:
            return type(answer) is int and 0 <= answer <= MOST
        case AnswerKind.CHOICE:
            return isinstance(answer, str) and answer in question.choices
        case AnswerKind.TICKS:
            return isinstance(answer, tuple) and set(answer) <= set(question.choices)
