"""The read model ``mappings``: campaigns, the villages mapped in them with their counts, and every door.

The events of a village's mapping are one stream, so they come in their order; its campaign may come before or after.
What is sealed for figures is opened, names are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from services.reporting.read_models.shown import value
from shared.contracts.event import Event
from shared.contracts.mapping import (
    HouseholdAddedToRoster,
    HouseholdMapped,
    HouseholdRosterFixed,
    MappingCampaignClosed,
    MappingCampaignOpened,
    RosterHousehold,
    VillageMappingConcluded,
    VillageMappingReopened,
    VillageMappingStarted,
)
from shared.contracts.sealed import Kind
from shared.projection.read_model import Document, Index, Occurred, ReadModel, Workspace

CAMPAIGNS: Final = "campaigns"
VILLAGES: Final = "villages"
DOORS: Final = "doors"

FORGOTTEN: Final = "forgotten"
"""A result whose key is gone: the door is done, and nobody knows how."""


class Mappings(ReadModel):
    """``campaigns``: ``{_id, division, starts, ends, rule, as_of, closed_on}``;
    ``villages`` by mapping: ``{_id, campaign, village, state, team, groups, doors, added, done, results, children,
    concluded_on}``, ``groups`` those with a roster, ``results`` by result how many doors;
    ``doors``: ``{_id, mapping, group, household, number, added}``, and with a result ``{result, mapped_on, tries,
    children}``. Days are ISO strings."""

    name: ClassVar[str] = "mappings"
    services: ClassVar[tuple[str, ...]] = ("registry",)
    events: ClassVar[frozenset[str]] = frozenset(
        {
            "MappingCampaignOpened",
            "MappingCampaignClosed",
            "HouseholdRosterFixed",
            "HouseholdAddedToRoster",
            "VillageMappingStarted",
            "HouseholdMapped",
            "VillageMappingConcluded",
            "VillageMappingReopened",
        }
    )
    opens: ClassVar[frozenset[Kind]] = frozenset({"counted"})
    collections: ClassVar[Mapping[str, tuple[Index, ...]]] = {
        CAMPAIGNS: (),
        VILLAGES: (Index((("campaign", 1), ("village", 1))),),
        DOORS: (Index((("mapping", 1),)),),
    }

    async def prepare(self, batch: Sequence[Occurred], work: Workspace) -> None:
        events = [occurred.event for occurred in batch]
        closed = {event.campaign for event in events if isinstance(event, MappingCampaignClosed)}
        await work.load(CAMPAIGNS, closed)
        await work.load(VILLAGES, {event.mapping for event in events if hasattr(event, "mapping")})
        mapped = {_door_id(event.mapping, event.household) for event in events if isinstance(event, HouseholdMapped)}
        await work.load(DOORS, mapped)
        # A roster that is fixed anew takes away the doors of the one before.
        await work.load_where(DOORS, "mapping", {e.mapping for e in events if isinstance(e, HouseholdRosterFixed)})

    def fold(self, occurred: Occurred, work: Workspace) -> None:
        event = occurred.event
        match event:
            case MappingCampaignOpened():
                told = event.model_dump(mode="json", exclude={"campaign"})
                work.put(CAMPAIGNS, {"_id": event.campaign, "closed_on": None} | told)
            case MappingCampaignClosed():
                campaign = work.get(CAMPAIGNS, event.campaign) or {"_id": event.campaign}
                work.put(CAMPAIGNS, campaign | {"closed_on": event.closed_on.isoformat()})
            case _:
                _fold_village(event, work)


def _fold_village(event: Event, work: Workspace) -> None:
    match event:
        case HouseholdRosterFixed():
            village = _begun(event, work)
            _take_away(village, event.group, work)
            village["groups"] = sorted({*village["groups"], event.group})
            for household in event.households:
                _add_door(village, event.group, household, work, added=False)
        case VillageMappingStarted():
            village = _begun(event, work) | {"state": "started", "team": list(event.team)}
        case HouseholdAddedToRoster():
            village = _village(event.mapping, work)
            village["added"] += 1
            _add_door(village, event.group, event.household, work, added=True)
        case HouseholdMapped():
            village = _village(event.mapping, work)
            _map(village, event, work)
        case VillageMappingConcluded():
            concluded = {"state": "concluded", "concluded_on": event.concluded_on.isoformat()}
            village = _village(event.mapping, work) | concluded
        case VillageMappingReopened():
            village = _village(event.mapping, work) | {"state": "reopened", "concluded_on": None}
        case _:
            raise TypeError(f"{type(event).__name__} is no event of a village's mapping")
    work.put(VILLAGES, village)


def _begun(event: HouseholdRosterFixed | VillageMappingStarted, work: Workspace) -> Document:
    counts = {"doors": 0, "added": 0, "done": 0, "children": 0}
    begun = {"_id": event.mapping, "campaign": event.campaign, "village": event.village, "state": "planned"}
    new: Document = {**begun, **counts, "team": [], "groups": [], "results": {}, "concluded_on": None}
    return work.get(VILLAGES, event.mapping) or new


def _village(mapping: str, work: Workspace) -> Document:
    found = work.get(VILLAGES, mapping)
    if found is None:
        raise LookupError(f"{mapping} has not begun")
    return found


def _take_away(village: Document, group: str, work: Workspace) -> None:
    """The doors that an earlier roster of the group told; none of them is mapped."""
    for door in work.where(DOORS, "mapping", village["_id"]):
        if door["group"] == group and not door["added"]:
            work.delete(DOORS, door["_id"])
            village["doors"] -= 1


def _add_door(village: Document, group: str, household: RosterHousehold, work: Workspace, added: bool) -> None:
    key = _door_id(village["_id"], household.household)
    told = {"household": household.household, "number": household.number}
    work.put(DOORS, {"_id": key, "mapping": village["_id"], "group": group, "added": added, "result": None} | told)
    village["doors"] += 1


def _map(village: Document, event: HouseholdMapped, work: Workspace) -> None:
    """Of two results that of the later day holds, and of one day the one told later."""
    door = work.get(DOORS, _door_id(event.mapping, event.household))
    if door is None:
        raise LookupError(f"{event.household} is no door of {event.mapping}")
    mapped_on = event.mapped_on.isoformat()
    if door["result"] is not None:
        if door["mapped_on"] > mapped_on:
            return
        _count(village, door, -1)
    door |= {
        "result": value(event.result) or FORGOTTEN,
        "mapped_on": mapped_on,
        "tries": event.tries.get(),
        "children": list(event.children.get() or ()),
    }
    _count(village, door, 1)
    work.put(DOORS, door)


def _count(village: Document, door: Document, sign: int) -> None:
    counted = village["results"].get(door["result"], 0) + sign
    village["results"] = {**village["results"], door["result"]: counted}
    if not counted:
        del village["results"][door["result"]]
    village["done"] += sign
    village["children"] += sign * len(door["children"])


def _door_id(mapping: str, household: str) -> str:
    return f"{mapping}/{household}"
