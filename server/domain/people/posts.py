"""Posts (岗位): what an officer may work on, at which authority or window, in which role, and on which days."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from server.domain.errors import FieldFault, Missing
from server.domain.periods import Period
from server.domain.values import Moment

PostRole = Literal["window", "handler", "approver", "head"]
PostKind = Literal["own", "substitution", "delegation"]
ROLE_NAMES: Mapping[PostRole, str] = {"window": "窗口", "handler": "承办", "approver": "审批", "head": "负责人"}


class NoSuchPost(Missing):
    """The officer has no such post."""

    code = "no_such_post"
    title = "没有这个岗位"


class Duty(Period):
    """What a post is for: a role at an authority or a window, some items or all, and on which days.

    `authority` is the id of an authority, or of the desk of an organisation that is none. Items are codes; none: all.
    """

    role: PostRole
    authority: str = ""
    window: str = ""
    items: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The authority or the window."""
        return self.authority or self.window

    def fault(self) -> FieldFault | None:
        """What is wrong with it by itself, if anything."""
        if bool(self.authority) == bool(self.window):
            return _fault("authority", "post_place", "请填写一个实施主体或者一个综合窗口，只能选其一。")
        if self.window and self.role != "window":
            return _fault("role", "post_role", "综合窗口只设窗口岗位。")
        if self.from_day and self.to_day and self.to_day < self.from_day:
            return _fault("to_day", "post_period", "结束日期不能早于开始日期。")
        return None


class Post(Duty):
    """A post of one officer: their own, or one by which they stand in for another (代理) or act by delegation (授权).

    The latter two have a last day and say for whom: the officer who is away, or the head who delegates. An ended post
    stays, with its end. `version` counts the changes.
    """

    id: str
    officer: str
    kind: PostKind = "own"
    stands_in_for: str = ""
    ended_at: Moment | None = None
    version: int = 1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        fault = self.fault()
        if fault:
            raise ValueError(f"{fault.pointer}: {fault.code}")
        if (self.kind != "own") != bool(self.stands_in_for):
            raise ValueError("a post says for whom if and only if it is a substitution or a delegation")
        if self.kind != "own" and self.to_day is None:
            raise ValueError("a substitution and a delegation must have an end")
        return self

    @property
    def persons(self) -> frozenset[str]:
        """Who counts as having done what is done by it: the officer, and the one for whom they do it."""
        return frozenset({self.officer, self.stands_in_for} - {""})

    @property
    def words(self) -> str:
        """What the audit tells of a post."""
        days = (f"from={self.from_day or ''}", f"to={self.to_day or ''}")
        items = f"items={','.join(self.items)}" if self.items else ""
        whom = f"for={self.stands_in_for}" if self.stands_in_for else ""
        return " ".join(filter(None, (f"{self.kind} role={self.role} at={self.place}", *days, items, whom)))

    @property
    def is_own(self) -> bool:
        """Whether it is the officer's own."""
        return self.kind == "own"

    def is_in_force(self, on: date) -> bool:
        """Whether it counts on this day."""
        return self.ended_at is None and self.holds(on)

    def covers(self, item: str) -> bool:
        """Whether it is for this item."""
        return not self.items or item in self.items


def _fault(member: str, code: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{member}", code=code, detail=detail)
