"""The doors by which officers sign in and out and see to their own accounts."""

from typing import Annotated

from pydantic import StringConstraints

from handlers.base import Handler, Operation, Role
from server.desk.officer import credentials, officers, proving
from server.desk.officer.credentials import CodeShown, PasswordChange, PasswordShown
from server.desk.officer.proving import DeskProof, Reauthentication
from server.domain.people.accounts import TotpOffer
from server.domain.values import Value

Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SignIn(Value):
    """An officer's name and password, and the code of their authenticator if they have one."""

    name: Short
    password: Short
    code: Annotated[str, StringConstraints(max_length=50)] = ""


def address_of(door: Handler) -> str:
    """Where the caller is."""
    return str(door.request.remote_ip)


class DeskSessionsHandler(Handler):
    """Sign in as an officer."""

    path = "/desk/v1/sessions"
    role = Role.ANYONE
    operations = {
        "POST": Operation(
            officers.sign_in, "工作人员登录", takes=SignIn, gives=officers.DeskAdmission, status=201, is_looking=True
        )
    }

    async def post(self) -> None:
        given = self.read(SignIn)
        proof = DeskProof(**given.model_dump(), address=address_of(self))
        self.answer(await officers.sign_in(self.node, proof))


class DeskSessionHandler(Handler):
    """Sign out: the session that is used ends at once, in every process."""

    path = "/desk/v1/sessions/current"
    role = Role.ACCOUNT
    operations = {"DELETE": Operation(officers.sign_out, "退出登录", status=204, is_looking=True)}

    async def delete(self) -> None:
        await officers.sign_out(self.node, self.entry)
        self.set_status(204)
        self.finish()


class PasswordHandler(Handler):
    """Change one's own password, which ends all of one's sessions and begins a new one."""

    path = "/desk/v1/password"
    role = Role.ACCOUNT
    operations = {
        "POST": Operation(
            credentials.change_password, "修改本人密码", takes=PasswordChange, gives=officers.DeskAdmission
        )
    }

    async def post(self) -> None:
        change = self.read(PasswordChange)
        self.answer(await credentials.change_password(self.node, self.entry, change, address=address_of(self)))


class ReauthenticationHandler(Handler):
    """Prove oneself anew, which weighty acts ask for."""

    path = "/desk/v1/reauthentication"
    role = Role.ACCOUNT
    operations = {
        "POST": Operation(
            proving.reauthenticate, "重新验证密码或动态验证码，以便办理重要操作", takes=Reauthentication, status=204
        )
    }

    async def post(self) -> None:
        given = self.read(Reauthentication)
        await proving.reauthenticate(self.node, self.entry, given, address=address_of(self))
        self.set_status(204)
        self.finish()


class TotpHandler(Handler):
    """Get the secret for an authenticator."""

    path = "/desk/v1/totp"
    role = Role.ACCOUNT
    operations = {"POST": Operation(credentials.offer_totp, "获取动态验证码密钥", takes=PasswordShown, gives=TotpOffer)}

    async def post(self) -> None:
        shown = self.read(PasswordShown)
        self.answer(await credentials.offer_totp(self.node, self.entry, shown, address=address_of(self)))


class TotpConfirmationHandler(Handler):
    """Confirm the authenticator by a code of it, and get the recovery codes."""

    path = "/desk/v1/totp/confirmation"
    role = Role.ACCOUNT
    operations = {
        "POST": Operation(
            credentials.confirm_totp, "启用动态验证码并获取恢复码", takes=CodeShown, gives=credentials.RecoveryCodes
        )
    }

    async def post(self) -> None:
        shown = self.read(CodeShown)
        self.answer(await credentials.confirm_totp(self.node, self.entry, shown, address=address_of(self)))
