"""The papers (文书) of a case, for the one whose case it is."""

from server.desk.citizen.applying import note_agent, own_case
from server.desk.papers import address_of, file_at, paper_of
from server.domain.materials import File
from server.node import Node


async def paper_file(node: Node, owner: str, id: str, *, paper: str) -> File:
    """The sealed file of a paper of one of the owner's cases; an agent's look is noted before it is given.

    Raises the refusals of `own_case`, NoSuchPaper, and PaperStillComing while it is made or on its way.
    """
    record = await own_case(node, owner, id)
    address = await address_of(node, paper_of(record.case, paper))
    await note_agent(node, record, owner, kind="paper.read")
    return await file_at(node, address)
