"""Seeded cases are cases like any other, of people whom nobody is, and never come among real ones unasked."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.desk.background.case_verifying import verify_cases
from server.desk.background.verifying import silent
from server.domain.audit import AuditFilter
from server.domain.catalogue.formats import person_name_fault
from server.domain.people.persons import id_number_fault
from server.domain.values import china_day
from server.seeding import BIRTHDAYS, add_arguments, has_cases, made_up_people, seed, seeded
from tests.http.heads import chained
from tests.nodes import CITIZENS, running_nodes
from tests.world import JIANGSU, is_fictitious

MOTHER = CITIZENS[:1]
CASES = 40


def chosen(*more: str) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(run=run)
        return sub

    add_arguments(command)
    return parser.parse_args(["seed", "--cases", "3", *more])


async def test_seeded_cases_are_read_by_their_citizen_and_stand_where_they_had_come_to(
    tmp_path: Path, database_uri: str, database_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        node = places.nodes[JIANGSU].node
        assert not await has_cases(node)
        told: list[tuple[int, int]] = []
        done = await seed(node, MOTHER, cases=CASES, tell=lambda number, of: told.append((number, of)))
        assert (done.cases, done.people, done.left_out) == (CASES, 1, {})
        assert sum(done.bundles.values()) == CASES
        assert set(done.bundles) == {bundle.code for bundle in node.catalogue.bundles}
        assert told == [(number, CASES) for number in range(1, CASES + 1)]

        mother = await places.citizen("mother")
        page = (await mother.get("/api/v1/cases")).body
        ids = [each["id"] for each in page["cases"]]
        while page["next"]:
            page = (await mother.get("/api/v1/cases", params={"before": page["next"]})).body
            ids += [each["id"] for each in page["cases"]]
        assert len(ids) == len(set(ids)) == CASES
        for id in ids:
            case = await mother.get(f"/api/v1/cases/{id}")
            assert case.status == 200
            assert any(step["state"] in ("sent", "checking") for step in case.body["steps"])
        await chained(node)
        found = await verify_cases(node, tell=silent)
        assert (found.cases, found.troubles) == (CASES, 0)

        assert await has_cases(node)
        with pytest.raises(SystemExit) as refused:
            await seeded(node, chosen())
        assert refused.value.code == 2
        assert "this node has cases" in capsys.readouterr().err
        more = await seeded(node, chosen("--into-used-data"))
        assert more.values[0].cases == 3
        assert more.lines[-1].startswith("3 cases of 1 people in ")
        (noted,) = (await node.store.audit.entries(AuditFilter(kind="cases.seeded"), limit=9)).found
        assert noted.about["cases"] == "3"


def test_made_up_people_are_nobody_and_all_different() -> None:
    people = made_up_people("320000", 200 + BIRTHDAYS + 5)
    today = china_day(datetime.now(UTC))
    assert len({each.id_number for each in people}) == len({each.code for each in people}) == len(people)
    for each in people[::97] + people[-5:]:
        assert not id_number_fault(each.id_number, today)
        assert is_fictitious(each.id_number)
        assert not person_name_fault(each.name, today)
    assert len(made_up_people("320000", 3)) == 3
