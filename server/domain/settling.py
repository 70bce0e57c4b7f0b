"""Settling: what a kept letter from another node wishes to be done to a case here."""

import re
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from server.domain import acts
from server.domain.case import Actor, Commission
from server.domain.catalogue import Catalogue
from server.domain.divisions import province_of
from server.domain.errors import Malformed
from server.domain.letters import REFUSED, Letter

CASE_NAME = re.compile(r"[1-9][0-9]{5}/[A-Za-z0-9_-]{1,80}")
STEP_CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")


class LetterUnreadable(Malformed):
    """The letter's body is not what its kind demands."""

    title = "函件内容无法识别"


class ItemUnknown(Malformed):
    """The letter speaks of an item that this node's catalogue does not have, or has in another department."""

    title = "目录中没有该事项"


class UndeclaredData(Malformed):
    """The letter carries a field or a material that its item does not declare."""

    title = "函件包含事项未列明的数据"


def act_of(letter: Letter, catalogue_of: Callable[[str], Catalogue]) -> acts.Act | None:
    """The act of a `step.*` letter, with the letter's id as its own; None if this node does not know the kind.

    `catalogue_of` answers the catalogue of a version, for a case keeps to the one it was opened under.

    The sender is the actor, so the one rule on who may move a step judges peers as it judges officers.
    Raises LetterUnreadable, ItemUnknown, UndeclaredData.
    """
    make = _ACTS.get(letter.kind)
    if make is None:
        return None
    if not CASE_NAME.fullmatch(letter.case or "") or not STEP_CODE.fullmatch(letter.step or ""):
        raise LetterUnreadable("函件没有正确指明办件和事项。")
    try:
        act = make(letter, str(letter.step))
    except (ValidationError, KeyError, TypeError) as fault:
        raise LetterUnreadable("函件内容与其类型不符。") from fault
    if isinstance(act, acts.Request):
        _check_declared(act.commission, catalogue_of(act.commission.catalogue))
    return act


def _check_declared(commission: Commission, catalogue: Catalogue) -> None:
    item = catalogue.of(province_of(commission.step.division)).item_of.get(commission.step.code)
    if item is None or item.department != commission.step.department:
        raise ItemUnknown("目录中没有该事项，或主管部门不同。")
    fields = {need.code for need in item.fields}
    materials = {need.code for need in item.materials}
    if not set(commission.form) <= fields or not {each.code for each in commission.materials} <= materials:
        raise UndeclaredData("函件包含该事项未列明的数据。")


def _actor(letter: Letter) -> Actor:
    return Actor(node=letter.sender, part="node")


def _request(letter: Letter, step: str) -> acts.Act:
    commission = Commission.model_validate(letter.body)
    if commission.step.code != step:
        raise LetterUnreadable("函件指明的事项与内容不一致。")
    return acts.Request(id=letter.id, by=_actor(letter), case=str(letter.case), commission=commission)


def _decided(letter: Letter, step: str) -> acts.Act:
    if letter.body["outcome"] == "approved":
        return acts.Approve(id=letter.id, by=_actor(letter), step=step, result=letter.body["result"])
    if letter.body["outcome"] == "refused":
        return acts.Refuse(id=letter.id, by=_actor(letter), step=step, grounds=letter.body["grounds"])
    raise LetterUnreadable("函件没有写明办理结果。")


def _plain(kind: type[acts.StepAct]) -> Callable[[Letter, str], acts.Act]:
    return lambda letter, step: kind(id=letter.id, by=_actor(letter), step=step)


_ACTS: Mapping[str, Callable[[Letter, str], acts.Act]] = {
    "step.requested": _request,
    "step.withdrawal_asked": _plain(acts.AskWithdrawal),
    "step.received": _plain(acts.Receive),
    "step.accepted": _plain(acts.Accept),
    "step.decided": _decided,
    "step.withdrawn": _plain(acts.LetGo),
}


def known_kind(kind: str) -> str:
    """The kind itself if this node knows it, else `unknown`: what a peer may write is no name for a counter."""
    return kind if kind in _ACTS or kind == REFUSED else "unknown"
