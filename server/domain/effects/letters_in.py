"""Settling: the act on a case here that a kept letter from another node asks for."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Commission
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.context import Context
from server.domain.catalogue.divisions import province_of
from server.domain.catalogue.pinning import competent_here
from server.domain.catalogue.plan import PlannedStep
from server.domain.errors import Malformed
from server.domain.exchange.letters import ANNULLED, CASE, REFUSED, RETRY, WITNESSED, Letter
from server.domain.licence.telling import LICENCE, LICENCE_TOLD, ToldLicence
from server.domain.rules.move import AnyRule, AnyTransition
from server.domain.rules.table import MOVES, TRANSITIONS

CASE_NAME = re.compile(r"[1-9][0-9]{5}/[A-Za-z0-9_-]{1,80}")
# What an act has from its letter or from its decider's own data, never from the body.
OURS = frozenset({*acts.StepAct.model_fields, "grant", "spoken_number"})
Make = Callable[[Letter, str, str], Act]  # of a letter, its case and its step
STEP_CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")


class LetterUnreadable(Malformed):
    """The letter's body is not what its kind demands."""

    code = "letter_unreadable"
    title = "函件内容无法识别"


class ItemUnknown(Malformed):
    """The letter speaks of an item that this node's catalogue does not have, or has in another department."""

    code = "item_unknown"
    title = "目录中没有该事项"


class UndeclaredData(Malformed):
    """The letter carries a field or a material that its item does not declare."""

    code = "undeclared_data"
    title = "函件包含事项未列明的数据"


def act_of(letter: Letter, catalogue_of: Callable[[str], Catalogue], context: Context) -> Act | None:
    """The act of a `step.*` letter, with the letter's id as its own; None if this node does not know the kind.

    `catalogue_of` answers the catalogue of a version, for a case keeps to the one it was opened under. The context is
    this node's, which says who decides here what the letter asks for.

    The sender is the actor, so the one rule on who may move a step judges peers as it judges officers.
    Raises LetterUnreadable, ItemUnknown, UndeclaredData, and the refusals of `competent_here`.
    """
    make = _ACTS.get(letter.kind)
    if make is None:
        return None
    if letter.may_ignore != (letter.kind in COURTESIES):
        raise LetterUnreadable("函件是否可以忽略的标记与其类型不符。")
    case, step = _case_and_step(letter)
    try:
        act = make(letter, case, step)
    except (ValidationError, KeyError, TypeError) as fault:
        raise LetterUnreadable("函件内容与其类型不符。") from fault
    if isinstance(act, acts.Request):
        commission = _by_our_own(act.commission, catalogue_of(act.commission.catalogue), context)
        return act.model_copy(update={"commission": commission})
    return act


def told_licence(letter: Letter) -> ToldLicence:
    """What a `licence.told` letter says; raises LetterUnreadable."""
    about = letter.about
    if letter.may_ignore or about is None or about.kind != LICENCE or about.part is not None:
        raise LetterUnreadable("函件没有正确指明证照。")
    try:
        told = ToldLicence.model_validate(letter.body)
    except ValidationError as fault:
        raise LetterUnreadable("函件内容与其类型不符。") from fault
    if told.identifier != about.name:
        raise LetterUnreadable("函件指明的证照与内容不一致。")
    return told


def may_be_ignored(letter: Letter) -> bool:
    """Whether nothing needs to follow if this node does not know the letter's kind, or can do nothing with it."""
    return letter.may_ignore and (letter.kind in COURTESIES or letter.kind not in KINDS)


def _case_and_step(letter: Letter) -> tuple[str, str]:
    """The case and the step that the letter is about; raises LetterUnreadable."""
    about = letter.about
    if about is None or about.kind != CASE:
        raise LetterUnreadable("函件没有指明办件。")
    if not CASE_NAME.fullmatch(about.name) or not STEP_CODE.fullmatch(about.part or ""):
        raise LetterUnreadable("函件没有正确指明办件和事项。")
    return about.name, str(about.part)


