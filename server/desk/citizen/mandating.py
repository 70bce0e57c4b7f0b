"""Mandating: a citizen gives a mandate to an agent, lists mandates, and revokes one."""

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from server.desk.performing import IdempotencyKeyReused
from server.desk.sessions import person_key
from server.desk.steps import LocalMoment
from server.domain.catalogue.divisions import province_of
from server.domain.people.mandates import Mandate, NoSuchMandate, State, check_giving
from server.domain.people.masking import masked_name
from server.domain.values import Value, china_day
from server.node import Node

MOST_LISTED = 100


class MandateRequest(Value):
    """The agent, the bundles and the last day of a mandate; the agent need not have logged in before."""

    agent_name: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    agent_id_number: Annotated[str, StringConstraints(min_length=1, max_length=18)]
    bundles: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=100)], ...], Field(min_length=1, max_length=50)
    ]
    ends_on: date


class BundleNamed(Value):
    """A bundle by its code and name."""

    code: str
    name: str


class MandateView(Value):
    """A mandate as both its persons see it; the principal's name is masked."""

    id: str
    principal_name: str
    agent_name: str
    bundles: tuple[BundleNamed, ...]
    begins_on: date
    ends_on: date
    revoked_at: LocalMoment | None
    state: State


class MandateList(Value):
    """The newest mandates that a citizen gave and received."""

    given: tuple[MandateView, ...]
    received: tuple[MandateView, ...]


async def give(node: Node, owner: str, request: MandateRequest, *, key: str) -> MandateView:
    """Give an agent a mandate of the owner from today on (授权委托); the same key and request give the same mandate.

    Raises IdNumberInvalid, NoSuchBundle, the refusals of `check_giving`, IdempotencyKeyReused.
    """
    mandate = await _mandate_of(node, owner, request, id=node.keys.request_digest(["mandate", owner, key]))
    stored = await node.store.mandates.find(mandate.id)
    if stored is None:
        now = node.clock.now()
        given = await node.store.mandates.given_by(owner, limit=MOST_LISTED)
        check_giving(mandate, in_force=sum(each.state(now) == "in_force" for each in given))
        stored = await node.store.mandates.add(mandate, at=now)
    if not stored.is_for(mandate):
        raise IdempotencyKeyReused("同一请求标识不能用于不同的内容。")
    return _view(node, stored)


async def my_mandates(node: Node, owner: str) -> MandateList:
    """What the owner gave and received, newest first."""
    given = await node.store.mandates.given_by(owner, limit=MOST_LISTED)
    received = await node.store.mandates.received_by(owner, limit=MOST_LISTED)
    return MandateList(
        given=tuple(_view(node, each) for each in given), received=tuple(_view(node, each) for each in received)
    )


async def revoke(node: Node, owner: str, id: str) -> None:
    """Take a mandate back (撤销委托), at once and for good; twice is once. Raises NoSuchMandate, also for others'."""
    mandate = await node.store.mandates.mandate(id)
    if mandate.principal != owner:
        raise NoSuchMandate("没有这份授权委托。")
    await node.store.mandates.revoke(id, at=node.clock.now())


async def _mandate_of(node: Node, owner: str, request: MandateRequest, *, id: str) -> Mandate:
    catalogue = node.catalogue.of(province_of(node.here))
    return Mandate(
        id=id,
        principal=owner,
        principal_name=masked_name((await node.store.people.person(owner)).name),
        agent=person_key(node, request.agent_id_number, at="/agent_id_number"),
        agent_name=request.agent_name,
        bundles=tuple(catalogue.bundle(code).code for code in dict.fromkeys(request.bundles)),
        begins_on=china_day(node.clock.now()),
        ends_on=request.ends_on,
    )


def _view(node: Node, mandate: Mandate) -> MandateView:
    known = node.catalogue.of(province_of(node.here)).bundle_of
    names = {code: known[code].name if code in known else code for code in mandate.bundles}
    shown = mandate.model_dump(include=set(MandateView.model_fields) - {"bundles"})
    bundles = tuple(BundleNamed(code=code, name=name) for code, name in names.items())
    return MandateView(**shown, bundles=bundles, state=mandate.state(node.clock.now()))
