"""Claims (认领): which officer has a task in hand and until when, so that no two work on the same one."""

from datetime import datetime
from typing import Annotated, Any, Self

from server.domain.errors import Conflict, Missing
from server.domain.values import CHINA, SENSITIVE, Moment, Value


class NoSuchTask(Missing):
    """There is no task of this id, or no post of the officer's is for it."""

    code = "no_such_task"
    title = "没有这个待办事项"


class ClaimedByAnother(Conflict):
    """Another officer has this task in hand."""

    code = "claimed_by_another"
    title = "该事项已由他人认领"


class ClaimLost(Conflict):
    """The officer's lease has ended, and the task no longer belongs to them."""

    code = "claim_lost"
    title = "认领已失效"


class ClaimNeeded(Conflict):
    """Only the officer who has the task in hand, or a head of its authority, may pass it on."""

    code = "claim_needed"
    title = "请先认领该事项"


class HandOver(Value):
    """A task passed on (移交) by one officer to another, with a note."""

    by: str
    to: str
    note: Annotated[str, SENSITIVE]
    at: Moment


class Claim(Value):
    """A lease on one task: until `until` it belongs to the holder; without a holder the task is free.

    `id` is the task's. The last hand-over stays when the lease ends, so that the next officer sees it. `version` counts
    the changes; 0 stands for a task that was never claimed.
    """

    id: str
    case: str
    step: str
    authority: str
    holder: str = ""
    until: Moment | None = None
    hand_over: HandOver | None = None
    version: int = 0

    def at_authority(self, authority: str) -> Self:
        """The claim as it counts where the task lies now: at another authority than it was made at, it is over."""
        if authority == self.authority:
            return self
        return self.model_copy(update={"authority": authority, "holder": "", "until": None, "hand_over": None})

    def is_live(self, at: datetime) -> bool:
        """Whether somebody has the task in hand."""
        return self.until is not None and at < self.until

    def is_anothers(self, officer: str, at: datetime) -> bool:
        """Whether somebody else than this officer has it in hand."""
        return self.holder != officer and self.is_live(at)

    def given(self, **change: Any) -> Self:
        """The next version with this change."""
        return self.model_copy(update={**change, "version": self.version + 1})


def check_free(claim: Claim, officer: str, *, at: datetime) -> None:
    """Raises ClaimedByAnother, which names the holder and until when, if another officer has the task in hand."""
    if claim.is_anothers(officer, at):
        raise ClaimedByAnother(f"该事项已由“{claim.holder}”认领。", more=_holding(claim))


def claimed(claim: Claim, officer: str, *, at: datetime, until: datetime) -> Claim:
    """The officer takes a task in hand that nobody has, or goes on with it; raises ClaimedByAnother."""
    check_free(claim, officer, at=at)
    return claim.given(holder=officer, until=until)


def extended(claim: Claim, officer: str, *, at: datetime, until: datetime) -> Claim:
    """Extend the officer's lease, even an expired one if no other officer took the task; raises ClaimLost."""
    if claim.is_anothers(officer, at):
        raise ClaimLost(f"认领已到期，该事项现由“{claim.holder}”办理。", more=_holding(claim))
    if claim.holder != officer:
        raise ClaimLost("该事项已不在您名下，请重新认领。")
    return claim.given(until=until)


def released(claim: Claim, officer: str, *, at: datetime) -> Claim:
    """The officer gives a task back; unchanged if nobody has it. Raises ClaimedByAnother."""
    check_free(claim, officer, at=at)
    return claim.given(holder="", until=None) if claim.holder == officer else claim


def handed_over(claim: Claim, passing: HandOver, *, is_head: bool, until: datetime) -> Claim:
    """An officer passes a task on, or has done so already; a head of the authority passes on anybody's.

    Raises ClaimedByAnother and ClaimNeeded.
    """
    done, is_the_holders = claim.hand_over, claim.holder == passing.to and claim.is_live(passing.at)
    if done and is_the_holders and (done.by, done.to, done.note) == (passing.by, passing.to, passing.note):
        return claim
    if not is_head:
        check_free(claim, passing.by, at=passing.at)
        if claim.holder != passing.by:
            raise ClaimNeeded("请先认领该事项，再移交给同事。")
    return claim.given(holder=passing.to, until=until, hand_over=passing)


def _holding(claim: Claim) -> dict[str, str]:
    """Who has the task in hand, and until when, as people write it."""
    until = claim.until.astimezone(CHINA).isoformat(timespec="milliseconds") if claim.until else ""
    return {"holder": claim.holder, "until": until}