def _by_our_own(commission: Commission, catalogue: Catalogue, context: Context) -> Commission:
    """The commission with the item as our own catalogue has it: no home sets days and terms for its decider, nor says
    which authority decides here.
    """
    item = catalogue.of(province_of(commission.step.division)).item_of.get(commission.step.code)
    if item is None or item.department != commission.step.department:
        raise ItemUnknown("目录中没有该事项，或主管部门不同。")
    fields = {need.code for need in item.fields}
    materials = {need.code for need in item.materials}
    if not set(commission.form) <= fields or not {each.code for each in commission.materials} <= materials:
        raise UndeclaredData("函件包含该事项未列明的数据。")
    if commission.finding and commission.step.part is None:
        raise UndeclaredData("函件包含受理地分工未列明的核验情况。")
    told = commission.step
    document, way = catalogue.document_of(item), (told.mode, told.part)
    ours = PlannedStep.of(item, document, division=told.division, needs=told.needs, way=way)
    competent = competent_here(item, commission.form, told.division, context=context)
    competent = competent.model_copy(update={"checker": told.competent.checker})
    return commission.model_copy(update={"step": ours.model_copy(update={"competent": competent})})


def _actor(letter: Letter) -> Actor:
    return Actor(node=letter.sender, part="node")


def _request(letter: Letter, case: str, step: str) -> Act:
    commission = Commission.model_validate(letter.body)
    if commission.step.code != step:
        raise LetterUnreadable("函件指明的事项与内容不一致。")
    return acts.Request(id=letter.unique_id, by=_actor(letter), case=case, commission=commission)


def _moving(kind: str) -> Make:
    """The act of a move that this kind of letter tells of; where there are several, one word of the body chooses."""
    moves = [each for each in MOVES if isinstance(each, AnyRule) and isinstance(each, AnyTransition) and each.letter]
    forms = [(each.act, each.letter) for each in moves if each.letter and each.letter.kind == kind]
    chosen = {tuple(form.marks.items()): (act, form) for act, form in forms}
    words = {word for _, form in forms for word in form.marks}

    def make(letter: Letter, _case: str, step: str) -> Act:
        act, form = chosen[tuple((word, letter.body[word]) for word in words)]
        body = {name: value for name, value in letter.body.items() if name not in words}
        if form.unfolds:
            own = act.model_fields.keys() - {form.unfolds}
            body[form.unfolds] = {name: body.pop(name) for name in list(body) if name not in own}
        return _step_act(act, letter, step, body=body)

    return make


def _plain(kind: type[acts.StepAct]) -> Make:
    """The act whose words are those of the body."""
    return lambda letter, _case, step: _step_act(kind, letter, step, body=letter.body)


def _paper(letter: Letter, _case: str, step: str) -> Act:
    moves: Mapping[str, type[acts.StepAct]] = {"sent": acts.PostPaper, "arrived": acts.ConfirmPaper}
    body = {name: value for name, value in letter.body.items() if name != "move"}
    return _step_act(moves[letter.body["move"]], letter, step, body=body)


def _step_act(kind: type[acts.StepAct], letter: Letter, step: str, *, body: Mapping[str, Any]) -> Act:
    if not OURS.isdisjoint(body):
        raise LetterUnreadable("函件内容与其类型不符。")
    return kind.model_validate({**body, "id": letter.unique_id, "by": _actor(letter), "step": step, "at": letter.at})


_OWN_WAYS: Mapping[str, Make] = {
    "step.requested": _request,
    "step.supplied": _plain(acts.Supply),
    "step.withdrawal_asked": _plain(acts.AskWithdrawal),
    "step.paper": _paper,
    "step.paper_made": _plain(acts.FilePaper),
}
_TOLD = {each.letter.kind for each in TRANSITIONS.values() if each.letter}
_ACTS: Mapping[str, Make] = {
    **{kind: _moving(kind) for kind in sorted(_TOLD)},
    **_OWN_WAYS,
}
KINDS = frozenset({*_ACTS, LICENCE_TOLD, REFUSED, RETRY, ANNULLED, WITNESSED})
COURTESIES = frozenset(
    [
        WITNESSED,
        "step.paper_made",
        *(each.letter.kind for each in TRANSITIONS.values() if each.letter and each.letter.may_ignore),
    ]
)


def known_kind(kind: str) -> str:
    """The kind itself if this node knows it, else `unknown`: what a peer may write is no name for a counter."""
    return kind if kind in KINDS else "unknown"
