"""The parts of a demo: its people, its ports, its children, and what counts as proven."""

import json
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509

from server.cli import run
from server.crypto.totp import code_at
from server.demo import ports, processes, provinces
from server.demo.demonstrate import DemoOptions
from server.demo.desks import DemoDesk, counties_of, desks_of, places_in
from server.demo.folder import OtherDemo, check_same, keep_plan, kept_plan, new_plan, ports_from
from server.demo.people import citizens, county_officers, family, fictitious_id_number, officers
from server.demo.plots import PLOTS, Plot
from server.demo.ports import HOST, NoPortFree, PortInUse, reserved, reserved_lasting
from server.demo.processes import ChildFailed
from server.demo.proof import OF_PAPERS, is_proven, letters_of
from server.domain.catalogue.formats import person_name_fault
from server.domain.papers.signing import Signatory
from server.domain.people.persons import id_number_fault
from server.domain.values import china_day
from server.papering import roots_of
from server.tools.settings import Settings
from server.tools.signing import SigningProvider
from tests.catalogue.shipped import CATALOGUE
from tests.world import is_fictitious

HEALTH = DemoDesk("health/320102", "南京市玄武区卫生健康局")
HOSPITALS = DemoDesk("provider/health/330106", "浙江省杭州市西湖区医疗卫生机构")
NODE: dict[str, Any] = {
    **{
        "division": "320000",
        "origin": "http://127.0.0.1:1",
        "mongodb_uri": "mongodb://127.0.0.1:1",
        "data_folder": "x",
    },
    **{"keys_file": "x", "directory_file": "x", "publisher_key": "A" * 43, "platform_url": "http://127.0.0.1:1"},
    **{"platform_app_id": "x", "platform_app_secret": "x"},
}
SEATED = {"320000": officers([HEALTH]), "330000": officers([HOSPITALS])}


def test_every_person_is_fictitious_and_has_a_valid_id_number_of_his_own() -> None:
    people = citizens("320000")
    parents_and_child = family(people[0], "320000", "330100")
    today = china_day(datetime.now(UTC))
    numbers = [citizen.id_number for citizen in people]
    numbers += [parents_and_child.form["father_id_number"], parents_and_child.child_id_number]
    assert len(set(numbers)) == len(numbers)
    assert all(not id_number_fault(number, today) and is_fictitious(number) for number in numbers)
    assert parents_and_child.child_id_number.startswith("330000")
    assert [citizen.name for citizen in people if person_name_fault(citizen.name, today)] == []
    assert len({citizen.code for citizen in people}) == len({citizen.name for citizen in people}) == len(people)


def test_an_id_number_ends_with_its_check_character() -> None:
    assert fictitious_id_number("320000", date(1992, 3, 14), 2) == "320000199203140026"


def test_passwords_of_officers_are_new_each_time() -> None:
    first, second = officers([HEALTH]), officers([HEALTH])
    assert [each.name for each in first] == [each.name for each in second]
    assert len({each.password for each in (*first, *second)}) == 4


def test_at_each_desk_an_officer_works_and_a_head_is_in_charge() -> None:
    working, head = officers([HOSPITALS])
    assert (working.name, head.name) == ("provider-health-330106", "provider-health-330106-head")
    assert [post["role"] for post in working.seat["posts"]] == ["window", "handler", "approver"]
    assert head.seat["posts"] == [{"authority": "provider/health/330106", "role": "head"}]
    assert set(head.seat) == {"name", "password", "posts", "totp_secret"}


@pytest.mark.parametrize("plot", PLOTS.values(), ids=list(PLOTS))
def test_the_desks_of_a_story_are_those_that_nodes_name(plot: Plot, capsys: pytest.CaptureFixture[str]) -> None:
    items = {step.item for step in CATALOGUE.bundle(plot.bundle).steps}
    counties = [county for province in ("320000", "330000", "440000") for county in places_in(province)]
    assert counties[:3] == ["320102", "320508", "330106"]
    for county, desks in desks_of(counties, {plot.bundle: plot.answers}).items():
        assert len({each.id for each in desks}) == len(desks)
        assert run(["authorities", "list", "--division", county, "--json"]) == 0
        told = [line for line in json.loads(capsys.readouterr().out) if items & set(line["items"])]
        assert {(line["id"], line["name"]) for line in told} <= {(each.id, each.name) for each in desks}


