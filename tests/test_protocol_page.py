"""The page of the exchange protocol says what the code says: members, components, kinds, refusals, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from handlers import routes
from handlers.problems import STATUS, status_of
from server.domain.effects.letters_in import COURTESIES, known_kind
from server.domain.errors import Refusal
from server.domain.exchange.directory import Directory, NodeEntry, NodeKey
from server.domain.exchange.letters import Batch, Letter
from server.domain.exchange.reconciliation import Heads
from server.domain.licence.telling import LICENCE_TOLD, ToldLicence
from tests.http.spoiling import spoiled
from tests.http.test_negative_table import PROVEN, REPLAYS, UNPROVEN
from tests.http.test_spoiled_signatures import OF_BATCH, OF_QUESTION, OF_RECEIPT
from tests.test_docs import ROOT, read, rows
from tests.vectors import FILES, FOLDER

PAGE = "docs/exchange-protocol.md"
CODES = re.compile(r"`([a-z_.]+)`")
OF_TORNADO = {"internal"}


def members(heading: str) -> set[str]:
    """The names in the first column of the table below this heading."""
    return {name for row in rows(PAGE, heading) for name in re.findall(r"`([^`]+)`", row[0])}


def kinds_of(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds_of(below)


def test_letters_and_batches_have_the_members_that_the_page_names() -> None:
    for kind, heading, more in ((Letter, "## Letters", set()), (Batch, "## Batches", {"letters"})):
        assert members(heading) == {field.alias or name for name, field in kind.model_fields.items()} | more


def test_the_directory_has_the_members_that_the_page_names() -> None:
    of_nodes = {f"nodes[].{name}" for name in NodeEntry.model_fields if name != "keys"} | {"nodes[].keys[]"}
    assert members("## Identities, the directory and keys") == set(Directory.model_fields) | of_nodes
    (keys,) = [row[2] for row in rows(PAGE, "## Identities, the directory and keys") if "keys" in row[0]]
    assert set(NodeKey.model_fields) <= set(CODES.findall(keys))


def test_the_answer_about_heads_has_the_members_that_the_page_names() -> None:
    assert members("### Heads") == set(Heads.model_fields)


def test_the_kinds_are_those_that_a_node_understands() -> None:
    told = members("### What is said about a step")
    assert {known_kind(kind) for kind in told} == told
    moves = [path.relative_to(ROOT) for path in (ROOT / "server/domain/rules/moves").glob("*.py")]
    rooms = [*moves, Path("server/domain/effects/letters_out.py"), Path("server/domain/effects/letters_in.py")]
    written = {kind for room in rooms for kind in re.findall(r'"(step\.[a-z_]+)"', read(room))}
    assert told == written
    assert members("### What is said about a licence") == {LICENCE_TOLD}
    (row,) = rows(PAGE, "### What is said about a licence")
    assert set(CODES.findall(row[2].partition(";")[0])) | set(CODES.findall(row[2])) >= set(ToldLicence.model_fields)
    written = set(re.findall(r'"((?:letter|head)\.[a-z_]+)"', read("server/domain/exchange/letters.py")))
    assert members("### What is said about a letter") | members("### What is said about a log of one's own") == written


def test_the_kinds_that_may_be_ignored_are_those_of_the_moves() -> None:
    told = rows(PAGE, "### What is said about a step") + rows(PAGE, "### What is said about a log of one's own")
    assert {row[0].strip("`") for row in told if "May be ignored" in row[3]} == COURTESIES


def test_the_components_are_those_that_the_tables_spoil_and_the_vectors_cover() -> None:
    text = " ".join(read(PAGE).split())
    vectors = {name: orjson.loads((FOLDER / f"{name}.json").read_bytes()) for name in ("exchange", "question")}
    signed = {
        "tongban-1": (OF_BATCH, vectors["exchange"]["request"]),
        "tongban-1-receipt": (OF_RECEIPT, vectors["exchange"]["receipt"]),
    }
    for label, (names, vector) in signed.items():
        covered = " ".join(names)
        assert vector["headers"]["Signature-Input"].startswith(f"{label}=({covered});")
        assert covered in text
    assert f"({' '.join(OF_QUESTION)})" in vectors["question"]["request"]["headers"]["Signature-Input"]


def test_each_refusal_has_the_status_of_the_code() -> None:
    assert routes.DOORS  # all refusals are known once all doors are
    # Only the kind counts, and some are made with more than a sentence.
    statuses = {kind.code: status_of(kind.__new__(kind)) for kind in kinds_of(Refusal)} | {"internal": 500}
    assert set(STATUS.values()) >= {400, 401, 403, 409, 413, 415, 503}
    for row in rows(PAGE, "## Refusals"):
        for code in CODES.findall(row[0]):
            assert (code, statuses[code]) == (code, int(row[1]))


@pytest.mark.parametrize(
    ("codes", "signed"),
    [
        ({row.code for row in UNPROVEN.values()} | {code for _, code in REPLAYS.values()}, "no"),
        ({code for _, code in spoiled(OF_BATCH).values()}, "no"),
        ({row.code for row in PROVEN.values()}, "yes"),
    ],
    ids=["not proven", "spoiled signatures", "proven"],
)
def test_each_refusal_of_the_negative_tables_stands_on_the_page(codes: set[str], signed: str) -> None:
    told = {code: row[2] for row in rows(PAGE, "## Refusals") for code in CODES.findall(row[0])}
    assert {code: told[code] for code in codes} == dict.fromkeys(codes, signed)
    checks = {code for row in rows(PAGE, "### In which order a receiver checks") for code in CODES.findall(row[2])}
    assert codes <= checks
    negative = {row.code for row in (UNPROVEN | PROVEN).values()} | {"nonce_replayed", "not_signed", "clock_skew"}
    assert checks - negative == {"signature_expired"}


def test_the_files_are_those_that_the_script_makes() -> None:
    named = {name for row in rows(PAGE, "## Test vectors") for name in re.findall(r"\[([a-z.]+)\]", row[0])}
    assert named == set(FILES) == {file.name for file in FOLDER.iterdir()}
