"""Dockerfile and compose.yaml say what the code says."""

import json
import re
import shlex
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtests.plan import Target, plan_from, read_target
from server.cli import build_parser
from server.demo import platform
from server.tools.publications import load_divisions
from server.tools.settings import PREFIX, Settings, load_settings
from tests.house.house import House

ROOT = Path(__file__).parents[1]
NODES = {"jiangsu": "320000", "zhejiang": "330000"}
PROCESSES = {name + suffix: division for name, division in NODES.items() for suffix in ("", "-work")}
KEY = "A" * 43
LOCKS = ("runtime", "papers")


def dockerfile() -> list[tuple[str, str]]:
    """The instructions of the last stage, in their order, each with its argument on one line."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    steps = [line.strip().partition(" ") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    instructions = [(name, argument) for name, _, argument in steps]
    last = max(place for place, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[last:]


def argument_of(name: str) -> str:
    (argument,) = [argument for one, argument in dockerfile() if one == name]
    return argument


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def settings_of(process: str) -> Settings:
    """The settings that a process of compose.yaml starts with."""
    environ = {
        name: re.sub(r"\$\{(\w+):.*\}", lambda _: KEY, text)
        for name, text in compose()["services"][process]["environment"].items()
    }
    in_image = dict(pair.split("=", 1) for pair in argument_of("ENV").split())
    return load_settings(ROOT / "config/node.toml", in_image | environ)


def needed_by_the_command() -> tuple[set[str], set[str]]:
    """What `python -m server` imports, near or far: our top folders, and the packages of others."""
    house = House(ROOT)
    ahead, ours, others = ["server.__main__"], set[str](), set[str]()
    while ahead:
        module = ahead.pop()
        if module in ours or module not in house.by_module:
            continue
        ours.add(module)
        for one in house.imports(house.by_module[module]):
            ahead.append(one.module)
            others.add(one.module.split(".")[0])
    return {module.split(".")[0] for module in ours}, others


def test_the_image_has_all_of_the_code_compiled() -> None:
    """Its user may write nothing, so that each process would compile it anew at each start."""
    instructions = dockerfile()
    (place,) = [place for place, (name, argument) in enumerate(instructions) if "-m compileall" in argument]
    copied = [argument.split()[0] for name, argument in instructions[:place] if name == "COPY"]
    compiled = set(instructions[place][1].split()) & set(copied)
    assert compiled == needed_by_the_command()[0]


def test_every_variable_is_a_setting() -> None:
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("Dockerfile", "compose.yaml"))
    variables = set(re.findall(rf"{PREFIX}[A-Z][A-Z_]*", text))
    assert len(variables) > 5
    assert {variable.removeprefix(PREFIX).lower() for variable in variables} <= set(Settings.model_fields)


@pytest.mark.parametrize(("process", "division"), PROCESSES.items())
def test_a_process_starts_with_settings_of_its_own_province(process: str, division: str) -> None:
    settings = settings_of(process)
    name = process.removesuffix("-work")
    assert settings.division == division
    assert settings.origin == f"http://{name}:{settings.port}"
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside the container
    assert settings.platform_url == f"http://platform:{stand_in().port}"


@pytest.mark.parametrize(("process", "division"), PROCESSES.items())
def test_a_process_sees_the_keys_of_its_own_province_only(process: str, division: str) -> None:
    settings = settings_of(process)
    mounts = [volume.split(":") for volume in compose()["services"][process]["volumes"]]
    targets = {target: source for source, target, *_ in mounts}
    assert targets[str(settings.keys_file)] == f"./var/keys/{division}.keys.json"
    assert targets[str(settings.directory_file)] == "./var/keys/directory.jws"
    assert str(settings.data_folder) in targets
    assert [mode for source, _, *mode in mounts if source.startswith("./")] == [["ro"], ["ro"]]


def test_ports_are_those_of_the_settings() -> None:
    defaults = {name: Settings.model_fields[name].default for name in ("port", "work_port")}
    assert set(argument_of("EXPOSE").split()) == {str(port) for port in defaults.values()}
    assert f"127.0.0.1:{defaults['port']}/live" in argument_of("HEALTHCHECK")
    services = compose()["services"]
    for name in NODES:
        (published,) = services[name]["ports"]
        assert re.fullmatch(rf"127\.0\.0\.1:\d+:{defaults['port']}", published)
        assert f"127.0.0.1:{defaults['work_port']}/live" in services[f"{name}-work"]["healthcheck"]["test"][-1]
        assert {settings_of(process).port for process in (name, f"{name}-work")} == {defaults["port"]}
        assert {settings_of(process).work_port for process in (name, f"{name}-work")} == {defaults["work_port"]}


def test_the_health_checks_ask_a_door_that_exists() -> None:
    doors = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "handlers").glob("*.py"))
    assert '"/live"' in doors


def test_the_commands_exist() -> None:
    assert json.loads(argument_of("ENTRYPOINT")) == ["python", "-m", "server"]
    commands = [json.loads(argument_of("CMD"))]
    commands += [compose()["services"][process]["command"] for process in PROCESSES]
    assert [command[0] for command in commands] == ["serve", "serve", "work", "serve", "work"]
    for command in commands:
        build_parser().parse_args(command)


@pytest.mark.parametrize("file", ["Dockerfile", "compose.yaml", "config/node.toml"])
def test_the_commands_in_the_comments_exist(file: str) -> None:
    shown = re.findall(r"python -m server ([^`#\n]+)", (ROOT / file).read_text(encoding="utf-8"))
    assert shown
    for command in shown:
        build_parser().parse_args(shlex.split(command))


def test_the_keys_command_of_the_comment_names_the_nodes_as_their_settings_do() -> None:
    (shown,) = re.findall(r"python -m server keys make (.+)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    named = re.findall(r"--node (\d{6})=(\S+)", shown)
    assert named == [(settings_of(name).division, settings_of(name).origin) for name in NODES]


def stand_in() -> Any:
    service = compose()["services"]["platform"]
    assert service["entrypoint"] == ["python", "-m", platform.__name__]
    return platform.build_parser().parse_args(service["command"])


def test_the_stand_in_knows_citizens(tmp_path: Path) -> None:
    (mounted,) = compose()["services"]["platform"]["configs"]
    assert mounted["target"] == str(stand_in().citizens)
    file = tmp_path / "citizens.json"
    file.write_text(compose()["configs"][mounted["source"]]["content"], encoding="utf-8")
    assert len({citizen.code for citizen in platform.read_citizens(file)}) == 2


def test_the_database_is_the_replica_set_that_the_nodes_ask_for() -> None:
    mongo = compose()["services"]["mongo"]
    name = mongo["command"][mongo["command"].index("--replSet") + 1]
    assert f"_id: '{name}'" in mongo["healthcheck"]["test"][-1]
    for process in PROCESSES:
        assert settings_of(process).mongodb_uri == f"mongodb://mongo:27017/?replicaSet={name}"
        assert compose()["services"][process]["depends_on"] == {"mongo": {"condition": "service_healthy"}}
    assert len({settings_of(name).database for name in NODES}) == len(NODES)


LOAD = ("load-master", "load-worker")


def load_target() -> Target:
    return Target(json.loads(compose()["configs"]["load-target"]["content"]))


def test_a_load_run_is_a_profile_of_its_own_and_the_rest_none() -> None:
    services = compose()["services"]
    assert {name for name, service in services.items() if service.get("profiles") == ["load"]} == set(LOAD)
    assert not any("profiles" in services[name] for name in services.keys() - set(LOAD))


@pytest.mark.parametrize("name", LOAD)
def test_a_load_process_is_the_pinned_locust_and_runs_a_plan_on_the_target(name: str) -> None:
    service = compose()["services"][name]
    assert f"{service['image'].replace('locustio/locust:', 'locust==')} " in read("requirements/load.txt")
    environ = {key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", text) for key, text in service["environment"].items()}
    plan = plan_from(environ)
    assert plan.workers == compose()["services"]["load-worker"]["scale"]
    assert plan.mix == "public"
    assert service["configs"] == [{"source": "load-target", "target": str(plan.target)}]
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert mounts["./loadtests"] == f"{service['working_dir']}/loadtests"
    assert environ["PYTHONPATH"] == service["working_dir"]
    assert str(plan.kept).startswith(mounts["./var/loadtests"] + "/")
    command = service["command"] if isinstance(service["command"], list) else shlex.split(service["command"])
    assert (ROOT / command[command.index("-f") + 1]).is_file()


def test_the_target_of_a_load_run_is_what_compose_starts(tmp_path: Path) -> None:
    target = load_target()
    (tmp_path / "target.json").write_text(json.dumps(target.described), encoding="utf-8")
    assert read_target(tmp_path / "target.json", mix="public").described == target.described
    assert [target.base_url(place) for place in (0, 1)] == [settings_of(name).origin for name in NODES]
    assert target.described["app_id"] == settings_of("jiangsu").platform_app_id
    known = json.loads(compose()["configs"]["citizens"]["content"])
    assert target.citizens == [{key: each[key] for key in target.citizens[0]} for each in known]
    divisions = load_divisions(ROOT / "config/regions")
    for place in (0, 1):
        assert all(divisions.by_code[code].kind == "county" for code in target.counties(place))


def test_a_process_is_killed_only_after_it_had_its_time_to_drain() -> None:
    for process in PROCESSES:
        grace = compose()["services"][process]["stop_grace_period"]
        assert float(grace.removesuffix("s")) > settings_of(process).drain_seconds


def test_the_image_does_not_run_as_root() -> None:
    instructions = [name for name, _ in dockerfile()]
    assert argument_of("USER") not in {"root", "0", ""}
    assert instructions.index("USER") > max(place for place, name in enumerate(instructions) if name == "COPY")


def test_the_image_has_the_folders_that_the_command_needs() -> None:
    copied = {argument.split()[0] for name, argument in dockerfile() if name == "COPY" and "--from" not in argument}
    ours, _ = needed_by_the_command()
    assert copied == ours | {"config"}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert allowed == copied | {f"requirements/{name}.txt" for name in LOCKS}


def test_the_image_has_the_packages_that_the_command_needs() -> None:
    locked = "".join(read(f"requirements/{name}.txt") for name in LOCKS)
    names = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", locked, re.MULTILINE)}
    _, others = needed_by_the_command()
    origins = packages_distributions()
    needed = {origins[module][0].lower().replace("_", "-") for module in others if module in origins}
    assert "tornado" in needed
    assert needed <= names


def test_the_image_installs_only_what_is_pinned_by_hash_and_names_no_registry() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (install,) = re.findall(r"pip install (.*)", re.sub(r"\\\n\s*", "", text))
    assert f"--require-hashes {' '.join(f'-r /build/{name}.txt' for name in LOCKS)}" in install
    assert all(f"COPY requirements/{name}.txt /build/{name}.txt" in text for name in LOCKS)
    assert re.findall(r"^ARG (.*)", text, re.MULTILINE) == ["BASE=python:3.12-slim"]
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert not re.search(r"index-url|--trusted-host|pip\.conf", text)
