"""Founding: the values of which simulated nodes are made; keys and directory are made of the divisions alone."""

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import SecretStr

from regions.founding import entry_of
from server.crypto.fields import FieldRing
from server.crypto.integrity import IntegrityRing
from server.crypto.keyring import NodeKeys
from server.crypto.suites import EncryptionKey, SigningKey
from server.domain.catalogue.authorities import Authorities
from server.domain.catalogue.bundles import Bundle, BundleStep
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.divisions import Division, Divisions
from server.domain.catalogue.items import Competence, Field, FieldNeed, Item, LevelRule, Need
from server.domain.catalogue.naming import Naming
from server.domain.catalogue.peaks import Peaks
from server.domain.catalogue.pinning import Competent, PinnedAuthority
from server.domain.catalogue.plan import PlannedStep
from server.domain.catalogue.terms import Terms
from server.domain.catalogue.windows import Windows
from server.domain.exchange.directory import Directory
from server.domain.values import in_milliseconds
from server.node import Node, Places, Published
from server.store.database import Database
from server.store.store import open_store
from server.tools.clock import Clock
from server.tools.metrics import Metrics
from server.tools.settings import Settings
from server.tools.wire import Wire
from tests.world import CALENDAR, SAMPLE

NODES = ("320000", "330000", "440000", "510000", "110000", "310000", "420000", "350000")
BEGINS = datetime.fromisoformat("2026-11-23T14:00:00Z")  # a Monday, 22:00 in China
VERSION = "2026.1"
DEPARTMENT = "health"
STEPS = ("first", "second")


def _item(code: str) -> Item:
    return Item(
        code=code,
        name=f"事项{code}",
        type="service",
        department=DEPARTMENT,
        jurisdiction="home",
        competence=Competence(levels=(LevelRule(level="province"),), **SAMPLE),
        fields=(FieldNeed(code="subject_name"),),
        yields_fields=(Need(code=f"{code}_number"),),
        legal_days=20,
        promised_days=10,
        supplement_days=1,
        **SAMPLE,
    )


def _field(code: str) -> Field:
    return Field(code=code, name=code, type="text", group="g", sensitivity="ordinary", **SAMPLE)


CATALOGUE = Catalogue(
    version=VERSION,
    departments={DEPARTMENT: "卫生健康"},
    results={},
    fields=tuple(_field(code) for code in ("subject_name", "first_number", "second_number")),
    materials=(),
    items=tuple(_item(code) for code in STEPS),
    bundles=(
        Bundle(
            code="arrival",
            name="一件事",
            summary="tests",
            subject="person",
            stage="birth",
            lead=DEPARTMENT,
            questions=(),
            steps=tuple(BundleStep(item=code) for code in STEPS),
            legal_days=30,
            promised_days=20,
            **SAMPLE,
        ),
    ),
    **SAMPLE,
)
ORGANS = Naming(department=DEPARTMENT, province="{place}卫生健康委员会", **SAMPLE)
DIVISIONS = Divisions(
    known_to=BEGINS.date(),
    divisions=tuple(Division(code=code, name=f"省{code}", kind="province") for code in NODES),
    **SAMPLE,
)
AUTHORITIES = Authorities(divisions=DIVISIONS, namings=(ORGANS,))
PUBLISHED = Published(
    catalogue=CATALOGUE,
    field_types={field.code: field.type for field in CATALOGUE.fields},
    lists=(),
    divisions=DIVISIONS,
    authorities=AUTHORITIES,
    windows=Windows(),
    calendar=CALENDAR,
    undertakings=(),
    peaks=Peaks(),
    templates=SimpleNamespace(),  # type: ignore[arg-type] # nobody sends notices here
)


class DrawnChance:
    """Chance that is drawn from the seed."""

    def __init__(self, drawn: random.Random) -> None:
        self._drawn = drawn

    def token(self, length: int) -> bytes:
        return self._drawn.randbytes(length)


