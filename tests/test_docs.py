"""The pages say what the code says: paths, symbols, printed tables, and steps that can be followed."""

import ast
import functools
import json
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from handlers.base import Role
from handlers.problems import OF_TORNADO
from handlers.routes import DOORS
from regions.directory import read_directory
from regions.founding import found
from server import cli
from server.cli import build_parser
from server.desk.citizen.guiding import Guide
from server.domain.case.case import STATE_NAMES
from server.domain.catalogue.answers import open_questions
from server.domain.catalogue.authorities import (
    DivisionNotInForce,
    NamedAuthority,
    NextLevel,
    NobodyDecides,
    PlaceTooBroad,
)
from server.domain.catalogue.bundles import Bundle, BundleStep, Question
from server.domain.catalogue.deciders import deciders_in
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import Division
from server.domain.catalogue.formats import SENTENCES
from server.domain.catalogue.forms import SHAPES
from server.domain.catalogue.items import (
    Competence,
    Condition,
    Field,
    FieldNeed,
    Handling,
    Item,
    LevelRule,
    Material,
    MaterialNeed,
    OpinionRule,
    Part,
    Sourced,
    SpecialStep,
    TransferRule,
)
from server.domain.catalogue.lists import ListBatch, YearlyList
from server.domain.catalogue.merging import merge
from server.domain.catalogue.naming import Naming
from server.domain.catalogue.plan import make_plan
from server.domain.catalogue.variants import BundleVariant, ItemVariant
from server.domain.catalogue_checks.faults import DECIDING, RULES
from server.domain.errors import Refusal
from server.domain.rules.rights import USES
from server.domain.time.clock import Ledger, due, pause, resume
from server.tools.datafiles import BrokenData
from server.tools.publications import (
    Heading,
    check_authorities,
    load_authorities,
    load_calendar,
    load_catalogue,
    load_divisions,
    load_nodes,
)
from tests.domain.places import IN_COUNTY
from tests.house.arrows import MAY_IMPORT, SUB_ROOMS
from tests.house.house import House, descendants, own_value
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
PATH = re.compile(r"`((?:server|handlers|regions|config|tests|docs|loadtests|requirements|deploy)/[\w./-]*)`")
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


def rows(page: str | Path, heading: str, *, table: int = 1) -> list[list[str]]:
    """The cells of the first (or a later) table below a heading, without its head."""
    below = read(page).partition(f"\n{heading}\n")[2]
    tables = re.findall(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert len(tables) >= table, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in tables[table - 1].splitlines()[2:]]


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


def follow(page: str, language: str, root: Path) -> list[Path]:
    """Write the page's blocks where they say: at the end of a file, as a new one, or (`diff`) in the midst of one."""
    written = []
    for name, body in blocks(page, language):
        if name:
            file = root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            before = file.read_text(encoding="utf-8") if file.exists() else ""
            gap = "" if not before else "\n\n" if language == "python" else "\n"
            after = changed(before, body) if language == "diff" else before + gap + body
            file.write_text(after, encoding="utf-8")
            written.append(file)
    return written


def changed(text: str, diff: str) -> str:
    """The text with the lines that begin with `+` in the place of those with `-`; the others stand around them."""
    lines = diff.splitlines()
    old, new = ("".join(f"{line[1:]}\n" for line in lines if not line.startswith(other)) for other in "+-")
    assert text.count(old) == 1, f"stands there {text.count(old)} times:\n{old}"
    return text.replace(old, new)


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


def test_the_worked_examples_of_the_clock_are_right() -> None:
    calendar = load_calendar(ROOT / "config/regions")
    examples = rows("docs/life-of-a-case.md", "## How the clock counts")
    assert len(examples) == 3
    for _, accepted, days, stopped, resumed, last, confirmed in examples:
        ledger = Ledger(accepted_at=_noon(accepted), legal_days=int(days), promised_days=int(days))
        if stopped:
            ledger = pause(ledger, _noon(stopped), reason="现场核查", notice="示例", days=5)
            ledger = resume(ledger, _noon(resumed))
        found = due(ledger, calendar, "promised")
        assert (str(found.on), found.is_confirmed) == (last, confirmed == "yes")


def _noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00:00+08:00")


