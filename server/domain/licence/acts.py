"""The acts that may be done to a licence: imperatives, each with an id under which it is done once."""

from dataclasses import dataclass
from typing import ClassVar

from server.domain.aggregate.acts import Act
from server.domain.licence.licence import Grant, Ground, RevokedBy
from server.domain.values import Moment


@dataclass(frozen=True)
class LicenceFacts:
    """What a decision about a licence may know of the world: which node this is, and when."""

    here: str
    at: Moment


class LicenceAct(Act):
    """What every act on a licence carries; `version` is that of the licence the actor saw, if given."""

    version: int | None = None


class IssueLicence(LicenceAct):
    """Issue a licence (颁发): from an approved step, or in the place of one that was replaced.

    `spoken_number` is the one that people say, if there is one; while the act waits it has none.
    """

    name: ClassVar[str] = "issue"
    grant: Grant
    spoken_number: str = ""


class GroundedAct(LicenceAct):
    """An act on a licence that is there, with its reason and the rule that it rests on (依据)."""

    reason: Ground
    basis: Ground


class SuspendLicence(GroundedAct):
    """Take the licence away for a while (暂扣)."""

    name: ClassVar[str] = "suspend"


class RestoreLicence(GroundedAct):
    """Give a suspended licence back (暂扣发还)."""

    name: ClassVar[str] = "restore"


class RevokeLicence(GroundedAct):
    """End it because it should not have been granted (撤销), or as a penalty (吊销)."""

    name: ClassVar[str] = "revoke"
    cause: RevokedBy


class WithdrawLicence(GroundedAct):
    """Take it back because law or facts have changed (撤回, 行政许可法第八条)."""

    name: ClassVar[str] = "withdraw"


class AnnulLicence(GroundedAct):
    """Strike it off (注销, 行政许可法第七十条)."""

    name: ClassVar[str] = "annul"


class ExpireLicence(GroundedAct):
    """Its last day is over (过期失效)."""

    name: ClassVar[str] = "expire"
    reason: Ground = "有效期届满"
    basis: Ground = "证照载明的有效期"


class ReplaceLicence(GroundedAct):
    """Let another licence take its place: the next version, which names this one."""

    successor: Grant


class RenewLicence(ReplaceLicence):
    """Let it go on beyond its last day (延续)."""

    name: ClassVar[str] = "renew"


class ChangeLicence(ReplaceLicence):
    """Let other things stand in it (变更)."""

    name: ClassVar[str] = "change"


class ReissueLicence(ReplaceLicence):
    """Issue it anew: it was lost or worn out, or is over (补发、换发)."""

    name: ClassVar[str] = "reissue"


class CorrectLicence(ReplaceLicence):
    """Put right what was written wrong on its face (更正)."""

    name: ClassVar[str] = "correct"


class MoveOutLicence(GroundedAct):
    """Let it go to another place (办理转出), where it is moved in."""

    name: ClassVar[str] = "move_out"
    moved_to: Ground


class CancelMoveOut(GroundedAct):
    """It stays here after all (取消转出)."""

    name: ClassVar[str] = "cancel_move_out"
