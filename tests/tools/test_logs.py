"""Log lines are JSON, carry what is bound, and never a person's numbers."""

import json
import logging
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from server.tools import logs
from server.tools.clock import SystemChance
from server.tools.logs import child_traceparent, log, new_traceparent, without_personal_data

ID_NUMBER = "11010519491231002X"
MOBILE = "13800138000"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(autouse=True)
def _nothing_bound() -> Iterator[None]:
    logs.clear()
    yield
    logs.clear()
    structlog.reset_defaults()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def lines(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capfd.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_is_one_json_object_with_the_bound_fields(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.bind(request_id="r1", case="C1")
    log.info("letter.refused", peer="330000", on=date(2026, 11, 23))
    (line,) = lines(capfd)
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "letter.refused",
        "level": "info",
        "request_id": "r1",
        "case": "C1",
        "peer": "330000",
        "on": "2026-11-23",
    }


def test_what_is_cleared_is_forgotten(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.bind(case="C1")
    logs.clear()
    log.info("case.opened")
    assert "case" not in lines(capfd)[0]


def test_lines_below_the_level_are_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("warning")
    log.info("case.opened")
    log.warning("peer.silent")
    assert [line["event"] for line in lines(capfd)] == ["peer.silent"]


def test_a_library_speaks_json_too(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    logs.bind(request_id="r1")
    logging.getLogger("aiohttp").warning("cannot reach %s", MOBILE)
    (line,) = lines(capfd)
    assert (line["event"], line["level"], line["request_id"]) == ("cannot reach ***", "warning", "r1")


def test_a_failure_is_written_with_its_traceback_and_without_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    try:
        raise ValueError(f"no person {ID_NUMBER}")
    except ValueError as fault:
        log.error("loop.failed", exc_info=fault)
    (line,) = lines(capfd)
    assert "ValueError: no person ***" in line["exception"]


@pytest.mark.parametrize(
    "value",
    [
        ID_NUMBER,
        ID_NUMBER.lower(),
        "110105194912310021",
        110105194912310021,
        MOBILE,
        int(MOBILE),
        f"+86{MOBILE}",
        f"电话{MOBILE}已登记",
        f"name={ID_NUMBER}&x=1",
        {"deep": [{MOBILE: (ID_NUMBER,)}]},
        ValueError(MOBILE),
        {MOBILE},
    ],
)
def test_numbers_of_persons_are_masked_wherever_they_stand(value: Any) -> None:
    written = str(without_personal_data(None, "info", {"event": "x.y", "value": value}))
    assert "***" in written
    assert ID_NUMBER.lower() not in written.lower()
    assert MOBILE not in written


@pytest.mark.parametrize(
    "value",
    ["log:000000000118", PARENT, 1764740700123, "320000", "2026-11-23T05:45:00.123Z", True, None, 1.5, "a" * 64],
)
def test_other_values_stay_as_they_are(value: Any) -> None:
    assert without_personal_data(None, "info", {"value": value}) == {"value": value}


def test_an_unknown_object_shows_only_its_type() -> None:
    class Person:
        def __repr__(self) -> str:
            return "Zhang San"

    assert without_personal_data(None, "info", {"who": Person()}) == {"who": "<Person>"}


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.from_regex(r"[^0-9A-Za-z]*", fullmatch=True))
def test_any_mobile_number_is_masked_between_any_signs(mobile: str, sign: str) -> None:
    assert mobile not in without_personal_data(None, "info", {"value": sign + mobile + sign})["value"]


def test_a_child_keeps_the_trace_and_takes_a_span_of_its_own() -> None:
    version, trace, span, flags = child_traceparent(PARENT, SystemChance()).split("-")
    assert (version, trace, flags) == ("00", PARENT[3:35], "01")
    assert span != PARENT[36:52]
    assert child_traceparent(PARENT[:-2] + "00", SystemChance()).endswith("-00")


def test_a_new_trace_is_a_valid_parent() -> None:
    parent = new_traceparent(SystemChance())
    assert child_traceparent(parent, SystemChance())[:35] == parent[:35]


@pytest.mark.parametrize(
    "parent",
    [
        None,
        "",
        "nonsense",
        PARENT.upper(),
        PARENT + "\n",
        PARENT + "-more",
        "ff" + PARENT[2:],
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    ],
)
def test_an_invalid_parent_starts_a_new_trace(parent: str | None) -> None:
    fresh = child_traceparent(parent, SystemChance())
    assert fresh[3:35] not in (PARENT[3:35], "0" * 32)
    assert len(fresh) == 55


def test_a_later_version_of_the_header_is_followed() -> None:
    assert child_traceparent(f"01{PARENT[2:]}-more", SystemChance())[:35] == PARENT[:35]