def test_no_refusal_of_the_code_is_missing() -> None:
    codes = {row[0].strip("`") for row in rows("docs/errors.md", "## All refusals")}
    written = [own_value(node, "code") for _, node in descendants(House(ROOT), {Refusal.__name__})]
    assert {code.value for code in written if isinstance(code, ast.Constant)} == codes


def test_every_code_of_a_single_field_is_named() -> None:
    named = {code for row in rows("docs/errors.md", "## Codes of single fields") for code in SYMBOL.findall(row[0])}
    told = {
        code for room in ("server", "handlers") for file in (ROOT / room).rglob("*.py") for code in field_codes(file)
    }
    assert {"not_asked", "pattern", "division_elsewhere", "type", "material_unknown"} <= told
    assert named == told | set(SENTENCES)


def field_codes(file: Path) -> Iterator[str]:
    """The codes of faults by field that a file writes out, as a name or as what comes second in its `_fault`."""
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("FieldFault", "_fault"):
            written = [word.value for word in call.keywords if word.arg == "code"] or call.args[1:2]
            yield from (str(code.value) for code in written if isinstance(code, ast.Constant))


def test_the_page_on_rights_speaks_of_every_door_of_officers() -> None:
    doors = {f"{method} {door.path}" for door in DOORS if door.role is Role.OFFICER for method in door.operations}
    lines = rows("docs/rights.md", "## Which door asks for what")
    assert len(lines) == len(doors)
    assert {row[0].strip("`") for row in lines} == doors
    named = {action for row in lines for action in SYMBOL.findall(row[1])}
    assert named == set(USES)


def test_the_codes_that_are_no_refusals_are_named() -> None:
    text = prose("docs/errors.md")
    assert [code for status, (code, _) in OF_TORNADO.items() if f"`{code}` ({status}" not in text] == []


def test_the_import_table_is_the_one_that_is_enforced() -> None:
    table = {row[0].strip("`"): set(SYMBOL.findall(row[2])) for row in rows("ARCHITECTURE.md", "## The floors")}
    assert table == {room: set(others) for room, others in MAY_IMPORT.items()}
    heading = "### The rooms inside domain, store and desk"
    inside = {row[0].strip("`"): set(SYMBOL.findall(row[2])) for row in rows("ARCHITECTURE.md", heading)}
    assert inside == {room: set(others) for room, others in SUB_ROOMS.items()}


def test_every_word_of_the_glossary_says_where_it_is_in_the_code() -> None:
    for heading in ("## What is asked for", "## Who and where", "## What happens", "## Between nodes"):
        assert [row[0] for row in rows("docs/glossary.md", heading) if not LINK.search(row[3])] == []


def test_the_glossary_has_each_state_with_its_name() -> None:
    states = {row[0].strip("`"): row[1] for row in rows("docs/glossary.md", "## The states of a step")}
    assert states == STATE_NAMES