def test_for_load_tests_each_county_has_an_officer_at_all_its_desks() -> None:
    counties = counties_of("320000", 3)
    assert [counties_of("320000", 2), len(set(counties))] == [counties[:2], 3]
    first, *_ = county_officers(desks_of(counties, {"newborn": {}}))
    assert first.name == f"county-{counties[0]}"
    assert {"provider/health/320102", "public_security/320102"} <= {post["authority"] for post in first.seat["posts"]}


def test_officers_have_authenticators_in_a_strict_demo_only() -> None:
    at = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    (usual, _), (strict, _) = officers([HEALTH]), officers([HEALTH], is_strict=True)
    assert usual.proof(at) == {"name": "health-320102", "password": usual.password}
    assert strict.proof(at) == {
        "name": "health-320102",
        "password": strict.password,
        "code": code_at(strict.totp_secret, at),
    }


def test_a_usual_demo_does_not_go_on_as_a_strict_one(tmp_path: Path) -> None:
    usual, strict = (
        new_plan(
            SEATED,
            ports=ports_from(8320, 2),
            is_strict=is_strict,
        )
        for is_strict in (False, True)
    )
    check_same(strict, tmp_path, nodes=2, first_port=8320)
    check_same(strict, tmp_path, nodes=2, first_port=8320, is_strict=True)
    with pytest.raises(OtherDemo, match="no authenticators"):
        check_same(usual, tmp_path, nodes=2, first_port=8320, is_strict=True)


async def test_a_demo_with_papers_has_a_signing_service_that_its_nodes_trust(tmp_path: Path) -> None:
    who = citizens("320000")
    async with provinces._signing(tmp_path, who) as told:
        chosen = {name.removeprefix("TONGBAN_").lower(): value for name, value in told.items()}
        settings = Settings(**NODE, **chosen, seals_folder=tmp_path)
        async with aiohttp.ClientSession() as http:
            service = SigningProvider(str(settings.signing_url), "demo", secret="hush", session=http)
            named = Signatory(name=who[0].name, id_number="*" * 14 + who[0].id_number[-4:], request="R" * 16)
            face = {"id_number": who[0].id_number, "face_token": who[0].face_token}
            given = x509.load_der_x509_certificate((await service.certificate(named, **face)).certificate)
        [root] = roots_of(settings)
        given.verify_directly_issued_by(x509.load_der_x509_certificate(root))


def test_a_plan_is_kept_as_it_was(tmp_path: Path) -> None:
    plan = new_plan(
        SEATED,
        ports=ports_from(8320, 2),
        citizens=citizens("320000")[:3],
    )
    assert kept_plan(tmp_path) is None
    keep_plan(plan, tmp_path)
    assert kept_plan(tmp_path) == plan
    assert plan.ports == [8325, 8320, 8321, 8330, 8331]
    check_same(plan, tmp_path, nodes=2, first_port=8320)


def test_a_reserved_port_is_given_to_nobody_else() -> None:
    with reserved() as first, reserved() as second:
        assert first != second


@pytest.mark.parametrize("reserve", [reserved, reserved_lasting])
def test_a_server_may_listen_at_a_port_reserved_for_it(reserve: Callable[[], AbstractContextManager[int]]) -> None:
    with reserve() as port, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((HOST, port))
        server.listen()
        with pytest.raises(PortInUse, match=str(port)), reserved(port):
            raise AssertionError("somebody listens there")


