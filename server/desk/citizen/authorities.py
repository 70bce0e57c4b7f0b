"""Authorities: who decides in one division today, as anybody may ask, other nodes among them."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import StringConstraints

from server.desk.citizen.browsing import local
from server.domain.catalogue.answers import AnswersIncomplete, pointer
from server.domain.catalogue.authorities import LEVELS, NobodyDecides, PlaceTooBroad, in_force
from server.domain.catalogue.bundles import Question
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.deciders import NO_AUTHORITY, missing_answers
from server.domain.catalogue.delegations import Delegation
from server.domain.catalogue.divisions import NoSuchDivision
from server.domain.catalogue.items import DecidedBy, Field, Item, Level, Status
from server.domain.errors import FieldFault, Invalid, Malformed
from server.domain.exchange.routing import find_node
from server.domain.values import Value
from server.node import Node

MOST_ANSWERS = 20
NEEDS_ANSWERS = "请先回答以下问题"


class NotOurDivision(Invalid):
    """Another node decides for the division, and knows by which authority; `node` and `origin` say which, if any."""

    code = "not_our_division"
    title = "该地区不由本省节点办理"


class AnswersUnreadable(Malformed):
    """Answers are written as CODE:CHOICE with commas between them: `enterprise_type:limited`."""

    code = "answers_unreadable"
    title = "答案格式不正确"


class DecidersAsked(Value):
    """Who decides this item (empty: each of them) in this division, with these answers: `code:choice,code:choice`."""

    item: Annotated[str, StringConstraints(max_length=100)] = ""
    division: Annotated[str, StringConstraints(max_length=20)] = ""
    answers: Annotated[str, StringConstraints(max_length=1000)] = ""


class AnswerNeeded(Value):
    """An answer on which it depends who decides: a question, or a field of the form, and its choices."""

    code: str
    name: str
    choices: Mapping[str, str]


class DelegationShown(Value):
    """By which delegation it decides (权力来源): its kind, the document that says so, and from which day to which."""

    id: str
    kind: str
    basis: str
    notice_url: str
    from_day: date | None
    to_day: date | None


class DeciderView(Value):
    """Who decides these items; all but the name is empty unless an authority does.

    `signs_as` is in whose name: another authority's if the power is only entrusted (委托). Address and hours are empty
    and the telephone is the hotline unless a source gives them; `status` says how far the name may be relied on.
    `needs` are answers without which it cannot be said; `refusal` is the code of why nobody decides. The name says in
    words what is the case.
    """

    decided_by: DecidedBy | None = None
    id: str = ""
    name: str
    level: Level | None = None
    level_name: str = ""
    department_names: tuple[str, ...] = ()
    signs_as: str = ""
    signs_as_name: str = ""
    delegation: DelegationShown | None = None
    address: str = ""
    telephone: str = ""
    hours: str = ""
    source: str = ""
    status: Status | None = None
    needs: tuple[AnswerNeeded, ...] = ()
    refusal: str = ""
    items: tuple[str, ...] = ()


class DeciderList(Value):
    """Who decides in a division on a day: of one item one line, of all items a line for each authority."""

    division: str
    division_name: str
    on: date
    catalogue: str
    authorities: tuple[DeciderView, ...]


def authorities(node: Node, asked: DecidersAsked) -> DeciderList:
    """Who decides in this division (empty: the home) today.

    Raises AnswersUnreadable, AnswersIncomplete, NoSuchDivision, NotOurDivision, DivisionNotInForce, NoSuchItem; of one
    item also PlaceTooBroad and NobodyDecides.
    """
    catalogue, context = local(node), node.context()
    division, answers = asked.division or node.here, answers_of(catalogue, asked.answers)
    check_ours(node, division)
    in_force(context.divisions, division, on=context.on)
    if asked.item:
        lines = [_line(node, catalogue.item(asked.item), division, answers=answers)]
    else:
        lines = _lines(node, catalogue, division, answers=answers)
    return DeciderList(
        division=division,
        division_name=context.divisions.name_in_full(division),
        on=context.on,
        catalogue=catalogue.version,
        authorities=tuple(lines),
    )


def check_ours(node: Node, division: str) -> None:
    """Raises NoSuchDivision, or NotOurDivision if this node does not decide for the division."""
    divisions = node.published.divisions
    if divisions.find(division) is None:
        raise NoSuchDivision("没有这个行政区划代码，请核对后重试。")
    entry = find_node(node.directory, division)
    if entry is None or entry.node != node.here:
        name, more = divisions.name_in_full(division), {"node": "", "origin": ""}
        if entry is None:
            raise NotOurDivision(f"{name}尚未接入，请拨打当地 12345 询问。", more=more)
        more = {"node": entry.node, "origin": entry.origin}
        raise NotOurDivision(f"{name}由{entry.name}办理，请向该节点查询。", more=more)


def _fault(code: str) -> FieldFault:
    return FieldFault(pointer=pointer("answers", code), code="choice", detail="这一答案不在可选范围内。")


def _choices(catalogue: Catalogue, code: str) -> Mapping[str, str]:
    """What may be answered under this code, of a field or of a question; empty if it is none, or has no choices."""
    asked = _asked(catalogue, code)
    return asked.choices if asked else {}


def answers_of(catalogue: Catalogue, text: str) -> dict[str, str]:
    """The answers that are written as `code:choice,code:choice`; raises AnswersUnreadable, AnswersIncomplete."""
    pairs = [pair.partition(":") for pair in text.split(",")] if text else []
    if len(pairs) > MOST_ANSWERS or not all(code and choice for code, _, choice in pairs):
        raise AnswersUnreadable("请按 enterprise_type:limited 的格式填写答案，多个答案用英文逗号分隔。")
    answers = {code: choice for code, _, choice in pairs}
    faults = [_fault(code) for code, choice in answers.items() if choice not in _choices(catalogue, code)]
    if faults:
        raise AnswersIncomplete("有的答案不在可选范围内，请核对后重试。", errors=faults)
    return answers


def _lines(node: Node, catalogue: Catalogue, division: str, *, answers: Mapping[str, str]) -> list[DeciderView]:
    """A line for each authority, in the order of the items; what nobody decides there has lines too."""
    found: dict[str, DeciderView] = {}
    for item in catalogue.items:
        try:
            line = _line(node, item, division, answers=answers)
        except (PlaceTooBroad, NobodyDecides) as refusal:
            line = DeciderView(name=refusal.title, refusal=refusal.code, items=(item.code,))
        key = line.model_copy(update={"items": ()}).model_dump_json()
        items = (*found[key].items, item.code) if key in found else line.items
        found[key] = line.model_copy(update={"items": items})
    return list(found.values())


def _line(node: Node, item: Item, division: str, *, answers: Mapping[str, str]) -> DeciderView:
    """Who decides one item; raises PlaceTooBroad, NobodyDecides."""
    context = node.context()
    known = context.authorities
    missing = missing_answers(known, item, answers, division=division)
    if missing:
        needs = tuple(_needed(local(node), code) for code in missing)
        return DeciderView(name=NEEDS_ANSWERS, needs=needs, items=(item.code,))
    decider = known.decider_of(item, answers, division, on=context.on)
    authority, signs_as = decider.authority, decider.signs_as
    if authority is None or signs_as is None:
        name = NO_AUTHORITY[decider.decided_by]
        return DeciderView(decided_by=decider.decided_by, name=name, items=(item.code,))
    shown = authority.model_dump(include={"id", "name", "level", "address", "telephone", "hours", "source", "status"})
    return DeciderView(
        **shown,
        decided_by=decider.decided_by,
        level_name=LEVELS[authority.level],
        department_names=tuple(local(node).departments[code] for code in authority.departments),
        signs_as=signs_as.id,
        signs_as_name=signs_as.name,
        delegation=_shown(known.delegations, decider.delegation),
        items=(item.code,),
    )


def _asked(catalogue: Catalogue, code: str) -> Field | Question | None:
    """The field of this code, or else the question, which several bundles may ask alike."""
    questions = (each for bundle in catalogue.bundles for each in bundle.questions if each.code == code)
    return catalogue.field_of.get(code) or next(questions, None)


def _needed(catalogue: Catalogue, code: str) -> AnswerNeeded:
    asked = _asked(catalogue, code)
    return AnswerNeeded(code=code, name=asked.name if asked else code, choices=_choices(catalogue, code))


def _shown(delegations: tuple[Delegation, ...], id: str) -> DelegationShown | None:
    found = next((each for each in delegations if each.id == id), None)
    return DelegationShown(**found.model_dump(include=set(DelegationShown.model_fields))) if found else None
