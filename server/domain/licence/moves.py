"""The moves of a licence: suspending, ending, replacing and moving out; and the table that is derived from them."""

from collections.abc import Mapping
from typing import Any

from server.domain.errors import Conflict
from server.domain.licence import acts, events
from server.domain.licence.licence import LicenceState
from server.domain.licence.move import AnyLicenceMove, LicenceMove, LicenceMoving


class NotOverYet(Conflict):
    """The last day of the licence is not over, or it has none."""

    code = "not_over_yet"
    title = "证照有效期未届满"


class DoesNotFollow(Conflict):
    """What is to take the place of the licence is not its next version, or is not of the same holders."""

    code = "does_not_follow"
    title = "新证照与原证照不衔接"


class NoLaterEnd(Conflict):
    """A licence is renewed only beyond its last day."""

    code = "no_later_end"
    title = "延续后的有效期应晚于原有效期"


def _expire(moving: LicenceMoving[acts.ExpireLicence]) -> events.LicenceExpired:
    last = moving.licence.expires_on
    if last is None or moving.today <= last:
        raise NotOverYet("证照有效期届满的次日起，才能记为过期。")
    return events.LicenceExpired(**moving.header)


def _check_successor(moving: LicenceMoving[acts.ReplaceLicence]) -> None:
    """The next version, by the same authority, in force at once: there is no day without a licence."""
    licence, successor = moving.licence, moving.act.successor
    if successor.identifier != licence.identifier.next_version() or successor.previous != licence.id:
        raise DoesNotFollow("新证照应是原证照的下一个版本，并写明原证照的标识。")
    if successor.authority.id != licence.authority.id:
        raise DoesNotFollow("新证照应由原颁发机关颁发。")
    if not successor.issued_on <= moving.today or not successor.effective_on <= moving.today:
        raise DoesNotFollow("新证照应自即日起生效。")


def _check_same_holders(moving: LicenceMoving[acts.ReplaceLicence]) -> None:
    _check_successor(moving)
    if moving.act.successor.numbers != moving.licence.numbers:
        raise DoesNotFollow("新证照的持证主体应与原证照相同。")


def _renew(moving: LicenceMoving[acts.RenewLicence]) -> events.LicenceRenewed:
    _check_same_holders(moving)
    before, after = moving.licence.expires_on, moving.act.successor.expires_on
    if before is None or (after is not None and after <= before):
        raise NoLaterEnd("延续后的有效期应晚于原有效期；长期有效的证照无需延续。")
    return events.LicenceRenewed(**moving.header, successor=moving.act.successor)


def _change(moving: LicenceMoving[acts.ChangeLicence]) -> events.LicenceChanged:
    _check_successor(moving)
    return events.LicenceChanged(**moving.header, successor=moving.act.successor)


def _reissue(moving: LicenceMoving[acts.ReissueLicence]) -> events.LicenceReissued:
    _check_same_holders(moving)
    return events.LicenceReissued(**moving.header, successor=moving.act.successor)


def _correct(moving: LicenceMoving[acts.CorrectLicence]) -> events.LicenceCorrected:
    _check_successor(moving)
    return events.LicenceCorrected(**moving.header, successor=moving.act.successor)


def _replaced(event: events.LicenceReplaced) -> Mapping[str, Any]:
    return {"cause": event.kind, "successor": event.successor.id}


