"""The demo as other programs start it: one case and out, or provinces to work with until they are told to stop."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pymongo
import pytest

from server.demo.database import locked
from tests.demo.demos import DemoProcess, wait_until

Start = Callable[..., DemoProcess]
OF_OFFICER = ("name", "password", "desks", "roles", "totp_secret")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts demos that are surely gone after the test."""
    started: list[DemoProcess] = []

    def one(*arguments: str, mongodb_uri: str = "") -> DemoProcess:
        started.append(DemoProcess(tmp_path / f"demo{len(started)}", *arguments, mongodb_uri=mongodb_uri))
        return started[-1]

    yield one
    for demo in started:
        demo.kill_everything()


@pytest.mark.soak
def test_one_case_crosses_a_cut_wire_when_it_is_mended_and_its_outcome_is_one_json_object(
    start: Start, database_uri: str, database_sweeper: pymongo.MongoClient[dict[str, Any]]
) -> None:
    before = set(database_sweeper.list_database_names())
    demo = start("--once", "--json", "--story", "joint", "--fault", "cut", mongodb_uri=database_uri)
    assert demo.end() == 0, demo.complaint
    made = sorted(set(database_sweeper.list_database_names()) - before)
    for name in made:
        database_sweeper.drop_database(name)
    assert [name[-7:] for name in made] == ["_320000", "_330000"]
    assert all(len(name) > len("tongban_320000") for name in made)  # so that demos on one server do not meet
    check_outcome(demo)


def check_outcome(demo: DemoProcess) -> None:
    """What was printed, and that nothing else remains."""
    outcome = json.loads(demo.output)
    assert list(outcome) == ["case", "bundle", "nodes", "timeline", "letters", "receipts_verified", "seconds"]
    assert (outcome["bundle"], outcome["nodes"]) == ("housing_fund_purchase_withdrawal", ["320000", "330000"])
    assert outcome["receipts_verified"] is True
    assert outcome["letters"] == 4  # one asks, three tell: received, accepted, decided; those on papers are apart
    assert outcome["seconds"] > 0
    assert {tuple(row) for row in outcome["timeline"]} == {("at", "node", "step", "act", "state", "by")}
    done = [(row["node"], row["act"]) for row in outcome["timeline"] if row["act"] != "make_paper"]
    at_home = [("320000", act) for act in ("open", "ask_check", "check", "send", "close")]
    abroad = [("330000", act) for act in ("receive", "accept", "approve")]
    fault = [("330000", act) for act in ("cut", "mend")]
    assert [each for each in done if each in at_home] == at_home
    assert [each for each in done if each[0] == "330000"] == [*fault, *abroad]
    assert done.index(fault[0]) < done.index(("320000", "send")) < done.index(fault[1])
    assert done[-2:] == [abroad[-1], at_home[-1]]
    assert list(demo.temporary.iterdir()) == []
    assert demo.complaint == ""


def test_a_demo_that_is_told_to_stop_while_it_starts_leaves_nothing(start: Start) -> None:
    demo = start("--once", "--json")
    wait_until(lambda: len(demo.left()) > 1)
    assert demo.end(signal.SIGTERM) == 1
    assert demo.complaint == "tongban: The demo was stopped before its case was closed.\n"
    assert demo.output == ""
    assert list(demo.temporary.iterdir()) == []


@pytest.mark.soak
async def test_a_killed_demo_leaves_no_process_and_goes_on_from_its_folder(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    killed = start("--json", "--nodes", "3", "--keep", str(folder))
    described = json.loads(killed.until("\n"))
    check_description(described, divisions=["320000", "330000", "440000"])
    assert len(killed.left()) > 2 * 3
    killed.process.kill()
    wait_until(lambda: not killed.left())

    demo = start("--json", "--keep", str(folder))
    assert json.loads(demo.until("\n")) == described
    async with aiohttp.ClientSession() as http:
        for node in described["nodes"]:
            officer = node["officers"][0]
            wish = {"name": officer["name"], "password": officer["password"]}
            async with http.post(f"{node['base_url']}/desk/v1/sessions", json=wish) as answer:
                assert answer.status == 201
    assert demo.end(signal.SIGTERM) == 0
    assert demo.complaint == ""
    with locked(folder), locked(folder / "database"):
        assert (folder / "demo.json").stat().st_mode & 0o777 == 0o600


def check_description(described: dict[str, Any], *, divisions: list[str]) -> None:
    """Exactly what other programs rely on."""
    assert list(described) == ["nodes", "platform_url", "app_id", "citizens"]
    assert [node["division"] for node in described["nodes"]] == divisions
    for node in described["nodes"]:
        assert list(node) == ["division", "base_url", "officers"]
        assert {tuple(officer) for officer in node["officers"]} == {OF_OFFICER}
        heads = {officer["desks"][0]["id"] for officer in node["officers"] if officer["roles"] == ["head"]}
        working = {officer["desks"][0]["id"] for officer in node["officers"] if "approver" in officer["roles"]}
        assert heads == working
        assert len({officer["name"] for officer in node["officers"]}) == len(node["officers"]) == 2 * len(heads)
        assert not any(officer["totp_secret"] for officer in node["officers"]), "only a strict demo has authenticators"
    passwords = [officer["password"] for node in described["nodes"] for officer in node["officers"]]
    assert len(set(passwords)) == len(passwords)
    assert {tuple(citizen) for citizen in described["citizens"]} == {("code", "name", "id_number", "face_token")}
    assert len({citizen["code"] for citizen in described["citizens"]}) == len(described["citizens"]) >= 100
