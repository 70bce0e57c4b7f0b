"""The pages say what the code says: paths, symbols, printed tables, and steps that can be followed."""

import ast
import functools
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handlers.problems import OF_TORNADO
from regions.directory import read_directory
from regions.founding import found
from server.cli import build_parser
from server.domain.case import STATE_NAMES
from server.domain.errors import Refusal
from server.domain.plan import make_plan
from server.tools.publications import load_catalogue, load_nodes
from tests.house.arrows import MAY_IMPORT
from tests.house.house import House, descendants
from tests.house.shapes import CLASS_LINES, FUNCTION_LINES, MODULE_LINES, NODE_FIELDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LEADING_THROUGH_THE_CODE = (
    "ARCHITECTURE.md",
    "docs/life-of-a-case.md",
    "docs/glossary.md",
    "docs/how-to/add-a-door.md",
)
FENCE = re.compile(r"^( *)```(\w*) ?(\S*)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:server|handlers|regions|config|tests|docs|loadtests|requirements)/[\w./-]*)`")
SYMBOL = re.compile(r"`([A-Za-z_][\w.]*)`")
COMMAND = re.compile(r"python -m server ([a-z]+)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def read(page: str | Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str | Path) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", read(page))


def blocks(page: str | Path, language: str) -> list[tuple[str, str]]:
    """The code blocks in this language, each with the path that its first line names (empty: none)."""
    return [(path, textwrap.dedent(body)) for _, kind, path, body in FENCE.findall(read(page)) if kind == language]


def links(page: Path) -> Iterator[tuple[str, Path]]:
    """The text of each link to something of ours, and what it points to."""
    for text, target in LINK.findall(prose(page)):
        if "://" not in target:
            yield text, (page.parent / target.partition("#")[0]).resolve()


def rows(page: str | Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = read(page).partition(f"\n{heading}\n")[2]
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


@functools.cache
def symbols(file: Path) -> frozenset[str]:
    """What a file makes: names of its top level, and `Class.name`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {f"{one.name}.{name}" for one in tree.body if isinstance(one, ast.ClassDef) for name in made(one.body)}
    return frozenset(made(tree.body) | inner)


def made(body: list[ast.stmt]) -> set[str]:
    names = {one.name for one in body if isinstance(one, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)}
    for one in body:
        targets = one.targets if isinstance(one, ast.Assign) else [one.target] if isinstance(one, ast.AnnAssign) else []
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@functools.cache
def printed(command: str) -> str:
    """What `python -m server COMMAND` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "server", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.rstrip("\n")


def follow(page: str, language: str, root: Path) -> list[Path]:
    """Write the page's blocks where they say: at the end of a file, or as a new one."""
    written = []
    for name, body in blocks(page, language):
        if name:
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text((file.read_text(encoding="utf-8") + "\n" if file.exists() else "") + body, encoding="utf-8")
            written.append(file)
    return written


# What any page says.


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for _, target in links(page) if not target.exists()] == []


@every_page
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    assert [path for path in PATH.findall(prose(page)) if not (ROOT / path).exists()] == []


@every_page
def test_every_symbol_stands_in_the_file_that_its_link_names(page: Path) -> None:
    named = [
        (match[1], file) for text, file in links(page) if (match := SYMBOL.fullmatch(text)) and file.suffix == ".py"
    ]
    assert [f"{name} in {file.name}" for name, file in named if name not in symbols(file)] == []


@every_page
def test_a_link_that_is_written_as_a_path_leads_there(page: Path) -> None:
    written = [(text, file) for text, file in links(page) if "/" in text and " " not in text]
    assert [
        text for text, file in written if file not in ((ROOT / text).resolve(), (page.parent / text).resolve())
    ] == []


@every_page
def test_every_command_that_a_page_names_is_one(page: Path) -> None:
    known = [action for action in build_parser()._actions if action.choices]
    assert [name for name in COMMAND.findall(read(page)) if name not in (known[0].choices or ())] == []


@pytest.mark.parametrize("page", LEADING_THROUGH_THE_CODE)
def test_the_pages_that_lead_through_the_code_name_symbols_of_it(page: str) -> None:
    assert sum(1 for text, _ in links(ROOT / page) if SYMBOL.fullmatch(text)) >= 5


# What single pages say.


def test_doors_are_those_that_the_command_prints() -> None:
    assert blocks("docs/doors.md", "text") == [("", printed("routes") + "\n")]


def test_refusals_are_those_that_the_command_prints() -> None:
    assert f"\n\n{printed('errors')}\n\n" in read("docs/errors.md")


