"""Mapping campaigns (走访摸排): a division in which every door is visited, and the days between which (domain 3.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, assert_never

from shared.commands.command import Aggregate, Command, NotOnFile
from shared.contracts.adoption import OfficeCode
from shared.contracts.counting import RULES, RuleName
from shared.contracts.mapping import MappingCampaignClosed, MappingCampaignOpened
from shared.contracts.refusal import Refusal
from shared.contracts.values import CampaignId, Day


class OpenMappingCampaign(Command):
    """``division`` is a county or above; children count as left behind by ``rule``, on the day ``as_of``."""

    campaign: CampaignId
    division: OfficeCode
    starts: Day
    ends: Day
    rule: RuleName
    as_of: Day


class CloseMappingCampaign(Command):
    """From the next day on no door of it can be mapped; what happened up to then may still be told."""

    campaign: CampaignId


class CampaignAlreadyOpened(Refusal):
    """This campaign is on file already."""

    what_to_do: ClassVar[str] = "Give a new campaign an id of its own."


class CampaignDaysDoNotFit(Refusal):
    """ends: a campaign ends on or after the day on which it starts."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the two days."


class CampaignRuleUnknown(Refusal):
    """rule: there is no counting rule of this name."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = f"Choose one of {', '.join(RULES)}."


class CampaignIsClosed(Refusal):
    """The campaign was closed."""

    what_to_do: ClassVar[str] = (
        "A child that is found now is told as a mapping gap; a further search is a new campaign."
    )


class CampaignNotBegun(Refusal):
    """The campaign begins on a later day."""

    status: ClassVar[int] = 422
    what_to_do: ClassVar[str] = "Check the day, or wait for the campaign to begin."


@dataclass(frozen=True)
class NotOpened:
    pass


@dataclass(frozen=True)
class Opened:
    """``closed_on`` is its last day, once it was closed."""

    division: str
    starts: date
    closed_on: date | None = None


Campaign = NotOpened | Opened


def decide(
    command: OpenMappingCampaign | CloseMappingCampaign, campaign: Campaign
) -> list[MappingCampaignOpened | MappingCampaignClosed]:
    match command, campaign:
        case OpenMappingCampaign(), NotOpened():
            return [_opened(command)]
        case OpenMappingCampaign(), _:
            raise CampaignAlreadyOpened
        case CloseMappingCampaign(), NotOpened():
            raise NotOnFile
        case CloseMappingCampaign(), Opened(starts=starts, closed_on=None):
            if command.occurred_on < starts:
                raise CampaignNotBegun
            return [MappingCampaignClosed(campaign=command.campaign, closed_on=command.occurred_on)]
        case CloseMappingCampaign(), _:
            raise CampaignIsClosed
        case _:
            raise AssertionError(command)


def _opened(command: OpenMappingCampaign) -> MappingCampaignOpened:
    if command.ends < command.starts:
        raise CampaignDaysDoNotFit
    if command.rule not in RULES:
        raise CampaignRuleUnknown
    return MappingCampaignOpened(**command.model_dump(exclude={"occurred_at"}))


def evolve(campaign: Campaign, event: MappingCampaignOpened | MappingCampaignClosed) -> Campaign:
    match event:
        case MappingCampaignOpened():
            return Opened(event.division, event.starts)
        case MappingCampaignClosed():
            return replace(campaign, closed_on=event.closed_on) if isinstance(campaign, Opened) else campaign
        case _:
            assert_never(event)


def division_of(campaign: Campaign) -> str | None:
    return campaign.division if isinstance(campaign, Opened) else None


CAMPAIGN = Aggregate[Campaign](NotOpened(), evolve, decide)
