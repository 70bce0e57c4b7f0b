"""What keeps a demo from starting is said in a plain sentence, at once."""

import ast
import json
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from server.cli import run
from server.demo.database import locked
from server.demo.folder import DATA_FORMAT, keep_plan, new_plan, ports_from
from server.demo.people import DemoOfficer
from server.demo.ports import HOST, PortInUse, reserved, reserved_lasting
from server.store.format import NUMBER
from server.tools import python

ROOT = Path(__file__).parents[2]
NOBODY: dict[str, list[DemoOfficer]] = {"320000": [], "330000": []}


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a demo that cannot start says."""
    assert run(["demo", *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    return shown.err


@pytest.fixture(autouse=True)
def no_database_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)


@pytest.mark.parametrize("options", [["--once", "--json"], ["--json"]])
def test_a_data_folder_in_use_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str]
) -> None:
    with locked(tmp_path):
        said = complaint(capsys, *options, "--keep", str(tmp_path))
    assert said == f"tongban: The data folder {tmp_path} is in use by another process.\n"


@pytest.mark.parametrize("options", [["--once", "--keep", "kept"], ["--json"]])
def test_a_fault_without_a_story_of_its_own_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = complaint(capsys, "--fault", "cut", *options)
    assert said.startswith("tongban: --fault belongs to a story in a folder of its own")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [5, 0, 1, 10, 11])
def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str], place: int) -> None:
    with ExitStack() as stack:
        first = first_of_free_ports(stack)
        listener = stack.enter_context(socket.socket())
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):  # as the nodes of another demo have it
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((HOST, first + place))
        listener.listen()
        said = complaint(capsys, "--once", "--json", "--port", str(first))
    taken = f"Port {first + place} of 127.0.0.1 is taken by another process"
    assert said == f"tongban: {taken}; choose others with --port.\n"


def first_of_free_ports(stack: ExitStack) -> int:
    """The first of such ports as a demo asks for, all of them reserved until the stack is closed."""
    while True:
        with ExitStack() as trying, suppress(PortInUse):
            first = trying.enter_context(reserved_lasting())
            for port in set(ports_from(first, 2)) - {first}:
                trying.enter_context(reserved(port))
            stack.push(trying.pop_all())
            return first


def test_a_database_that_does_not_answer_is_named_without_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind((HOST, 0))
        place = f"{HOST}:{silent.getsockname()[1]}"
        monkeypatch.setenv("MONGODB_URI", f"mongodb://user:se%40cret@{place},[::1]:1/?replicaSet=rs0")
        said = complaint(capsys, "--once", "--json")
    assert said == f"tongban: No database answers at {place},[::1]:1, the address in MONGODB_URI.\n"


def test_an_address_that_is_no_database_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URI", "postgresql://somewhere")
    assert complaint(capsys) == "tongban: MONGODB_URI must begin with mongodb:// or mongodb+srv://.\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nodes", "3"], "holds a demo of 2 nodes, not of 3."),
        (["--port", "9000"], "holds a demo at port 8900, which its nodes know each other by."),
    ],
)
def test_a_kept_demo_is_not_changed_by_other_options(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str], said: str
) -> None:
    keep_plan(new_plan(NOBODY, ports=ports_from(8900, 2)), tmp_path)
    assert complaint(capsys, *options, "--keep", str(tmp_path)) == f"tongban: The folder {tmp_path} {said}\n"


def test_a_folder_with_a_broken_description_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{}")
    said = complaint(capsys, "--keep", str(tmp_path))
    assert said == f"tongban: {tmp_path / 'demo.json'} is not the description of a demo; choose another folder.\n"


@pytest.mark.parametrize(("data_format", "held"), [(None, "version 0.1"), (3, "data format 3")])
def test_a_folder_of_another_version_is_refused_and_left_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data_format: int | None, held: str
) -> None:
    with locked(tmp_path):  # as the demo did that left this folder
        keep_plan(new_plan(NOBODY, ports=ports_from(8900, 2)), tmp_path)
    file = tmp_path / "demo.json"
    described = {**json.loads(file.read_bytes()), "data_format": data_format}
    file.write_text(json.dumps({name: value for name, value in described.items() if value is not None}))
    before = contents(tmp_path)
    assert complaint(capsys, "--once", "--json", "--keep", str(tmp_path)) == (
        f"tongban: demo_of_another_version: The folder {tmp_path} holds a demo of {held}, and this program reads data "
        "format 5 only. Nothing in it was changed. Choose another folder, or remove this one yourself.\n"
    )
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    """Each file with what stands in it and when it was last written."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_a_demo_names_the_format_that_its_nodes_mark() -> None:
    assert DATA_FORMAT == NUMBER


def test_keys_that_no_demo_made_are_never_overwritten(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    key = tmp_path / "keys" / "publisher.json"
    key.parent.mkdir()
    key.write_text("of somebody else")
    said = complaint(capsys, "--once", "--json", "--keep", str(tmp_path))
    assert said.startswith("tongban: `keys make` failed: tongban: ")
    assert "publisher.json" in said
    assert key.read_text() == "of somebody else"
    with locked(tmp_path / "database"):
        assert not (tmp_path / "demo.json").exists()


@pytest.mark.parametrize(
    "options", [["--nodes", "1"], ["--nodes", "6"], ["--nodes", "two"], ["--port", "70000"], ["--counties", "101"]]
)
def test_options_out_of_range_are_a_wrong_command_line(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run(["demo", *options])
    assert left.value.code == 2
    assert options[1] in capsys.readouterr().err


def test_an_old_python_is_refused_with_the_version_that_will_do() -> None:
    with pytest.raises(SystemExit) as left:
        python.refuse_older((3, 9, 18))
    assert left.value.code == ("tongban: Python 3.11 or newer is needed, and this is 3.9. Try: python3.11 -m server")
    python.refuse_older((3, 11, 0))


def test_an_old_python_can_read_all_that_runs_before_it_is_refused() -> None:
    main = ROOT / "server/__main__.py"
    for path in (ROOT / "server/__init__.py", ROOT / "server/tools/__init__.py", Path(python.__file__), main):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 5))
    imports = [node for node in ast.parse(main.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports[:2]] == ["import sys", f"import {python.__name__}"]
