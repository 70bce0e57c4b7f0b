"""The heads of cases in tests: chained, and what the verification tells."""

from server.desk.background.case_verifying import verify_cases
from server.desk.background.chaining import chain
from server.desk.background.verifying import silent
from server.node import Node


async def chained(node: Node) -> None:
    """Chain all heads that wait."""
    while await chain(node, "heads") or await node.store.heads.chain.is_waiting():
        pass


async def troubles(node: Node) -> dict[str, str]:
    """What the whole verification finds to be wrong, by place."""
    found = await verify_cases(node, tell=silent)
    return {each.place: each.trouble for each in found.findings}
