"""Officers: they sign in by password, are looked up with their session whenever they come, sign out, and end."""

import asyncio
from datetime import timedelta

from server.desk.officer.claiming import release_all
from server.desk.officer.pacing import Wait
from server.desk.officer.posts import vacate
from server.desk.officer.proving import DeskProof, prove, rules_of
from server.desk.sessions import BEARER, OFFICERS, new_secret
from server.domain.audit import Doer
from server.domain.people.accounts import Account, DeskEntry, DeskSession, Need, entry_of
from server.domain.people.persons import AccountRole, TokenClaims
from server.domain.values import Moment, Value, china_day
from server.node import Node

OFFICER = "officer"
SIGNED_IN = "signed_in"


class EndedOfficer(Value):
    """Since when an officer has ended, and how many tasks they had in hand that are free now."""

    name: str
    ended_at: Moment
    released: int


class DeskAdmission(Value):
    """What an officer's sign-in is answered with; `idle_seconds` without a request end the session sooner.

    `needs`: what must be done before anything else is granted.
    """

    access_token: str
    token_type: str = BEARER
    expires_in: int
    idle_seconds: int
    needs: Need
    name: str
    role: AccountRole


async def sign_in(node: Node, proof: DeskProof, *, wait: Wait = asyncio.sleep) -> DeskAdmission:
    """Begin an officer's session, when it is their turn; raises the refusals of `prove`."""
    account = await prove(node, proof, wait=wait)
    return await admit(node, account, address=proof.address)


async def admit(node: Node, account: Account, *, address: str) -> DeskAdmission:
    """Begin a session of an officer who has proven themselves; it is audited with the address."""
    at, seconds = node.clock.now(), node.settings.desk_session_seconds
    session = DeskSession(
        id=new_secret(node),
        officer=account.officer.name,
        epoch=account.epoch,
        address=address,
        began_at=at,
        seen_at=at,
        proven_at=at,
        ends_at=at + timedelta(seconds=seconds),
    )
    await node.store.desk_sessions.begin(session)
    about = {"name": session.officer, "outcome": SIGNED_IN, **session.doer.whence}
    await node.store.audit.note(f"officer.signed_in:{session.id}", "officer.signed_in", at=at, about=about)
    node.log.info("officer.signed_in", role=account.officer.role)
    claims = TokenClaims(subject=session.officer, level=OFFICER, session=session.id)
    return DeskAdmission(
        access_token=node.tokens.issue(claims, audience=OFFICERS, at=at, seconds=seconds),
        expires_in=seconds,
        idle_seconds=node.settings.desk_idle_seconds,
        needs=account.needs(node.settings.desk_totp),
        **account.officer.model_dump(),
    )


async def entered(node: Node, claims: TokenClaims) -> DeskEntry:
    """The officer whom a verified token of the desk names, as they are now, their session, and their posts in force.

    All are read at each use and never remembered: so each process sees at once that one of them is over or changed.
    Raises OfficerEnded, SessionOver, SessionIdle.
    """
    at = node.clock.now()
    account, session, posts = await asyncio.gather(
        node.store.accounts.find(claims.subject),
        node.store.desk_sessions.find(claims.session),
        node.store.posts.not_over(claims.subject, on=china_day(at)),
    )
    entry = entry_of(account, session, posts, at=at, rules=rules_of(node))
    if not entry.session.was_just_seen(at):
        await node.store.desk_sessions.see(entry.session, at)  # or another request has just done so
    return entry


async def sign_out(node: Node, entry: DeskEntry) -> None:
    """End this session of an officer; those elsewhere go on."""
    session, at = entry.session, node.clock.now()
    await node.store.desk_sessions.end(session, at=at)
    about = {"name": session.officer, **session.doer.whence}
    await node.store.audit.note(f"officer.signed_out:{session.id}", "officer.signed_out", at=at, about=about)
    node.log.info("officer.signed_out")


async def end(node: Node, name: str, *, reason: str, by: Doer) -> EndedOfficer:
    """End an officer: they sign in no more, none of their tokens and posts counts, and nobody waits for their claims.

    Their name stays theirs. A second end changes nothing, and finishes a first one that was cut off. Raises
    NoSuchOfficer. A claim made by a request that was let in just before ends with its lease.
    """
    account = await node.store.accounts.find(name)
    ended_at = await node.store.accounts.end(name, at=node.clock.now())
    change = {"before": account.words if account else "", "after": "ended"}
    about = {"name": name, **by.by, "reason": reason, **change}
    await node.store.audit.note(f"officer.ended:{name}", "officer.ended", at=ended_at, about=about)
    released = await release_all(node, name)
    for post in await node.store.posts.of_officer(name):
        await vacate(node, post, by=by, reason=reason)
    node.log.info("officer.ended", name=name, by=by.name, released=released)
    return EndedOfficer(name=name, ended_at=ended_at, released=released)
