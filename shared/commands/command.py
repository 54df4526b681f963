"""What a command is, what an aggregate is, and how the two are bound together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.event import Event
from shared.contracts.refusal import Refusal
from shared.eventlog.port import Appended
from shared.eventlog.record import Actor, Draft

CHINA = ZoneInfo("Asia/Shanghai")
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No record reaches back further; what is told of an earlier moment is a slip of the pen or a broken clock."""


def business_day(moment: datetime) -> date:
    """What a cadre calls "the 14th": the day in China of a moment."""
    return moment.astimezone(CHINA).date()


class Command(BaseModel):
    """A wish, imperative. ``occurred_at`` is when what it tells happened; without it, when it was received."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    occurred_at: AwareDatetime | None = Field(None, ge=EARLIEST)

    @property
    def occurred_on(self) -> date:
        """The business day it happened. The handler has filled in ``occurred_at`` before anything is decided."""
        if self.occurred_at is None:
            raise ValueError("occurred_at is filled in before a command is decided")
        return business_day(self.occurred_at)


class HappensLater(Refusal):
    """occurred_at: what a command tells can not lie in the future."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the clock of the device and send the command again with the moment it happened."


class NothingToRecord(Refusal):
    """What the command tells is on record as it stands."""

    what_to_do: ClassVar[str] = "Nothing: there is nothing new in it."


class NotOnFile(Refusal):
    """Nothing under this id is on file, or it lies outside your scope."""

    status: ClassVar[int] = 404
    what_to_do: ClassVar[str] = "Check the id; if it is right, ask the supervisor of the division for access."


class UnknownDivision(Refusal):
    """The division is not in the tree."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Use a code of the division list that was imported, or import the newer list first."


class DivisionEnded(Refusal):
    """The division had ended on that day."""

    what_to_do: ClassVar[str] = "Use the division that followed it, or check the day."

    def __init__(
        self, division: str = "", on: date | None = None, successors: Sequence[str] = (), field: str = ""
    ) -> None:
        followed = f"; it was followed by {', '.join(successors)}" if successors else ""
        super().__init__(f"{field}{division} ended on {on}{followed}" if division else "")


class CommandIdReused(Refusal):
    """This command id was used for a command with another content."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = (
        "Send each command under an id of its own; repeat a command unchanged under the same id."
    )


class CommandIdOfAnother(Refusal):
    """This command id was used by somebody else."""

    status: ClassVar[int] = 403
    what_to_do: ClassVar[str] = "Send each command under an id of its own."


S = TypeVar("S")
C = TypeVar("C", bound=Command)


@dataclass(frozen=True)
class Aggregate(Generic[S]):
    """One kind of stream: its first state, how an event changes it, and what it decides about a command."""

    initial: S
    evolve: Callable[[S, Any], S]
    decide: Callable[[Any, S], Sequence[Event]]


class NotForDevices(Refusal):
    """This is not told by a device that was offline."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Give this command when you are online, by POST /commands."


class Meanwhile(NamedTuple):
    """What had changed between a moment offline and the day a device told of it."""

    office_ended: bool
    clock_corrected: bool


class Later(NamedTuple):
    """A device tells what happened while it was offline; ``offset`` is by how much its clock is slow."""

    offset: timedelta = timedelta()


class Target(NamedTuple):
    """A stream that a command reads and may append to."""

    stream: str
    aggregate: Aggregate[Any]


class Claims(NamedTuple):
    """Unique values that an append takes for a stream, and those it gives up."""

    taken: Mapping[str, str] = {}
    released: tuple[str, ...] = ()


def _no_claims(events: Sequence[Event]) -> Claims:
    return Claims()


@dataclass(frozen=True)
class Handling(Generic[C]):
    """How a service handles one command.

    ``targets`` names the streams, the main one first; all lie in one partition.
    ``division`` is where the command takes effect, from the command and the targets' states; None when unknown.
    ``told_by_state`` says that the division is not in the command itself: then a caller outside it learns nothing.
    ``follows_files`` says that it tells of somebody whose file may still stand in a division that has ended without
    one successor: it is accepted there until the file is moved.
    ``learn`` adds what the command cannot say itself (who tells it, what another service knows) before it is decided.
    ``from_device`` is what the command becomes when a device tells it later; without it no device may.
    """

    command: type[C]
    action: str
    targets: Callable[[C], tuple[Target, ...]]
    division: Callable[[C, Sequence[Any]], str | None]
    told_by_state: bool = False
    follows_files: bool = False
    learn: Callable[[C, str], Awaitable[Command]] | None = None
    claims: Callable[[Sequence[Event]], Claims] = _no_claims
    from_device: Callable[[C, Meanwhile], Command] | None = None


class Told(NamedTuple):
    """A command as it came in: under which id, by whom, from where.

    ``own_right`` is set by policies and by the command line only, never for a caller from outside: nobody is asked.
    With ``later`` it is judged by the offices of the day it happened.
    """

    command: Command
    command_id: str
    person: str
    own_right: bool = False
    source: str | None = None
    device: str | None = None
    expected_version: int | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None
    later: Later | None = None


@dataclass
class Judged:
    """A command on its way through the handler, which fills in what it finds from the top down."""

    told: Told
    command: Command
    mac: bytes
    targets: tuple[Target, ...]
    versions: tuple[int, ...] = ()
    states: tuple[Any, ...] = ()
    division: str | None = None
    actor: Actor | None = None
    office_ended: bool = False
    events: tuple[tuple[Event, ...], ...] = ()
    drafts: tuple[tuple[Draft, ...], ...] = ()


def told_by(judged: type[C]) -> Callable[[Command, str], Awaitable[C]]:
    """To ``learn`` nothing but who gives the command: it becomes a ``judged``, which has that ``person``."""

    async def learn(command: Command, person: str) -> C:
        return judged(**{**dict(command), "person": person})

    return learn


def as_it_is(command: C, meanwhile: Meanwhile) -> C:
    """For ``from_device``: the command is the same, whatever had changed meanwhile."""
    return command


Answer = Appended
