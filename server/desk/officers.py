"""Officers: they sign in by password, are looked up whenever they come, and end."""

from server.desk.claiming import release_all
from server.desk.sessions import BEARER, OFFICERS, new_secret
from server.domain.errors import Unproven
from server.domain.names import Moment, Value
from server.domain.persons import Claims, Officer, Rank
from server.node import Node

OFFICER = "officer"


class OfficerEnded(Unproven):
    """The officer whom the token names has ended, and every token of theirs with them."""

    title = "账号已停用"


class EndedOfficer(Value):
    """Since when an officer has ended, and how many tasks they had in hand that are free now."""

    name: str
    ended_at: Moment
    released: int


class DeskAdmission(Value):
    """What an officer's sign-in is answered with."""

    access_token: str
    token_type: str = BEARER
    expires_in: int
    name: str
    department: str
    rank: Rank


async def sign_in(node: Node, name: str, password: str) -> DeskAdmission:
    """Begin an officer's session; raises WrongPassword."""
    officer = await node.store.people.officer(name, password)
    seconds = node.settings.officer_token_seconds
    claims = Claims(subject=officer.name, level=OFFICER, session=new_secret(node))
    token = node.tokens.issue(claims, audience=OFFICERS, at=node.clock.now(), seconds=seconds)
    return DeskAdmission(access_token=token, expires_in=seconds, **officer.model_dump())


async def officer_of(node: Node, claims: Claims) -> Officer:
    """The officer that a verified token of the desk names, as they are now; raises OfficerEnded.

    This is read at each use and never remembered: a token says who they are, and nothing of department and rank.
    """
    officer = await node.store.people.find_officer(claims.subject)
    if officer is None:
        raise OfficerEnded("账号已停用，请联系管理员。")
    return officer


async def end(node: Node, name: str, *, reason: str, by: str) -> EndedOfficer:
    """End an officer: from now on they do not sign in, no token of theirs counts, and nobody waits for their claims.

    Their name stays theirs. A second end changes nothing, and finishes a first one that was cut off. Raises
    NoSuchOfficer. A claim made by a request that was let in just before ends with its lease.
    """
    ended_at = await node.store.people.end_officer(name, at=node.clock.now())
    about = {"name": name, "by": by, "reason": reason}
    await node.store.audit.note(f"officer.ended:{name}", "officer.ended", at=ended_at, about=about)
    released = await release_all(node, name)
    node.log.info("officer.ended", name=name, by=by, released=released)
    return EndedOfficer(name=name, ended_at=ended_at, released=released)
