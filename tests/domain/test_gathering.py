"""Gathering: what a decider elsewhere must fetch, and that its five days run from when all of it is there."""

from typing import Any

import pytest

from server.domain.case import acts
from server.domain.case.case import Step
from server.domain.case.events import Gathered, Requested
from server.domain.case.fetches import Fetch, is_wanted, offered
from server.domain.catalogue.terms import Delivery
from server.domain.effects.deadlines import checkpoints_of
from server.domain.effects.effects import effects_of
from server.domain.effects.letters_in import LetterUnreadable
from server.domain.rules.decide import NotOurStep, StateForbids
from server.domain.rules.moves.receiving import NothingToGather, TooEarly
from server.domain.rules.results import NotYielded
from tests.domain.carrying import Place, carry, exchange, step_at
from tests.world import (
    CALENDAR,
    JIANGSU,
    UPLOADS,
    ZHEJIANG,
    citizen,
    facts,
    handed_in,
    lacking,
    later,
    of_graph,
    officer,
    opening,
    peer,
    told_again,
)
from tests.world import offered as content

FAR = "step2"  # an item that is decided in Zhejiang by the department insurance
THERE = officer("insurance", node=ZHEJIANG)
SENT = tuple(UPLOADS[id].sha256 for id in ("up-proof", "up-photo", "up-card"))


def waiting() -> tuple[Place, Place]:
    """Home and decider, to whom the letter has come and no material yet."""
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    decider.receives_materials = False
    home.do(opening((of_graph(FAR, division="330106"),)))
    assert not carry(home, decider)
    return home, decider


def gather(*kept: str, by: Any = None, id: str = "gather") -> acts.Gather:
    return acts.Gather(id=id, by=by or peer(ZHEJIANG), step=FAR, kept=kept or SENT)


def deem(id: str = "deem") -> acts.Deem:
    return acts.Deem(id=id, by=peer(ZHEJIANG), step=FAR)


def fetches(place: Place, *events: Any) -> list[Fetch]:
    """What this place must fetch after these events of its case, told anew."""
    effects, _ = effects_of(told_again(place.events), facts(place.node), threads={})
    numbers = {each.number for each in events}
    return [effect.fetch for effect in effects if effect.fetch and effect.event in numbers]


def rung_names(place: Place) -> set[str]:
    assert place.case
    return {checkpoint.name for checkpoint in checkpoints_of(place.case, here=place.node, calendar=CALENDAR)}


def far(place: Place) -> Step:
    return step_at(place, FAR)


def test_a_decider_elsewhere_must_fetch_what_its_item_declares_from_the_home():
    home, decider = waiting()
    (requested,) = decider.events
    assert isinstance(requested, Requested)
    (fetch,) = fetches(decider, requested)
    assert (fetch.node, fetch.case, fetch.name) == (JIANGSU, f"{JIANGSU}:case1", f"{JIANGSU}/case1")
    assert fetch.contents == requested.commission.materials == offered(decider.case, far(decider))
    assert fetches(home, *home.events) == []


def test_the_five_days_do_not_run_while_a_material_is_coming():
    _, decider = waiting()
    assert (far(decider).is_gathering, far(decider).notify_from) == (True, None)
    assert rung_names(decider) == set()
    assert decider.tasks[-1].due_on == ""
    decider.days = 30
    with pytest.raises(TooEarly):
        decider.do(deem())
    decider.do(acts.Receive(id="r", by=THERE, step=FAR))
    decider.do(acts.AskSupplement(id="a", by=THERE, step=FAR, gaps=(lacking("subject_name"),)))
    assert far(decider).state == "supplementing"  # what he sees already he may ask


def test_the_five_days_run_from_when_the_last_material_is_there():
    _, decider = waiting()
    decider.days = 2
    (gathered,) = decider.do(gather())
    assert isinstance(gathered, Gathered)
    assert (far(decider).state, far(decider).is_gathering, far(decider).arrived_at) == ("sent", False, gathered.at)
    assert rung_names(decider) == {"notify_soon", "deem"}
    assert decider.tasks[-1].due_on > later(days=2).date().isoformat()
    decider.days = 8  # five working days after Monday are over, those after Wednesday are not
    with pytest.raises(TooEarly):
        decider.do(deem())
    decider.days = 10
    decider.do(deem())
    assert far(decider).clock
    assert far(decider).clock.accepted_at == gathered.at


def test_what_is_missing_or_noted_already_is_not_noted():
    _, decider = waiting()
    with pytest.raises(NothingToGather):
        decider.do(gather(*SENT[:1]))
    decider.do(gather())
    with pytest.raises(NothingToGather):
        decider.do(gather(id="again"))


def test_nobody_else_notes_it():
    home, decider = waiting()
    for place, by in ((decider, peer(JIANGSU)), (home, peer(JIANGSU))):
        with pytest.raises(NotOurStep):
            place.do(gather(by=by))


def test_the_home_is_told_nothing_of_it():
    _, decider = waiting()
    decider.do(gather())
    assert decider.written == []


def test_a_step_without_materials_has_arrived_with_its_letter():
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    decider.receives_materials = False
    step = of_graph(FAR, division="330106").model_copy(update={"materials": ()})
    home.do(opening((step,)))
    (letter,) = home.give_away()
    body = {**letter.body, "materials": ()}
    decider.settle(letter.model_copy(update={"body": body}))
    assert (far(decider).is_gathering, far(decider).arrived_at) == (False, decider.events[0].at)


