"""Deciding: what happens to a licence if an act is done to it now, or the refusal."""

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.happening import Header
from server.domain.aggregate.judging import Judgement
from server.domain.errors import Conflict, Forbidden, StaleVersion
from server.domain.licence.acts import GroundedAct, IssueLicence, LicenceAct, LicenceFacts
from server.domain.licence.events import LicenceEvent, LicenceIssued, LicenceReplaced
from server.domain.licence.licence import Grant, Licence, NeverIssued
from server.domain.licence.lifecycle import evolve
from server.domain.licence.moves import EXPIRE, MOVE_OF_ACT
from server.domain.licence.standing import standing_on, words_on
from server.domain.values import china_day


class LicenceStateForbids(Conflict):
    """The table has no such act in what the licence counts as today."""

    code = "licence_state_forbids"
    title = "证照当前状态不允许此操作"


class IssuedAlready(Conflict):
    """A licence of this identifier was issued before."""

    code = "issued_already"
    title = "该证照已经颁发"


class IssuedTooEarly(Conflict):
    """A licence is issued on a day that has come."""

    code = "issued_too_early"
    title = "颁发日期不能晚于今天"


class NotOurLicence(Conflict):
    """Another node has issued it; only that node moves it."""

    code = "not_our_licence"
    title = "该证照由其他地区颁发"


class NotTheIssuer(Forbidden):
    """Only the authority that issued the licence may do this to it."""

    code = "not_the_issuer"
    title = "只有颁发机关可以办理"


def decide(licence: Licence | None, act: LicenceAct, facts: LicenceFacts) -> Judgement[Licence, LicenceEvent]:
    """What happens if this act is done to the licence now; raises a Refusal.

    Whoever has its record asks that first whether the act was done, so that it is done once.
    """
    event = _issued(licence, act, facts) if isinstance(act, IssueLicence) else _moved(licence, act, facts)
    return Judgement((event,), (evolve(licence, event),))


def succession(event: LicenceReplaced) -> IssueLicence:
    """The act that issues what takes the place of the licence; it has one id however often it is made."""
    return IssueLicence(id=f"{event.act_id}/successor", digest=event.act_digest, by=event.by, grant=event.successor)


def issue_of(grant: Grant, *, here: str) -> IssueLicence:
    """The act by which the node, after an approval, issues what that has granted; it has one id however often made."""
    return IssueLicence(id=f"issue:{grant.id}", by=Actor(node=here, part="node"), grant=grant)


def _issued(licence: Licence | None, act: IssueLicence, facts: LicenceFacts) -> LicenceIssued:
    if licence is not None:
        raise IssuedAlready("该标识的证照已经颁发，不能重复。")
    _check_speaker(act.by, act.grant, facts.here, may_follow=True)
    if act.grant.issued_on > china_day(facts.at):
        raise IssuedTooEarly("颁发日期不能晚于今天。")
    header: Header = {"number": 1, "at": facts.at, "by": act.by, "act_id": act.id, "act_digest": act.digest}
    return LicenceIssued(**header, node=facts.here, grant=act.grant, spoken_number=act.spoken_number)


def _moved(licence: Licence | None, act: LicenceAct, facts: LicenceFacts) -> LicenceEvent:
    if licence is None:
        raise NeverIssued("没有这个证照。")
    if not isinstance(act, GroundedAct):
        raise TypeError(f"no rule judges {type(act).__name__}")
    move, today = MOVE_OF_ACT[type(act)], china_day(facts.at)
    _check_speaker(act.by, licence, licence.node, may_follow=move.may_follow)
    if act.version is not None and act.version != licence.version:
        raise StaleVersion("该证照已有新的变动，请刷新后重试。")
    standing = standing_on(licence, today)
    counts_as = licence.state if move is EXPIRE or standing == "pending" else standing
    if licence.state not in move.states or counts_as not in move.states:
        raise LicenceStateForbids(f"证照“{words_on(licence, today)}”，不能{move.name}。")
    return move.event_of(licence, act, facts)


def _check_speaker(by: Actor, grant: Grant, node: str, *, may_follow: bool) -> None:
    """An officer of the issuing authority, at the node that issued it; or that node by rule."""
    if by.node != node:
        raise NotOurLicence("该证照由其他地区颁发，只有颁发地可以作出处理。")
    is_issuer = by.part == "officer" and by.authority == grant.authority.id
    if not is_issuer and not (by.part == "node" and may_follow):
        raise NotTheIssuer("只有颁发该证照的机关可以作出处理。")
