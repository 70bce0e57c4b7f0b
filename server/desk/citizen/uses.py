"""The uses (用证) of one's own licences: who has used one, when, and what for."""

from typing import Annotated

from pydantic import StringConstraints

from server.desk.held import held
from server.desk.naming import node_name
from server.desk.steps import LocalMoment
from server.domain.licence.uses import OUTCOME_NAMES, USE_NAMES, LicenceUse, UseKind, UseOutcome
from server.domain.values import Value
from server.node import Node


class UsesAsked(Value):
    """After which `next` the list goes on."""

    after: Annotated[str, StringConstraints(max_length=400, pattern=r"^[^\p{C}]*$")] = ""


class UseShown(Value):
    """One use: when, how, by whom, what for, in which case, and what came of it."""

    at: LocalMoment
    kind: UseKind
    kind_name: str
    outcome: UseOutcome
    outcome_name: str
    node_name: str
    authority_name: str
    officer: str
    item: str
    case: str
    purpose: str


class UseList(Value):
    """The uses of a licence that this node knows of, the newest first; `next` goes into `?after=`."""

    uses: tuple[UseShown, ...]
    next: str | None


async def uses_of(node: Node, owner: str, identifier: str, *, after: str, limit: int) -> UseList:
    """The uses of one's licence, at the node that is asked; raises NeverIssued."""
    await held(node, owner, identifier)
    found = await node.store.licence_uses.of_licence(identifier, before=after, limit=limit + 1)
    places = list(found)[:limit]
    return UseList(
        uses=tuple(_use(node, found[place]) for place in places), next=places[-1] if len(found) > limit else None
    )


def _use(node: Node, use: LicenceUse) -> UseShown:
    return UseShown(
        kind_name=USE_NAMES[use.kind],
        outcome_name=OUTCOME_NAMES[use.outcome],
        node_name=node_name(node, use.node),
        **use.model_dump(include=set(UseShown.model_fields) - {"kind_name", "outcome_name", "node_name"}),
    )