@pytest.mark.parametrize(
    "change", [{"size": 10 * 1024 * 1024 + 1}, {"size": 0}, {"sha256": "ab"}, {"sha256": "AB" * 32}]
)
def test_an_offer_that_can_be_no_material_is_refused(change: dict[str, Any]):
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    home.do(opening((of_graph(FAR, division="330106"),)))
    (letter,) = home.give_away()
    first, *others = letter.body["materials"]
    offer = letter.model_copy(update={"body": {**letter.body, "materials": [first | change, *others]}})
    with pytest.raises(LetterUnreadable):
        decider.settle(offer)


def supplied() -> tuple[Place, Place]:
    """Home and decider, to whom a new photo was offered, and has not come."""
    home, decider = waiting()
    decider.do(gather())
    decider.do(acts.Receive(id="r", by=THERE, step=FAR))
    decider.do(acts.AskSupplement(id="a", by=THERE, step=FAR, gaps=(lacking("photo", kind="material"),)))
    exchange(home, decider)
    home.do(acts.Supply(id="s", by=citizen(), step=FAR, materials=(handed_in("photo"),)))
    decider.days = home.days = 1
    exchange(home, decider)
    return home, decider


def test_after_a_supplement_only_what_is_new_is_fetched_and_the_days_run_anew_from_then():
    _, decider = supplied()
    assert (far(decider).state, far(decider).is_gathering, far(decider).notify_from) == ("received", True, None)
    (fetch,) = fetches(decider, decider.events[-1])
    assert [each.sha256 for each in fetch.contents] == [content("photo").sha256]
    with pytest.raises(NothingToGather):
        decider.do(gather())  # the old photo is not the one that is missing
    decider.days = 3
    (gathered,) = decider.do(gather(*SENT, content("photo").sha256, id="new"))
    assert far(decider).arrived_at == gathered.at


def test_at_home_nothing_is_waited_for():
    home, decider = supplied()
    assert not far(home).is_gathering
    near = Place(JIANGSU)
    near.do(opening((of_graph("step0"),)))
    assert fetches(near, *near.events) == []
    assert not step_at(near, "step0").is_gathering
    assert decider.case


def test_what_comes_after_acceptance_moves_no_clock():
    _, decider = waiting()
    decider.do(acts.Receive(id="r", by=THERE, step=FAR))
    decider.do(acts.Accept(id="a", by=THERE, step=FAR))
    clock = far(decider).clock
    decider.days = 4
    decider.do(gather())
    assert (far(decider).state, far(decider).clock, far(decider).is_gathering) == ("accepted", clock, False)


def test_a_material_is_wanted_while_its_step_is_open_and_offers_it():
    _, decider = supplied()
    old = next(each for each in decider.events[0].commission.materials if each.code == "photo")
    case, step = decider.case, far(decider)
    assert case
    assert is_wanted(case, step, content("photo"), here=ZHEJIANG)
    assert not is_wanted(case, step, old, here=ZHEJIANG)
    decider.do(acts.Decline(id="d", by=THERE, step=FAR, reason="not_needed", grounds="无需办理"))
    assert decider.case
    assert not is_wanted(decider.case, far(decider), content("photo"), here=ZHEJIANG)
    with pytest.raises(StateForbids):
        decider.do(gather(content("photo").sha256))


def approved(**change: Any) -> tuple[Place, Place]:
    """Home and decider; a step that yields a licence is approved with these words."""
    home, decider = Place(JIANGSU), Place(ZHEJIANG)
    step = of_graph(FAR, division="330106")
    home.do(opening((step.model_copy(update={"yields": "card"}),)))
    assert not carry(home, decider)
    case = decider.case
    assert case
    own = far(decider).model_copy(update={"plan": far(decider).plan.model_copy(update={"yields": "card"})})
    decider.case = case.model_copy(update={"steps": {FAR: own}})
    for act in (acts.Receive(id="r", by=THERE, step=FAR), acts.Accept(id="a", by=THERE, step=FAR)):
        decider.do(act)
    decider.do(acts.Approve(id="ok", by=THERE, step=FAR, **change))
    return home, decider


@pytest.mark.parametrize("with_act", ["approve", "deliver"])
def test_the_home_must_fetch_the_licence_from_the_decider_and_wants_it_for_good(with_act: str):
    licence = content("card")
    home, decider = approved(**({"licence": licence} if with_act == "approve" else {}))
    said = {"licence": licence} if with_act == "deliver" else {}
    decider.do(acts.Deliver(id="d", by=THERE, step=FAR, delivery=Delivery(method="electronic"), **said))
    bodies = {letter.kind: letter.body for letter in decider.written}
    told = bodies["step.decided" if with_act == "approve" else "step.delivered"]
    untold = bodies["step.delivered" if with_act == "approve" else "step.decided"]
    assert told["licence"] == licence.model_dump(mode="json")
    assert "licence" not in untold
    exchange(home, decider)
    assert far(home).licence == far(decider).licence == licence
    (fetch,) = fetches(home, *home.events)
    assert (fetch.node, fetch.case, fetch.contents) == (ZHEJIANG, "case1", (licence,))
    assert home.case
    assert is_wanted(home.case, far(home), licence, here=JIANGSU)
    assert not is_wanted(home.case, far(home), content("card", "other"), here=JIANGSU)


def test_a_licence_that_the_step_does_not_yield_is_refused():
    with pytest.raises(NotYielded):
        approved(licence=content("photo"))
    near = Place(JIANGSU)
    near.do(opening((of_graph("step0"),)))
    for kind in (acts.Receive, acts.Accept):
        near.do(kind(id=kind.name, by=officer(), step="step0"))
    with pytest.raises(NotYielded):
        near.do(acts.Approve(id="ok", by=officer(), step="step0", licence=content("")))
