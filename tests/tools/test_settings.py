"""A node's settings are read from a file and the environment, or refused with the place and the reason."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.tools.settings import Settings, SettingsFault, load_settings

KEY = "A" * 43
SAMPLE = Path(__file__).parents[2] / "config/node.toml"
SECRET = {"TONGBAN_PLATFORM_APP_SECRET": "hush"}
ENOUGH = f"""
division = "330000"
origin = "http://127.0.0.1:8320"
mongodb_uri = "mongodb://127.0.0.1:27017"
data_folder = "blobs"
keys_file = "keys.json"
directory_file = "directory.jws"
publisher_key = "{KEY}"
platform_url = "http://127.0.0.1:9000"
platform_app_id = "wx1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "node.toml"
    path.write_text(ENOUGH, encoding="utf-8")
    return path


def refused(file: Path, environ: dict[str, str]) -> SettingsFault:
    with pytest.raises(SettingsFault) as caught:
        load_settings(file, environ)
    return caught.value


def test_a_file_and_a_secret_are_enough(file: Path) -> None:
    settings = load_settings(file, SECRET)
    assert settings.division == "330000"
    assert settings.database == "tongban_330000"
    assert settings.port == 8320
    assert settings.platform_app_secret.get_secret_value() == "hush"


def test_the_sample_needs_only_what_it_says_it_needs() -> None:
    settings = load_settings(SAMPLE, SECRET | {"TONGBAN_PUBLISHER_KEY": KEY})
    assert (settings.division, settings.port, settings.work_port) == ("320000", 8320, 8321)
    assert "TONGBAN_PUBLISHER_KEY" in str(refused(SAMPLE, SECRET))


def test_the_sample_shows_the_defaults_as_they_are() -> None:
    settings = load_settings(SAMPLE, SECRET | {"TONGBAN_PUBLISHER_KEY": KEY})
    for name, field in Settings.model_fields.items():
        if not field.is_required() and field.default_factory is None:
            assert getattr(settings, name) == field.default, name


def test_a_variable_wins_over_the_file(file: Path) -> None:
    settings = load_settings(file, SECRET | {"TONGBAN_DIVISION": "340000", "TONGBAN_RELAY_AT_ONCE": "false"})
    assert settings.division == "340000"
    assert settings.database == "tongban_340000"
    assert settings.relay_at_once is False


def test_the_path_variable_names_the_file(file: Path) -> None:
    assert load_settings(environ=SECRET | {"TONGBAN_CONFIG": str(file)}).division == "330000"


def test_other_variables_and_those_of_tests_are_passed_over(file: Path) -> None:
    assert load_settings(file, SECRET | {"PATH": "/bin", "TONGBAN_TEST_NOISE": "1"}).division == "330000"


def test_settings_built_by_hand_do_not_read_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(file, SECRET).model_dump()
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("TONGBAN_PORT", "1")
    assert Settings(**given).port == 8320


def test_settings_do_not_change(file: Path) -> None:
    settings = load_settings(file, SECRET)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1


@pytest.mark.parametrize(
    ("uri", "hosts"),
    [
        ("mongodb://127.0.0.1", ("127.0.0.1:27017",)),
        ("mongodb://user:p%40ss@A.example,b.example:27018/x?replicaSet=s", ("a.example:27017", "b.example:27018")),
        ("mongodb://[::1]:27019/?replicaSet=s", ("[::1]:27019",)),
        ("mongodb+srv://user@cluster.example/", ("cluster.example",)),
    ],
)
def test_the_database_servers_are_told_without_what_is_secret(file: Path, uri: str, hosts: tuple[str, ...]) -> None:
    assert load_settings(file, SECRET | {"TONGBAN_MONGODB_URI": uri}).database_hosts == hosts


def test_secrets_do_not_show(file: Path) -> None:
    environ = SECRET | {"TONGBAN_MONGODB_URI": "mongodb://clerk:sesame@127.0.0.1"}
    shown = repr(load_settings(file, environ))
    assert "hush" not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize(
    ("line", "key", "reason"),
    [
        ("colour = 1", "colour", "is not a setting"),
        ("port = 70000", "port", "less than or equal to 65535"),
        ('signing_url = "http://x"', "", "signing_url needs seals_folder"),
        ('signing_app_secret = "hush"', "signing_app_secret", "set it by TONGBAN_SIGNING_APP_SECRET"),
        ('platform_app_secret = "hush"', "platform_app_secret", "set it by TONGBAN_PLATFORM_APP_SECRET"),
        ("retry_first_seconds = 601.0", "", "retry_first_seconds must not be longer than retry_most_seconds"),
        ("slots_port = 8300", "", "port must not be one of the 64 ports from slots_port on"),
        ("slots_port = 8321", "", "work_port must not be one of the 64 ports from slots_port on"),
        ("slots_port = 65500", "slots_port", "less than or equal to 65471"),
        ("drain_seconds = inf", "drain_seconds", "finite"),
        ("audit_keep_days = 183", "audit_keep_days", "at least 184: the law has such logs kept for six months"),
        ("[port]", "port", "valid integer"),
    ],
)
def test_a_fault_in_the_file_names_file_key_and_reason(file: Path, line: str, key: str, reason: str) -> None:
    file.write_text(f"{ENOUGH}{line}\n", encoding="utf-8")
    fault = refused(file, SECRET)
    assert fault.source == str(file)
    assert fault.key == key
    assert reason in fault.reason
    assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("TONGBAN_COLOUR", "red", "is not a setting"),
        ("TONGBAN_port", "8320", "is not a setting"),
        ("TONGBAN_PORT", "many", "valid integer"),
        ("TONGBAN_DIVISION", "32", "match pattern"),
        ("TONGBAN_ORIGIN", "http://127.0.0.1:8320/", "match pattern"),
        ("TONGBAN_PUBLISHER_KEY", "A" * 42, "32 bytes"),
        ("TONGBAN_PUBLISHER_KEY", "不是", "base64url"),
        ("TONGBAN_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("TONGBAN_POLL_SECONDS", "0", "greater than 0"),
    ],
)
def test_a_fault_in_the_environment_names_the_variable(file: Path, variable: str, text: str, reason: str) -> None:
    fault = refused(file, SECRET | {variable: text})
    assert fault.source == variable
    assert reason in str(fault)


def test_a_missing_key_names_the_file_and_the_variable(file: Path) -> None:
    fault = refused(file, {})
    assert fault.key == "platform_app_secret"
    assert "TONGBAN_PLATFORM_APP_SECRET" in str(fault)


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in str(refused(tmp_path / "none.toml", SECRET))
    broken = tmp_path / "broken.toml"
    broken.write_text("port = = 1", encoding="utf-8")
    assert "is not TOML" in str(refused(broken, SECRET))
