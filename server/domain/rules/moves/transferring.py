"""Transferring (移送): a step goes to another authority of the province, and its clock goes with it as it stands.

The authority that has it hands it on once. After that only the common superior says who decides (指定管辖), as it does
where an abolished division has several successors; where it has one, that one's authority takes over by itself.
"""

from server.domain.case import acts, events
from server.domain.case.case import Case, State, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import DeskForm, GroundsDecision, ShortText
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving
from server.domain.sentences import because, sentences


class TransferNotAllowed(Conflict):
    """The item may not be transferred: who is not competent declines it, and names the right organ."""

    code = "transfer_not_allowed"
    title = "该事项不能移送"


class TransferredAlready(Conflict):
    """It was transferred before: only an authority above both may say now who decides it."""

    code = "transferred_already"
    title = "该事项已经移送过"


class SameAuthority(Invalid):
    """The authority that decides it there is the one that has it."""

    code = "same_authority"
    title = "该地区仍由同一机关办理"


class NothingToDesignate(Conflict):
    """It was never transferred, or its decision is not open any more, and its authority is still there."""

    code = "nothing_to_designate"
    title = "该事项不需要指定办理机关"


class TransferDecision(GroundsDecision):
    """Why, and the division whose authority is competent for it."""

    division: ShortText


def _transfer(moving: Moving[acts.Transfer]) -> events.Transferred:
    act, step, rule = moving.act, moving.step, moving.step.plan.terms.transfer
    days_from = act.days_from if moving.is_mirror else rule.days_from if rule else None
    if days_from is None:
        raise TransferNotAllowed("该事项不能移送；不属于本机关职权范围的，应当不予受理，并告知申请人向哪个机关申请。")
    if not moving.is_mirror and step.transfers:
        raise TransferredAlready("该事项只能移送一次，此前已经移送过；不属于本机关职权范围的，应当报请上级机关指定。")
    receiver = _other(moving, act.authority)
    return events.Transferred(
        **moving.header, authority=receiver, former=step.authority, reason=act.reason, days_from=days_from
    )


def _designate(moving: Moving[acts.Designate]) -> events.Designated:
    act, step = moving.act, moving.step
    if not (moving.is_mirror or act.is_gone or (step.transfers and step.state in WHILE_OPEN)):
        raise NothingToDesignate("只有移送过、尚未作出决定的事项，或者原机关已撤销的事项，才由上级机关指定办理机关。")
    receiver = _other(moving, act.authority)
    return events.Designated(
        **moving.header, authority=receiver, former=step.authority, superior=act.superior, reason=act.reason
    )


def _take_over(moving: Moving[acts.TakeOver]) -> events.TakenOver:
    receiver, former = _other(moving, moving.act.authority), moving.step.authority
    return events.TakenOver(**moving.header, authority=receiver, former=former, reason=moving.act.reason)


def _other(moving: Moving[acts.StepAct], receiver: PinnedAuthority | None) -> PinnedAuthority:
    """The receiver, which must be another one than now; raises SameAuthority."""
    now = moving.step.authority
    if receiver is None or (not moving.is_mirror and now and receiver.id == now.id):
        fault = FieldFault(pointer="/division", code="same_authority", detail="请填写另一机关办理的地区。")
        raise SameAuthority("接收机关和现在的办理机关相同。", errors=[fault])
    return receiver


def _transferred(step: Step, event: events.Transferred) -> Step:
    is_anew = event.days_from == "second_receipt" and step.clock is None
    step = step.model_copy(update={"notify_anew_at": event.moment}) if is_anew else step
    return _handed_on(step, event, transfers=1)


def _designated(step: Step, event: events.Designated) -> Step:
    return _handed_on(step, event, transfers=1)


def _taken_over(step: Step, event: events.TakenOver) -> Step:
    return _handed_on(step, event, transfers=0)


def _handed_on(step: Step, event: events.HandedOn, *, transfers: int) -> Step:
    """The clock goes on; what the former authority's officers proposed was for its own decision."""
    formers = (*step.formers, event.former) if event.former else step.formers
    change = {"authority": event.authority, "formers": formers, "transfers": step.transfers + transfers}
    return step.model_copy(update={**change, "proposal": None})


def _words_of_transferred(_: Catalogue, case: Case, event: events.Transferred) -> str:
    is_anew = event.days_from == "second_receipt" and case.steps[event.step].clock is None
    days = "告知补正的期限自移送之日起重新计算" if is_anew else "办理期限连续计算"
    return sentences(because(f"移送{event.authority.name}办理", event.reason), days)


def _words_of_designated(_: Catalogue, __: Case, event: events.Designated) -> str:
    what = f"由{event.superior.name}指定{event.authority.name}办理"
    return sentences(because(what, event.reason), "办理期限连续计算")


def _words_of_taken_over(_: Catalogue, __: Case, event: events.TakenOver) -> str:
    return sentences(because(f"改由{event.authority.name}继续办理", event.reason), "办理期限连续计算")


# A supplement or a special procedure is ended before the step is handed on: the notice of it names the authority that
# began it, to which the applicant answers.
WHILE_OPEN: tuple[State, ...] = ("received", "accepted")
UNTIL_DELIVERED: tuple[State, ...] = ("sent", "received", "supplementing", "accepted", "suspended", "approved")
TOLD = Announcement("received", "改由他办", "改由其他机关办理，可查看详情")

TRANSFER = Move(
    act=acts.Transfer,
    judge=_transfer,
    desk=DeskForm(
        "transfer",
        "移送本省有权办理的机关",
        TransferDecision,
        lambda header, said: acts.Transfer(**header, reason=said.grounds),
        role="approver",
    ),
    event=events.Transferred,
    states={state: state for state in WHILE_OPEN},
    leaves=_transferred,
    letter=LetterForm("step.transferred", marks={"by": "authority"}, says=("authority", "reason", "days_from")),
    name="移送",
    words=_words_of_transferred,
    notice=TOLD,
)
DESIGNATE = Move(
    act=acts.Designate,
    judge=_designate,
    speaker="superior",
    event=events.Designated,
    states={state: state for state in UNTIL_DELIVERED},
    leaves=_designated,
    letter=LetterForm("step.transferred", marks={"by": "superior"}, says=("authority", "superior", "reason")),
    name="指定办理机关",
    words=_words_of_designated,
    notice=TOLD,
)
TAKE_OVER = Move(
    act=acts.TakeOver,
    judge=_take_over,
    event=events.TakenOver,
    states={state: state for state in UNTIL_DELIVERED},
    leaves=_taken_over,
    letter=LetterForm("step.transferred", marks={"by": "succession"}, says=("authority", "reason")),
    name="机关承继",
    words=_words_of_taken_over,
    notice=TOLD,
)