SUSPEND = LicenceMove(
    act=acts.SuspendLicence,
    event=events.LicenceSuspended,
    name="暂扣",
    states={"valid": "suspended"},
    judge=lambda moving: events.LicenceSuspended(**moving.header),
)
RESTORE = LicenceMove(
    act=acts.RestoreLicence,
    event=events.LicenceRestored,
    name="暂扣发还",
    states={"suspended": "valid"},
    judge=lambda moving: events.LicenceRestored(**moving.header),
)
REVOKE = LicenceMove(
    act=acts.RevokeLicence,
    event=events.LicenceRevoked,
    name="撤销或者吊销",
    states={"valid": "revoked", "suspended": "revoked", "moved_out": "revoked"},
    judge=lambda moving: events.LicenceRevoked(**moving.header, cause=moving.act.cause),
    leaves=lambda event: {"cause": event.cause},
)
WITHDRAW = LicenceMove(
    act=acts.WithdrawLicence,
    event=events.LicenceWithdrawn,
    name="撤回",
    states={"valid": "withdrawn", "suspended": "withdrawn", "moved_out": "withdrawn"},
    judge=lambda moving: events.LicenceWithdrawn(**moving.header),
)
# 行政许可法第七十条: what has expired, was revoked or withdrawn is struck off too.
ANNUL = LicenceMove(
    act=acts.AnnulLicence,
    event=events.LicenceAnnulled,
    name="注销",
    states=dict.fromkeys(("valid", "suspended", "moved_out", "expired", "revoked", "withdrawn"), "annulled"),
    judge=lambda moving: events.LicenceAnnulled(**moving.header),
    may_follow=True,
)
EXPIRE = LicenceMove(
    act=acts.ExpireLicence,
    event=events.LicenceExpired,
    name="过期失效",
    states={"valid": "expired", "suspended": "expired", "moved_out": "expired"},
    judge=_expire,
    may_follow=True,
)
RENEW = LicenceMove(
    act=acts.RenewLicence,
    event=events.LicenceRenewed,
    name="延续",
    states={"valid": "replaced"},
    judge=_renew,
    leaves=_replaced,
    may_follow=True,
)
CHANGE = LicenceMove(
    act=acts.ChangeLicence,
    event=events.LicenceChanged,
    name="变更",
    states={"valid": "replaced"},
    judge=_change,
    leaves=_replaced,
    may_follow=True,
)
# Who has let a licence expire that anybody may have anew (an identity card) gets the next version of it.
REISSUE = LicenceMove(
    act=acts.ReissueLicence,
    event=events.LicenceReissued,
    name="补发或者换发",
    states={"valid": "replaced", "expired": "replaced"},
    judge=_reissue,
    leaves=_replaced,
    may_follow=True,
)
CORRECT = LicenceMove(
    act=acts.CorrectLicence,
    event=events.LicenceCorrected,
    name="更正",
    states={"valid": "replaced"},
    judge=_correct,
    leaves=_replaced,
)
MOVE_OUT = LicenceMove(
    act=acts.MoveOutLicence,
    event=events.LicenceMovedOut,
    name="办理转出",
    states={"valid": "moved_out"},
    judge=lambda moving: events.LicenceMovedOut(**moving.header, moved_to=moving.act.moved_to),
    leaves=lambda event: {"moved_to": event.moved_to},
    may_follow=True,
)
CANCEL_MOVE_OUT = LicenceMove(
    act=acts.CancelMoveOut,
    event=events.MoveOutCancelled,
    name="取消转出",
    states={"moved_out": "valid"},
    judge=lambda moving: events.MoveOutCancelled(**moving.header),
    leaves=lambda event: {"moved_to": ""},
)

LICENCE_MOVES: tuple[AnyLicenceMove, ...] = (
    SUSPEND,
    RESTORE,
    REVOKE,
    WITHDRAW,
    ANNUL,
    EXPIRE,
    RENEW,
    CHANGE,
    REISSUE,
    CORRECT,
    MOVE_OUT,
    CANCEL_MOVE_OUT,
)
MOVE_OF_ACT: Mapping[type[acts.GroundedAct], AnyLicenceMove] = {move.act: move for move in LICENCE_MOVES}
MOVE_OF_EVENT: Mapping[type[events.LicenceMoved], AnyLicenceMove] = {move.event: move for move in LICENCE_MOVES}
LICENCE_TABLE: Mapping[tuple[LicenceState, str], LicenceState] = {
    (state, move.act.name): then for move in LICENCE_MOVES for state, then in move.states.items()
}
