"""The life of a case over HTTP: citizens who hand in and officers who decide, none of whom gives up."""

import asyncio
from dataclasses import dataclass

from tests.faults.books import ABROAD, ACTS, AT_HOME, DEPARTMENT_ABROAD
from tests.faults.provinces import NOT_YET, PATIENCE_SECONDS, Province, county_of, insist
from tests.nodes import ANSWERS, Caller, newborn_wish

FIRST = "birth_certificate"
MEANWHILE = ("vaccination_card", "parenting_guidance")
AFTERWARDS = ("social_security_card", "medical_insurance")


@dataclass(frozen=True)
class Desks:
    """The citizen, and an officer of each department, at both nodes; `home` is the division where cases begin."""

    home: str
    citizen: Caller
    wish: dict[str, object]
    at_home: dict[str, Caller]
    abroad: Caller
    patience_seconds: float

    @classmethod
    async def manned(cls, home: Province, peer: Province, *, patience_seconds: float = PATIENCE_SECONDS) -> "Desks":
        """Everybody signed in, the citizen with the materials handed in."""
        citizen = await home.citizen()
        at_home = {department: await home.officer(department) for department in sorted(set(AT_HOME.values()))}
        abroad = await peer.officer(DEPARTMENT_ABROAD)
        here, there = (county_of(each.division) for each in (home, peer))
        wish = await newborn_wish(citizen, division=here) | {"answers": ANSWERS | {"household": there}}
        return cls(home.division, citizen, wish, at_home, abroad, patience_seconds)

    async def submit(self, key: str) -> str:
        """Hand in an application; the id of the case."""
        answer = await insist(self.citizen, "/api/v1/cases", self.wish, key=key, seconds=self.patience_seconds)
        return str(answer.body["id"])

    async def decide(self, case: str, step: str) -> None:
        """Receive, accept and approve a step, where it belongs, as soon as it is there."""
        officer = self.abroad if step == ABROAD else self.at_home[AT_HOME[step]]
        local = f"{self.home}:{case}" if step == ABROAD else case
        for act in ACTS:
            path, key = f"/desk/v1/cases/{local}/steps/{step}/{act}", f"{step}-{act}"
            await insist(officer, path, key=key, again=NOT_YET, seconds=self.patience_seconds)

    async def finish(self, case: str) -> None:
        """Everything there is to decide of a case."""
        await self.decide(case, FIRST)
        await asyncio.gather(self._across(case), *(self.decide(case, step) for step in MEANWHILE))

    async def _across(self, case: str) -> None:
        await self.decide(case, ABROAD)
        await asyncio.gather(*(self.decide(case, step) for step in AFTERWARDS))
