"""Letters of every kind for the test vectors, as a home and a decider would write them. All data in them is made up.

No one case has all of these letters: they show the form of each, and how a thread of them is chained by `after`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from server.domain.chains import ChainHead
from server.domain.exchange.letters import (
    ANNULLED,
    CASE,
    REFUSED,
    RETRY,
    About,
    Letter,
    about_letter,
    letter_id,
    letter_salt,
    witness_letter,
)
from server.domain.licence.identifier import PREFIX, check_character

HOME, DECIDER = "320000", "330000"
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
NAME = f"{HOME}/mzxw6ytboi4dgmjqgeydanbq"
STEP = "household_registration"
ABOUT_STEP = About(kind=CASE, name=NAME, part=STEP)


def made_up(name: str, length: int = 32) -> bytes:
    """Bytes that look random and are public: a seed, a nonce, the salt of a commit."""
    return hashlib.sha256(f"tongban test-only {name}".encode()).digest()[:length]


def _offer(code: str, content: bytes, media_type: str) -> dict[str, Any]:
    return {
        "code": code,
        "media_type": media_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


PICTURE = _offer("mother_household_register", b"a made-up picture", "image/png")
LICENCE = _offer("household_register", b"a made-up licence", "application/pdf")
APPEAL = "可以自收到本决定之日起六十日内申请行政复议，或者六个月内提起行政诉讼。"
PARCEL = {"courier": "中国邮政", "number": "TEST-0001"}
REQUESTED = {
    "bundle": "newborn",
    "bundle_name": "新生儿出生",
    "catalogue": "2026.1",
    "deferred": [],
    "directory_version": 7,
    "form": {"child_name": "测试宝宝", "home_address": '测试路1号\t"甲" \\ é€😀'},
    "materials": [PICTURE],
    "step": {
        "code": STEP,
        "department": "public_security",
        "division": "330100",
        "fields": ["child_name", "home_address"],
        "materials": ["mother_household_register"],
        "mode": "online",
        "name": "户口登记",
        "needs": [],
        "promised_days": 5,
        "terms": {
            "deferrable": [],
            "deferral_days": 5,
            "extension_days": 10,
            "legal_days": 10,
            "opinions": None,
            "special_steps": [],
            "supplement_days": 15,
            "unanswered": "withdrawn",
        },
        "yields": "",
        "yields_fields": [],
    },
}
PINNED = {
    "authority": {
        **{"id": "public_security/330106", "name": "杭州市公安局西湖分局", "decided_by": "authority"},
        "signs_as": "",
    }
}
SUPERIOR = {**PINNED["authority"], "id": "public_security/330100", "name": "杭州市公安局"}
TIMES = {"legal_days": 10, "promised_days": 5}
DEFERRAL = {"material": "mother_household_register", "due_on": "2026-12-14", "came_at": None}
MADE = {
    **{"of": 7, "paper": "7Q2V4KX4M6TB3RZC", "paper_kind": "acceptance", "title": "受理通知书"},
    **{"authority": "杭州市公安局西湖分局", "dated_on": "2026-11-24", "data_digest": "ab" * 32},
    "file": {"sha256": "cd" * 32, "size": 252_000, "number": "杭州市公安局西湖分局受字〔2026〕1号"},
}
Said = tuple[str, dict[str, Any]]
OF_HOME: tuple[Said, ...] = (
    ("step.requested", REQUESTED),
    ("step.told", {"due_on": "2026-12-14"}),
    ("step.supplied", {"form": {"child_name": "测试贝贝"}, "materials": []}),
    ("step.urged", {}),
    ("step.withdrawal_asked", {}),
    ("step.paper", {"move": "sent", "leg": "out", **PARCEL}),
    ("step.paper", {"move": "arrived", "leg": "back", **PARCEL}),
)
OF_DECIDER: tuple[Said, ...] = (
    ("step.received", PINNED),
    ("step.notice", {"about": "supplement", "gaps": [{"kind": "field", "code": "child_name", "reason": "请填写全名"}]}),
    ("step.notice", {"about": "supplied"}),
    (
        "step.accepted",
        {"by": "decider", "since": "2026-11-23T04:01:00.000Z", "deferrals": [DEFERRAL], **TIMES, **PINNED},
    ),
    ("step.accepted", {"by": "law", "since": "2026-11-23T04:01:00.000Z", "deferrals": [], **TIMES, **PINNED}),
    ("step.notice", {"about": "suspension", "procedure": "鉴定", "notice": "鉴定所需时间不计入办理期限。", "days": 10}),
    ("step.notice", {"about": "resumption"}),
    ("step.notice", {"about": "extension", "approver": "public_security", "days": 5, "reason": "需要核实材料"}),
    ("step.decided", {"outcome": "approved", "result": {"household_number": "TEST-1"}, "licence": LICENCE}),
    ("step.decided", {"outcome": "refused", "grounds": "不符合条件", "appeal": APPEAL}),
    (
        "step.decided",
        {
            "outcome": "declined",
            "reason": "wrong_agency",
            "grounds": "不属于本机关职权范围",
            "agency": "民政部门",
            "division": "330102",
            "appeal": APPEAL,
        },
    ),
    ("step.delivered", {"method": "electronic", "number": "", "licence": LICENCE}),
    ("step.paper", {"move": "arrived", "leg": "out", **PARCEL}),
    ("step.paper", {"move": "sent", "leg": "back", **PARCEL}),
    ("step.withdrawn", {"grounds": "逾期未补正"}),
    ("step.transferred", {"by": "authority", "days_from": "first_receipt", "reason": "户口在该区", **PINNED}),
    ("step.transferred", {"by": "superior", "reason": "两个机关意见不一致", "superior": SUPERIOR, **PINNED}),
    ("step.transferred", {"by": "succession", "reason": "某区已撤销", **PINNED}),
    ("step.paper_made", MADE),
)
LICENCE_ID = "1.2.156.3005.2.SAMPLE000000000000003.SAMPLE809326381697.NATZKEB0P67JOVEIHZEF.001."
LICENCE_ID += check_character("".join(LICENCE_ID.removeprefix(PREFIX).split(".")))
TOLD: dict[str, Any] = {
    "identifier": LICENCE_ID,
    "case": NAME,
    "step": STEP,
    "name": "户口簿",
    "kind": "household_register",
    **PINNED,
    "issued_on": "2026-11-23",
    "effective_on": "2026-11-23",
    "expires_on": None,
    "state": "valid",
    "cause": "",
    "since": "2026-11-23T04:00:00.000Z",
    "reason": "",
    "basis": "",
    "previous": "",
    "successor": "",
    "moved_to": "",
    "version": 1,
}
REVOKED = {
    **{"state": "revoked", "cause": "rescinded", "since": "2026-11-23T04:10:00.000Z"},
    **{"reason": "登记材料不实", "basis": "行政许可法第六十九条", "version": 2},
}
OF_LICENCE: tuple[Said, ...] = (("licence.told", TOLD), ("licence.told", {**TOLD, **REVOKED}))
COURTESIES = ("step.urged", "step.paper_made", "head.witnessed")
THEIRS = "ab" * 32  # the id of a letter that another one is about
ABOUT_LETTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    (REFUSED, {"code": "not_our_step", "round": 1}),
    (RETRY, {"round": 2}),
    (ANNULLED, {}),
)


@dataclass(frozen=True)
class Made:
    """A letter, what its id is the hash of, and what its salt is derived from."""

    letter: Letter
    id_of: list[Any]
    salt_of: dict[str, Any]


def thread(
    sender: str, to: str, course: tuple[Said, ...], *, first_event: int, about: About = ABOUT_STEP
) -> list[Made]:
    """Letters about one thing, each telling of the event after the one before, ten minutes later."""
    made: list[Made] = []
    after = None
    for place, (kind, body) in enumerate(course):
        event = first_event + place
        index = 1 if about.kind == CASE else 0
        source = [sender, to, about.kind, about.name, event, index]
        chance = made_up(f"commit {sender} {event}" if about.kind == CASE else f"commit {about.name} {event}", 16)
        letter = Letter(
            id=letter_id(*source),
            sender=sender,
            to=to,
            after=after,
            about=about,
            kind=kind,
            may_ignore=kind in COURTESIES,
            at=AT + timedelta(minutes=10 * place),
            salt=letter_salt(chance, event, index),
            body=body,
        )
        made.append(Made(letter, source, {"commit": chance.hex(), "event": event, "index": index}))
        after = letter.id
    return made


def about_letters(sender: str, to: str) -> list[Made]:
    """What is said about letters of the other node, an hour and a half after the first letter of the case."""
    made: list[Made] = []
    for kind, said in ABOUT_LETTERS:
        chance = made_up(f"commit {kind}", 16)
        letter = about_letter(kind, THEIRS, between=(sender, to), at=AT + timedelta(minutes=90), salt=chance, **said)
        subject = f"{THEIRS}:{said['round']}" if "round" in said else THEIRS
        made.append(
            Made(letter, [sender, to, kind, subject], {"commit": chance.hex(), "event": 0, "index": 0}),
        )
    return made


def about_logs(sender: str, to: str) -> list[Made]:
    """What is said about a log of the sender's own, two hours after the first letter of the case."""
    chance, at = made_up("commit head.witnessed", 16), AT + timedelta(minutes=120)
    head = ChainHead(number=118, hash=made_up("head").hex())
    letter = witness_letter("audit", head, between=(sender, to), at=at, salt=chance)
    subject = [sender, to, "head.witnessed", "audit:2026-11-23"]
    return [Made(letter, subject, {"commit": chance.hex(), "event": 0, "index": 0})]


def from_home() -> list[Made]:
    """What goes from the home to the decider, in the order of the log."""
    return [
        *thread(HOME, DECIDER, OF_HOME, first_event=4),
        *about_letters(HOME, DECIDER),
        *about_logs(HOME, DECIDER),
    ]


def from_decider() -> list[Made]:
    """What goes from the decider to the home."""
    of_licence = About(kind="licence", name=LICENCE_ID, part=None)
    return [
        *thread(DECIDER, HOME, OF_DECIDER, first_event=2),
        *thread(DECIDER, HOME, OF_LICENCE, first_event=1, about=of_licence),
    ]
