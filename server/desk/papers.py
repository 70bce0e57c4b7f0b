"""Papers (文书) of a case as people are shown them, and their files."""

from datetime import date

from server.domain.case.case import Case, Step
from server.domain.case.papers import RESULT_PAPERS, GivenPaper
from server.domain.errors import Conflict, Missing
from server.domain.materials import File
from server.domain.spoken_numbers import in_groups
from server.domain.values import Value
from server.node import Node


class NoSuchPaper(Missing):
    """The case has no such paper, or the asker sees nothing of its step."""

    code = "no_such_paper"
    title = "没有这份文书"


class PaperStillComing(Conflict):
    """The paper is not sealed yet, or its file has not come from where it was."""

    code = "paper_still_coming"
    title = "文书正在制作或者传送"


class PaperLine(Value):
    """A paper of a step: its kind and title, its number (文号, empty while it is made), who gives it, and its day.

    `spoken_number` is the one that people say, in groups; empty also if the paper was made elsewhere.
    """

    id: str
    step: str
    kind: str
    title: str
    number: str
    spoken_number: str
    authority: str
    dated_on: date
    is_made: bool


def paper_lines(case: Case, steps: frozenset[str] | None = None) -> tuple[PaperLine, ...]:
    """The papers of these steps, of all if none are named, in the order in which they were asked for."""
    return tuple(
        PaperLine(
            id=each.id,
            step=each.step,
            kind=each.paper_kind,
            title=each.title,
            number=each.file.number if each.file else "",
            spoken_number=in_groups(each.spoken_number),
            authority=each.authority,
            dated_on=each.dated_on,
            is_made=each.file is not None,
        )
        for each in case.given_papers
        if steps is None or each.step in steps
    )


def paper_of(case: Case, id: str) -> GivenPaper:
    """The paper of this id; raises NoSuchPaper."""
    found = case.paper(id)
    if found is None:
        raise NoSuchPaper("办件中没有这份文书。")
    return found


def result_paper(case: Case, step: Step) -> GivenPaper | None:
    """The paper that is the result of the step itself, made or not yet; None if its authority handed in a file of its
    own, or its node has not told of one.
    """
    own = (each for each in case.given_papers if each.step == step.plan.code and each.paper_kind in RESULT_PAPERS)
    return None if step.licence else next(own, None)


async def address_of(node: Node, paper: GivenPaper) -> str:
    """Where the file of the paper lies; raises PaperStillComing."""
    address = node.keys.material(paper.file.sha256) if paper.file else ""
    if not address or await node.store.materials.missing([address]):
        raise PaperStillComing("文书正在制作或者传送，请稍后再打开。")
    return address


async def file_at(node: Node, address: str) -> File:
    """The file that lies there; raises NoSuchBlob."""
    return File(content=await node.store.materials.content(address), media_type="application/pdf")
