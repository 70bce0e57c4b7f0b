"""The settings of one node: a TOML file, overlaid with `TONGBAN_*` variables of the environment."""

import base64
import binascii
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "TONGBAN_"
PATH_VARIABLE = PREFIX + "CONFIG"
TEST_PREFIX = PREFIX + "TEST_"
DEFAULT_PATH = Path("config/node.toml")
MOST_SLOTS = 64  # processes of one `serve`
LEAST_AUDIT_DAYS = 184  # six months, however they fall
SECRETS = frozenset({"platform_app_secret", "signing_app_secret"})
MONGODB_PORT, PORT_AT_END = 27017, re.compile(r":[0-9]+$")


class SettingsFault(ValueError):
    """Settings that a node cannot start with: where it was read (a file or a variable), the key, the reason."""

    def __init__(self, source: str, reason: str, *, key: str = "") -> None:
        super().__init__(f"{source}: {key}: {reason}" if key else f"{source}: {reason}")
        self.source = source
        self.key = key
        self.reason = reason


def _public_key(text: str) -> str:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as fault:
        raise ValueError("must be base64url") from fault
    if len(raw) != 32:
        raise ValueError("must be the 32 bytes of an Ed25519 public key in base64url")
    return text


def _long_enough(days: int) -> int:
    if days < LEAST_AUDIT_DAYS:
        raise ValueError(f"must be at least {LEAST_AUDIT_DAYS}: the law has such logs kept for six months")
    return days


BaseUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#\s@]+(/[^?#\s]*[^/?#\s])?$")]
WEIGHTY = r"^((end_officer|reset_officer|change_password)( (end_officer|reset_officer|change_password))*)?$"
Port = Annotated[int, Field(ge=0, le=65535)]
WholeSeconds = Annotated[int, Field(gt=0)]
AtOnce = Annotated[int, Field(ge=1, le=1024)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What an operator may choose; config/node.toml explains each key.

    Built directly it takes its arguments only; `load_settings` reads the file and the environment.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    division: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
    host: str = "127.0.0.1"
    port: Port = 8320
    work_port: Port = 8321
    slots_port: Annotated[int, Field(ge=0, le=65535 - MOST_SLOTS)] = 0
    origin: BaseUrl

    mongodb_uri: Annotated[str, StringConstraints(pattern=r"^mongodb(\+srv)?://"), Field(repr=False)]
    database: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,38}$")] = Field(
        default_factory=lambda earlier: f"tongban_{earlier['division']}"
    )
    data_folder: Path
    database_timeout_seconds: Seconds = 5.0

    keys_file: Path
    directory_file: Path
    publisher_key: Annotated[str, AfterValidator(_public_key)]
    catalogue_folder: Path = Path("config/catalogue")
    regions_folder: Path = Path("config/regions")
    notices_file: Path = Path("config/notices.toml")
    papers_folder: Path = Path("config/papers")
    seals_folder: Path | None = None
    paper_processes: Annotated[int, Field(ge=1, le=16)] = 1

    platform_url: BaseUrl
    platform_app_id: Annotated[str, StringConstraints(min_length=1)]
    platform_app_secret: SecretStr

    signing_url: BaseUrl | None = None
    signing_app_id: str = ""
    signing_app_secret: SecretStr = SecretStr("")
    signing_roots_file: Path | None = None

    access_token_seconds: WholeSeconds = 1800
    refresh_token_seconds: WholeSeconds = 2_592_000
    desk_session_seconds: WholeSeconds = 43_200
    desk_idle_seconds: WholeSeconds = 1800
    desk_totp: Literal["off", "optional", "required"] = "optional"
    weighty_acts: Annotated[str, StringConstraints(pattern=WEIGHTY)] = "end_officer reset_officer change_password"
    proof_seconds: WholeSeconds = 300
    password_characters: Annotated[int, Field(ge=8, le=64)] = 12
    claim_seconds: WholeSeconds = 900

    audit_keep_days: Annotated[int, Field(le=36_500), AfterValidator(_long_enough)] = LEAST_AUDIT_DAYS
    heads_keep_days: Annotated[int, Field(ge=1, le=36_500)] = 30
    draft_days: Annotated[int, Field(gt=0, le=366)] = 30

    idle_seconds: Seconds = 75.0
    body_grace_seconds: Seconds = 10.0
    body_least_rate: Annotated[int, Field(ge=1024)] = 8192

    citizens_at_once: AtOnce = 64
    officers_at_once: AtOnce = 32
    peers_at_once: AtOnce = 16
    most_wait_seconds: Seconds = 0.45

    push_connections: Annotated[int, Field(ge=0, le=100_000)] = 10_000
    push_connections_each: Annotated[int, Field(ge=1, le=100)] = 5
    push_poll_seconds: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 0.5
    push_ping_seconds: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 30.0

    poll_seconds: Seconds = 0.5
    rest_seconds: Seconds = 5.0
    relay_at_once: bool = True
    relay_due_seconds: Seconds = 5.0
    drain_seconds: Seconds = 10.0

    batch_letters: Annotated[int, Field(ge=1, le=200)] = 200
    peer_connect_seconds: Seconds = 3.0
    peer_total_seconds: Seconds = 15.0
    retry_first_seconds: Seconds = 1.0
    retry_most_seconds: Seconds = 600.0

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for less, more in (
            ("peer_connect_seconds", "peer_total_seconds"),
            ("retry_first_seconds", "retry_most_seconds"),
            ("access_token_seconds", "refresh_token_seconds"),
            ("desk_idle_seconds", "desk_session_seconds"),
        ):
            if getattr(self, less) > getattr(self, more):
                raise ValueError(f"{less} must not be longer than {more}")
        signing = (self.signing_app_id, self.signing_app_secret.get_secret_value(), self.signing_roots_file)
        if self.signing_url and not (self.seals_folder and all(signing)):
            needed = "seals_folder, signing_app_id, signing_app_secret and signing_roots_file"
            raise ValueError(f"signing_url needs {needed} beside it")
        for other in ("port", "work_port"):
            if self.slots_port and 0 <= getattr(self, other) - self.slots_port < MOST_SLOTS:
                raise ValueError(f"{other} must not be one of the {MOST_SLOTS} ports from slots_port on")
        return self

    @property
    def database_hosts(self) -> tuple[str, ...]:
        """The database servers that `mongodb_uri` names, as `name:port`, or the one name under which DNS has them."""
        scheme, _, rest = self.mongodb_uri.partition("://")
        names = rest.partition("/")[0].partition("?")[0].rpartition("@")[2].lower().split(",")
        is_by_dns = scheme.endswith("+srv")
        return tuple(name if is_by_dns or PORT_AT_END.search(name) else f"{name}:{MONGODB_PORT}" for name in names)

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments only: which file and which environment count is `load_settings`' business."""
        return (init_settings,)


