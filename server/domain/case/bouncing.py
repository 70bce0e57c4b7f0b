"""Events at home when the deciding node rejects our letter (退回) or we send it again."""

from typing import ClassVar, Literal

from server.domain.aggregate.happening import Happened


class Bounced(Happened):
    """A letter of this case's home about the step came back (退回), refused by the other node; the step stays as it is.

    `letter` is the kind of the letter, `code` that of the refusal.
    """

    act: ClassVar[str] = "bounce"
    kind: Literal["bounced"] = "bounced"
    step: str
    letter: str
    code: str


class Resent(Happened):
    """That letter was put before the other node again (再次转送)."""

    act: ClassVar[str] = "resend"
    kind: Literal["resent"] = "resent"
    step: str
    letter: str
