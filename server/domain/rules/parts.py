"""The home's own part in a step that another node decides: its check, and originals that the two post each other."""

from server.domain.aggregate.happening import Header
from server.domain.case import acts
from server.domain.case.case import ENDED, HELD, Case, Step
from server.domain.case.handover import PaperArrived, PaperPosted
from server.domain.catalogue.terms import Leg
from server.domain.errors import Conflict

MOST_POSTINGS = 2  # one, and one correction of it


class NoPaperDue(Conflict):
    """No originals are to be posted for this step from here now."""

    code = "no_paper_due"
    title = "该事项现在没有需要寄送的原件"


class PaperPostedAlready(Conflict):
    """These originals have arrived, or their parcel has been corrected once already."""

    code = "paper_posted_already"
    title = "该程寄送信息已经登记"


class NoPaperOnItsWay(Conflict):
    """The other place has posted nothing that has not arrived."""

    code = "no_paper_on_its_way"
    title = "没有等待签收的原件"


def paper_moved(
    case: Case, act: acts.PostPaper | acts.ConfirmPaper, here: str, *, header: Header
) -> PaperPosted | PaperArrived:
    """What comes of a posting or a confirmation by the home or by the decider, on the leg that follows from who it is.

    Of what the other place tells only the bound is judged. Raises NoPaperDue, PaperPostedAlready, NoPaperOnItsWay.
    """
    step, is_told, leg = case.step(act.step), act.by.node != here, leg_of(case, act)
    paper = step.papers.get(leg)
    if step.node in ("", case.home):
        raise NoPaperDue("该事项不在其他地区办理，没有需要寄送的原件。")
    if isinstance(act, acts.PostPaper):
        if not (is_told or may_be_posted(step, leg)):
            raise NoPaperDue("该事项现在没有需要从本地寄送的原件。")
        if paper and (paper.postings >= MOST_POSTINGS or (paper.arrived_at and not is_told)):
            raise PaperPostedAlready("该程原件已经签收，或者寄送信息已经更正过一次。")
        return PaperPosted(**header, step=act.step, leg=leg, courier=act.courier, parcel=act.number)
    if paper is None or paper.arrived_at:
        raise NoPaperOnItsWay("对方没有寄出需要签收的原件，或者已经签收。")
    courier, parcel = act.courier or paper.courier, act.number or paper.number
    return PaperArrived(**header, step=act.step, leg=leg, courier=courier, parcel=parcel)


def leg_of(case: Case, act: acts.PostPaper | acts.ConfirmPaper) -> Leg:
    """The leg that a place speaks of: it posts away from itself, and confirms what comes to it."""
    return "out" if (act.by.node == case.home) == isinstance(act, acts.PostPaper) else "back"


def may_be_posted(step: Step, leg: Leg) -> bool:
    """Whether originals may travel on this leg: out while the decider has the step in hand, back when it has ended."""
    has_paper = step.plan.part is not None and step.plan.part.has_paper
    return has_paper and bool(step.node) and (step.state in HELD if leg == "out" else step.state in ENDED)


def paper_is_due(step: Step, *, is_home: bool) -> bool:
    """Whether this side has to do something about originals: to post them out, or to confirm what is on its way."""
    coming = step.papers.get("back" if is_home else "out")
    is_first_due = is_home and "out" not in step.papers and may_be_posted(step, "out")
    return is_first_due or (coming is not None and coming.arrived_at is None)