@pytest.mark.parametrize(
    ("kind", "heading", "table"),
    [
        (Heading, "## The head", 1),
        (Field, "## Fields", 1),
        (Material, "## Materials", 1),
        (Item, "## Items", 1),
        (Competence, "### Who decides", 1),
        (LevelRule, "### Who decides", 2),
        (FieldNeed, "### Needs", 1),
        (MaterialNeed, "### Needs", 2),
        (Condition, "### Conditions and special procedures", 1),
        (SpecialStep, "### Conditions and special procedures", 2),
        (OpinionRule, "### Conditions and special procedures", 3),
        (TransferRule, "### Transfer", 1),
        (Handling, "### Across provinces", 1),
        (Part, "### Across provinces", 2),
        (Bundle, "## Bundles", 1),
        (Question, "### Questions", 1),
        (BundleStep, "### Steps", 1),
        (ItemVariant, "## Variants", 1),
        (BundleVariant, "## Variants", 2),
        (YearlyList, "## Yearly lists", 1),
        (ListBatch, "## Yearly lists", 2),
        (Division, "## Divisions", 1),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_catalogue_is_written_with_the_keys_that_the_page_names(
    kind: type[BaseModel], heading: str, table: int
) -> None:
    assert_keys_are_told(kind, "docs/catalogue.md", heading, table=table)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (Naming, "### Names"),
        (NextLevel, "### Levels without an authority"),
        (NamedAuthority, "### Authorities of another name"),
        (Delegation, "### Delegations"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_authorities_are_written_with_the_keys_that_the_page_names(kind: type[BaseModel], heading: str) -> None:
    assert_keys_are_told(kind, "docs/authorities.md", heading)


def assert_keys_are_told(kind: type[BaseModel], page: str, heading: str, *, table: int = 1) -> None:
    """The table names each key of an entry, what it means left out, and each word that it may be."""
    everywhere = set(Sourced.model_fields) if issubclass(kind, Sourced) else set()
    keys = {name: field for name, field in kind.model_fields.items() if name not in everywhere}
    found = {row[0].strip("`"): row[1:] for row in rows(page, heading, table=table)}
    assert {key: left_out for key, (left_out, _) in found.items()} == {
        name: "required" if field.is_required() else written(field.default) for name, field in keys.items()
    }
    enums = {name: set(get_args(field.annotation)) for name, field in keys.items() if is_enum(field.annotation)}
    assert {name: values - set(SYMBOL.findall(found[name][1])) - {""} for name, values in enums.items()} == {
        name: set() for name in enums
    }


def is_enum(annotation: Any) -> bool:
    return get_origin(annotation) is Literal


def written(default: Any) -> str:
    """A default as the page writes it."""
    if isinstance(default, tuple) and default:
        return f"`{json.dumps(default)}`"
    return "none" if default in ("", (), {}, None) else f"`{str(default).lower()}`"


def test_the_page_on_the_catalogue_names_what_every_entry_says() -> None:
    told = {row[0].strip("`"): row[1] for row in rows("docs/catalogue.md", "## Where it is from")}
    assert told.keys() == Sourced.model_fields.keys()
    assert set(get_args(Sourced.model_fields["status"].annotation)) <= set(SYMBOL.findall(told["status"]))
    assert {row[0].strip("`") for row in rows("docs/catalogue.md", "## Fields", table=2)} == set(SHAPES)


def test_the_page_on_the_catalogue_says_which_divisions_decide() -> None:
    told = {row[0].strip("`"): row[2] == "yes" for row in rows("docs/catalogue.md", "## Divisions", table=2)}
    kinds = get_args(Division.model_fields["kind"].annotation)
    assert told == {kind: Division(code="320000", name="-", kind=kind).is_routable for kind in kinds}


def test_the_page_on_the_catalogue_has_every_rule_with_what_to_do() -> None:
    found = rows("docs/catalogue.md", "## What check finds")
    assert [(row[0].strip("`"), row[2]) for row in found] == list(RULES.items())
    assert all(row[1] for row in found)


def test_the_page_on_who_decides_has_every_rule_and_every_refusal() -> None:
    found = rows("docs/authorities.md", "## What check finds")
    assert [(row[0].strip("`"), row[2]) for row in found] == list(DECIDING.items())
    told = {row[0].strip("`") for row in rows("docs/authorities.md", "## How it is found")}
    assert told == {each.code for each in (PlaceTooBroad, DivisionNotInForce, NobodyDecides)}


def test_the_page_on_the_catalogue_explains_what_the_guide_answers() -> None:
    found = [row[0].strip("`") for row in rows("docs/catalogue.md", "## What the guide answers")]
    assert found == list(keys_of(Guide))


def keys_of(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    """The keys of an answer, with those of its parts; questions are explained elsewhere."""
    for name, field in kind.model_fields.items():
        yield before + name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel) and not issubclass(part, Question):
                yield from keys_of(part, f"{before}{name}.")


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
    assert len(follow("docs/how-to/add-an-item.md", "diff", tmp_path)) == 1
    catalogue = load_catalogue(tmp_path / "config/catalogue")
    newborn, answers = catalogue.bundle("newborn"), {"household": "330106", "maternity_insurance": "no"}
    assert "vaccination_reminder" in [question.code for question in open_questions(catalogue, newborn, answers)]
    plans = [make_plan(catalogue, newborn, {**answers, **wish}, context=IN_COUNTY) for wish in ({}, REMINDED)]
    steps = {step.code: step for step in plans[1]}
    assert steps.keys() - {step.code for step in plans[0]} == {"vaccination_reminder"}
    assert steps["vaccination_reminder"].needs == ("vaccination_card",)
    forms = [{each.field.code for each in merge(catalogue, newborn, plan).fields} for plan in plans]
    assert forms[1] - forms[0] == {"reminder_channel"}


REMINDED = {"vaccination_reminder": "yes"}


def test_the_bundle_of_the_how_to_can_be_added(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    assert len(follow("docs/how-to/add-a-bundle.md", "toml", tmp_path)) == 1
    catalogue = load_catalogue(tmp_path / "config/catalogue")
    bundle = catalogue.bundle("social_security_card_services")
    plans = {
        state: make_plan(catalogue, bundle, {"insured": "330106", "card_state": state}, context=IN_COUNTY)
        for state in ("none", "lost", "worn")
    }
    assert {state: {step.code: step.needs for step in plan} for state, plan in plans.items()} == {
        "none": {"card_first_application": ()},
        "lost": {"card_loss_report": (), "card_replacement": ("card_loss_report",)},
        "worn": {"card_replacement": ()},
    }
    assert {step.division for plan in plans.values() for step in plan} == {"330106"}
    asked = open_questions(catalogue, bundle, {"card_state": "lost"})
    assert [question.code for question in asked] == ["insured", "remote_treatment_filing"]


def test_the_exceptions_of_the_page_on_who_decides_can_be_added(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config/regions", tmp_path / "config/regions")
    assert len(follow("docs/authorities.md", "toml", tmp_path)) == 1
    catalogue, folder = load_catalogue(ROOT / "config/catalogue"), tmp_path / "config/regions"
    divisions = load_divisions(folder)
    check_authorities(folder, catalogue, divisions)
    authorities = load_authorities(folder, divisions)
    told = {}
    for day in (date(2026, 12, 31), date(2027, 1, 1)):
        lines = deciders_in(authorities, catalogue, "330106", answers={}, on=day)
        told[day.year] = {item: line.name for line in lines for item in line.items}
    assert [told[year]["food_business_licence"] for year in told] == [
        "杭州市西湖区市场监督管理局",
        "杭州市西湖区行政审批局",
    ]
    assert [told[year]["pollution_permit"] for year in told] == ["杭州市生态环境局", "杭州市生态环境局西湖分局"]


def test_the_variant_of_the_how_to_can_be_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, config = "docs/how-to/add-a-variant.md", tmp_path / "config"
    shutil.copytree(ROOT / "config", config)
    (file,) = follow(page, "toml", tmp_path)
    catalogue = load_catalogue(config / "catalogue")
    newborn, answers = catalogue.bundle("newborn"), {"maternity_insurance": "no"}
    authorities = load_authorities(config / "regions", load_divisions(config / "regions"))
    context = IN_COUNTY.model_copy(update={"authorities": authorities})
    plans = [
        make_plan(catalogue, newborn, {**answers, "household": at}, context=context) for at in ("330106", "510106")
    ]
    shared = [merge(catalogue, newborn, plan).shared for plan in plans]
    assert ["mother_household_register" in each for each in shared] == [False, True]
    assert (catalogue.of("510000").bundle("newborn").promised_days, newborn.promised_days) == (3, 4)
    ((_, told),) = blocks(page, "console")
    folders = [str(ROOT / "config/catalogue"), str(config / "catalogue"), "--regions", str(config / "regions")]
    assert cli.run(["catalogue", "diff", *folders]) == 0
    assert capsys.readouterr().out == told.partition("\n")[2]
    (stricter,) = [body for path, body in blocks(page, "toml") if not path]
    file.write_text(file.read_text(encoding="utf-8") + "\n" + stricter, encoding="utf-8")
    with pytest.raises(BrokenData) as broken:
        load_catalogue(config / "catalogue")
    assert blocks(page, "text") == [("", str(broken.value).replace(f"{tmp_path}/", "") + "\n")]


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
    script = "from handlers import places, routes\nprint(*next(routes.rows((places.PlacesHandler,))).values())"
    assert run(script, tmp_path, tmp_path) == (
        "GET /api/v1/places anyone handlers.places.PlacesHandler server.desk.places.places 查看已接入的省份\n"
    )


def run(script: str, folder: Path, path: Path) -> str:
    """What a script prints, run in this folder with the code of that path."""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env={"PYTHONPATH": str(path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
