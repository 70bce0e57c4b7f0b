"""What has happened to a licence: facts in the past tense, each with the act that caused it."""

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter

from server.domain.aggregate.happening import Happened
from server.domain.licence.licence import Grant, ReplacedBy, RevokedBy
from server.domain.values import SENSITIVE


class LicenceIssued(Happened):
    """It was issued (颁发) at this node, under the number that people say (`spoken_number`), if there was one."""

    act: ClassVar[str] = "issue"
    kind: Literal["issued"] = "issued"
    node: str
    grant: Grant
    spoken_number: str = ""


class LicenceMoved(Happened):
    """Something about a licence that is there, by the table of moves, with its reason and basis."""

    reason: Annotated[str, SENSITIVE]
    basis: str


class LicenceSuspended(LicenceMoved):
    """It was taken away for a while (暂扣)."""

    act: ClassVar[str] = "suspend"
    kind: Literal["suspended"] = "suspended"


class LicenceRestored(LicenceMoved):
    """It was given back (暂扣发还)."""

    act: ClassVar[str] = "restore"
    kind: Literal["restored"] = "restored"


class LicenceRevoked(LicenceMoved):
    """It was ended because it should not have been granted (撤销), or as a penalty (吊销)."""

    act: ClassVar[str] = "revoke"
    kind: Literal["revoked"] = "revoked"
    cause: RevokedBy


class LicenceWithdrawn(LicenceMoved):
    """The authority took it back because law or facts had changed (撤回)."""

    act: ClassVar[str] = "withdraw"
    kind: Literal["withdrawn"] = "withdrawn"


class LicenceAnnulled(LicenceMoved):
    """It was struck off (注销)."""

    act: ClassVar[str] = "annul"
    kind: Literal["annulled"] = "annulled"


class LicenceExpired(LicenceMoved):
    """Its last day went by (过期失效)."""

    act: ClassVar[str] = "expire"
    kind: Literal["expired"] = "expired"


class LicenceReplaced(LicenceMoved):
    """Another licence takes its place; `successor` is what is to be granted with that one."""

    kind: ReplacedBy
    successor: Grant


class LicenceRenewed(LicenceReplaced):
    """It goes on as another one beyond its last day (延续)."""

    act: ClassVar[str] = "renew"
    kind: Literal["renewed"] = "renewed"


class LicenceChanged(LicenceReplaced):
    """It goes on as another one in which other things stand (变更)."""

    act: ClassVar[str] = "change"
    kind: Literal["changed"] = "changed"


class LicenceReissued(LicenceReplaced):
    """It was issued anew (补发、换发), and is void itself (作废)."""

    act: ClassVar[str] = "reissue"
    kind: Literal["reissued"] = "reissued"


class LicenceCorrected(LicenceReplaced):
    """What was written wrong was put right in another one (更正)."""

    act: ClassVar[str] = "correct"
    kind: Literal["corrected"] = "corrected"


class LicenceMovedOut(LicenceMoved):
    """It went to another place (办理转出)."""

    act: ClassVar[str] = "move_out"
    kind: Literal["moved_out"] = "moved_out"
    moved_to: str


class MoveOutCancelled(LicenceMoved):
    """It stayed here after all (取消转出)."""

    act: ClassVar[str] = "cancel_move_out"
    kind: Literal["move_out_cancelled"] = "move_out_cancelled"


# What moves a licence that is there, by the table of moves.
LicenceMoveEvent = (
    LicenceSuspended
    | LicenceRestored
    | LicenceRevoked
    | LicenceWithdrawn
    | LicenceAnnulled
    | LicenceExpired
    | LicenceRenewed
    | LicenceChanged
    | LicenceReissued
    | LicenceCorrected
    | LicenceMovedOut
    | MoveOutCancelled
)
LicenceEvent = Annotated[LicenceIssued | LicenceMoveEvent, Field(discriminator="kind")]
LICENCE_KINDS = frozenset(kind.model_fields["kind"].default for kind in get_args(get_args(LicenceEvent)[0]))
LICENCE_EVENT: TypeAdapter[LicenceEvent] = TypeAdapter(LicenceEvent, config=ConfigDict(hide_input_in_errors=True))