class VirtualClock:
    """The clock of a node: virtual time, and how far this node is off, in seconds."""

    machine = "simulated"

    def __init__(self, seconds: Any) -> None:
        self._seconds = seconds
        self.off = 0.0

    def now(self) -> datetime:
        return in_milliseconds(BEGINS + timedelta(seconds=self._seconds() + self.off))


@cache
def keys_of(division: str) -> NodeKeys:
    """Keys that are no secret: made of the division's code."""

    def secret(name: str) -> bytes:
        return hashlib.sha256(f"{division} {name}".encode()).digest()

    def signing(name: str) -> SigningKey:
        return SigningKey(f"{division}-{name}-1", Ed25519PrivateKey.from_private_bytes(secret(name)))

    ring, proofs = f"{division}-fields-1", f"{division}-integrity-1"
    return NodeKeys(
        division=division,
        signing=signing("sign"),
        encryption=EncryptionKey(f"{division}-encrypt-1", X25519PrivateKey.from_private_bytes(secret("encrypt"))),
        tokens=signing("tokens"),
        fields=FieldRing({ring: secret("fields")}, ring),
        integrity=IntegrityRing({proofs: secret("integrity")}, proofs),
        lookup=secret("lookup"),
        case_ids=secret("case_ids"),
        materials=secret("materials"),
    )


def origin_of(division: str) -> str:
    """Where a node is found on the simulated wire."""
    return f"https://{division}.example"


@cache
def directory_of(divisions: Sequence[str]) -> Directory:
    """The directory of these nodes, each deciding for its province."""
    at = BEGINS - timedelta(days=1)
    nodes = tuple(entry_of(keys_of(each), origin_of(each), each, at=at) for each in divisions)
    return Directory(version=1, issued_at=at, nodes=nodes)


@cache
def settings_of(division: str, batch_letters: int) -> Settings:
    """The settings of a node; what is a path or an address is used by nobody."""
    return Settings(
        division=division,
        batch_letters=batch_letters,
        origin=origin_of(division),
        mongodb_uri="mongodb://127.0.0.1/",
        data_folder=Path("unused"),
        keys_file=Path("unused"),
        directory_file=Path("unused"),
        publisher_key="A" * 43,
        platform_url="https://platform.example",
        platform_app_id="unused",
        platform_app_secret=SecretStr("unused"),
    )


@cache
def metrics_of(division: str) -> Metrics:
    """The counters of a node; they go on over all runs, and no rule reads them."""
    return Metrics()


def node_of(
    division: str, divisions: Sequence[str], database: Database, *, batch_letters: int = 200, **edges: Any
) -> Node:
    """One node value for one process: `clock`, `chance`, `wire` and `log` come with the edges."""
    settings = settings_of(division, batch_letters)
    keys = keys_of(division)
    store = open_store(
        database, keys, settings.data_folder, here=division, relay_due_seconds=settings.relay_due_seconds
    )
    chance: DrawnChance = edges["chance"]
    wire: Wire = edges["wire"]
    clock: Clock = edges["clock"]
    return Node(
        settings=settings,
        published=PUBLISHED,
        places=Places(directory_of(tuple(divisions))),
        store=store,
        keys=keys,
        tokens=SimpleNamespace(),  # type: ignore[arg-type] # nobody logs in
        clock=clock,
        chance=chance,
        platform=SimpleNamespace(),  # type: ignore[arg-type] # nor asks the platform
        wire=wire,
        metrics=metrics_of(division),
        log=edges["log"],
    )


def planned(code: str, division: str, *, home: str, needs: Sequence[str] = ()) -> PlannedStep:
    """A step of an item, decided in this province; its home names the authority only if it is its own."""
    item, organ = CATALOGUE.item_of[code], AUTHORITIES.by_rule(DEPARTMENT, division)
    pinned = PinnedAuthority(id=organ.id, name=organ.name) if organ and division == home else None
    return PlannedStep(
        code=code,
        name=item.name,
        department=item.department,
        division=division,
        needs=tuple(needs),
        fields=("subject_name",),
        materials=(),
        yields="",
        yields_fields=(f"{code}_number",),
        promised_days=item.promised_days,
        terms=Terms.of(item),
        competent=Competent(authority=pinned),
    )
