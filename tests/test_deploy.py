"""The manifests of deploy/ are what Kubernetes takes, and say what code, image and settings say."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from handlers import routes
from regions.founding import found
from server.cli import build_parser
from server.crypto.keyring import load_keys
from server.supervising import LATE_SECONDS
from server.tools.settings import MONGODB_PORT, PREFIX, Settings, SettingsFault, load_settings
from tests.test_containers import KEY, argument_of
from tests.world import JIANGSU

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/how-to/deploy.md"
VERSIONS = ("1.30", str(kubernetes_validate.latest_version()))
SECRET_VALUES = {"publisher_key": KEY, "mongodb_uri": "mongodb://database", "platform_app_secret": "any"}
Manifest = Mapping[str, Any]


def manifests() -> list[Manifest]:
    files = sorted((ROOT / "deploy").glob("*.yaml"))
    return [each for file in files for each in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def of_kind(kind: str) -> list[Manifest]:
    found = [each for each in manifests() if each["kind"] == kind]
    assert found, kind
    return found


def pod_of(name: str) -> dict[str, Any]:
    (deployment,) = [each for each in of_kind("Deployment") if each["metadata"]["name"] == f"tongban-{name}"]
    return deployment["spec"]["template"]["spec"]


def container_of(name: str) -> dict[str, Any]:
    (container,) = pod_of(name)["containers"]
    return container


def settings_of(name: str) -> Settings:
    """The settings that a process starts with: of the image, of the ConfigMap, and made-up secrets."""
    (plain,) = [each["data"] for each in of_kind("ConfigMap")]
    referred = {one["name"]: SECRET_VALUES[reference(one)[2]] for one in container_of(name)["env"]}
    in_image = dict(pair.split("=", 1) for pair in argument_of("ENV").split())
    return load_settings(ROOT / "config/node.toml", in_image | plain | referred)


def reference(variable: Manifest) -> tuple[str, str, str]:
    """What a variable's value is taken from: the kind, the name, the key."""
    ((kind, source),) = variable["valueFrom"].items()
    return kind, source["name"], source["key"]