def test_no_refusal_of_the_code_is_missing() -> None:
    codes = {row[0].strip("`") for row in rows("docs/errors.md", "## All refusals")}
    kinds = [type(node.name, (Refusal,), {}) for _, node in descendants(House(ROOT), {Refusal.__name__})]
    assert {kind.code for kind in kinds} == codes


def test_the_codes_that_are_no_refusals_are_named() -> None:
    text = prose("docs/errors.md")
    assert [code for status, (code, _) in OF_TORNADO.items() if f"`{code}` ({status}" not in text] == []


def test_the_picture_of_the_moves_is_the_one_that_the_command_prints() -> None:
    assert blocks("docs/life-of-a-case.md", "mermaid") == [("", printed("graph") + "\n")]


def test_the_import_table_is_the_one_that_is_enforced() -> None:
    table = {row[0].strip("`"): set(SYMBOL.findall(row[2])) for row in rows("ARCHITECTURE.md", "## The floors")}
    assert table == {room: set(others) for room, others in MAY_IMPORT.items()}


def test_every_word_of_the_glossary_says_where_it_is_in_the_code() -> None:
    for heading in ("## What is asked for", "## Who and where", "## What happens", "## Between nodes"):
        assert [row[0] for row in rows("docs/glossary.md", heading) if not LINK.search(row[3])] == []


def test_the_glossary_has_each_state_with_its_name() -> None:
    states = {row[0].strip("`"): row[1] for row in rows("docs/glossary.md", "## The states of a step")}
    assert states == STATE_NAMES


def test_every_decision_is_listed() -> None:
    listed = {file for _, file in links(ROOT / "docs/adr/README.md")}
    assert listed == set((ROOT / "docs/adr").glob("0*.md"))


def test_the_ten_rules_name_the_limits_that_are_enforced() -> None:
    limits = f"a module has {MODULE_LINES} lines, a class {CLASS_LINES}, a function {FUNCTION_LINES}"
    assert limits in prose("CONTRIBUTING.md")
    assert NODE_FIELDS == 12
    assert "the node has twelve fields" in " ".join(prose("CONTRIBUTING.md").split())


# What can be followed.


def test_the_two_commands_of_the_readme_are_targets() -> None:
    commands = [line for _, body in blocks("README.md", "console") for line in body.splitlines()]
    assert commands == ["$ make demo", "$ make test"]
    assert {"demo", "test"} <= set(targets())


def test_the_readme_names_options_that_the_demo_has(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["demo", "--help"])
    shown = capsys.readouterr().out
    named = re.findall(r"--[a-z]+", prose("README.md"))
    assert named
    assert [option for option in named if option not in shown] == []


def test_make_alone_prints_every_target() -> None:
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in shown.stdout.splitlines()] == targets()


def targets() -> list[str]:
    phony = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.MULTILINE)
    assert phony
    return phony[1].split()


def test_the_item_of_the_how_to_can_be_added(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    assert len(follow("docs/how-to/add-an-item.md", "toml", tmp_path)) == 3
    catalogue = load_catalogue(tmp_path / "config/catalogue")
    answers = {"household": "330100", "maternity_insurance": "no"}
    steps = {step.code: step for step in make_plan(catalogue, catalogue.bundle("newborn"), answers, home="320000")}
    assert steps["vaccination_reminder"].needs == ("vaccination_card",)


def test_the_province_of_the_how_to_can_be_added(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    assert len(follow("docs/how-to/add-a-province.md", "toml", tmp_path)) == 1
    assert load_nodes(tmp_path / "config/regions")[-1].node == "420000"
    origins = {"320000": "http://127.0.0.1:8320", "330000": "http://127.0.0.1:8330"}
    publisher = found(tmp_path / "var/keys", origins, {}, at=datetime.now(UTC))
    ((_, script),) = blocks("docs/how-to/add-a-province.md", "python")
    run(script, tmp_path, ROOT)
    directory = read_directory((tmp_path / "var/keys/directory.jws").read_text(encoding="utf-8"), publisher)
    assert directory.version == 2
    assert [entry.node for entry in directory.nodes] == ["320000", "330000", "420000"]


def test_the_door_of_the_how_to_can_be_added(tmp_path: Path) -> None:
    for room in ("server", "handlers", "regions"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    assert len(follow("docs/how-to/add-a-door.md", "python", tmp_path)) == 3
    script = "from handlers import places, routes\nprint(*next(routes.rows((places.Places,))).values())"
    assert run(script, tmp_path, tmp_path) == (
        "GET /api/v1/places anyone handlers.places.Places server.desk.places.places\n"
    )


def run(script: str, folder: Path, path: Path) -> str:
    """What a script prints, run in this folder with the code of that path."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
