"""A contract of a case: asked for by a decision that names a home, signed once by the applicant, sealed only then."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case
from server.domain.case.events import Delivered, Event
from server.domain.case.papers import PaperAsked, PaperFile
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.terms import Delivery
from server.domain.errors import Refusal
from server.domain.papers.signing import OtherPaperShown, OtherPersonSigns, SignedAlready, SigningTooLate
from server.domain.paperwork.asking import FactsWithPapers, PaperRules, decide_with_papers
from server.domain.paperwork.leasing import TERMS
from server.domain.paperwork.signing_requests import request_of
from server.domain.people.persons import SubjectGiven
from server.domain.rules.lifecycle import replay
from server.domain.rules.signings import ContractOpen, PaperNotAsked
from tests.catalogue.shipped import CATALOGUE
from tests.domain.places import DIVISIONS
from tests.papers.samples import texts
from tests.world import JIANGSU, ZHEJIANG, citizen, facts, later, officer, opening, planned, worked

STEP = "public_rental_waiting"
HOME = dict(zip(TERMS.values(), ("测试路8号", "45.6", "600", "2027-01-01", "2029-12-31"), strict=True))
RECEIVE, ACCEPT, APPROVE = worked(STEP, officer())
APPROVE = APPROVE.model_copy(update={"result": HOME})
DELIVER = acts.Deliver(id="deliver", by=officer(), step=STEP, delivery=Delivery(method="window"))
NODE = Actor(node=JIANGSU, part="node")
SHOWN, SIGNED = (PaperFile(sha256=digit * 64, size=1, number="1") for digit in "ab")


class Life:
    """A case with one step, to which acts are done one after the other, an hour apart."""

    def __init__(self, *done: Act, catalogue: Catalogue = CATALOGUE, **change: Any) -> None:
        self.rules = PaperRules(texts(), lambda _: catalogue, DIVISIONS, "https://node.example.cn")
        self.events: list[Event] = []
        self.case: Case | None = None
        self.hours = 0.0
        step = planned(STEP, yields="rental_waiting_receipt", yields_fields=tuple(HOME))
        begun = opening([step])
        if change:
            begun = begun.model_copy(update={"application": begun.application.model_copy(update=change)})
        for act in (begun, *done):
            self.do(act)

    @property
    def at(self) -> datetime:
        """Now."""
        return later(hours=self.hours)

    def do(self, act: Act) -> None:
        self.hours += 1
        known = replace(facts(JIANGSU, at=self.at), salt=bytes([len(self.events)]) * 16)
        decided = decide_with_papers(self.case, act, FactsWithPapers(**vars(known), papers=self.rules))
        self.events += decided.events
        self.case = decided.values[-1]

    @property
    def lease(self) -> str:
        """The id of the contract."""
        [asked] = [each for each in self.events if isinstance(each, PaperAsked) and each.paper_kind == "lease"]
        return asked.paper

    def ask(self, **change: Any) -> acts.AskSignature:
        said = {"paper": self.lease, "request": "R" * 16, "signed_kind": "contract", "shown": SHOWN}
        ends_at = later(hours=self.hours + 100)
        return acts.AskSignature(**{"id": "ask", "by": NODE, "step": STEP, **said, "ends_at": ends_at, **change})

    def sign(self, **change: Any) -> acts.SignPaper:
        said = {"paper": self.lease, "request": "R" * 16, "signed": SIGNED, "signed_at": later(hours=self.hours)}
        return acts.SignPaper(**{"id": "sign", "by": citizen(), "step": STEP, **said, **change})

    def file(self) -> acts.FilePaper:
        asked = next(each for each in self.events if isinstance(each, PaperAsked) and each.paper == self.lease)
        said = {name: getattr(asked, name) for name in ("of", "paper", "paper_kind", "title", "authority", "dated_on")}
        return acts.FilePaper(id="file", by=NODE, step=STEP, **said, data_digest=asked.data_digest, file=SIGNED)


def refused(life: Life, act: Act, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        life.do(act)


def test_a_contract_is_asked_for_signed_sealed_and_then_the_result_is_delivered():
    life = Life(RECEIVE, ACCEPT, APPROVE)
    refused(life, DELIVER, ContractOpen)
    refused(life, life.file(), PaperNotAsked)
    life.do(life.ask())
    refused(life, life.ask(id="again"), PaperNotAsked)
    refused(life, life.file(), PaperNotAsked)
    refused(life, DELIVER, ContractOpen)
    life.do(life.sign())
    assert life.case
    signing = life.case.signing_of(life.lease)
    assert signing
    assert life.case.applicant
    request = request_of(signing, life.case.applicant)
    assert (request.has_effect, request.signed_digest) == (True, SIGNED.sha256)
    refused(life, DELIVER, ContractOpen)
    life.do(life.file())
    life.do(DELIVER)
    assert life.case == replay(life.events)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"by": citizen().model_copy(update={"is_agent": True})}, OtherPersonSigns),
        ({"by": officer()}, OtherPersonSigns),
        ({"by": NODE}, OtherPersonSigns),
        ({"by": citizen().model_copy(update={"node": ZHEJIANG})}, OtherPersonSigns),
        ({"request": "S" * 16}, OtherPaperShown),
        ({"paper": "S" * 16}, OtherPaperShown),
        ({"signed_at": later(hours=500)}, SigningTooLate),
        ({"signed_at": later()}, SigningTooLate),
    ],
)
def test_nobody_else_signs_nothing_else_and_not_at_another_time(change: dict[str, Any], refusal: type[Refusal]):
    life = Life(RECEIVE, ACCEPT, APPROVE)
    life.do(life.ask())
    refused(life, life.sign(**change), refusal)
    life.do(life.sign())
    refused(life, life.sign(id="again"), SignedAlready)


@pytest.mark.parametrize(
    "change",
    [
        {"by": citizen()},
        {"by": officer()},
        {"by": NODE.model_copy(update={"node": ZHEJIANG})},
        {"signed_kind": "application"},
        {"paper": "S" * 16},
    ],
)
def test_only_the_node_asks_and_for_the_contract_that_the_case_has(change: dict[str, Any]):
    life = Life(RECEIVE, ACCEPT, APPROVE)
    refused(life, life.ask(**change), PaperNotAsked)


def test_a_contract_that_was_not_signed_in_time_holds_up_nothing():
    life = Life(RECEIVE, ACCEPT, APPROVE)
    life.do(life.ask())
    refused(life, DELIVER, ContractOpen)
    life.hours += 200
    life.do(DELIVER)
    assert next(type(event) for event in life.events if event.act_id == DELIVER.id) is Delivered


def with_item(**change: Any) -> Catalogue:
    """The shipped catalogue with this item changed."""
    items = tuple(each.model_copy(update=change) if each.code == STEP else each for each in CATALOGUE.items)
    return Catalogue(**{name: getattr(CATALOGUE, name) for name in Catalogue.model_fields} | {"items": items})


@pytest.mark.parametrize(
    ("catalogue", "change"),
    [
        ({"personal_status": "marriage"}, {}),
        ({"personal_status": ""}, {}),
        ({"signatures": ()}, {}),
        ({}, {"subject": SubjectGiven(name="测试乙", id_number="1")}),
    ],
)
def test_no_contract_is_asked_for_of_personal_status_or_of_whoever_is_no_party(
    catalogue: dict[str, Any], change: dict[str, Any]
):
    life = Life(RECEIVE, ACCEPT, APPROVE, catalogue=with_item(**catalogue), **change)
    asked = [each.paper_kind for each in life.events if isinstance(each, PaperAsked)]
    assert "granted" in asked
    assert "lease" not in asked
    life.do(DELIVER)


@pytest.mark.parametrize("left_out", HOME)
def test_a_decision_that_does_not_name_all_of_the_home_leads_to_no_contract(left_out: str):
    result = {name: value for name, value in HOME.items() if name != left_out}
    life = Life(RECEIVE, ACCEPT, APPROVE.model_copy(update={"result": result}))
    assert not [each for each in life.events if isinstance(each, PaperAsked) and each.paper_kind == "lease"]
    life.do(DELIVER)
