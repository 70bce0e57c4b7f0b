"""Proving: officers show who they are, as fast as their pace allows, and every refusal is on record."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal

from server.desk.officer.pacing import Wait, give_back, take_turn
from server.domain.errors import Unproven
from server.domain.people.accounts import Account, DeskEntry, DeskRules, DeskSession
from server.domain.throttle import TooManyAttempts
from server.domain.values import Value, moment_text
from server.node import Node

HOUR = len("2026-11-23T05")


class CodeNeeded(Unproven):
    """The password is right, and the account also asks for a code of its authenticator, or a recovery code."""

    code = "totp_code_needed"
    title = "请填写动态验证码"


class DeskProof(Value):
    """What somebody at an address shows to be the officer of this name; `code` is of the authenticator, if any."""

    name: str
    password: str
    code: str = ""
    address: str


class Reauthentication(Value):
    """A fresh proof of one kind."""

    kind: Literal["password", "code"]
    secret: str


async def prove(node: Node, proof: DeskProof, *, wait: Wait = asyncio.sleep) -> Account:
    """The account of an officer who proves themselves by all that is asked of them.

    Raises TooManyAttempts, WrongPassword, CodeNeeded, CodeWrong.
    """

    async def check() -> Account:
        account = await node.store.accounts.proven(proof.name, proof.password)
        if not account.has_totp or node.settings.desk_totp == "off":
            return account
        if not proof.code:
            raise CodeNeeded("请填写验证器显示的 6 位数字，或一个恢复码。")
        return await use_code(node, account, proof.code)

    return await paced(node, proof, check, wait=wait)


async def prove_password(node: Node, proof: DeskProof, *, wait: Wait = asyncio.sleep) -> Account:
    """The account of a signed-in officer who shows the password anew; raises TooManyAttempts, WrongPassword."""
    return await paced(node, proof, lambda: node.store.accounts.proven(proof.name, proof.password), wait=wait)


async def reauthenticate(
    node: Node, entry: DeskEntry, given: Reauthentication, *, address: str, wait: Wait = asyncio.sleep
) -> None:
    """Prove oneself anew, by password or code, for weighty acts; raises TooManyAttempts, WrongPassword, CodeWrong."""
    name, is_password = entry.officer.name, given.kind == "password"
    proof = DeskProof(name=name, password=given.secret if is_password else "", address=address)

    async def check_code() -> Account:
        return await use_code(node, await node.store.accounts.account(name), given.secret)

    if is_password:
        await prove_password(node, proof, wait=wait)
    else:
        await paced(node, proof, check_code, wait=wait)
    session: DeskSession | None = entry.session
    while session and not await node.store.desk_sessions.prove(session, node.clock.now()):
        session = await node.store.desk_sessions.find(session.id)  # another request has noted that it is used


async def paced(
    node: Node, proof: DeskProof, check: Callable[[], Awaitable[Account]], *, wait: Wait = asyncio.sleep
) -> Account:
    """What a check answers when it is the turn of this name and address; raises TooManyAttempts.

    Refusals are audited with the address: who guesses must be found.
    """
    try:
        turn = await take_turn(node, proof.name, proof.address, wait=wait)
        account = await check()
    except (TooManyAttempts, Unproven) as refusal:
        await _note_refused(node, proof, code=refusal.code)
        raise
    await give_back(node, turn)
    return account


async def use_code(node: Node, account: Account, code: str) -> Account:
    """Use up a code of the authenticator or a recovery code; raises CodeWrong, StaleVersion."""
    digest = recovery_digest(node, account.officer.name, code)
    return await node.store.second_factors.use(account, code.strip(), digest=digest, at=node.clock.now())


def recovery_digest(node: Node, name: str, code: str) -> str:
    """What is kept of a recovery code."""
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    return node.keys.owner("recovery_code", f"{name} {plain}")


def rules_of(node: Node) -> DeskRules:
    """What this node asks of sessions at its desks."""
    return DeskRules(
        idle=timedelta(seconds=node.settings.desk_idle_seconds),
        proof=timedelta(seconds=node.settings.proof_seconds),
        weighty=frozenset(node.settings.weighty_acts.split()),
        totp=node.settings.desk_totp,
    )


async def _note_refused(node: Node, proof: DeskProof, *, code: str) -> None:
    """One counted entry for each officer, address, code and hour, so that a stranger cannot fill the audit."""
    at, known = node.clock.now(), await node.store.accounts.known_name(proof.name)
    about = {"name": known, "outcome": code, "address": proof.address}
    entry = ":".join(("officer.sign_in_refused", code, proof.address, moment_text(at)[:HOUR], known))
    await node.store.audit.count(entry, "officer.sign_in_refused", at=at, about=about)
    node.log.info("officer.sign_in_refused", code=code)
