"""Builders: licences of a fictitious type, and the acts that bring one into each state."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from server.domain.aggregate.actors import Actor
from server.domain.catalogue.results import Result
from server.domain.catalogue.type_codes import sample_organisation
from server.domain.catalogue.validity import Validity
from server.domain.licence import acts
from server.domain.licence.acts import IssueLicence, LicenceAct, LicenceFacts
from server.domain.licence.decide import decide
from server.domain.licence.events import LicenceEvent
from server.domain.licence.granting import Award, grant_of, next_grant
from server.domain.licence.licence import Grant, Licence, LicenceHolder, LicenceState, Origin
from server.domain.values import CHINA
from tests.world import JIANGSU, officer, person, pinned

ISSUED_ON = date(2026, 12, 1)
LAST_DAY = date(2031, 12, 1)
SAID: dict[str, Any] = {"source": "示例", "status": "sample"}
PERMIT = Result(
    name="示例许可证",
    kind="licence",
    type_code="SAMPLE000000000000999",
    holders="person",
    validity=Validity(years=5, remind_days=30, **SAID),
)
ISSUER = officer()
CLOCK = Actor(node=JIANGSU, part="node")
WHY: dict[str, Any] = {"by": ISSUER, "reason": "示例理由", "basis": "示例依据"}


def holder(name: str = "测试甲", *, sequence: str = "001") -> LicenceHolder:
    """A fictitious person as the holder of a licence."""
    someone = person(name, sequence=sequence)
    return LicenceHolder(kind="111", number=someone.id_number, name=someone.name)


def award(**change: Any) -> Award:
    """What an approved step says of the permit."""
    authority = pinned("health", JIANGSU)
    said: dict[str, Any] = {
        "kind": "permit",
        "holders": (holder(),),
        "authority": authority,
        "issuer": sample_organisation(authority.id),
        "origin": Origin(case=f"{JIANGSU}/abc", step="one", act_id="approve"),
        "effective_on": ISSUED_ON,
        "face": {"scope": "示例范围"},
    }
    return Award(**(said | change))


def facts_on(day: date, *, hour: int = 10) -> LicenceFacts:
    """What a decision on this day knows of the world."""
    return LicenceFacts(here=JIANGSU, at=datetime(day.year, day.month, day.day, hour, tzinfo=CHINA))


def issue(grant: Grant | None = None, **change: Any) -> IssueLicence:
    """The act that issues the permit."""
    said: dict[str, Any] = {"id": "issue", "by": ISSUER, "grant": grant or grant_of(PERMIT, award(), on=ISSUED_ON)}
    return IssueLicence(**(said | change))


def successor(licence: Licence, *, on: date = ISSUED_ON, **change: Any) -> Grant:
    """What may take the place of a licence."""
    grant = next_grant(licence, PERMIT, award(effective_on=on), on=on)
    return grant.model_copy(update=change)


def every_act(licence: Licence, *, on: date = ISSUED_ON) -> dict[str, LicenceAct]:
    """One act of each kind that could be done to the licence on this day, by its name; each has its name as its id."""
    last = max(licence.expires_on or on, on) + timedelta(days=1)
    next_one = {"successor": successor(licence, on=on, expires_on=last)}
    found: list[LicenceAct] = [
        acts.SuspendLicence(id="suspend", **WHY),
        acts.RestoreLicence(id="restore", **WHY),
        acts.RevokeLicence(id="revoke", cause="rescinded", **WHY),
        acts.WithdrawLicence(id="withdraw", **WHY),
        acts.AnnulLicence(id="annul", **WHY),
        acts.ExpireLicence(id="expire", by=CLOCK),
        acts.RenewLicence(id="renew", **next_one, **WHY),
        acts.ChangeLicence(id="change", **next_one, **WHY),
        acts.ReissueLicence(id="reissue", **next_one, **WHY),
        acts.CorrectLicence(id="correct", **next_one, **WHY),
        acts.MoveOutLicence(id="move_out", moved_to="示例地", **WHY),
        acts.CancelMoveOut(id="cancel_move_out", **WHY),
    ]
    return {act.name: act for act in found}


# By which acts a licence comes into each state; the clock's on the day after the last one.
WAY_TO: dict[LicenceState, tuple[str, ...]] = {
    "valid": (),
    "suspended": ("suspend",),
    "revoked": ("revoke",),
    "withdrawn": ("withdraw",),
    "annulled": ("annul",),
    "expired": ("expire",),
    "moved_out": ("move_out",),
    "replaced": ("renew",),
}


def events_of(names: Sequence[str] = ()) -> tuple[LicenceEvent, ...]:
    """What these acts have come to, after the issue."""
    licence, told = None, []
    for name in ("issue", *names):
        act = issue() if licence is None else every_act(licence)[name]
        day = LAST_DAY + timedelta(days=1) if name == "expire" else ISSUED_ON
        judgement = decide(licence, act, facts_on(day))
        told += judgement.events
        licence = judgement.values[-1]
    return tuple(told)


def licence_after(names: Iterable[str] = ()) -> Licence:
    """The permit after these acts."""
    licence = decide(None, issue(), facts_on(ISSUED_ON)).values[-1]
    for name in names:
        day = LAST_DAY + timedelta(days=1) if name == "expire" else ISSUED_ON
        licence = decide(licence, every_act(licence)[name], facts_on(day)).values[-1]
    return licence
