"""Showing licences, at the node where the holder is: a code is redeemed, answered, and looked at, each on record."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from server.desk.held import held
from server.desk.recording import note_all
from server.domain.aggregate.names import name_of
from server.domain.effects.licensing import LICENCES
from server.domain.licence.copies import CopyAsked, LicenceCopy
from server.domain.licence.showing import NoSuchLicenceRequest, Redeemer, Showing, unknown_code
from server.domain.licence.uses import LicenceUse, UseOutcome
from server.domain.values import Moment, Value
from server.node import Node

CopyOf = Callable[[Node, CopyAsked], Awaitable[LicenceCopy]]
Change = Callable[[Showing], Showing]


class ShowingTold(Value):
    """How a request stands, as its node tells who made it: until when, and what the holder lets them see."""

    id: str
    state: str
    ends_at: Moment
    copies: tuple[LicenceCopy, ...] = ()


@dataclass(frozen=True)
class Looking:
    """Who looks at what a request came to: the officer who redeemed the code, at which node."""

    officer: str
    node: str
    copy_of: CopyOf


def showing_id(node: Node, code: str) -> str:
    """Under what a code is kept: who reads the database learns no code."""
    return node.keys.request_digest(["show code", code])


async def redeem(node: Node, code: str, redeemer: Redeemer) -> ShowingTold:
    """Redeem a code of this node once; the same request again is told the same.

    Raises ShowCodeUnknown and ShowCodeUsed.
    """
    at = node.clock.now()
    id = showing_id(node, code)
    showing = await changed(node, id, lambda each: each.redeemed(redeemer, at), missing=unknown_code)
    await note_uses(node, showing, "asked", licences=showing.offered)
    return told(node, showing)


async def seen(node: Node, id: str, looking: Looking) -> ShowingTold:
    """What this officer may see now: nothing while the holder has not answered, then copies as of now.

    Each licence that is shown is noted before. Raises the refusals of `seen_by`, NeverIssued, Unavailable.
    """
    showing = await node.store.showings.find(id)
    if showing is None:
        raise NoSuchLicenceRequest("没有这个用证请求。")
    confirmed = showing.seen_by(looking.officer, looking.node, node.clock.now())
    redeemer = showing.redeemer
    if redeemer is None or not confirmed:
        return told(node, showing)
    copies = []
    for identifier in confirmed:
        found = await held(node, showing.owner, identifier)
        said = {"purpose": redeemer.purpose, "authority_name": redeemer.authority_name, "officer": redeemer.officer}
        copies.append(await looking.copy_of(node, found.asked(**said)))
    about = {"officer": looking.officer, "peer": looking.node, "authority": redeemer.authority, "person": showing.owner}
    each_about = [{**about, "case": name_of(LICENCES, identifier), "reason": "shown"} for identifier in confirmed]
    await note_all(node, {"licence.shown": each_about})
    await note_uses(node, showing, "given", licences=confirmed)
    return told(node, showing, copies)


async def changed(node: Node, id: str, change: Change, *, missing: Callable[[], Exception]) -> Showing:
    """The showing after a change, which is made once whoever else changes it; raises `missing` if there is none."""
    while True:
        before = await node.store.showings.find(id)
        if before is None:
            raise missing()
        after = change(before)
        if after == before or await node.store.showings.change(after):
            return after


async def note_uses(node: Node, showing: Showing, outcome: UseOutcome, *, licences: Iterable[str]) -> None:
    """Note for each of these licences what has come of the request so far; once, however often."""
    redeemer = showing.redeemer
    if redeemer is None:
        return
    await node.store.licence_uses.note(
        LicenceUse(
            id=f"{outcome}:{showing.id}:{identifier}",
            licence=identifier,
            at=node.clock.now(),
            kind="shown",
            outcome=outcome,
            node=redeemer.node,
            authority_name=redeemer.authority_name,
            officer=redeemer.officer,
            item=redeemer.item,
            purpose=redeemer.purpose,
        )
        for identifier in licences
    )


def told(node: Node, showing: Showing, copies: Sequence[LicenceCopy] = ()) -> ShowingTold:
    """How it stands now, with these copies."""
    return ShowingTold(
        id=showing.id, state=showing.state(node.clock.now()), ends_at=showing.ends_at, copies=tuple(copies)
    )
