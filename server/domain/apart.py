"""What could not be handled: it is tried again a few times, ever later, and then set apart until an operator decides.

It leaves its queue, so nothing else waits for it and it holds up its own case only. A fault that passes by itself (a
busy database) is no such fault: then the whole round is tried again.
"""

from datetime import datetime, timedelta
from typing import Literal, TypeVar

from server.domain.errors import Conflict, Missing
from server.domain.values import Moment, Value

Kind = Literal[
    "letter",
    "batch",
    "letter_out",
    "effects",
    "notice",
    "alarm",
    "rung",
    "fetch",
    "paper",
    "draft",
    "dates",
    "stored",  # what a person asked for, and was refused because it is not what this node wrote
]
ApartState = Literal["trying", "released", "apart", "over", "dropped"]

# The pause after each failure; the failure after the last pause sets the thing apart.
PAUSES = tuple(timedelta(seconds=5**power) for power in range(5))
DROPPED = "dropped"
QUIET = timedelta(hours=1)  # what did not fail again for so long after its release is over with


T = TypeVar("T")


class Found(list[T]):
    """What was read of many documents, in order, and beside it what could not be read.

    `unreadable` holds the ids of the documents that did not open, each with its fault; `cursor` tells where to go on,
    where a range is read page by page.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unreadable: dict[str, Exception] = {}
        self.cursor = ""

    @property
    def seen(self) -> int:
        """How many documents there were, those that did not open among them."""
        return len(self) + len(self.unreadable)


class NothingApart(Missing):
    """Nothing of this kind and id is set apart or being tried again."""

    code = "nothing_apart"
    title = "没有这项被搁置的内容"


class NotDroppable(Conflict):
    """What others were promised, or what is only looked at, is never dropped: it can be retried."""

    code = "not_droppable"
    title = "这项内容不能丢弃，只能重试"


class SetApart(Value):
    """One thing that could not be handled: its kind and id, and the exception that it raised last.

    `fault` is the name of the exception's class and `place` where it was raised: the text of an exception may hold
    personal data, and is kept nowhere. `next_at`: of what is `trying` the next attempt, of what is `released` (back
    in its queue) when it counts as over, of what is `apart` since when.
    """

    kind: Kind
    thing: str
    fault: str
    place: str
    state: ApartState
    tries: int
    next_at: Moment
    first_at: Moment
    version: int

    @property
    def id(self) -> str:
        """Its id among all that is set apart."""
        return id_of(self.kind, self.thing)

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done about it."""
        return self.state in ("trying", "released", "apart")


def id_of(kind: Kind, thing: str) -> str:
    """The id of what is set apart, by its kind and its id in its own room."""
    return f"{kind}:{thing}"


def failed(before: SetApart | None, kind: Kind, thing: str, *, fault: tuple[str, str], at: datetime) -> SetApart:
    """What is known of the thing after it raised `fault` (name and place); `before` itself if nothing is new in that.

    A thing that cannot be taken out of its queue fails again before its time, which counts for nothing.
    """
    if before and (before.state == "apart" or (before.state == "trying" and at < before.next_at)):
        return before
    again = before if before and before.is_open else None
    tries = again.tries + 1 if again else 1
    is_last = tries > len(PAUSES)
    return SetApart(
        kind=kind,
        thing=thing,
        fault=fault[0],
        place=fault[1],
        state="apart" if is_last else "trying",
        tries=tries,
        next_at=at if is_last else at + PAUSES[tries - 1],
        first_at=again.first_at if again else at,
        version=before.version + 1 if before else 1,
    )


def released(before: SetApart, *, at: datetime, is_anew: bool = False) -> SetApart:
    """It goes back to its queue; `is_anew`: with all its tries before it."""
    tries = 0 if is_anew else before.tries
    return _moved(before, "released", tries=tries, next_at=at + QUIET)


def over(before: SetApart, *, at: datetime) -> SetApart:
    """It did not fail again."""
    return _moved(before, "over", next_at=at)


def dropped(before: SetApart, *, at: datetime) -> SetApart:
    """An operator has decided that it is not done."""
    return _moved(before, "dropped", next_at=at)


def _moved(before: SetApart, state: ApartState, **more: object) -> SetApart:
    return SetApart.model_validate(before.model_dump() | more | {"state": state, "version": before.version + 1})
