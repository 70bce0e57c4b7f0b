"""The data of a paper that a case has asked for: always the same from the same case, catalogue and request."""

from collections.abc import Iterable

from server.domain.case.case import Case, NoSuchCase, Step
from server.domain.case.events import Event
from server.domain.case.happening import Moved
from server.domain.case.papers import PaperAsked
from server.domain.catalogue.authorities import HOTLINE
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.papers.data import Frame, ItemType, PaperData, Remedy
from server.domain.paperwork.bodies import Telling
from server.domain.paperwork.recipients import recipient_of
from server.domain.paperwork.table import givings_of
from server.domain.people.masking import masked_number
from server.domain.rules.lifecycle import evolve
from server.domain.spoken_numbers import in_groups

UNKNOWN_ID = "*"
COURT = "有管辖权的人民法院"


def signing_name(authority: PinnedAuthority) -> str:
    """In whose name a paper of this authority is given."""
    return authority.signs_as or authority.name


def data_of(telling: Telling, asked: PaperAsked, *, before: Step) -> PaperData:
    """The data of the paper, without a number. Raises ValidationError for what does not fit its kind, and ValueError
    if the event gives no paper of that kind.
    """
    giving = next((each for each in givings_of(before, telling) if each.paper_kind == asked.paper_kind), None)
    if giving is None:
        raise ValueError(f"event {asked.of} gives no paper of the kind {asked.paper_kind!r}")
    return PaperData.model_validate(
        {"kind": asked.paper_kind, "frame": _frame(telling, asked), "body": giving.body(telling)}
    )


def data_again(events: Iterable[Event], asked: PaperAsked, catalogue: Catalogue) -> PaperData:
    """The data of the paper from all that has happened to the case; raises NoSuchCase if that event is not there."""
    case: Case | None = None
    for event in events:
        earlier, case = case, evolve(case, event)
        if event.number == asked.of and isinstance(event, Moved) and earlier:
            telling = Telling(case, case.step(asked.step), event, catalogue, asked.dates, asked.names)
            return data_of(telling, asked, before=earlier.step(asked.step))
    raise NoSuchCase("没有这个办件。")


def _frame(telling: Telling, asked: PaperAsked) -> Frame:
    case, step = telling.case, telling.step
    name, id_number, is_enterprise = recipient_of(case, step, telling.catalogue)
    return Frame(
        authority=asked.authority,
        recipient=name[:200],
        recipient_kind="enterprise" if is_enterprise else "person",
        recipient_id=masked_number(id_number) or UNKNOWN_ID,
        case=in_groups(case.spoken_number) or case.name,
        item=step.plan.name[:200],
        item_type=telling.item_type,
        dated_on=asked.dated_on,
        phone=HOTLINE,
        check_address=asked.address,
        check_code=asked.paper,
        remedy=_remedy(step, telling.item_type, asked),
    )


def _remedy(step: Step, item_type: ItemType, asked: PaperAsked) -> Remedy:
    """Where one may turn: reviews are made by the government of the authority's own level (行政复议法第二十四条)."""
    site = asked.address.partition("/check/")[0]
    is_authority = step.authority is not None and step.authority.decided_by == "authority"
    if is_authority and item_type != "service":
        organ = f"{asked.authority}的本级人民政府"
        return Remedy(kind="administrative", organ=organ, online_channel=site, court=COURT)
    return Remedy(kind="service", organ=f"{HOTLINE}政务服务便民热线", online_channel=site)
