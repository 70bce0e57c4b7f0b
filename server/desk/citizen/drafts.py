"""Drafts (草稿): a citizen saves a form that is not finished, and continues it on any device."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from server.desk.steps import LocalMoment
from server.domain.apart import Found
from server.domain.catalogue.divisions import province_of
from server.domain.errors import StaleVersion
from server.domain.licence.covering import LicenceGiven
from server.domain.rules.drafts import (
    Draft,
    DraftVersionMissing,
    Expiring,
    UnfinishedSubmission,
    changed_meanwhile,
    check_id,
    check_room,
    check_turn,
    expiry,
)
from server.domain.rules.opening import MaterialGiven
from server.domain.rules.undertakings import SignedUndertaking
from server.domain.values import Value
from server.node import Node

SOON = timedelta(days=3)
EXPIRING_AT_ONCE = 200


class DraftLine(Value):
    """A draft as it stands in a list."""

    id: str
    version: int
    bundle: str
    bundle_name: str
    changed_at: LocalMoment
    expires_at: LocalMoment


class DraftView(DraftLine):
    """A draft with all that its owner has filled in, unmasked, as the owner goes on editing it."""

    division: str
    window: str
    answers: Mapping[str, str]
    form: Mapping[str, str]
    materials: tuple[MaterialGiven, ...]
    deferred: tuple[str, ...]
    undertakings: tuple[SignedUndertaking, ...]
    mandate: str
    licences: tuple[LicenceGiven, ...] = ()


class DraftList(Value):
    """A citizen's drafts, the one changed last first."""

    drafts: tuple[DraftLine, ...]


async def my_drafts(node: Node, owner: str) -> DraftList:
    """All drafts of the owner."""
    found = await node.store.drafts.drafts_of(owner, at=node.clock.now())
    return DraftList(drafts=tuple(DraftLine(**_line(draft)) for draft in found))


async def my_draft(node: Node, owner: str, id: str) -> DraftView:
    """One of the owner's drafts; raises DraftIdUnfit, or DraftGone, also for another person's."""
    return _view(await node.store.drafts.draft(owner, check_id(id), at=node.clock.now()))


async def keep(node: Node, owner: str, id: str, *, submission: UnfinishedSubmission, version: int | None) -> DraftView:
    """Keep what is filled in so far, as the version after the one that the citizen knows (None: a new draft).

    What is kept already is answered as it stands, so that a request may be sent again. Raises DraftIdUnfit,
    NoSuchBundle, TooManyDrafts and the refusals of `check_turn`.
    """
    try:
        return _view(await _kept(node, owner, check_id(id), submission=submission, version=version))
    except StaleVersion:  # another request was first: the same one perhaps
        return _view(await _kept(node, owner, id, submission=submission, version=version))


async def delete(node: Node, owner: str, id: str, *, version: int | None) -> None:
    """Delete a draft of this version; one that is gone already is none to complain of.

    Raises DraftIdUnfit, DraftVersionMissing, StaleVersion.
    """
    if version is None:
        raise DraftVersionMissing("删除草稿时请注明版本。")
    now = node.clock.now()
    until = expiry(now, days=node.settings.draft_days)
    if not await node.store.drafts.forget(owner, check_id(id), version=version, until=until):
        slot = await node.store.drafts.slot(owner, id, at=now)
        if slot.draft:
            raise changed_meanwhile(slot.draft)


async def expiring(node: Node, *, after: str = "") -> Found[Expiring]:
    """Drafts that expire within three days, the first ones first: whose notice is due; `after` is the last cursor."""
    now = node.clock.now()
    return await node.store.drafts.drafts_expiring(now, now + SOON, limit=EXPIRING_AT_ONCE, after=after)


async def _kept(node: Node, owner: str, id: str, *, submission: UnfinishedSubmission, version: int | None) -> Draft:
    bundle = node.catalogue.of(province_of(node.here)).bundle(submission.bundle)
    now = node.clock.now()
    slot = await node.store.drafts.slot(owner, id, at=now)
    if slot.draft and slot.draft.wish == submission:
        return slot.draft
    check_turn(slot, version)
    if slot.draft is None:
        check_room(len(await node.store.drafts.drafts_of(owner, at=now)))
    draft = Draft(
        id=id,
        version=slot.version + 1,
        bundle_name=bundle.name,
        wish=submission,
        changed_at=now,
        expires_at=expiry(now, days=node.settings.draft_days),
    )
    await node.store.drafts.keep(owner, draft)
    return draft


def _view(draft: Draft) -> DraftView:
    return DraftView(**_line(draft), **{name: value for name, value in draft.wish if name != "bundle"})


def _line(draft: Draft) -> dict[str, Any]:
    return {
        "id": draft.id,
        "version": draft.version,
        "bundle": draft.wish.bundle,
        "bundle_name": draft.bundle_name,
        "changed_at": draft.changed_at,
        "expires_at": draft.expires_at,
    }
