"""Drafts (草稿): what a citizen has filled in so far, kept under an id they choose until they hand it in."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from server.domain.errors import Conflict, Malformed, Missing, Outdated, StaleVersion
from server.domain.rules.opening import FormGiven, Submission
from server.domain.values import Moment, Value

MOST_DRAFTS = 20
LARGEST_VERSION = 2**31 - 1
ID_PATTERN = r"^[A-Za-z0-9_-]{1,40}$"


class DraftGone(Missing):
    """This person has no draft of this id: it was handed in or deleted, it has expired, or it never was."""

    code = "draft_gone"
    title = "草稿不存在或已失效"


class DraftExists(Outdated):
    """There is a draft of this id already, and the request does not name the version that it replaces."""

    code = "draft_exists"
    title = "草稿已存在"


class DraftIdSpent(Conflict):
    """What stood under this id has expired and is about to be cleared away; any other id is free."""

    code = "draft_id_spent"
    title = "草稿编号暂不可用"


class DraftIdUnfit(Malformed):
    """A draft's id has 1 to 40 characters, which are letters, digits, underscores or hyphens."""

    code = "draft_id_unfit"
    title = "草稿编号不正确"


class DraftVersionMissing(Malformed):
    """Deleting a draft requires its version in If-Match."""

    code = "draft_version_missing"
    title = "缺少草稿版本 If-Match"


class TooManyDrafts(Conflict):
    """A citizen keeps at most twenty drafts at a time."""

    code = "too_many_drafts"
    title = "草稿数量已达上限"


class UnfinishedSubmission(Submission):
    """What is filled in so far; all but the bundle may be missing."""

    form: FormGiven = Field(default={})


class Draft(Value):
    """A draft as it was last changed; `version` counts its changes, `expires_at` is a full hour."""

    id: str
    version: int
    bundle_name: str
    wish: UnfinishedSubmission
    changed_at: Moment
    expires_at: Moment

    def of_version(self, version: int) -> "Draft":
        """This draft, if that is its version; StaleVersion tells the present one."""
        if version != self.version:
            raise changed_meanwhile(self)
        return self


class NamedDraft(Value):
    """The draft that is meant, in the version that its owner has seen."""

    draft: Annotated[str, StringConstraints(pattern=ID_PATTERN)]
    version: Annotated[int, Field(ge=1, le=LARGEST_VERSION)]


class Slot(Value):
    """What stands under one id: a draft, or what a deleted or expired one left behind.

    `version` goes on counting under the same id, so that a device does not take a new draft for the one it knew. A slot
    that is spent may vanish at any moment, so nothing is put there.
    """

    version: int = 0
    draft: Draft | None = None
    is_spent: bool = False


class Expiring(Value):
    """A draft that expires soon, and whose it is."""

    owner: str
    id: str
    bundle_name: str
    expires_at: Moment


def check_id(id: str) -> str:
    """The id itself; raises DraftIdUnfit."""
    if not re.fullmatch(ID_PATTERN, id):
        raise DraftIdUnfit("草稿编号只能由 1 至 40 个字母、数字、下划线或连字符组成。")
    return id


def check_turn(slot: Slot, version: int | None) -> None:
    """Whether a draft may be put here by someone who knows this version (None: who knows of no draft here).

    Raises DraftGone, DraftIdSpent, or DraftExists and StaleVersion, which tell the present version.
    """
    if slot.draft and version is None:
        raise DraftExists("已有同一编号的草稿，覆盖时请注明版本。", more={"version": slot.version})
    if slot.draft and version is not None:
        slot.draft.of_version(version)
    elif version is not None:
        raise DraftGone("草稿已提交、删除或过期。")
    elif slot.is_spent:
        raise DraftIdSpent("这个编号的草稿刚刚过期，请换一个编号保存。")


def changed_meanwhile(draft: Draft) -> StaleVersion:
    """The refusal of whoever knows another version than the present one."""
    return StaleVersion("草稿已在别处修改，请刷新后重试。", more={"version": draft.version})


def check_room(count: int) -> None:
    """Whether someone with so many drafts may begin another; raises TooManyDrafts."""
    if count >= MOST_DRAFTS:
        raise TooManyDrafts(f"最多保存 {MOST_DRAFTS} 份草稿，请先提交或删除不需要的草稿。")


def expiry(changed_at: datetime, *, days: int) -> datetime:
    """When a draft changed now expires: so many days later, at the next full hour."""
    end = changed_at + timedelta(days=days)
    hour = end.replace(minute=0, second=0, microsecond=0)
    return hour if hour == end else hour + timedelta(hours=1)
