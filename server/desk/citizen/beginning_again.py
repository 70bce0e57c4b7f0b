"""Beginning again: a step that was declined as another place's becomes a draft of an application there."""

from server.desk.citizen.applying import acting_under, note_agent, own_case
from server.desk.citizen.drafts import DraftView, keep, my_draft
from server.desk.steps import RightPlace, right_place
from server.domain.case.case import HandedIn, NoSuchCase
from server.domain.effects.records import CaseRecord
from server.domain.rules.again import Again, Before, again_of
from server.domain.sentences import sentences
from server.domain.values import Value
from server.node import Node

DRAFT_ID_LENGTH = 32


class MaterialMissing(Value):
    """A material that must be handed in and is not in the draft."""

    code: str
    name: str


class BegunAgain(Value):
    """The draft in which all is filled in that is known, and what it is for.

    `place` is where the step belongs. `missing` are the materials still to be handed in, `left_out` the names of those
    steps of the case that the draft does not apply for: they go on, or are applied for by themselves. `words` say it.
    """

    draft: DraftView
    place: RightPlace
    missing: tuple[MaterialMissing, ...]
    left_out: tuple[str, ...]
    words: str


async def begin_again(node: Node, owner: str, id: str, *, step: str, key: str) -> BegunAgain:
    """Make a draft of what was declined, in the right place, once for each key; the case itself stays as it is.

    A repeat answers the draft as it stands. Raises the refusals of `own_case`, `again_of`, `acting_under` and `keep`,
    NoSuchStep, and DraftGone if the draft of this key was handed in or deleted.
    """
    record = await own_case(node, owner, id)
    again = await _again(node, owner, record, step=step)
    await note_agent(node, record, owner, kind="case.read")
    draft_id = node.keys.request_digest(["again", owner, id, step, key])[:DRAFT_ID_LENGTH]
    if (await node.store.drafts.slot(owner, draft_id, at=node.clock.now())).version:
        draft = await my_draft(node, owner, draft_id)
    else:
        draft = await keep(node, owner, draft_id, submission=again.wish, version=None)
    return _told(node, record, again, step=step, draft=draft)


async def _again(node: Node, owner: str, record: CaseRecord, *, step: str) -> Again:
    """What the owner would hand in; an agent goes on under the mandate of the case, which must name the bundle."""
    case, application = record.case, record.application
    if application is None:
        raise NoSuchCase("没有这个办件。")
    handed_in = [each.id for each in case.materials if isinstance(each, HandedIn)]
    kept = await node.store.materials.uploads_of(owner, handed_in)
    before = Before(case, case.step(step), application, kept)
    again = again_of(before, catalogue=node.catalogue, directory=node.directory, context=node.context())
    if case.agent is None or case.agent.person.key != owner:
        return again
    mandate = await acting_under(node, owner, case.agent.mandate, bundle=again.wish.bundle)
    return again.model_copy(update={"wish": again.wish.model_copy(update={"mandate": mandate.id})})


def _told(node: Node, record: CaseRecord, again: Again, *, step: str, draft: DraftView) -> BegunAgain:
    place = right_place(node, record.case, record.case.step(step))
    if place is None:
        raise ValueError("a draft was made for a place that is not known")
    given = {each.code for each in draft.materials} | set(draft.deferred)
    missing = tuple(MaterialMissing(code=each.code, name=each.name) for each in again.needed if each.code not in given)
    names = "、".join(each.name for each in missing)
    return BegunAgain(
        draft=draft,
        place=place,
        missing=missing,
        left_out=again.left_out,
        words=sentences(
            f"已按应当受理的地区（{place.division_name}）填好申请，请核对后提交",
            f"还需要上传：{names}" if names else "",
            f"不包括原办件的其他事项：{'、'.join(again.left_out)}" if again.left_out else "",
        ),
    )
