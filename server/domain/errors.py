"""The refusals: each says by its own name and stable code why a request is not granted."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from server.domain.sentences import sentences
from server.domain.values import Value

MOST_FAULTS = 20  # that one refusal tells: whoever asks with thousands gets no answer of that length


class FieldFault(Value):
    """One fault of one field: where (RFC 6901 JSON pointer), a stable code, and a zh-CN sentence."""

    pointer: str
    code: str
    detail: str


class Refusal(Exception):
    """A request that is refused, by a name of its own.

    Each class writes its own `code`, which is unique and never changes, as clients and other nodes rely on it, and its
    `title` in zh-CN. `detail` is a zh-CN sentence about this one refusal, `errors` its first faults by field, and
    `more` holds what a program needs to go on. No personal data in any of them.
    """

    code: ClassVar[str] = "refusal"
    title: ClassVar[str] = "请求未被接受"

    def __init__(
        self, detail: str = "", *, errors: Sequence[FieldFault] = (), more: Mapping[str, Any] | None = None
    ) -> None:
        if len(errors) > MOST_FAULTS:
            detail = sentences(detail, f"共有{len(errors)}处，这里列出前{MOST_FAULTS}处")
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors[:MOST_FAULTS])
        self.more = dict(more or {})


class NotAuthentic(Exception):
    """What is stored at `place` was altered, moved, or written by somebody without the keys of this node.

    It is no refusal: who meets it in a loop must not take it for an answer. A door answers it with StoredBroken.
    """

    def __init__(self, place: str) -> None:
        super().__init__(f"what is stored at {place} is not what this node wrote")
        self.place = place


class WrittenByNewer(Exception):
    """What is stored at `place` is of a kind that this program does not know: a newer one of this node has written it.

    It is no refusal, for the same reason. A door answers it with BeingUpgraded.
    """

    def __init__(self, place: str, kind: str) -> None:
        super().__init__(f"what is stored at {place} is of a kind that this program does not know: {kind}")


# The kinds, which handlers/problems.py maps to HTTP status codes.


class Malformed(Refusal):
    """The request cannot be read."""

    code = "malformed"
    title = "请求格式不正确"


class Invalid(Refusal):
    """The request can be read but what it says does not hold."""

    code = "invalid"
    title = "填写内容有误"


class Unproven(Refusal):
    """The caller has not proven who they are."""

    code = "unproven"
    title = "请先登录"


class Forbidden(Refusal):
    """The caller is known and has no right to this."""

    code = "forbidden"
    title = "无权办理"


class Missing(Refusal):
    """There is no such thing, or none that the asker may know of."""

    code = "missing"
    title = "未找到"


class Conflict(Refusal):
    """The present state does not allow it."""

    code = "conflict"
    title = "当前状态不允许此操作"


class Outdated(Refusal):
    """The asker speaks of a version that is no longer the current one."""

    code = "outdated"
    title = "内容已更新，请刷新后重试"


class StoredBroken(Conflict):
    """What is asked for was altered in the database behind the node's back: nothing is shown of it or done with it."""

    code = "stored_broken"
    title = "数据校验未通过，暂停办理"


class TooLarge(Refusal):
    """The request is larger than this door takes."""

    code = "too_large"
    title = "内容过大"


class TooSlow(Refusal):
    """The request did not come in the time that it has."""

    code = "too_slow"
    title = "请求传输过慢"


class OutOfRange(Refusal):
    """There is nothing at the place that is asked for."""

    code = "out_of_range"
    title = "请求范围超出内容长度"


class Unsupported(Refusal):
    """This door does not take such content."""

    code = "unsupported"
    title = "不支持的内容类型"


class TooMany(Refusal):
    """It was tried too often; `retry_after_seconds` tells when it may be tried again."""

    code = "too_many"
    title = "请求过于频繁，请稍后重试"


class Unavailable(Refusal):
    """Not now; the same request may succeed later."""

    code = "unavailable"
    title = "系统繁忙，请稍后重试"


class BeingUpgraded(Unavailable):
    """A newer program of this node has written what is asked for; this process cannot read it until it is replaced."""

    code = "being_upgraded"
    title = "系统正在升级，请稍后重试"


# What the store has to say.


class OutcomeUnknown(Unavailable):
    """The database did not answer in time: the write may have happened, or may happen yet."""

    code = "outcome_unknown"
    title = "系统繁忙，请用同一请求标识重试"


class CatalogueNotAtHand(Unavailable):
    """The catalogue that the case was opened under has not been read yet, or not lately."""

    code = "catalogue_not_at_hand"
    title = "系统繁忙，请稍后重试"

    def __init__(self, version: str = "") -> None:
        super().__init__()
        self.version = version


class StaleVersion(Outdated):
    """Another request has changed it."""

    code = "stale_version"
    title = "内容已有新的进展，请刷新后重试"
