"""Officers: they sign in by password, are looked up with their session whenever they come, sign out, and end."""

import asyncio
from datetime import timedelta

from server.desk.officer.claiming import release_all
from server.desk.officer.pacing import Wait, give_back, take_turn
from server.desk.sessions import BEARER, OFFICERS, new_secret
from server.domain.errors import Unproven
from server.domain.people.accounts import Account, DeskEntry, DeskSession, entry_of
from server.domain.people.persons import Rank, TokenClaims
from server.domain.throttle import TooManyAttempts
from server.domain.values import Moment, Value, moment_text
from server.node import Node

OFFICER = "officer"
SIGNED_IN = "signed_in"
HOUR = len("2026-11-23T05")


class EndedOfficer(Value):
    """Since when an officer has ended, and how many tasks they had in hand that are free now."""

    name: str
    ended_at: Moment
    released: int


class DeskAdmission(Value):
    """What an officer's sign-in is answered with; `idle_seconds` without a request end the session sooner."""

    access_token: str
    token_type: str = BEARER
    expires_in: int
    idle_seconds: int
    name: str
    department: str
    rank: Rank


async def sign_in(node: Node, name: str, password: str, *, address: str, wait: Wait = asyncio.sleep) -> DeskAdmission:
    """Begin an officer's session, when it is their turn; raises TooManyAttempts and WrongPassword.

    Both are audited, and so is success, with the address: who guesses must be found.
    """
    try:
        turn = await take_turn(node, name, address, wait=wait)
        account = await node.store.accounts.proven(name, password)
    except (TooManyAttempts, Unproven) as refusal:
        await _note_refused(node, name, address, code=refusal.code)
        raise
    await give_back(node, turn)
    session = await _begin(node, account, address=address)
    about = {"name": session.officer, "outcome": SIGNED_IN, "address": address}
    await node.store.audit.note(
        f"officer.signed_in:{session.id}", "officer.signed_in", at=session.began_at, about=about
    )
    node.log.info("officer.signed_in", department=account.officer.department, rank=account.officer.rank)
    return _admission(node, account, session)


async def entered(node: Node, claims: TokenClaims) -> DeskEntry:
    """The officer whom a verified token of the desk names, as they are now, and their session.

    Both are read at each use and never remembered: so each process sees at once that one of them is over. Raises
    OfficerEnded, SessionOver, SessionIdle.
    """
    account, session = await asyncio.gather(
        node.store.accounts.find(claims.subject), node.store.desk_sessions.find(claims.session)
    )
    at, idle = node.clock.now(), timedelta(seconds=node.settings.desk_idle_seconds)
    entry = entry_of(account, session, at=at, idle=idle)
    if not entry.session.was_just_seen(at):
        await node.store.desk_sessions.mark_seen(entry.session.id, at)
    return entry


async def sign_out(node: Node, entry: DeskEntry) -> None:
    """End this session of an officer; those elsewhere go on."""
    session = entry.session
    await node.store.desk_sessions.end(session.id)
    about = {"name": session.officer, "address": session.address}
    await node.store.audit.note(
        f"officer.signed_out:{session.id}", "officer.signed_out", at=node.clock.now(), about=about
    )
    node.log.info("officer.signed_out")


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


async def _begin(node: Node, account: Account, *, address: str) -> DeskSession:
    """A new session of an officer who has proven themselves."""
    at = node.clock.now()
    session = DeskSession(
        id=new_secret(node),
        officer=account.officer.name,
        epoch=account.epoch,
        address=address,
        began_at=at,
        seen_at=at,
        ends_at=at + timedelta(seconds=node.settings.desk_session_seconds),
    )
    await node.store.desk_sessions.begin(session)
    return session


def _admission(node: Node, account: Account, session: DeskSession) -> DeskAdmission:
    seconds = node.settings.desk_session_seconds
    claims = TokenClaims(subject=session.officer, level=OFFICER, session=session.id)
    token = node.tokens.issue(claims, audience=OFFICERS, at=session.began_at, seconds=seconds)
    return DeskAdmission(
        access_token=token,
        expires_in=seconds,
        idle_seconds=node.settings.desk_idle_seconds,
        **account.officer.model_dump(),
    )


async def _note_refused(node: Node, name: str, address: str, *, code: str) -> None:
    """One counted entry for each officer, address, code and hour, so that a stranger cannot fill the audit."""
    at, known = node.clock.now(), await node.store.accounts.known_name(name)
    about = {"name": known, "outcome": code, "address": address}
    entry = ":".join(("officer.sign_in_refused", code, address, moment_text(at)[:HOUR], known))
    await node.store.audit.count(entry, "officer.sign_in_refused", at=at, about=about)
    node.log.info("officer.sign_in_refused", code=code)
