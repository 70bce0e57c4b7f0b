"""Delivering the licence or paper to its holder (送达)."""

from server.domain.case import acts, events
from server.domain.case.case import Case, Step
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.terms import Delivery
from server.domain.errors import Conflict
from server.domain.rules.announcement import Announcement
from server.domain.rules.desk_forms import DeskForm, LicenceDecision, ShortText
from server.domain.rules.move import LetterForm, Move
from server.domain.rules.moving import Moving
from server.domain.rules.results import check_yielded
from server.domain.rules.signings import check_contracted

METHODS = {"electronic": "电子送达", "post": "邮寄", "window": "窗口领取"}


class NothingToDeliver(Conflict):
    """The item yields neither a licence nor a paper."""

    code = "nothing_to_deliver"
    title = "该事项没有需要送达的证照或文书"


class DeliveryGiven(Delivery):
    """How a document is delivered, as an officer says it."""

    number: ShortText = ""


class DeliverDecision(LicenceDecision):
    """How the document is delivered, and its file if that did not come with the approval."""

    delivery: DeliveryGiven


def _deliver(moving: Moving[acts.Deliver]) -> events.Delivered:
    if not moving.step.plan.yields:
        raise NothingToDeliver("该事项的结果是文字答复，已在办件中告知。")
    if not moving.is_mirror:
        check_contracted(moving.case, moving.step, at=moving.facts.at)
    check_yielded(moving.step, {}, licence=moving.act.licence)
    return events.Delivered(**moving.header, delivery=moving.act.delivery, licence=moving.act.licence)


def _delivered(step: Step, event: events.Delivered) -> Step:
    return step.model_copy(update={"delivery": event.delivery})


def _words_of_delivered(_: Catalogue, __: Case, event: events.Delivered) -> str:
    number = f"，单号{event.delivery.number}" if event.delivery.number else ""
    return f"{METHODS[event.delivery.method]}{number}。"


DELIVER = Move(
    act=acts.Deliver,
    judge=_deliver,
    desk=DeskForm(
        "deliver",
        "登记证照或文书的送达方式",
        DeliverDecision,
        lambda header, said: acts.Deliver(**header, delivery=Delivery(**dict(said.delivery))),
        role="window",
    ),
    event=events.Delivered,
    states={"approved": "delivered"},
    leaves=_delivered,
    letter=LetterForm("step.delivered", unfolds="delivery", adds=("licence",)),
    name="送达",
    words=_words_of_delivered,
    notice=Announcement("delivered", "已送达", "证照或文书已送达，请查收"),
)
