"""Proving: officers show who they are, as fast as their pace allows, and every refusal is on record."""

import asyncio

from server.desk.officer.pacing import Wait, give_back, take_turn
from server.domain.errors import Unproven
from server.domain.people.accounts import Account
from server.domain.throttle import TooManyAttempts
from server.domain.values import Value, moment_text
from server.node import Node

HOUR = len("2026-11-23T05")


class DeskProof(Value):
    """What somebody at an address shows to be the officer of this name."""

    name: str
    password: str
    address: str


async def prove(node: Node, proof: DeskProof, *, wait: Wait = asyncio.sleep) -> Account:
    """The account of an officer who proves themselves, when it is their turn; raises TooManyAttempts, WrongPassword.

    Both are audited with the address: who guesses must be found.
    """
    try:
        turn = await take_turn(node, proof.name, proof.address, wait=wait)
        account = await node.store.accounts.proven(proof.name, proof.password)
    except (TooManyAttempts, Unproven) as refusal:
        await _note_refused(node, proof, code=refusal.code)
        raise
    await give_back(node, turn)
    return account


async def _note_refused(node: Node, proof: DeskProof, *, code: str) -> None:
    """One counted entry for each officer, address, code and hour, so that a stranger cannot fill the audit."""
    at, known = node.clock.now(), await node.store.accounts.known_name(proof.name)
    about = {"name": known, "outcome": code, "address": proof.address}
    entry = ":".join(("officer.sign_in_refused", code, proof.address, moment_text(at)[:HOUR], known))
    await node.store.audit.count(entry, "officer.sign_in_refused", at=at, about=about)
    node.log.info("officer.sign_in_refused", code=code)
