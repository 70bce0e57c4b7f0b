"""Nodes that give papers, and who makes them in the process of the test: as files that only say which paper each is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymongo

from server.desk.background.making_papers import PaperMaker, make_papers
from server.domain.papers.making import PapersWait, PaperToMake
from server.domain.papers.signing_jobs import ContractToSeal
from server.node import Node
from server.papers.seal_folder import make_stand_in
from tests.http.conftest import nodes_of_a_module
from tests.nodes import HandClock, Places

DAY_SECONDS = 86_400


@dataclass
class MakerHere:
    """Makes papers one after the other; none while something is `lacking`, or while it `wants_seals`."""

    lacking: Sequence[str] = ()
    wants_seals: bool = False
    made: list[PaperToMake] = field(default_factory=list)
    at_once: int = 1

    def missing(self) -> Sequence[str]:
        return self.lacking

    @property
    def may_sign(self) -> bool:
        return False

    async def seal(self, asked: ContractToSeal) -> bytes:
        raise PapersWait("no signatures here")

    async def make(self, paper: PaperToMake) -> bytes:
        if self.wants_seals:
            raise PapersWait("no seal")
        self.made.append(paper)
        return await self.content(paper)

    async def content(self, paper: PaperToMake) -> bytes:
        """The file; another one each time, as a seal makes it."""
        return f"%PDF-1.7 {paper.data.frame.check_code} {len(self.made)}".encode()


@asynccontextmanager
async def giving_papers(
    folder: Path, database_uri: str, sweeper: pymongo.MongoClient[dict[str, Any]], **more: Any
) -> AsyncIterator[Places]:
    """Nodes under one clock that ask for papers; their seals count since a day before."""
    clock = HandClock()
    clock.wait(seconds=-DAY_SECONDS)
    make_stand_in(folder / "seals", clock.now())
    clock.wait(seconds=DAY_SECONDS)
    lasting = dict.fromkeys(("access_token_seconds", "desk_session_seconds", "desk_idle_seconds"), DAY_SECONDS)
    more = {"clock": clock, "seals_folder": folder / "seals", **lasting, **more}
    async with nodes_of_a_module(folder, database_uri, sweeper, **more) as places:
        yield places


async def made(places: Places, maker: PaperMaker, *divisions: str) -> None:
    """All papers that these nodes (all of them, if none are named) have to make are made, and told."""
    await places.settle()
    for division in divisions or places.nodes:
        while await make_papers(places.nodes[division].node, maker):
            pass
    await places.settle()


def row_of(node: Node, sweeper: pymongo.MongoClient[dict[str, Any]], paper: str) -> dict[str, Any]:
    """The row of a paper to make, as it is stored."""
    found = sweeper[node.settings.database]["papers"].find_one({"_id": paper})
    assert found
    return dict(found)


async def papers_of(citizen: Any, case: str, *, step: str) -> dict[str, dict[str, Any]]:
    """The papers of a step as the timeline of its case lists them, by kind."""
    answer = await citizen.get(f"/api/v1/cases/{case}/timeline")
    return {each["kind"]: each for each in answer.body["papers"] if each["step"] == step}


async def done(officer: Any, case: str, step: str, *names: str) -> None:
    """The officer does these acts."""
    for name in names:
        answer = await officer.post(f"/desk/v1/cases/{case}/steps/{step}/{name}")
        assert answer.status == 200, answer.body