def test_a_lasting_port_is_reserved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with reserved_lasting() as port:
        monkeypatch.setattr(ports, "LASTING", range(port, port + 1))
        monkeypatch.setattr(ports, "TRIES", 1)
        with pytest.raises(NoPortFree), reserved_lasting():
            raise AssertionError("it was reserved already")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("print('first'); print('no such folder'); raise SystemExit(3)", "ended by itself: no such folder"),
        ("pass", "ended by itself."),
    ],
)
async def test_a_child_that_ends_is_told_with_its_last_words(tmp_path: Path, command: str, said: str) -> None:
    async with processes.children() as running:
        running.append(await processes.start("sleeper", [sys.executable, "-c", "input()"], log=tmp_path / "a.log"))
        running.append(await processes.start("ender", [sys.executable, "-c", command], log=tmp_path / "b.log"))
        with pytest.raises(ChildFailed) as failed:
            await processes.first_to_end(running[1:])
    assert str(failed.value) == f"`ender` {said}"
    assert all(child.process.returncode is not None for child in running)


async def test_a_child_gets_no_settings_of_a_node_but_those_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGBAN_PORT", "1")
    command = [sys.executable, "-c", "import os; print([n for n in os.environ if n.startswith('TONGBAN_')])"]
    environ = {"TONGBAN_DIVISION": "320000"}
    output = await processes.output_of("names", command, log=tmp_path / "log", environ=environ)
    assert output == b"['TONGBAN_DIVISION']\n"


async def test_what_a_failing_command_printed_is_not_lost(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('a report'); raise SystemExit('broken')"]
    with pytest.raises(ChildFailed, match="`reporter` failed: broken") as failed:
        await processes.output_of("reporter", command, log=tmp_path / "log")
    assert failed.value.output == b"a report\n"


async def test_the_first_failure_ends_what_goes_on_beside_it(tmp_path: Path) -> None:
    endless = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(ChildFailed, match="`ender` failed"):
        await processes.together(
            processes.output_of("sleeper", endless, log=tmp_path / "a"),
            processes.output_of("ender", [sys.executable, "-c", "raise SystemExit(1)"], log=tmp_path / "b"),
        )


def reports(*, head: str = "h1", is_verified: bool = True) -> list[dict[str, Any]]:
    """Two nodes' reports; the second one sent nothing."""
    return [
        {
            "node": "320000",
            "verified": is_verified,
            "logs": [log("out", "330000", 2, "h1"), log("in", "330000", 0, "")],
        },
        {"node": "330000", "verified": True, "logs": [log("in", "320000", 2, head), log("out", "320000", 0, "")]},
    ]


def report(node: str, *logs: dict[str, Any], is_verified: bool = True) -> dict[str, Any]:
    return {"node": node, "verified": is_verified, "logs": logs}


def log(direction: str, peer: str, letters: int, head: str) -> dict[str, Any]:
    kinds = {"step.decided": 1, OF_PAPERS: letters - 1} if direction == "in" and letters else {}
    return {"direction": direction, "peer": peer, "letters": letters, "head": head, "kinds": kinds}


def test_a_demo_gives_papers_where_it_tells_a_story_and_not_where_programs_measure_it(tmp_path: Path) -> None:
    told = DemoOptions(is_once=True, is_json=True, nodes=None, port=None, keep=None)
    assert told.gives_papers
    assert not replace(told, is_once=False).gives_papers
    plan = new_plan({"320000": []}, ports=[1, 2, 3])
    [without] = provinces._provinces(tmp_path, plan, {})
    [giving] = provinces._provinces(tmp_path, plan.model_copy(update={"gives_papers": True}), {})
    assert "TONGBAN_SEALS_FOLDER" not in without.environ
    assert giving.environ["TONGBAN_SEALS_FOLDER"] == str(tmp_path / "seals")


def test_equal_heads_and_verified_receipts_are_proof() -> None:
    assert is_proven(reports())
    assert letters_of(reports()) == (1, 1)


def test_other_heads_or_an_unverified_log_are_none() -> None:
    assert not is_proven(reports(head="h2"))
    assert not is_proven(reports(is_verified=False))
    assert not is_proven(reports()[:1])
