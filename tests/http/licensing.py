"""Cases that lead to an electronic licence: applied for at home, and approved by the county there."""

from typing import Any

from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import act, opened
from tests.http.test_every_bundle import followed, guided
from tests.nodes import HERE, Caller, Places
from tests.world import JIANGSU

CARD = "temporary_identity_card"
WHY = {"reason": "涉嫌冒用，正在核查", "basis": "临时居民身份证管理办法第十二条"}


async def applied(places: Places, citizen: Caller, item: str = CARD) -> str:
    """A case of this item alone that the county of these tests decides."""
    bundle = CATALOGUE.bundle(item)
    answers, guide = await guided(citizen, bundle.code, elsewhere=JIANGSU)
    wish = await followed(citizen, bundle, answers, guide, home=JIANGSU)
    return await opened(places, citizen, wish | {"division": HERE})


async def approved(places: Places, officer: Caller, case: str, item: str = CARD, **said: Any) -> None:
    """The step is received, accepted and approved."""
    for name in ("receive", "accept", "approve"):
        answer = await officer.post(act(case, item, name), said if name == "approve" else None)
        assert answer.status == 200, answer.body
    await places.settle()


async def licensed(places: Places, citizen: Caller, *, item: str = CARD) -> str:
    """The identifier of a licence that the police of Jiangsu have issued to a citizen."""
    officer = await places.officer("public_security", JIANGSU, name="police-here")
    case = await applied(places, citizen, item)
    await approved(places, officer, case, item)
    return (await places.nodes[JIANGSU].node.store.cases.case(case)).case.step(item).electronic
