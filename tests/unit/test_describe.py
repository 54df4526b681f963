"""The descriptions in ``docs/api`` are those of this code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deploy import describe
from shared.contracts.catalogue import CATALOGUE
from shared.contracts.clear import CLEAR


@pytest.fixture(scope="module")
def descriptions() -> dict[str, Any]:
    return describe.descriptions()


def test_the_committed_descriptions_are_what_the_code_says(descriptions: dict[str, Any]) -> None:
    committed = {path.name: path.read_text("utf-8") for path in describe.FOLDER.glob("*.json")}
    fresh = {name: describe.text_of(description) for name, description in descriptions.items()}
    assert committed == fresh, "write them again with: python -m deploy.describe"


def test_every_reference_leads_somewhere(descriptions: dict[str, Any]) -> None:
    for description in descriptions.values():
        for reference in _references(description):
            place = description
            for step in reference.removeprefix("#/").split("/"):
                place = place[step]


def test_every_event_is_a_message_on_one_topic(descriptions: dict[str, Any]) -> None:
    channels = descriptions[describe.EVENTS]["channels"].values()
    assert sorted(name for channel in channels for name in channel["messages"]) == sorted(CATALOGUE)


def test_a_sealed_field_is_null_in_clear_data(descriptions: dict[str, Any]) -> None:
    schemas = descriptions[describe.EVENTS]["components"]["schemas"]
    assert schemas["ChildRegistered"]["properties"]["name"] == {
        "type": "null",
        "x-guanhu-sealed": "personal",
        "x-guanhu-value": {"type": "string", "minLength": 1, "maxLength": 50},
    }
    for name in CATALOGUE:
        clear = {field for field, schema in schemas[name]["properties"].items() if schema.get("type") != "null"}
        assert clear >= {field.partition(".")[0] for field in CLEAR[name]}


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [reference for one in part.values() for reference in _references(one)]
    return [reference for one in part for reference in _references(one)] if isinstance(part, list) else []


def test_the_text_is_json_that_people_can_read() -> None:
    assert json.loads(describe.text_of({"title": "关护"})) == {"title": "关护"}
    assert "关护" in describe.text_of({"title": "关护"})
