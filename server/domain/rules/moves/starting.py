"""How a step starts: it is sent to its decider once its needs are met, after the home's own part, or it is skipped."""

from server.domain.case import acts, events
from server.domain.case.case import Case, Step
from server.domain.case.handover import CheckAsked, Checked, TurnedBack
from server.domain.catalogue.catalogue import Catalogue
from server.domain.errors import Conflict
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import DeskForm, GroundsDecision
from server.domain.rules.move import LetterForm, Move, Transition
from server.domain.rules.moving import Moving
from server.domain.sentences import because, sentences


class CheckedAlready(Conflict):
    """The home has done its part in this step."""

    code = "checked_already"
    title = "已经核验过"


def _sent(step: Step, event: events.Sent) -> Step:
    pinned = {"node": event.node, "directory_version": event.directory_version}
    return step.model_copy(update=pinned | {"arrived_at": event.moment})


def _skipped(step: Step, event: events.Skipped) -> Step:
    return step.model_copy(update={"waits_on": event.waits_on})


def _check(moving: Moving[acts.Check]) -> Checked:
    """The home has done its part."""
    if moving.step.checked_at:
        raise CheckedAlready("本地已经核验过，不能重复。")
    return Checked(**moving.header, finding=moving.act.finding)


def _checked(step: Step, event: Checked) -> Step:
    return step.model_copy(update={"finding": event.finding, "checked_at": event.moment})


def _turn_back(moving: Moving[acts.TurnBack]) -> TurnedBack:
    """The home does not send it on."""
    if moving.step.checked_at:
        raise CheckedAlready("本地已经核验通过，不能再退回。")
    return TurnedBack(**moving.header, grounds=moving.act.grounds)


def _turned_back(step: Step, event: TurnedBack) -> Step:
    return step.model_copy(update={"grounds": event.grounds})


def _words_of_skipped(_: Catalogue, case: Case, event: events.Skipped) -> str:
    return f"“{case.steps[event.waits_on].plan.name}”没有办成，这一项不再办理。"


def _words_of_check(_: Catalogue, case: Case, event: CheckAsked) -> str:
    plan = case.steps[event.step].plan
    checker = plan.competent.checker
    return f"由受理地{checker.name}{plan.part.name}，核验通过后转往办理地。" if plan.part and checker else ""


def _words_of_turned_back(_: Catalogue, __: Case, event: TurnedBack) -> str:
    return sentences(because("受理地核验没有通过，尚未转往办理地", event.grounds), "改正后可以重新申请")


SEND = Transition(
    event=events.Sent,
    states={"waiting": "sent", "checking": "sent"},
    leaves=_sent,
    letter=LetterForm("step.requested", adds=("commission",), is_homes=True),
    name="转办",
)
SKIP = Transition(
    event=events.Skipped, states={"waiting": "skipped"}, leaves=_skipped, name="不再办理", words=_words_of_skipped
)
ASK_CHECK = Transition(event=CheckAsked, states={"waiting": "checking"}, name="交受理地核验", words=_words_of_check)
CHECK = Move(
    act=acts.Check,
    judge=_check,
    speaker="checker",
    desk=DeskForm(
        "check",
        "登记受理地核验通过",
        GroundsDecision,
        lambda header, said: acts.Check(**header, finding=said.grounds),
        role="window",
        part="check",
    ),
    event=Checked,
    states={"checking": "checking"},
    leaves=_checked,
    name="核验通过",
)
TURN_BACK = Move(
    act=acts.TurnBack,
    judge=_turn_back,
    speaker="checker",
    desk=DeskForm(
        "turn-back",
        "登记受理地核验不通过，并说明理由",
        GroundsDecision,
        lambda header, said: acts.TurnBack(**header, grounds=said.grounds),
        role="window",
        part="check",
    ),
    event=TurnedBack,
    states={"checking": "withdrawn"},
    leaves=_turned_back,
    name="核验不通过",
    words=_words_of_turned_back,
    notice=Announcement("decided", "核验未过", "请查看理由，改正后可重新申请"),
)
