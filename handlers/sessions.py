"""The doors by which citizens prove who they are."""

from typing import Annotated

from pydantic import StringConstraints

from handlers.base import Handler, Operation, Role
from server.desk import sessions
from server.domain.values import Value

Short = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class LogIn(Value):
    """A mini-program's login code."""

    app_id: Short
    code: Short


class Refresh(Value):
    """A refresh token, good for one use."""

    refresh_token: Short


class ProveName(Value):
    """A name, its ID number, and the token of the platform's face check."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    id_number: Annotated[str, StringConstraints(min_length=1, max_length=18)]
    face_token: Short


class SessionsHandler(Handler):
    """Log in by mini-program code."""

    path = "/api/v1/sessions"
    role = Role.ANYONE
    operations = {
        "POST": Operation(sessions.log_in, "用小程序登录凭证登录", takes=LogIn, gives=sessions.Admission, status=201)
    }

    async def post(self) -> None:
        request = self.read(LogIn)
        self.answer(await sessions.log_in(self.node, request.app_id, request.code))


class SessionHandler(Handler):
    """Sign out: the session that is used ends."""

    path = "/api/v1/sessions/current"
    role = Role.CITIZEN
    operations = {"DELETE": Operation(sessions.sign_out, "退出小程序登录", status=204)}

    async def delete(self) -> None:
        await sessions.sign_out(self.node, self.claims)
        self.set_status(204)
        self.finish()


class SessionRefreshHandler(Handler):
    """Go on with a session."""

    path = "/api/v1/sessions/refresh"
    role = Role.ANYONE
    operations = {"POST": Operation(sessions.refresh, "用刷新令牌延续登录", takes=Refresh, gives=sessions.Admission)}

    async def post(self) -> None:
        self.answer(await sessions.refresh(self.node, self.read(Refresh).refresh_token))


class IdentityHandler(Handler):
    """Prove a name, which raises the session to real-name level."""

    path = "/api/v1/identity"
    role = Role.CITIZEN
    operations = {"POST": Operation(sessions.prove_name, "完成实名认证", takes=ProveName, gives=sessions.Admission)}

    async def post(self) -> None:
        request = self.read(ProveName)
        self.answer(await sessions.prove_name(self.node, self.claims, **request.model_dump()))
