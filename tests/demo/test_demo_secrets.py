"""After a demo that people watch, no name, ID number or telephone of the story stands plain anywhere in its folder."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from server.demo.people import MOBILE, citizens, family
from server.demo.plots import ABROAD, HOUSEHOLD
from server.demo.story import PICTURE
from tests.demo.demos import DemoProcess

FAMILY = family(citizens("320000")[0], "320000", HOUSEHOLD)
PERSONAL = (
    FAMILY.mother.name,
    FAMILY.mother.id_number,
    FAMILY.form["father_name"],
    FAMILY.form["father_id_number"],
    FAMILY.form["child_name"],
    FAMILY.child_id_number,
    MOBILE,
)
# What the made-up mother logs in with stands where people look for it, beside the passwords of officers.
LOGINS = {("demo.json", FAMILY.mother.name), ("demo.json", FAMILY.mother.id_number)}
Client = pymongo.MongoClient[dict[str, Any]]


def texts(value: Any) -> Iterator[str]:
    """Every text at any depth, keys and numbers included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def documents(client: Client) -> list[tuple[str, dict[str, Any]]]:
    """Every document of every database."""
    return [
        (f"{name}.{collection}", document)
        for name in client.list_database_names()
        for collection in client[name].list_collection_names()
        for document in client[name][collection].find()
    ]


def found_in_documents(client: Client) -> set[tuple[str, str]]:
    return {
        (place, personal)
        for place, document in documents(client)
        for text in texts(document)
        for personal in PERSONAL
        if personal in text
    }


def found_in_files(folder: Path) -> set[tuple[str, str]]:
    """Where each stands as UTF-8 or escaped as in ASCII JSON."""
    found = set()
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        for personal in PERSONAL:
            if personal.encode() in content or json.dumps(personal)[1:-1].encode() in content:
                found.add((path.relative_to(folder).as_posix(), personal))
    return found


@pytest.mark.soak  # a whole demo, and every byte that it has written
def test_a_watched_demo_shows_the_way_and_keeps_every_person_secret(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    demo = DemoProcess(tmp_path / "demo", "--port", "0", "--keep", str(folder))
    try:
        shown = demo.until("Ctrl-C")
        check_timeline(shown)
        check_commands(shown)
        check_people(shown, folder)
        with Client(re.findall(r"mongodb://\S+", shown)[0]) as client:
            check_nothing_is_plain(client, folder)
            check_the_search_bites(client, folder)
        assert demo.end(signal.SIGINT) == 0
    finally:
        demo.kill_everything()


def check_timeline(shown: str) -> None:
    """Time, node, step, act and who, as it happened; and who waits for whom."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines() if re.match(r"\d\d:\d\d:\d\d", line)]
    assert {len(row) for row in rows} == {5}
    told = [row[1:] for row in rows]
    abroad = told.index(["浙江省", "户口登记", "准予", "杭州市公安局西湖分局"])
    assert told.index(["江苏省", "社会保障卡申领", "收件", "南京市人力资源和社会保障局"]) > abroad
    assert told[0] == ["江苏省", "—", "提交申请", "申请人"]
    assert told[-1][2] == "办结"
    assert "社会保障卡申领 waits until 户口登记 is decided by 浙江省." in shown
    assert "all receipts are proven" in shown


def check_commands(shown: str) -> None:
    """The six commands lead to a case when they are pasted, in this order, and show each answer on the way."""
    commands = [line for line in shown.splitlines() if "curl -s" in line]
    assert len(commands) == 6
    pasted = "\n".join(f"{line}\necho" for line in commands)
    done = subprocess.run(["bash", "-u"], input=pasted.encode(), capture_output=True, check=True)
    guide, case = (json.loads(line) for line in done.stdout.splitlines() if line)
    (household,) = (each for each in guide["steps"] if each["step"] == ABROAD)
    assert household["authority_name"] == "苏州市公安局姑苏分局"
    assert (case["state"], {each["step"] for each in case["steps"]} >= {ABROAD}) == ("open", True)
    assert done.stderr.count(b'"access_token"') == 2
    assert b'"code":' not in done.stderr


def check_people(shown: str, folder: Path) -> None:
    """Who sits where and who logs in with what is told, but no password; all of it stands in the folder."""
    plan = json.loads((folder / "demo.json").read_bytes())
    officers = [each for node in plan["nodes"] for each in node["officers"]]
    assert all(each["name"] in shown and each["desks"][0]["name"] in shown for each in officers)
    assert not any(each["password"] in shown for each in officers)
    assert [each["code"] for each in plan["citizens"]] == ["citizen-001", "citizen-002", "citizen-003"]
    for each in plan["citizens"]:
        assert f"{each['code']}  {each['name']}  {each['id_number']}  {each['face_token']}" in re.sub(
            " {2,}", "  ", shown
        )
    assert "household 330106: the household registration (户口登记) is decided by 杭州市公安局西湖分局, 浙江省" in shown
    assert "household 320508: the household registration (户口登记) is decided by 苏州市公安局姑苏分局, 江苏省" in shown


def check_nothing_is_plain(client: Client, folder: Path) -> None:
    searched = documents(client)
    places = {place.partition(".")[2] for place, _ in searched}
    assert {"cases", "tasks", "persons", "letters_out", "letters_in", "audit", "officers"} <= places
    assert len({place.partition(".")[0] for place, _ in searched if place.endswith("cases")}) == 2
    assert found_in_documents(client) == set()
    kinds = {path.suffix for path in folder.rglob("*")}
    assert {".db", ".db-wal", ".log"} <= kinds
    assert any(path.is_file() for path in (folder / "320000").rglob("*"))
    assert found_in_files(folder) == LOGINS
    assert not any(PICTURE in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def check_the_search_bites(client: Client, folder: Path) -> None:
    """What is planted in a document, in a database's file and in a log is found."""
    planted = {(f"planted.p{number}", personal) for number, personal in enumerate(PERSONAL)}
    for number, personal in enumerate(PERSONAL):
        document = {"_id": "one", "deep": [{"down": f"before {personal} after"}]}
        client["planted"][f"p{number}"].insert_one(document)
    (folder / "logs" / "planted.log").write_text("".join(f"{personal}\n" for personal in PERSONAL), encoding="utf-8")
    assert found_in_documents(client) == planted
    found = found_in_files(folder)
    assert {personal for place, personal in found if place.startswith("database/")} == set(PERSONAL)
    assert {personal for place, personal in found if place == "logs/planted.log"} == set(PERSONAL)