def load_settings(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from the file at `path` (else `TONGBAN_CONFIG`, else config/node.toml) and the environment.

    A variable wins over the file. Raises SettingsFault, also for a key or a `TONGBAN_*` variable nobody knows.
    """
    environ = os.environ if environ is None else environ
    path = path or Path(environ.get(PATH_VARIABLE, DEFAULT_PATH))
    in_file = _read(path)
    in_environment = _overlay(environ)
    try:
        return Settings(**{**in_file, **in_environment})
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        key = str(first["loc"][0]) if first["loc"] else ""
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            reason = f"is not set; write it there or set {PREFIX}{key.upper()}"
        source = PREFIX + key.upper() if key in in_environment else str(path)
        raise SettingsFault(source, reason, key=key) from fault


def _read(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsFault(str(path), f"cannot be read: {fault.strerror}") from fault
    except ValueError as fault:
        raise SettingsFault(str(path), f"is not TOML: {fault}") from fault
    for key in values:
        if key not in Settings.model_fields:
            raise SettingsFault(str(path), "is not a setting", key=key)
        if key in SECRETS:
            raise SettingsFault(str(path), f"is a secret; set it by {PREFIX}{key.upper()}, not in a file", key=key)
    return values


def _overlay(environ: Mapping[str, str]) -> dict[str, str]:
    overlay = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX) or variable == PATH_VARIABLE:
            continue
        key = variable.removeprefix(PREFIX).lower()
        if key not in Settings.model_fields or variable != variable.upper():
            raise SettingsFault(variable, "is not a setting", key=key)
        overlay[key] = text
    return overlay
