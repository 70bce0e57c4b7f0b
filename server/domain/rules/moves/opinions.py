"""Opinions (会签): what other departments think, and sending an opinion back."""

from typing import Literal

from server.domain.case import acts, events
from server.domain.case.case import Step
from server.domain.catalogue.terms import Opinion
from server.domain.errors import Forbidden
from server.domain.rules.desk_forms import Decision, DeskForm, GroundsDecision, ShortText
from server.domain.rules.move import Move
from server.domain.rules.moving import Moving
from server.domain.values import WrittenText


class NotHeard(Forbidden):
    """This authority is not asked for its opinion, or has given it."""

    code = "not_heard"
    title = "没有征求本机关的意见"


class OpinionDecision(Decision):
    """What the officer's own authority thinks, and why."""

    answer: Literal["agree", "object"]
    grounds: WrittenText = ""


class ReturnOpinionDecision(GroundsDecision):
    """Whose opinion goes back, and why."""

    department: ShortText


def _opine(moving: Moving[acts.Opine]) -> events.OpinionGiven:
    act, step = moving.act, moving.step
    own = {code for code, heard in step.plan.competent.heard.items() if heard.id == act.by.authority}
    asked = [code for code, opinion in step.opinions.items() if code in own and not opinion.answer]
    if not asked:
        raise NotHeard("该事项没有征求本机关的意见，或者本机关已经答复。")
    return events.OpinionGiven(**moving.header, department=asked[0], answer=act.answer, reason=act.reason)


def _given(step: Step, event: events.OpinionGiven) -> Step:
    said = {"answer": event.answer, "reason": event.reason, "given_at": event.moment}
    return _with(step, event.department, step.opinions[event.department].model_copy(update=said))


def _send_back(moving: Moving[acts.ReturnOpinion]) -> events.OpinionReturned:
    act, rule = moving.act, moving.step.plan.terms.opinions
    opinion = moving.step.opinions.get(act.department)
    if rule is None or opinion is None or not opinion.answer:
        raise NotHeard("该部门没有给出可以退回的意见。")
    due_on = moving.days_later(rule.days)
    return events.OpinionReturned(**moving.header, department=act.department, reason=act.reason, due_on=due_on)


def _returned(step: Step, event: events.OpinionReturned) -> Step:
    asked = Opinion(asked_at=event.moment, due_on=event.due_on, reason=event.reason)
    return _with(step, event.department, asked)


def _with(step: Step, department: str, opinion: Opinion) -> Step:
    """The opinion of one department touches no other."""
    return step.model_copy(update={"opinions": {**step.opinions, department: opinion}})


OPINE = Move(
    act=acts.Opine,
    judge=_opine,
    speaker="heard",
    desk=DeskForm(
        "opinion",
        "答复会签",
        OpinionDecision,
        lambda header, said: acts.Opine(**header, answer=said.answer, reason=said.grounds),
        role="handler",
        part="opinion",
    ),
    event=events.OpinionGiven,
    states={"accepted": "accepted", "suspended": "suspended"},
    leaves=_given,
    name="会签答复",
)
RETURN_OPINION = Move(
    act=acts.ReturnOpinion,
    judge=_send_back,
    desk=DeskForm(
        "return-opinion",
        "退回会签意见，请其重新答复",
        ReturnOpinionDecision,
        lambda header, said: acts.ReturnOpinion(**header, department=said.department, reason=said.grounds),
        role="handler",
    ),
    event=events.OpinionReturned,
    states={"accepted": "accepted"},
    leaves=_returned,
    name="退回会签意见",
)
