"""Following the pages on acts and letters makes an act that works, with the number of files that they name."""

import json
from pathlib import Path

import pytest

from tests.newer_code import ADD_ACT, ADD_LETTER, newer_code, run_newer
from tests.test_docs import prose

DOCUMENT = """
import json
from handlers import openapi, routes
from server.desk.wording import ACT_NAMES
document = openapi.document(routes.DOORS, "0")
posted = document["paths"]["/desk/v1/cases/{id}/steps/{step}/inform"]["post"]
name = posted["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
body = document["components"]["schemas"][name]
print(json.dumps([posted["summary"], sorted(body["properties"]), body["required"], ACT_NAMES["inform"]]))
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    newer_code(tmp_path, ADD_ACT, ADD_LETTER)
    return tmp_path


def test_the_pages_say_how_many_files_of_the_product_they_change(tmp_path: Path) -> None:
    by_act, by_letter = newer_code(tmp_path, ADD_ACT, ADD_LETTER)
    assert f"It changes {len(by_act)} files of the product." in prose(ADD_ACT)
    assert f"It changes {len(by_letter)} file of the product." in prose(ADD_LETTER)
    assert len(by_act | by_letter) <= 6


def test_the_act_of_the_how_to_is_judged_told_and_requested(newer: Path) -> None:
    run_newer(newer, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/domain/test_informing.py")
    assert json.loads(run_newer(newer, "-c", DOCUMENT)) == [
        "告知申请人办理进展",
        ["progress", "version"],
        ["progress"],
        "告知办理进展",
    ]
    assert "accepted --> accepted: inform" in run_newer(newer, "-m", "server", "graph")


def test_the_letter_of_the_how_to_stands_on_the_page_and_in_the_vectors(newer: Path) -> None:
    run_newer(newer, "-m", "tests.vectors", "--write")
    tests = ("tests/test_protocol_page.py", "tests/crypto/test_protocol_vectors.py")
    run_newer(newer, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests)
    letters = json.loads((newer / "docs/vectors/letters.json").read_text(encoding="utf-8"))["letters"]
    (informed,) = [letter for each in letters if (letter := json.loads(each["text"]))["kind"] == "step.informed"]
    assert (informed["may_ignore"], informed["body"]) == (True, {"progress": "材料已核实"})
