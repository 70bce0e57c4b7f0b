"""One value of each kind that rooms of the store keep, written, changed and read by today's or by tomorrow's code.

Run alone, in a folder of another version of the code: `python side_by_side.py URI FOLDER write|read DATABASE...`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from server.crypto.fields import FieldRing
from server.crypto.integrity import IntegrityRing
from server.crypto.keyring import make_keys
from server.crypto.passwords import Cost
from server.domain.apart import SetApart, over
from server.domain.case.visits import Visit
from server.domain.effects.notices import Notice
from server.domain.materials import Upload
from server.domain.people.accounts import DeskSession
from server.domain.people.claims import Claim
from server.domain.people.mandates import Mandate
from server.domain.people.persons import Officer, Person, Session
from server.domain.people.posts import Post
from server.domain.rules.drafts import Draft, UnfinishedSubmission
from server.domain.time.reprojection import Projection
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from server.store.store import Store, open_store

MEMBER = "tomorrow"
AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
LATER = AT + timedelta(days=20)
DAY = date(2026, 11, 23)
CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)
OFTEN = {"begins_on": DAY, "ends_on": date(2026, 12, 23)}
VALUES: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "visits": (
        Visit,
        {"id": "v", "case": "c", "window": "w", "at": AT, "visitor": "applicant", "person": "p", "purpose": "提交原件"}
        | {"officer": "anna", "authority": "health/320102"},
    ),
    "posts": (Post, {"id": "post", "officer": "anna", "authority": "health/320102", "role": "handler"}),
    "desk_sessions": (
        DeskSession,
        {"id": "d", "officer": "anna", "epoch": 1, "address": "::1", "began_at": AT, "seen_at": AT, "proven_at": AT}
        | {"ends_at": LATER},
    ),
    "sessions": (Session, {"id": "s", "platform_user": "u", "openid": "o", "person": "", "refresh_digest": "r"}),
    "persons": (Person, {"key": "k", "name": "测试母亲", "id_number": "1"}),
    "officers": (Officer, {"name": "anna"}),
    "mandates": (
        Mandate,
        {
            "id": "m",
            "principal": "k",
            "principal_name": "甲**",
            "agent": "a",
            "agent_name": "乙",
            "bundles": ("newborn",),
        }
        | OFTEN,
    ),
    "claims": (
        Claim,
        {"id": "t", "case": "c", "step": "s", "authority": "x", "holder": "anna", "until": AT, "version": 1},
    ),
    "drafts": (
        Draft,
        {"id": "draft", "version": 1, "bundle_name": "新生儿", "wish": UnfinishedSubmission(bundle="newborn")}
        | {"changed_at": AT, "expires_at": LATER},
    ),
    "apart": (
        SetApart,
        {"kind": "letter", "thing": "l", "fault": "ValueError", "place": "here", "state": "released", "tries": 1}
        | {"next_at": AT, "first_at": AT, "version": 1},
    ),
    "notices": (
        Notice,
        {"id": "n", "person": "k", "template": "received", "page": "pages/case", "values": {"state": "x"}, "at": AT},
    ),
    "uploads": (Upload, {"id": "abcdefgh", "name": "证.png", "size": 1, "media_type": "image/png", "sha256": "00"}),
    "calendar": (Projection, {"digest": "x", "version": 0}),
}


def values(**more: str) -> dict[str, Any]:
    """One value for each room."""
    return {room: kind(**members, **more) for room, (kind, members) in VALUES.items()}


@asynccontextmanager
async def opened(uri: str, name: str, folder: Path) -> AsyncIterator[Store]:
    """The store in this database; every version of the code has the same keys."""
    ring = FieldRing({"fields-1": bytes(32)}, "fields-1")
    database = MongoDatabase.connect(uri, name, queries=QUERIES, timeout_seconds=20.0)
    secrets: dict[str, Any] = dict.fromkeys(("lookup", "case_ids", "materials"), bytes(32))
    proofs = IntegrityRing({"one": bytes(32)}, "one")
    keys = replace(make_keys("320000"), fields=ring, integrity=proofs, **secrets)
    yield open_store(database, keys, folder, here="320000", relay_due_seconds=5.0)
    await database.close()


async def write(store: Store, **more: str) -> None:
    """Write all of them."""
    these = values(**more)
    await store.visits.add(these["visits"])
    await store.posts.add(these["posts"])
    await store.desk_sessions.begin(these["desk_sessions"])
    await store.people.open_session(these["sessions"], expires_at=LATER)
    await store.people.keep_person(these["persons"], openid="o")
    await store.accounts.add(these["officers"], "a password of a test", cost=CHEAP)
    await store.mandates.add(these["mandates"], at=AT)
    await store.claims.put(these["claims"])
    await store.drafts.keep("owner", these["drafts"])
    await store.apart.put(these["apart"])
    await store.notices.add(these["notices"])
    await store.materials.keep("owner", these["uploads"], b"x")
    await store.calendar.put(these["calendar"])


async def read(store: Store) -> dict[str, Any]:
    """All of them, as they are read."""
    found: dict[str, Awaitable[Any]] = {
        "visits": store.visits.find("v"),
        "posts": store.posts.post("post"),
        "desk_sessions": store.desk_sessions.find("d"),
        "sessions": store.people.session("s", at=AT),
        "persons": store.people.person("k"),
        "officers": store.accounts.find_officer("anna"),
        "mandates": store.mandates.find("m"),
        "claims": store.claims.claims(["t"]),
        "drafts": store.drafts.draft("owner", "draft", at=AT),
        "apart": store.apart.find("letter:l"),
        "notices": store.notices.notices(["n"]),
        "uploads": store.materials.uploads_of("owner", ["abcdefgh"]),
        "calendar": store.calendar.projection(),
    }
    values = {room: await each for room, each in found.items()}
    values |= {room: next(iter(values[room].values())) for room in ("claims", "notices", "uploads")}
    return values | {"notices": values["notices"].notice}


async def change(store: Store) -> None:
    """What a day brings: each of them is written again, as far as its room ever does that."""
    now = await read(store)
    await store.posts.end("post", at=AT)
    await store.desk_sessions.see(now["desk_sessions"], AT)
    await store.people.change_session(now["sessions"].model_copy(update={"version": 2}), expires_at=LATER)
    await store.people.keep_person(now["persons"], openid="other")
    await store.accounts.set_password(await store.accounts.known("anna"), "another password", is_one_time=False)
    await store.mandates.revoke("m", at=AT)
    await store.claims.put(now["claims"].model_copy(update={"version": 2}))
    await store.drafts.keep("owner", now["drafts"].model_copy(update={"version": 2}))
    await store.apart.put(over(now["apart"], at=AT))
    kept = (await store.notices.notices(["n"]))["n"]
    await store.notices.claim(kept, at=AT)
    await store.materials.keep("owner", now["uploads"], b"x")
    await store.calendar.put(now["calendar"])


async def main(uri: str, folder: str, what: str, *names: str) -> None:
    """Write with the member, or print what it is in each database."""
    told = []
    for name in names:
        async with opened(uri, name, Path(folder)) as store:
            if what == "write":
                await write(store, **{MEMBER: "red"})
            else:
                told.append({room: getattr(value, MEMBER) for room, value in (await read(store)).items()})
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
