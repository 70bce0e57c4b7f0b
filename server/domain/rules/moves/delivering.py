"""Delivering the licence to its holder (送达)."""

from server.domain.case import acts, events
from server.domain.case.case import Step
from server.domain.errors import Conflict
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moves.deciding import check_yielded
from server.domain.rules.moving import Moving


class NothingToDeliver(Conflict):
    """The item yields no licence."""

    code = "nothing_to_deliver"
    title = "该事项没有需要送达的证照"


def _deliver(moving: Moving[acts.Deliver]) -> events.Delivered:
    if not moving.step.plan.yields:
        raise NothingToDeliver("该事项不产生证照，决定已在办理进度中告知。")
    check_yielded(moving.step, {}, licence=moving.act.licence)
    return events.Delivered(**moving.header, delivery=moving.act.delivery, licence=moving.act.licence)


def _delivered(step: Step, event: events.Delivered) -> Step:
    return step.model_copy(update={"delivery": event.delivery})


DELIVER = Move(
    act=acts.Deliver,
    judge=_deliver,
    event=events.Delivered,
    states={"approved": "delivered"},
    leaves=_delivered,
    letter=LetterForm("step.delivered", unfolds="delivery", adds=("licence",)),
)
