from __future__ import annotations

import io
import json
import logging

import structlog

from shared.contracts.sealed import Personal

CANARY = "欧阳金丝雀"


def test_a_line_is_json_with_service_level_and_time(logged: io.StringIO) -> None:
    structlog.get_logger().info("kettle_boiled", cups=3)
    line = json.loads(logged.getvalue())
    assert {key: line[key] for key in ("event", "service", "level", "cups")} == {
        "event": "kettle_boiled",
        "service": "trial",
        "level": "info",
        "cups": 3,
    }
    assert line["timestamp"].endswith("Z")


def test_personal_values_are_masked(logged: io.StringIO) -> None:
    structlog.get_logger().info("seen", name=CANARY, value=Personal(CANARY), text="call 13800138000")
    assert CANARY not in logged.getvalue()
    assert "13800138000" not in logged.getvalue()


def test_an_exception_is_logged_by_class_and_place_and_not_by_its_text(logged: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        structlog.get_logger().exception("broke")
        logging.getLogger("driver").exception("broke")
    assert CANARY not in logged.getvalue()
    for line in map(json.loads, logged.getvalue().splitlines()):
        assert (line["event"], line["exception"]) == ("broke", "ValueError")
        assert "test_logs.py:" in line["places"][-1]


def test_the_standard_library_writes_the_same_lines(logged: io.StringIO) -> None:
    logging.getLogger("driver").warning("%s of %s", "lost", "13800138000")
    line = json.loads(logged.getvalue())
    assert (line["event"], line["service"], line["level"]) == ("lost of ***", "trial", "warning")
