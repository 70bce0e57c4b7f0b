"""Transferring (移送): to whom an authority hands a step on, and how the common superior says who decides it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from server.desk.catalogues import case_of
from server.desk.deciders import decider_in, desk_here
from server.desk.officer.meanwhile import perform_as_seen
from server.desk.officer.seeing import actor, today
from server.desk.recording import note_act, of_case
from server.domain.canonical import LARGEST_INTEGER
from server.domain.case.acts import Designate
from server.domain.case.case import NoSuchCase, Step
from server.domain.catalogue.desks import all_above
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.pinning import PinnedAuthority
from server.domain.effects.records import CaseRecord
from server.domain.errors import Conflict, FieldFault, Invalid
from server.domain.people.accounts import DeskEntry
from server.domain.people.posts import Post
from server.domain.rules.rights import Work, post_for
from server.domain.values import Value
from server.node import Node

Code = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class NotInThisProvince(Invalid):
    """A step goes only to an authority of the same province; elsewhere the applicant applies anew."""

    code = "not_in_this_province"
    title = "只能移送本省的机关"


class NotAboveBoth(Conflict):
    """The officer's authority is not above both the authority that has the step and the one that is to have it."""

    code = "not_above_both"
    title = "应由共同的上级机关指定"


class DesignationRequest(Value):
    """Which step of which case is decided by the authority of which division from now on, and why.

    `version` is that of the step, if it is known.
    """

    case: Code
    step: Code
    division: Code
    grounds: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    version: Annotated[int, Field(ge=0, lt=LARGEST_INTEGER)] | None = None


class DesignationView(Value):
    """Who decides a step from now on; nothing of the case is told but its item."""

    case: str
    step: str
    item_name: str
    authority: str
    authority_name: str


def receiver_of(node: Node, record: CaseRecord, step: Step, *, division: str) -> PinnedAuthority:
    """The authority that decides the step in this division; raises NotInThisProvince, and as `decider_in`."""
    if province_of(division) != node.here:
        detail = "只能移送本省的机关；属于外省的，应当不予受理，并告知申请人向哪个机关申请。"
        fault = FieldFault(pointer="/division", code="not_in_this_province", detail="请填写本省的地区。")
        raise NotInThisProvince(detail, errors=[fault])
    return decider_in(node, record, step, division=division)


async def designate(
    node: Node, entry: DeskEntry, request: DesignationRequest, *, key: str
) -> tuple[DesignationView, CaseRecord]:
    """Say, as the head of an authority above, who decides a step that was transferred, or whose authority is gone.

    Raises NoSuchCase (also if the officer is no head above who has the step), NoSuchStep, NotAboveBoth,
    NothingToDesignate, SameAuthority, StepChanged, and as `receiver_of`.
    """
    record = await case_of(node, request.case)
    step = record.case.steps.get(request.step)
    own = _post_above(node, entry, step, those={step.authority.id}) if step and step.authority else None
    if step is None or step.authority is None or own is None:
        raise NoSuchCase("没有这个办件。")
    receiver = receiver_of(node, record, step, division=request.division)
    post = _post_above(node, entry, step, those={step.authority.id, receiver.id})
    superior = desk_here(node, post.authority, on=today(node)) if post else None
    if post is None or superior is None:
        raise NotAboveBoth("应由现在的办理机关和接收机关共同的上级机关指定。")
    act = Designate(
        id=node.keys.request_digest(["designation", entry.officer.name, request.case, key]),
        digest=node.keys.request_digest(["designation", request.model_dump(mode="json")]),
        by=actor(node, entry.officer, authority=post.authority, post=post),
        step=request.step,
        version=request.version,
        authority=receiver,
        superior=superior,
        reason=request.grounds,
        is_gone=desk_here(node, step.authority.id, on=today(node)) is None,
    )
    about = {**of_case(record.case), **entry.doer.about, "authority": post.authority, "post": post.id}
    await note_act(node, act, about)
    after = await perform_as_seen(node, record.id, act, known=record)
    return _view(after, request.step), after


def _post_above(node: Node, entry: DeskEntry, step: Step, *, those: set[str]) -> Post | None:
    """The officer's post that may designate as it is above one authority, or two; None if none is."""
    known, on = node.published.authorities, today(node)
    chains = [all_above(known, id, on=on) for id in sorted(those)]
    common = tuple(id for id in chains[0] if all(id in chain for chain in chains))
    return post_for(entry.posts, "designate", Work(authority="", superiors=common, item=step.plan.code), on=on)


def _view(record: CaseRecord, code: str) -> DesignationView:
    step = record.case.step(code)
    return DesignationView(
        case=record.id,
        step=code,
        item_name=step.plan.name,
        authority=step.authority.id if step.authority else "",
        authority_name=step.authority.name if step.authority else "",
    )
