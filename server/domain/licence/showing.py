"""Showing licences (亮证): the holder shows a code, an officer redeems it for a purpose, the holder confirms which.

A code lives for a minute and is redeemed once. It says which node has it and nothing of any person: six digits of the
node, then ten that are drawn. It opens nothing by itself, for nothing is shown before the holder has confirmed it.
"""

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from server.domain.errors import Conflict, Forbidden, Invalid, Missing
from server.domain.values import SENSITIVE, Moment, Value

CODE = re.compile(r"^([1-9][0-9]{5})([0-9]{10})$")
DRAWN_DIGITS = 10
LIVES = timedelta(seconds=60)  # a code, until it is redeemed
WAITS = timedelta(minutes=5)  # a request, until it is answered
OPEN = timedelta(minutes=10)  # the faces, to the officer
KEPT = timedelta(hours=1)
MOST_SHOWN = 10

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Chosen = Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_SHOWN)]
Purpose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ShowingState = Literal["open", "waiting", "confirmed", "declined", "over"]


class ShowCodeUnknown(Missing):
    """There is no such code, or it has lived its minute: to who redeems it both are the same."""

    code = "show_code_unknown"
    title = "亮证码不存在或者已失效"


class ShowCodeUsed(Conflict):
    """The code was redeemed before, by another request."""

    code = "show_code_used"
    title = "亮证码已经使用过"


class NoSuchLicenceRequest(Missing):
    """There is no such request, or it is another's."""

    code = "no_such_licence_request"
    title = "没有这个用证请求"


class LicenceRequestOver(Conflict):
    """The holder did not answer in time, or the time to look is over."""

    code = "licence_request_over"
    title = "用证请求已过期"


class LicenceRequestAnswered(Conflict):
    """The holder has answered already, in another way."""

    code = "licence_request_answered"
    title = "用证请求已经答复"


class LicenceRequestDeclined(Forbidden):
    """The holder does not let the officer see the licences."""

    code = "licence_request_declined"
    title = "持证人未同意"


class LicenceNotOffered(Invalid):
    """The holder confirms a licence that the code did not stand for."""

    code = "licence_not_offered"
    title = "亮证码不包括这个证照"


class Redeemer(Value):
    """Who redeems a code and what for: `request` is the id of the request, which is theirs alone."""

    request: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,100}$")]
    node: str = ""
    authority: Annotated[str, StringConstraints(max_length=100)]
    authority_name: Annotated[str, StringConstraints(max_length=200)]
    officer: Annotated[str, StringConstraints(max_length=100)]
    item: Annotated[str, StringConstraints(max_length=100)]
    item_name: Annotated[str, StringConstraints(max_length=200)]
    purpose: Annotated[Purpose, SENSITIVE]


class Showing(Value):
    """A code with all that comes of it: `offered` are the identifiers that its holder chose, `confirmed` those shown.

    `id` follows from the code, which itself is not kept. `owner` is the key of the holder.
    """

    id: str
    owner: str
    offered: Annotated[tuple[str, ...], SENSITIVE]
    made_at: Moment
    redeemer: Redeemer | None = None
    redeemed_at: Moment | None = None
    answered_at: Moment | None = None
    confirmed: Annotated[tuple[str, ...], SENSITIVE] = ()
    version: int = 1

    def state(self, at: datetime) -> ShowingState:
        """How it stands at this moment."""
        if self.redeemed_at is None:
            return "open" if at < self.made_at + LIVES else "over"
        if self.answered_at is None:
            return "waiting" if at < self.redeemed_at + WAITS else "over"
        if not self.confirmed:
            return "declined"
        return "confirmed" if at < self.answered_at + OPEN else "over"

    @property
    def ends_at(self) -> datetime:
        """Until when it stands as it does, unless somebody does something."""
        if self.answered_at is not None:
            return self.answered_at + OPEN
        return self.made_at + LIVES if self.redeemed_at is None else self.redeemed_at + WAITS

    def redeemed(self, redeemer: Redeemer, at: datetime) -> Self:
        """Redeemed by this request, itself if it was before; raises ShowCodeUnknown and ShowCodeUsed."""
        if self.redeemer is not None and self.redeemer == redeemer:
            return self
        if at >= self.made_at + LIVES:
            raise unknown_code()
        if self.redeemer is not None:
            raise ShowCodeUsed("亮证码已经使用过，请持证人重新出示。")
        return self._changed(redeemer=redeemer, redeemed_at=at)

    def answered(self, confirmed: tuple[str, ...], at: datetime) -> Self:
        """Answered with the licences that may be seen (none: declined), itself if it was so before.

        Raises NoSuchLicenceRequest, LicenceNotOffered, LicenceRequestAnswered and LicenceRequestOver.
        """
        if self.redeemer is None:
            raise NoSuchLicenceRequest("没有这个用证请求。")
        if not set(confirmed) <= set(self.offered):
            raise LicenceNotOffered("只能确认出示时选择的证照。")
        if self.answered_at is not None:
            if self.confirmed != confirmed:
                raise LicenceRequestAnswered("用证请求已经答复，不能更改。")
            return self
        if self.state(at) == "over":
            raise LicenceRequestOver("用证请求已过期，请重新出示。")
        return self._changed(confirmed=confirmed, answered_at=at)

    def seen_by(self, officer: str, node: str, at: datetime) -> tuple[str, ...]:
        """What this officer of this node may see now; empty while the holder has not answered.

        Raises NoSuchLicenceRequest for anybody else, LicenceRequestDeclined, LicenceRequestOver.
        """
        if self.redeemer is None or (self.redeemer.officer, self.redeemer.node) != (officer, node):
            raise NoSuchLicenceRequest("没有这个用证请求。")
        state = self.state(at)
        if state == "declined":
            raise LicenceRequestDeclined("持证人未同意出示证照。")
        if state == "over":
            raise LicenceRequestOver("用证请求已过期，请持证人重新出示。")
        return self.confirmed

    def _changed(self, **change: object) -> Self:
        return self.model_copy(update={**change, "version": self.version + 1})


def code_of(node: str, drawn: int) -> str:
    """The code as it is said and shown: sixteen digits."""
    return f"{node}{drawn % 10**DRAWN_DIGITS:0{DRAWN_DIGITS}}"


def node_of(code: str) -> str:
    """The node that a code names; raises ShowCodeUnknown for what is no code."""
    found = CODE.fullmatch(code)
    if found is None:
        raise unknown_code()
    return found[1]


def unknown_code() -> ShowCodeUnknown:
    """The refusal of a code that is not, or is no more."""
    return ShowCodeUnknown("亮证码不存在或者已失效，请持证人重新出示。")
