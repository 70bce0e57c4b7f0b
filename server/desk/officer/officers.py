"""Officers: they sign in by password, are looked up whenever they come, and end."""

import asyncio

from server.desk.officer.claiming import release_all
from server.desk.officer.pacing import Wait, give_back, take_turn
from server.desk.sessions import BEARER, OFFICERS, new_secret
from server.domain.errors import Unproven
from server.domain.people.persons import Officer, Rank, TokenClaims
from server.domain.throttle import TooManyAttempts
from server.domain.values import Moment, Value, moment_text
from server.node import Node

OFFICER = "officer"
SIGNED_IN = "signed_in"
HOUR = len("2026-11-23T05")


class OfficerEnded(Unproven):
    """The officer whom the token names has ended, and every token of theirs with them."""

    code = "officer_ended"
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


async def sign_in(node: Node, name: str, password: str, *, address: str, wait: Wait = asyncio.sleep) -> DeskAdmission:
    """Begin an officer's session, when it is their turn; raises TooManyAttempts and WrongPassword.

    Both are audited, and so is success, with the address: who guesses must be found.
    """
    try:
        turn = await take_turn(node, name, address, wait=wait)
        officer = await node.store.accounts.officer(name, password)
    except (TooManyAttempts, Unproven) as refusal:
        await _note_refused(node, name, address, code=refusal.code)
        raise
    await give_back(node, turn)
    at, seconds = node.clock.now(), node.settings.officer_token_seconds
    claims = TokenClaims(subject=officer.name, level=OFFICER, session=new_secret(node))
    about = {"name": officer.name, "outcome": SIGNED_IN, "address": address}
    await node.store.audit.note(f"officer.signed_in:{claims.session}", "officer.signed_in", at=at, about=about)
    node.log.info("officer.signed_in", department=officer.department, rank=officer.rank)
    token = node.tokens.issue(claims, audience=OFFICERS, at=at, seconds=seconds)
    return DeskAdmission(access_token=token, expires_in=seconds, **officer.model_dump())


async def officer_of(node: Node, claims: TokenClaims) -> Officer:
    """The officer that a verified token of the desk names, as they are now; raises OfficerEnded.

    This is read at each use and never remembered: a token says who they are, and nothing of department and rank.
    """
    officer = await node.store.accounts.find_officer(claims.subject)
    if officer is None:
        raise OfficerEnded("账号已停用，请联系管理员。")
    return officer


async def end(node: Node, name: str, *, reason: str, by: str) -> EndedOfficer:
    """End an officer: from now on they do not sign in, no token of theirs counts, and nobody waits for their claims.

    Their name stays theirs. A second end changes nothing, and finishes a first one that was cut off. Raises
    NoSuchOfficer. A claim made by a request that was let in just before ends with its lease.
    """
    ended_at = await node.store.accounts.end_officer(name, at=node.clock.now())
    about = {"name": name, "by": by, "reason": reason}
    await node.store.audit.note(f"officer.ended:{name}", "officer.ended", at=ended_at, about=about)
    released = await release_all(node, name)
    node.log.info("officer.ended", name=name, by=by, released=released)
    return EndedOfficer(name=name, ended_at=ended_at, released=released)


async def _note_refused(node: Node, name: str, address: str, *, code: str) -> None:
    """One counted entry for each officer, address, code and hour, so that a stranger cannot fill the audit."""
    at, known = node.clock.now(), await node.store.accounts.known_name(name)
    about = {"name": known, "outcome": code, "address": address}
    entry = ":".join(("officer.sign_in_refused", code, address, moment_text(at)[:HOUR], known))
    await node.store.audit.count(entry, "officer.sign_in_refused", at=at, about=about)
    node.log.info("officer.sign_in_refused", code=code)
