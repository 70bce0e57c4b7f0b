"""Credentials: officers change what they prove themselves by."""

import asyncio
import base64
from typing import Annotated

from pydantic import StringConstraints

from server.desk.officer.officers import DeskAdmission, admit
from server.desk.officer.pacing import Wait
from server.desk.officer.proving import DeskProof, paced, prove_password, recovery_digest, rules_of
from server.domain.errors import Conflict
from server.domain.people.accounts import Account, DeskEntry, TotpOffer
from server.domain.people.passwords import check_password
from server.domain.values import Value
from server.node import Node

Given = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


SECRET_BYTES = 20  # RFC 4226, section 4: recommended
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # sixteen letters and digits
ISSUER = "Tongban"


class TotpIsOff(Conflict):
    """This node asks nobody for codes of an authenticator."""

    code = "totp_is_off"
    title = "本系统未启用动态验证码"


class PasswordChange(Value):
    """The present password, and the one to take its place."""

    current: Given
    new: Given


class PasswordShown(Value):
    """The present password."""

    password: Given


class CodeShown(Value):
    """The code that the authenticator shows now."""

    code: Given


class RecoveryCodes(Value):
    """Codes that each sign in once in the place of the authenticator; they are shown this once."""

    recovery_codes: tuple[str, ...]


async def change_password(
    node: Node, entry: DeskEntry, change: PasswordChange, *, address: str, wait: Wait = asyncio.sleep
) -> DeskAdmission:
    """Change the password of the officer who asks: all of their sessions end, and the answer begins the next.

    Raises ReauthenticationNeeded, PasswordTooEasy, PasswordUsedBefore, StaleVersion and what `prove_password` raises.
    """
    name = entry.officer.name
    entry.check_proof("change_password", node.clock.now(), rules_of(node))
    check_password(change.new, name=name, fewest=node.settings.password_characters, at="/new")
    account = await prove_password(node, DeskProof(name=name, password=change.current, address=address), wait=wait)
    changed = await node.store.accounts.set_password(account, change.new, is_one_time=False)
    about = {"name": name, **entry.doer.whence}
    entry_id = f"officer.password_changed:{name}:{changed.version}"
    await node.store.audit.note(entry_id, "officer.password_changed", at=node.clock.now(), about=about)
    node.log.info("officer.password_changed")
    return await admit(node, changed, address=address)


async def offer_totp(
    node: Node, entry: DeskEntry, shown: PasswordShown, *, address: str, wait: Wait = asyncio.sleep
) -> TotpOffer:
    """Begin to set up an authenticator; it counts once a code of it is confirmed.

    Raises TotpIsOff, TotpIsOn, StaleVersion and the refusals of `prove_password`.
    """
    _check_totp_on(node)
    name = entry.officer.name
    account = await prove_password(node, DeskProof(name=name, password=shown.password, address=address), wait=wait)
    secret, issuer = node.chance.token(SECRET_BYTES), f"{ISSUER} {node.here}"
    return await node.store.second_factors.offer(account, secret, issuer=issuer)


async def confirm_totp(
    node: Node, entry: DeskEntry, shown: CodeShown, *, address: str, wait: Wait = asyncio.sleep
) -> RecoveryCodes:
    """Let the authenticator count from now on; the answer has the recovery codes.

    Raises TotpIsOff, TotpIsOn, TotpNotOffered, CodeWrong, TooManyAttempts, StaleVersion.
    """
    _check_totp_on(node)
    name, at = entry.officer.name, node.clock.now()
    codes = tuple(_recovery_code(node) for _ in range(RECOVERY_CODES))
    digests = [recovery_digest(node, name, code) for code in codes]

    async def check() -> Account:
        account = await node.store.accounts.account(name)
        return await node.store.second_factors.confirm(account, shown.code.strip(), at=at, recovery=digests)

    changed = await paced(node, DeskProof(name=name, password="", address=address), check, wait=wait)
    about = {"name": name, **entry.doer.whence}
    await node.store.audit.note(f"officer.totp_on:{name}:{changed.version}", "officer.totp_on", at=at, about=about)
    node.log.info("officer.totp_on")
    return RecoveryCodes(recovery_codes=codes)


def _check_totp_on(node: Node) -> None:
    if node.settings.desk_totp == "off":
        raise TotpIsOff("如需启用，请联系系统管理员。")


def _recovery_code(node: Node) -> str:
    """Four times four letters and digits."""
    text = base64.b32encode(node.chance.token(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