def mounts_of(container: Manifest) -> dict[str, str]:
    """The volume that is mounted at each place."""
    return {each["mountPath"]: each["name"] for each in container["volumeMounts"]}


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each container, with its pod."""
    for name in ("serve", "work"):
        pod = pod_of(name)
        for container in (*pod["initContainers"], *pod["containers"]):
            yield container, pod


both = pytest.mark.parametrize("name", ["serve", "work"])


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid_and_has_no_member_that_nobody_knows(version: str) -> None:
    taken = {kubernetes_validate.validate(each, version, strict=True) for each in manifests()}
    assert taken == {".".join(version.split(".")[:2])}, "by the rules of this version and no other"


def test_a_misspelt_member_would_be_found() -> None:
    wrong = deepcopy(dict(of_kind("Deployment")[0]))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_there_is_no_secret_in_the_repository() -> None:
    assert [each for each in manifests() if each["kind"] == "Secret"] == []
    (plain,) = [each["data"] for each in of_kind("ConfigMap")]
    assert {"TONGBAN_MONGODB_URI", "TONGBAN_PLATFORM_APP_SECRET", "TONGBAN_PUBLISHER_KEY"}.isdisjoint(plain)


@both
def test_a_process_starts_with_these_settings(name: str) -> None:
    settings = settings_of(name)
    assert settings.division == JIANGSU
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside the pod
    places = mounts_of(container_of(name))
    assert places[str(settings.data_folder)] == "files"
    assert places[str(settings.keys_file.parent)] == "keys"
    assert places[str(settings.directory_file.parent)] == "directory"


@both
def test_kubernetes_adds_no_variable_that_is_no_setting(name: str) -> None:
    services = [each["metadata"]["name"].replace("-", "_").upper() for each in of_kind("Service")]
    assert [each for each in services if each.startswith(PREFIX)], "else there would be nothing to switch off"
    with pytest.raises(SettingsFault, match="is not a setting"):
        load_settings(ROOT / "config/node.toml", {f"{services[0]}_PORT": "tcp://10.0.0.1:8320"})
    assert pod_of(name)["enableServiceLinks"] is False


@both
def test_ports_and_probes_are_those_of_the_process(name: str) -> None:
    container, settings = container_of(name), settings_of(name)
    port = settings.port if name == "serve" else settings.work_port
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    doors = {door.path for door in (routes.DOORS if name == "serve" else routes.FOR_OPERATORS)}
    asked = {each: container[f"{each}Probe"]["httpGet"] for each in ("startup", "readiness", "liveness")}
    assert {each["path"] for each in asked.values()} <= doors
    assert {each["port"] for each in asked.values()} == {"http"}
    assert asked["liveness"]["path"] == "/live"
    assert asked["readiness"]["path"] == asked["startup"]["path"] == "/ready"
    for each in ("startup", "readiness"):
        assert container[f"{each}Probe"]["timeoutSeconds"] > settings.database_timeout_seconds


def test_the_service_leads_to_the_port_of_serve() -> None:
    (service,) = of_kind("Service")
    (port,) = service["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (settings_of("serve").port, "http")


def test_the_network_is_open_for_the_ports_that_are_used() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in of_kind("NetworkPolicy")}
    assert "ingress" not in policies["tongban-nobody-else"]
    assert "egress" not in policies["tongban-nobody-else"]
    serve, work = settings_of("serve").port, settings_of("work").work_port
    assert ports_in(policies["tongban-balancer-to-serve"]["ingress"]) == {serve}
    assert ports_in(policies["tongban-monitoring"]["ingress"]) == {serve, work}
    assert ports_in(policies["tongban-outwards"]["egress"]) == {53, 443, MONGODB_PORT}


def ports_in(rules: list[Manifest]) -> set[int]:
    return {each["port"] for rule in rules for each in rule["ports"]}


@both
def test_the_command_is_one_behind_the_entry_point_of_the_image(name: str) -> None:
    container = container_of(name)
    assert "command" not in container
    build_parser().parse_args(container["args"])
    assert container["args"] == [name]


def test_every_container_is_the_user_of_the_image_and_writes_only_where_it_must() -> None:
    for container, pod in containers():
        context = pod["securityContext"]
        assert {str(context[each]) for each in ("runAsUser", "runAsGroup", "fsGroup")} == {argument_of("USER")}
        assert context["runAsNonRoot"] is True
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert pod["automountServiceAccountToken"] is False
    for name in ("serve", "work"):
        written = {each["name"] for each in container_of(name)["volumeMounts"] if not each.get("readOnly")}
        assert written == {"files", "scratch"}


@both
def test_the_key_file_becomes_the_users_own(name: str, tmp_path: Path) -> None:
    (copy,) = pod_of(name)["initContainers"]
    *command, source, target = copy["command"]
    volumes = {each["name"]: each for each in pod_of(name)["volumes"]}
    assert target == str(settings_of(name).keys_file)
    assert volumes[mounts_of(copy)[str(Path(source).parent)]]["secret"]["defaultMode"] == 0o440
    assert volumes[mounts_of(copy)[str(Path(target).parent)]]["emptyDir"]["medium"] == "Memory"
    found(tmp_path, {JIANGSU: "http://here"}, {JIANGSU: "江苏省"}, at=datetime.now(UTC))
    kept, own = tmp_path / f"{JIANGSU}.keys.json", tmp_path / "own.json"
    kept.chmod(0o440)
    with pytest.raises(Exception, match="open to others"):
        load_keys(kept)
    subprocess.run([*command, kept, own], check=True)
    assert load_keys(own).division == JIANGSU


@both
def test_a_process_is_killed_only_after_it_had_its_time_to_drain(name: str) -> None:
    hook = container_of(name).get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    assert hook[0] == "sleep"
    grace = pod_of(name)["terminationGracePeriodSeconds"]
    assert grace >= float(hook[1]) + settings_of(name).drain_seconds + LATE_SECONDS


def test_serve_answers_on_until_the_balancer_knows_that_it_ends() -> None:
    assert container_of("serve")["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]


def test_whoever_selects_pods_selects_those_that_there_are() -> None:
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in of_kind("Deployment")]
    selectors = [each["spec"]["selector"]["matchLabels"] for each in (*of_kind("Deployment"), *disruptions())]
    selectors += [each["spec"]["selector"] for each in of_kind("Service")]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in of_kind("NetworkPolicy")]
    for name in ("serve", "work"):
        selectors += [each["labelSelector"]["matchLabels"] for each in pod_of(name)["topologySpreadConstraints"]]
    for selector in selectors:
        assert any(selector.items() <= each.items() for each in labels), selector


def disruptions() -> list[Manifest]:
    return of_kind("PodDisruptionBudget")


def test_machines_can_be_emptied_and_no_process_is_alone() -> None:
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in of_kind("Deployment")}
    assert {each["metadata"]["name"] for each in disruptions()} == set(replicas)
    for each in disruptions():
        spec, count = each["spec"], replicas[each["metadata"]["name"]]
        left = spec["minAvailable"] if "minAvailable" in spec else count - spec["maxUnavailable"]
        assert 1 <= left < count


def test_all_pods_share_the_files() -> None:
    (claim,) = of_kind("PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    for name in ("serve", "work"):
        (files,) = [each for each in pod_of(name)["volumes"] if each["name"] == "files"]
        assert files["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_one_image_runs_everywhere_and_each_container_says_what_it_needs() -> None:
    assert len({container["image"] for container, _ in containers()}) == 1
    for container, _ in containers():
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}
        assert set(container["resources"]["limits"]) == {"memory"}


def test_the_page_makes_all_that_the_manifests_refer_to() -> None:
    commands = re.sub(r"\\\n\s*", "", PAGE.read_text(encoding="utf-8"))
    made = {
        (kind, name): set(re.findall(r"--from-(?:file|literal)=([\w.]+)=", more))
        for kind, name, more in re.findall(r"kubectl create (secret generic|configmap) ([\w-]+)(.*)", commands)
    }
    kinds = {"secretKeyRef": "secret generic", "configMapKeyRef": "configmap"}
    for name in ("serve", "work"):
        for variable in container_of(name)["env"]:
            kind, where, key = reference(variable)
            assert key in made[kinds[kind], where]
        volumes = {each["name"]: each for each in pod_of(name)["volumes"]}
        source = Path(pod_of(name)["initContainers"][0]["command"][-2])
        assert source.name in made["secret generic", volumes["secret"]["secret"]["secretName"]]
        assert settings_of(name).directory_file.name in made["configmap", volumes["directory"]["configMap"]["name"]]


def test_the_page_names_every_file() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [each.name for each in (ROOT / "deploy").iterdir() if f"deploy/{each.name}" not in text] == []
