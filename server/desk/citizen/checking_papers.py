"""Checking a paper: whoever holds it asks whether its authority gave it, and whether it still counts."""

import secrets
from datetime import date, datetime, timedelta
from typing import NamedTuple
from unicodedata import normalize

from server.domain.case.case import STATE_NAMES, Case, NoSuchCase, State, Step
from server.domain.case.erasure import CaseErased
from server.domain.case.papers import GivenPaper, PaperAsked
from server.domain.effects.records import CaseRecord
from server.domain.errors import Missing, StaleVersion, TooMany
from server.domain.licence.standing import is_good_on, standing_on, words_on
from server.domain.paperwork.telling import data_again
from server.domain.people.masking import masked_name
from server.domain.throttle import Pace, TooManyAttempts, network_of
from server.domain.values import Value, china_day
from server.node import Node

FREE_OF_ADDRESS = Pace(free=20, most_seconds=60)  # checks that find nothing, of one address
LOOK_ALIKE = str.maketrans("018", "OIB")
LICENCE_FACE = "licence"  # the kind of paper that shows a licence
A_DAY = timedelta(days=1)
# After these a paper about the step tells of what is no more, but for the paper that says so itself.
OVER: frozenset[State] = frozenset(("withdrawn", "declined", "skipped"))
SAYS_SO = frozenset(("withdrawal", "termination", "not_needed", "not_ours", "receipt"))


class NothingToCheck(Missing):
    """No paper has this address: the same is said of an id that nobody has and of a key that is another one."""

    code = "nothing_to_check"
    title = "查无此件"


class TooManyChecks(TooMany):
    """From this address too many checks have found nothing; `retry_after_seconds` tells when to come again."""

    code = "too_many_checks"
    title = "核验过于频繁"


class LicenceNow(Value):
    """How the licence that a paper shows stands today: `is_good` if its holder may rely on it, since when, by whom."""

    identifier: str
    name: str
    is_good: bool
    state: str
    since: date
    authority: str


class PaperCheck(Value):
    """What is told of a paper to whoever holds it: what it says on its face, its holder masked, and how it stands now.

    `has_ended`: what it was given for is over, so that it only tells what was; `state` is that of the item now.
    `licence` is the one that the paper shows, if it is a licence's; None is also one that is not known any more.
    """

    title: str
    number: str
    authority: str
    item: str
    holder: str
    dated_on: date
    sealed_at: datetime | None
    has_ended: bool
    state: str
    state_since: date
    is_licence: bool
    licence: LicenceNow | None
    told_at: datetime


class _Found(NamedTuple):
    """A paper that is made, its case, and the event that asked for it."""

    record: CaseRecord
    asked: PaperAsked
    given: GivenPaper


async def check(node: Node, id: str, key: str, *, address: str) -> PaperCheck:
    """What is told of the paper of this id to who has its key, from this address.

    Raises NothingToCheck, and TooManyChecks while too many from there have found nothing.
    """
    at, lane = node.clock.now(), node.keys.owner("check_from", network_of(address))
    lanes = await node.store.attempts.lanes([lane], at=at)
    try:
        lanes[lane].next_slot(at)
        found = await _found(node, id, key)
        if found is None:
            await node.store.attempts.change(lane, lambda one: one.taken(FREE_OF_ADDRESS, at, not_before=at), at=at)
    except TooManyAttempts as refusal:
        raise TooManyChecks("请稍后再试。", more=refusal.more) from None
    except StaleVersion:
        found = None
    if found is None:
        raise NothingToCheck("没有查到这份文书，请核对二维码或者网址。如有疑问，请拨打 12345。")
    return await _told(node, found, at=at)


async def check_typed(node: Node, id: str, key: str, *, address: str) -> PaperCheck:
    """The same for what somebody has typed from the paper, in any case and with spaces; raises as `check`."""
    return await check(node, _as_printed(id), _as_printed(key), address=address)


def _as_printed(typed: str) -> str:
    """What was meant: the characters that a paper shows have no 0, 1, 8 and 9."""
    return "".join(each for each in normalize("NFKC", typed).upper() if each.isalnum()).translate(LOOK_ALIKE)


async def _found(node: Node, id: str, key: str) -> _Found | None:
    """The paper with its case and the event that asked for it, once it is made and if the key is its own."""
    kept = await node.store.papers.find(id)
    if kept is None:
        return None
    try:
        record = await node.store.cases.case(kept.case)
    except (NoSuchCase, CaseErased):
        return None
    asked = record.events[kept.event - 1] if kept.event <= len(record.events) else None
    given = record.case.paper(id)
    if not isinstance(asked, PaperAsked) or given is None or given.file is None:
        return None
    own = asked.address.rpartition("/")[2]
    return _Found(record, asked, given) if secrets.compare_digest(own.encode(), key.encode()) else None


async def _told(node: Node, found: _Found, *, at: datetime) -> PaperCheck:
    record, asked, given = found
    await node.store.catalogues.load({asked.catalogue} - {node.catalogue.version})
    frame = data_again(record.events, asked, node.catalogue_of(asked.catalogue)).frame
    step = record.case.step(given.step)
    return PaperCheck(
        title=given.title,
        number=given.file.number if given.file else "",
        authority=given.authority,
        item=frame.item,
        holder=masked_name(frame.recipient),
        dated_on=given.dated_on,
        sealed_at=given.made_at,
        has_ended=_has_ended(record.case, given),
        state=STATE_NAMES[step.state],
        state_since=china_day(step.since),
        is_licence=given.paper_kind == LICENCE_FACE,
        licence=await _licence_now(node, step, at=at) if given.paper_kind == LICENCE_FACE else None,
        told_at=at,
    )


async def _licence_now(node: Node, step: Step, *, at: datetime) -> LicenceNow | None:
    """How the licence of the step stands; None if it is not issued yet, or was erased."""
    record = (await node.store.licences.find_many([step.electronic])).get(step.electronic)
    if record is None:
        return None
    licence, day = record.value, china_day(at)
    is_over = licence.expires_on is not None and licence.state != "expired" and standing_on(licence, day) == "expired"
    return LicenceNow(
        identifier=licence.id,
        name=licence.name,
        is_good=is_good_on(licence, day),
        state=words_on(licence, day),
        since=licence.expires_on + A_DAY if is_over and licence.expires_on else china_day(licence.since),
        authority=licence.authority.signs_as or licence.authority.name,
    )


def _has_ended(case: Case, given: GivenPaper) -> bool:
    return case.step(given.step).state in OVER and given.paper_kind not in SAYS_SO
