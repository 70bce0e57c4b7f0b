"""The licence at the desk of the authority that issued it: looked for, opened and acted on, each on record."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from server.desk.citizen.holding import LicenceStands
from server.desk.licensing import LICENCES as ACTING
from server.desk.licensing import LicenceRecord
from server.desk.officer.licence_forms import (
    LICENCE_FORMS,
    ActHeader,
    GroundedRequest,
    licence_act,
    licence_form,
    successor_of,
)
from server.desk.officer.seeing import actor, today
from server.desk.performing import same
from server.desk.recording import note, note_all
from server.desk.steps import FieldShown, LocalMoment, fields_shown
from server.desk.using import note_use
from server.desk.wording import BY_RULE, LICENCE_ACT_NAMES
from server.domain.aggregate.names import kind_and_id, name_of
from server.domain.catalogue.formats import SENTENCES, uscc_fault
from server.domain.effects.clues import HOLDER, ClueUnfit, spoken_given
from server.domain.effects.licensing import LICENCES
from server.domain.errors import FieldFault
from server.domain.licence.decide import LicenceStateForbids
from server.domain.licence.events import LicenceMoved
from server.domain.licence.licence import Licence, LicenceHolder, NeverIssued
from server.domain.licence.moves import MOVE_OF_ACT
from server.domain.licence.uses import UsedBy
from server.domain.people.accounts import DeskEntry
from server.domain.people.persons import id_number_fault
from server.domain.people.posts import Post
from server.domain.rules.rights import NotYourPost, Work, granted, post_for
from server.domain.spoken_numbers import in_groups
from server.domain.values import Value
from server.node import Node

MOST_READS = 4


class LicenceSearch(Value):
    """What an officer looks for: an identifier, the number that people say, or that of a holder, be it a person or an
    organisation.
    """

    kind: Literal["identifier", "number", "holder"]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    after: Annotated[str, StringConstraints(max_length=1000)] = ""


class LicenceActRequest(Value):
    """One act of an officer on one licence: which, the act (a key of LICENCE_FORMS), Idempotency-Key, what they say."""

    identifier: str
    act: str
    key: str
    said: GroundedRequest


class LicenceFound(Value):
    """A licence that was found: who holds it, and how it stands; `number` is the one that people say, empty if none."""

    identifier: str
    number: str
    name: str
    holders: tuple[LicenceHolder, ...]
    authority_name: str
    stands: LicenceStands
    issued_on: date
    expires_on: date | None


class LicencesFound(Value):
    """The licences that were found, the last first; `next` goes into `after` for the following page.

    A page may be short, even empty, although there are more.
    """

    licences: tuple[LicenceFound, ...]
    next: str | None


class LicenceHappening(Value):
    """One thing that happened to a licence: when, what, by whom, why, and by which rule."""

    at: LocalMoment
    act: str
    act_name: str
    by: str
    reason: str
    basis: str


class LicenceAtDesk(LicenceFound):
    """All of a licence: its face, what it follows, what took its place, its history, and what may be done to it now.

    `version` is what an act on it may name.
    """

    is_sample: bool
    effective_on: date
    trust: str
    face: tuple[FieldShown, ...]
    previous: str
    successor: str
    moved_to: str
    case: str
    step: str
    acts: tuple[str, ...]
    history: tuple[LicenceHappening, ...]
    version: int


async def search_licences(node: Node, entry: DeskEntry, asked: LicenceSearch, *, limit: int) -> LicencesFound:
    """The licences of this identifier, number or holder that the officer may open; the search and what it found are
    noted before anything is shown.

    Raises ClueUnfit, SearchPlaceUnknown.
    """
    text = asked.text.upper()
    digest = node.keys.clue(*_clue_of(node, asked.kind, text))
    place = node.store.clues.find_hidden(asked.after, digest) if asked.after else ""
    following = ""
    if asked.kind == "identifier":
        record = await node.store.licences.find(text)
        found = [record] if record and _may_open(node, entry, record.value) else []
    elif asked.kind == "number":
        named = await node.store.clues.cases(digest, limit=limit)
        found = await licences_named(node, entry, named, number=spoken_given(text))
    else:
        found, following = await _page(node, entry, text, place=place, limit=limit)
    doer = entry.doer.about
    searched = {**doer, "clue": asked.kind, "digest": digest}
    shown = licences_on_record(node, entry, found, digest=digest)
    await note_all(node, {"licence.searched": [searched], "licence.found": shown})
    next = node.store.clues.hide(following, digest) if following else None
    return LicencesFound(licences=licences_found(node, found), next=next)


async def licences_named(node: Node, entry: DeskEntry, named: Mapping[str, str], *, number: str) -> list[LicenceRecord]:
    """Those among the aggregates of these names (by place) that are licences of this spoken number, and that the
    officer may open.
    """
    ids = [id for kind, id in map(kind_and_id, named.values()) if kind == LICENCES]
    records = await node.store.licences.find_many(ids) if ids else {}
    said = [each for each in records.values() if each.value.spoken_number == number]
    return [each for each in said if _may_open(node, entry, each.value)]


def licences_on_record(
    node: Node, entry: DeskEntry, found: Sequence[LicenceRecord], *, digest: str
) -> Sequence[Mapping[str, str]]:
    """What is noted of licences that a search has found."""
    return [{**of_licence(node, each.value), **entry.doer.about, "digest": digest} for each in found]


def licences_found(node: Node, found: Sequence[LicenceRecord]) -> tuple[LicenceFound, ...]:
    """What is shown of them."""
    return tuple(LicenceFound(**_line(node, each.value)) for each in found)


async def desk_licence(node: Node, entry: DeskEntry, identifier: str) -> LicenceAtDesk:
    """A licence that an authority of the officer's has issued; the look is noted before. Raises NeverIssued, also if
    it is of another authority.
    """
    record = await node.store.licences.one(identifier)
    post = _post(node, entry, record.value)
    await note(node, "licence.opened", {**of_licence(node, record.value), **_noted(entry, record.value, post)})
    by = UsedBy(node=node.here, authority_name=record.value.authority.name, officer=entry.officer.name)
    await note_use(node, record.id, "opened", by=by)
    return _at_desk(node, entry, record)


async def act_on_licence(
    node: Node, entry: DeskEntry, request: LicenceActRequest
) -> tuple[LicenceAtDesk, LicenceRecord]:
    """Do one of the acts to a licence; what takes its place is issued with what follows.

    Raises NoSuchLicenceAct, NeverIssued, the refusals of `granted`, LicenceStateForbids, StaleVersion,
    IdempotencyKeyReused, and what the act itself asks for (domain/licence/moves, domain/licence/granting).
    """
    form, said = licence_form(request.act), request.said
    record = await node.store.licences.one(request.identifier)
    licence, officer = record.value, entry.officer
    _post(node, entry, licence)
    post = granted(entry.posts, "move_licence", _work(licence), on=today(node))
    id = node.keys.request_digest([officer.name, request.identifier, request.key])
    digest = node.keys.request_digest([request.act, said.model_dump(mode="json")])
    if (done := record.done_by(id)) is not None:
        return _at_desk(node, entry, same(record, done, digest)), record
    if licence.state not in MOVE_OF_ACT[form.act].states:
        raise LicenceStateForbids(f"证照当前的状态不能{MOVE_OF_ACT[form.act].name}。")
    header: ActHeader = {
        "id": id,
        "digest": digest,
        "by": actor(node, officer, authority=licence.authority.id, post=post),
        "version": said.version,
        "reason": said.reason,
        "basis": said.basis,
    }
    result, on = node.catalogue.results.get(licence.kind), today(node)
    wanted = licence_act(form, header, said, following=lambda each: successor_of(licence, each, result, on=on))
    about = {**of_licence(node, licence), **_noted(entry, licence, post), "act": request.act, "id": id}
    await node.store.audit.note(f"act:{id}", "licence.acted", at=node.clock.now(), about=about)
    after = await ACTING.perform(node, record.id, wanted, known=record)
    return _at_desk(node, entry, after), after


def of_licence(node: Node, licence: Licence) -> dict[str, str]:
    """What an entry says of a licence: its name among aggregates, and the key of the first person who holds it."""
    persons = [node.keys.owner("person", each.number) for each in licence.holders if each.kind == "111"]
    return {"case": name_of(LICENCES, licence.id), **({"person": persons[0]} if persons else {})}


def _clue_of(node: Node, kind: str, text: str) -> tuple[str, str]:
    """By which kind of clue and which text a licence is found; raises ClueUnfit for what is no number."""
    if kind == "number":
        return "number", spoken_given(text)
    return HOLDER, text if kind == "identifier" else _holder_key(node, text)


def _holder_key(node: Node, text: str) -> str:
    on = today(node)
    fault = id_number_fault(text, on)
    if not fault:
        return node.keys.owner("person", text)
    if uscc_fault(text, on):
        raise ClueUnfit("请核对后重试。", errors=[FieldFault(pointer="/text", code=fault, detail=SENTENCES[fault])])
    return text


async def _page(
    node: Node, entry: DeskEntry, number: str, *, place: str, limit: int
) -> tuple[list[LicenceRecord], str]:
    """A page of the licences of a holder, and behind which place the next begins; empty if there is none."""
    digest = node.keys.clue(HOLDER, _holder_key(node, number))
    found: list[LicenceRecord] = []
    for _ in range(MOST_READS):
        page = await node.store.clues.cases(digest, before=place, limit=limit)
        ids = {place: id for place, (kind, id) in ((p, kind_and_id(n)) for p, n in page.items()) if kind == LICENCES}
        records = await node.store.licences.find_many(list(ids.values()))
        for place in page:
            record = records.get(ids.get(place, ""))
            if record and number in record.value.numbers and _may_open(node, entry, record.value):
                found.append(record)
            if len(found) == limit:
                return found, place
        if len(page) < limit:
            return found, ""
    return found, place


def _work(licence: Licence) -> Work:
    return Work(authority=licence.authority.id, item=licence.origin.step if licence.origin else "")


def _may_open(node: Node, entry: DeskEntry, licence: Licence) -> bool:
    return post_for(entry.posts, "open_licence", _work(licence), on=today(node)) is not None


def _post(node: Node, entry: DeskEntry, licence: Licence) -> Post:
    """The post by which the officer sees it; raises NeverIssued: of what is not theirs nobody learns."""
    try:
        return granted(entry.posts, "open_licence", _work(licence), on=today(node))
    except NotYourPost as fault:
        raise NeverIssued("没有这个证照。") from fault


def _noted(entry: DeskEntry, licence: Licence, post: Post) -> dict[str, str]:
    stands_in = {"stands_in_for": post.stands_in_for} if post.stands_in_for else {}
    return {**entry.doer.about, "authority": licence.authority.id, "post": post.id, **stands_in}


def _line(node: Node, licence: Licence) -> dict[str, Any]:
    return {
        "identifier": licence.id,
        "number": in_groups(licence.spoken_number),
        "name": licence.name,
        "holders": licence.holders,
        "authority_name": licence.authority.name,
        "stands": LicenceStands.of(licence, on=today(node)),
        "issued_on": licence.issued_on,
        "expires_on": licence.expires_on,
    }


def _at_desk(node: Node, entry: DeskEntry, record: LicenceRecord) -> LicenceAtDesk:
    licence = record.value
    may_move = post_for(entry.posts, "move_licence", _work(licence), on=today(node)) is not None
    same_names = {"effective_on", "trust", "previous", "successor", "moved_to", "version"}
    return LicenceAtDesk(
        **_line(node, licence),
        **licence.model_dump(include=same_names),
        is_sample=licence.identifier.is_sample,
        face=fields_shown(node.catalogue, licence.face, is_masked=False),
        case=licence.origin.case if licence.origin else "",
        step=licence.origin.step if licence.origin else "",
        acts=_acts(licence) if may_move else (),
        history=_history(record),
    )


def _acts(licence: Licence) -> tuple[str, ...]:
    """The acts that its state allows."""
    return tuple(path for path, form in LICENCE_FORMS.items() if licence.state in MOVE_OF_ACT[form.act].states)


def _history(record: LicenceRecord) -> tuple[LicenceHappening, ...]:
    return tuple(
        LicenceHappening(
            at=event.at,
            act=event.act,
            act_name=LICENCE_ACT_NAMES[event.act],
            by=event.by.name or BY_RULE,
            reason=event.reason if isinstance(event, LicenceMoved) else "",
            basis=event.basis if isinstance(event, LicenceMoved) else "",
        )
        for event in record.events
    )
