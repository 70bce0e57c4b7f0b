"""Gathering: the note that all materials of a step are kept here, from when on its five days run."""

from server.desk.acting import perform
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.case.acts import Gather
from server.domain.case.case import Case, Step, local_id
from server.domain.case.fetches import KeptFetch, is_wanted, offered
from server.domain.rules.decide import StateForbids
from server.domain.rules.moves.receiving import NothingToGather
from server.node import Node


async def wants(node: Node, fetch: KeptFetch) -> bool:
    """Whether this content is still to be fetched."""
    case = (await node.store.cases.case(fetch.case)).case
    return is_wanted(case, case.step(fetch.step), fetch.content, here=node.here)


async def gather(node: Node, fetch: KeptFetch) -> None:
    """Note that all materials of the step are here with this one, if they are and nobody has noted it.

    Raises StaleVersion and Unavailable; then it must be tried again.
    """
    case = (await node.store.cases.case(fetch.case)).case
    step = case.step(fetch.step)
    if step.node != node.here or not step.is_gathering:
        return
    ids = {each.sha256: node.keys.material(each.sha256) for each in offered(case, step)}
    if await node.store.materials.missing(list(ids.values())):
        return
    by = Actor(node=node.here, part="node")
    act = Gather(id=f"gather:{fetch.case}:{fetch.step}:{fetch.event}", by=by, step=fetch.step, kept=tuple(ids))
    try:
        await relay_soon(node, await perform(node, fetch.case, act))
    except (NothingToGather, StateForbids) as refusal:  # another worker was first, or the step has ended
        node.log.info("materials.not_noted", case=fetch.case, step=fetch.step, code=refusal.code)


async def bytes_here(node: Node, case: Case, step: Step) -> dict[str, int]:
    """How much has come of each content that was to be fetched for a step, by SHA-256 (hex)."""
    here: dict[str, int] = {}
    for fetch in await node.store.fetches.of_step(local_id(case.name, node.here), step.plan.code):
        size = fetch.content.size if fetch.outcome == "kept" else fetch.kept
        here[fetch.content.sha256] = max(size, here.get(fetch.content.sha256, 0))
    return here
