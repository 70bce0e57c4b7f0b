"""Showing at home what became of a letter about a step: it came back from the decider's node, or went out again."""

from server.desk.acting import perform
from server.desk.relay import relay_soon
from server.domain.aggregate.actors import Actor
from server.domain.case.acts import Bounce, Resend
from server.domain.case.case import local_id
from server.domain.exchange.letters import Letter
from server.node import Node


async def came_back(node: Node, letter: Letter, code: str, *, cause: str) -> None:
    """The case at home says so, under the id of the letter that told it; elsewhere nothing is shown."""
    if case := _case_of_home(node, letter):
        bounce = Bounce(id=cause, by=_ourselves(node), step=str(letter.step), letter=letter.kind, code=code)
        await relay_soon(node, await perform(node, local_id(case, node.here), bounce))


async def went_again(node: Node, letter: Letter, *, cause: str) -> None:
    """The case at home says so, under the id of the letter that lets it be judged anew."""
    if case := _case_of_home(node, letter):
        resend = Resend(id=cause, by=_ourselves(node), step=str(letter.step), letter=letter.kind)
        await relay_soon(node, await perform(node, local_id(case, node.here), resend))


def _case_of_home(node: Node, letter: Letter) -> str | None:
    """The name of the case that the letter is about, if it was handed in here."""
    return letter.case if letter.step and str(letter.case).partition("/")[0] == node.here else None


def _ourselves(node: Node) -> Actor:
    return Actor(node=node.here, part="node")
