"""The life of a case over HTTP: citizens who hand in and officers who decide, none of whom gives up."""

import asyncio
from dataclasses import dataclass

from tests.faults.books import ABROAD, ACTS, AT_HOME, DEPARTMENT_ABROAD
from tests.faults.provinces import NOT_YET, Province, insist
from tests.nodes import Caller, newborn_wish
from tests.world import JIANGSU

FIRST = "birth_certificate"
MEANWHILE = ("vaccination_card", "parenting_guidance")
AFTERWARDS = ("social_security_card", "medical_insurance")


@dataclass(frozen=True)
class Desks:
    """The citizen, and an officer of each department, at both nodes."""

    citizen: Caller
    wish: dict[str, object]
    at_home: dict[str, Caller]
    abroad: Caller

    @classmethod
    async def manned(cls, home: Province, peer: Province) -> "Desks":
        """Everybody signed in, the citizen with the materials handed in."""
        citizen = await home.citizen()
        at_home = {department: await home.officer(department) for department in sorted(set(AT_HOME.values()))}
        abroad = await peer.officer(DEPARTMENT_ABROAD)
        return cls(citizen, await newborn_wish(citizen), at_home, abroad)

    async def submit(self, key: str) -> str:
        """Hand in an application; the id of the case."""
        return str((await insist(self.citizen, "/api/v1/cases", self.wish, key=key)).body["id"])

    async def decide(self, case: str, step: str) -> None:
        """Receive, accept and approve a step, where it belongs, as soon as it is there."""
        officer = self.abroad if step == ABROAD else self.at_home[AT_HOME[step]]
        local = f"{JIANGSU}:{case}" if step == ABROAD else case
        for act in ACTS:
            await insist(officer, f"/desk/v1/cases/{local}/steps/{step}/{act}", key=f"{step}-{act}", again=NOT_YET)

    async def finish(self, case: str) -> None:
        """Everything there is to decide of a case."""
        await self.decide(case, FIRST)
        await asyncio.gather(self._across(case), *(self.decide(case, step) for step in MEANWHILE))

    async def _across(self, case: str) -> None:
        await self.decide(case, ABROAD)
        await asyncio.gather(*(self.decide(case, step) for step in AFTERWARDS))
