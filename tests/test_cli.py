"""The command line loads what a command needs, and no more; and each module has the commands that the table says."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from server import cli

SEARCHING = {"jieba", "bm25s", "numpy"}
OF_DOORS = {"handlers.routes", "handlers.cases", "handlers.desk"}
OTHER_COMMANDS = {"server.demo", "server.adopting", "server.staffing", "server.operating"}


def loaded_by(*modules: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after it has imported these."""
    script = f"import sys, json\nimport {', '.join(modules)}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    return set(json.loads(done.stdout))


def commands(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    (action,) = (each for each in parser._actions if isinstance(each.choices, dict))
    return tuple(action.choices)


def test_work_loads_neither_search_nor_doors_nor_other_commands() -> None:
    loaded = loaded_by("server.cli", "server.work")
    assert loaded & (SEARCHING | OF_DOORS | OTHER_COMMANDS) == set()


def test_a_process_that_serves_loads_no_other_command_and_the_search_with_its_index() -> None:
    loaded = loaded_by("server.cli", "server.answering")
    assert loaded & (SEARCHING | OTHER_COMMANDS) == set()
    assert loaded >= OF_DOORS


def test_the_supervisor_loads_neither_node_nor_doors() -> None:
    loaded = loaded_by("server.cli", "server.serving")
    assert loaded & (SEARCHING | OF_DOORS | OTHER_COMMANDS | {"server.main", "motor", "aiohttp"}) == set()


@pytest.mark.parametrize(("names", "load"), cli.MODULES.items(), ids=[names[0] for names in cli.MODULES])
def test_each_module_has_the_commands_that_the_table_says(names: tuple[str, ...], load: Callable[[], Any]) -> None:
    for name in names:
        assert set(commands(cli.build_parser(name))) == set(names)
    assert callable(load().add_arguments)


@pytest.mark.parametrize("first", ["", "--help", "nonsense"])
def test_without_a_command_all_are_told(first: str) -> None:
    told = commands(cli.build_parser(first))
    assert set(told) == {name for names in cli.MODULES for name in names}
    assert len(told) == len(set(told))


def test_a_command_that_does_not_exist_is_refused_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(["nonsense"])
    assert ended.value.code == 2
    assert "'work'" in capsys.readouterr().err
