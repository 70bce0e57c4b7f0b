"""Credentials: officers change what they prove themselves by."""

import asyncio
from typing import Annotated

from pydantic import StringConstraints

from server.desk.officer.officers import DeskAdmission, admit
from server.desk.officer.pacing import Wait
from server.desk.officer.proving import DeskProof, prove
from server.domain.people.accounts import DeskEntry
from server.domain.people.passwords import check_password
from server.domain.values import Value
from server.node import Node

Given = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class PasswordChange(Value):
    """The present password, and the one to take its place."""

    current: Given
    new: Given


async def change_password(
    node: Node, entry: DeskEntry, change: PasswordChange, *, address: str, wait: Wait = asyncio.sleep
) -> DeskAdmission:
    """Change the password of the officer who asks: all of their sessions end, and the answer begins the next.

    Raises PasswordTooEasy, PasswordUsedBefore, StaleVersion and the refusals of `prove`.
    """
    name = entry.officer.name
    check_password(change.new, name=name, fewest=node.settings.password_characters, at="/new")
    account = await prove(node, DeskProof(name=name, password=change.current, address=address), wait=wait)
    changed = await node.store.accounts.set_password(account, change.new, is_one_time=False)
    about = {"name": name, "address": address}
    entry_id = f"officer.password_changed:{name}:{changed.version}"
    await node.store.audit.note(entry_id, "officer.password_changed", at=node.clock.now(), about=about)
    node.log.info("officer.password_changed")
    return await admit(node, changed, address=address)
