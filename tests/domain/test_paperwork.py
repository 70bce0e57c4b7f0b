"""Which moves give which paper: each says so on purpose, and what it gives fits its text and can be told again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.case import acts
from server.domain.case.case import Case, Offered
from server.domain.case.events import Event
from server.domain.case.papers import RESULT_PAPERS, PaperAsked
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.terms import Delivery, Terms
from server.domain.licence.granting import grant_of
from server.domain.papers.bodies import BODIES
from server.domain.papers.data import paper_digest
from server.domain.papers.filling import fill
from server.domain.paperwork.asking import UNFIT, FactsWithPapers, PaperRules, decide_with_papers
from server.domain.paperwork.table import BY_NO_MOVE, GIVES, GIVES_BESIDE, WITHOUT
from server.domain.paperwork.telling import data_again
from server.domain.people.persons import SubjectGiven
from server.domain.rules.table import TRANSITIONS
from tests.domain.licence.issued import ISSUED_ON, PERMIT, award, holder
from tests.domain.places import DIVISIONS
from tests.papers.samples import texts
from tests.world import (
    CATALOGUE,
    HEARING,
    JIANGSU,
    ZHEJIANG,
    application,
    citizen,
    facts,
    lacking,
    later,
    officer,
    opening,
    person,
    planned,
    worked,
)

RULES = PaperRules(texts(), lambda _: CATALOGUE, DIVISIONS, "https://node.example.cn")
TERMS = Terms(legal_days=10, deferrable=("photo",), special_steps=(HEARING,))
DELIVER = acts.Deliver(id="deliver", by=officer(), step="one", delivery=Delivery(method="electronic"))
DECLINE = acts.Decline(id="decline", by=officer(), step="one", reason="not_needed", grounds="依法不需要申请。")
RECEIVE, ACCEPT = worked("one", officer(), until="accepted")
APPROVE, REFUSE = worked("one", officer())[2], worked("one", officer(), until="refused")[2]
ASK = acts.AskSupplement(id="ask", by=officer(), step="one", gaps=(lacking("subject_name"),))
LAPSE = acts.Lapse(id="lapse", by=Actor(node=JIANGSU, part="node"), step="one")
EXTEND = acts.Extend(id="extend", by=officer(name="head-1"), step="one", days=5, reason="案情复杂。")
SUSPEND = acts.Suspend(id="suspend", by=officer(), step="one", procedure="听证", notice="需要听证。", days=10)
WITHDRAW = acts.Withdraw(id="withdraw", by=citizen())
TWO = PERMIT.model_copy(update={"most_holders": 2})
FILE = Offered(code="record_paper", sha256="ab" * 32, size=9, media_type="application/pdf")
LIVES: dict[str, Sequence[Act]] = {
    "receipt": (RECEIVE,),
    "supplement": (RECEIVE, ASK),
    "acceptance": (RECEIVE, ACCEPT),
    "gap_acceptance": (RECEIVE, ACCEPT),
    "not_needed": (RECEIVE, DECLINE),
    "not_ours": (RECEIVE, DECLINE.model_copy(update={"reason": "wrong_agency", "agency": "市民政局"})),
    "special_procedure": (RECEIVE, ACCEPT, SUSPEND),
    "extension": (RECEIVE, ACCEPT, EXTEND),
    "granted": (RECEIVE, ACCEPT, APPROVE),
    "refused": (RECEIVE, ACCEPT, REFUSE),
    "delivery": (RECEIVE, ACCEPT, APPROVE, DELIVER),
    "withdrawal": (RECEIVE, WITHDRAW),
    "termination": (RECEIVE, ASK, LAPSE),
}


def knowing(*, here: str = JIANGSU, days: float = 0, papers: PaperRules | None = RULES) -> FactsWithPapers:
    """What a decision knows at a node that gives papers."""
    return FactsWithPapers(**vars(facts(here, at=later(days=days))), papers=papers)


def lived(*done: Act, papers: PaperRules | None = RULES, **plan: Any) -> tuple[list[Event], Case]:
    """All that happens to a case whose one step is here, a month lying before a lapse."""
    deferred, subject = plan.pop("deferred", ()), plan.pop("subject", None)
    step = planned("one", **{"materials": ("proof", "photo"), "yields": "birth_licence", "terms": TERMS, **plan})
    materials = tuple(each for each in application().materials if each.code not in deferred)
    case: Case | None = None
    told: list[Event] = []
    for number, act in enumerate((opening([step], materials=materials, deferred=deferred, subject=subject), *done)):
        known = knowing(days=40 if act is LAPSE else 0, papers=papers)
        decided = decide_with_papers(case, act, replace(known, salt=bytes([number]) * 16))
        told += decided.events
        case = decided.values[-1]
    assert case
    return told, case


def test_each_event_that_moves_a_step_gives_a_paper_or_says_why_not():
    assert GIVES.keys() | WITHOUT.keys() == TRANSITIONS.keys()
    assert not GIVES.keys() & WITHOUT.keys()
    assert GIVES_BESIDE.keys() <= GIVES.keys()
    assert all(WITHOUT.values())


def test_each_kind_of_paper_is_given_by_a_move_or_says_why_not():
    given = {each.paper_kind for table in (GIVES, GIVES_BESIDE) for givings in table.values() for each in givings}
    assert given | BY_NO_MOVE.keys() == BODIES.keys()
    assert given == LIVES.keys() | RESULT_PAPERS | {"lease"}  # test_signing_cases tells of that
    assert not given & BY_NO_MOVE.keys()


@pytest.mark.parametrize("kind", LIVES)
def test_what_a_move_gives_fits_its_text_and_is_told_again_from_the_case(kind: str):
    told, case = lived(*LIVES[kind], deferred=("photo",) if kind == "gap_acceptance" else ())
    asked = [each for each in told if isinstance(each, PaperAsked)][-1]
    assert (asked.paper_kind, asked.title) == (kind, texts().by_code[kind].title_for("service"))
    data = data_again(told, asked, CATALOGUE)
    assert paper_digest(data, texts=asked.texts, layout=asked.layout) == asked.data_digest
    assert fill(data, texts()).paragraphs
    assert (data.frame.recipient, data.frame.recipient_id[-4:]) == ("测试甲", "0012")
    assert data.frame.check_address == f"https://node.example.cn/check/{asked.paper}/{asked.address[-26:]}"
    given = case.paper(asked.paper)
    assert given
    assert given.file is None


def test_a_step_for_which_nothing_was_handed_in_has_no_receipt():
    told, _ = lived(RECEIVE, materials=("birth_licence",))  # it comes from another step
    assert not [each for each in told if isinstance(each, PaperAsked)]


def stating(**fields: Any) -> tuple[Catalogue, PaperRules]:
    """The catalogue with these fields too, and what papers are then asked for with."""
    more = [CATALOGUE.fields[0].model_copy(update={"code": code, **field}) for code, field in fields.items()]
    whole = {name: getattr(CATALOGUE, name) for name in Catalogue.model_fields}
    catalogue = Catalogue.model_validate({**whole, "fields": (*CATALOGUE.fields, *more)})
    return catalogue, replace(RULES, catalogue_of=lambda _: catalogue)


FIELDS: dict[str, Any] = {
    "finding": {"name": "查询情况", "type": "choice", "choices": {"none": "未发现"}},
    "place": {"name": "查询地", "type": "division"},
    "valid_until": {"name": "有效期截止日期", "type": "date"},
    "remark": {"name": "备注"},
}
RESULT = {"finding": "none", "place": "330106", "valid_until": "2027-05-01", "remark": " ", "unheard_of": "{name}"}


def test_an_approval_without_a_file_gives_the_paper_itself_in_words_and_no_code():
    catalogue, rules = stating(**FIELDS)
    approve = APPROVE.model_copy(update={"result": RESULT})
    told, case = lived(
        RECEIVE, ACCEPT, approve, papers=rules, yields="record_paper", yields_fields=tuple(RESULT), materials=()
    )
    granted, certificate = [each for each in told if isinstance(each, PaperAsked)][-2:]
    assert (granted.paper_kind, certificate.paper_kind, certificate.title) == ("granted", "certificate", "登记凭证")
    assert (granted.of, certificate.number) == (certificate.of, case.version)
    assert granted.paper != certificate.paper
    data = data_again(told, certificate, catalogue)
    assert paper_digest(data, texts=certificate.texts, layout=certificate.layout) == certificate.data_digest
    filled = fill(data, texts())
    assert filled.title == "登记凭证"
    assert [each.table.rows for each in filled.paragraphs if each.table] == [
        (
            ("查询情况", "未发现"),
            ("查询地", "浙江省杭州市西湖区"),
            ("有效期截止日期", "2027年5月1日"),
            ("unheard_of", "{name}"),
        )
    ]


def test_the_names_of_divisions_are_those_of_the_day_on_which_it_was_asked_for():
    catalogue, rules = stating(place=FIELDS["place"])
    approve = APPROVE.model_copy(update={"result": {"place": "330106"}})
    told, _ = lived(RECEIVE, ACCEPT, approve, papers=rules, yields="record_paper", yields_fields=("place",))
    assert isinstance(told[-1], PaperAsked)
    assert told[-1].names == {"330106": "浙江省杭州市西湖区"}
    renamed = told[-1].model_copy(update={"names": {}})
    assert paper_digest(data_again(told, renamed, catalogue), texts="", layout="") != told[-1].data_digest


def test_a_certificate_names_whom_it_is_about_and_has_no_table_of_nothing():
    told, _ = lived(RECEIVE, ACCEPT, APPROVE, yields="record_paper")
    asked = told[-1]
    assert isinstance(asked, PaperAsked)
    filled = fill(data_again(told, asked, CATALOGUE), texts())
    assert not [each for each in filled.paragraphs if each.table]
    assert "所涉人员" not in "".join(each.text for each in filled.paragraphs)
    subject = SubjectGiven(name="测试乙", id_number=person().id_number)
    told, _ = lived(RECEIVE, ACCEPT, APPROVE, yields="record_paper", subject=subject)
    asked = told[-1]
    assert isinstance(asked, PaperAsked)
    assert [each.text for each in fill(data_again(told, asked, CATALOGUE), texts()).paragraphs][1:] == [
        "所涉人员：测试乙（证件号码 **************0012）。"
    ]


def test_an_approval_that_grants_a_licence_gives_its_face_with_other_holders_masked():
    _, rules = stating(remark=FIELDS["remark"])
    mine, theirs = holder("测试甲", sequence="001"), holder("李小四", sequence="003")
    grant = grant_of(TWO, award(holders=(mine, theirs)), on=ISSUED_ON)
    approve = APPROVE.model_copy(update={"grant": grant, "result": {"remark": "无"}})
    told, _ = lived(RECEIVE, ACCEPT, approve, papers=rules, yields_fields=("remark",))
    asked = told[-1]
    assert isinstance(asked, PaperAsked)
    assert (asked.paper_kind, asked.title) == ("licence", PERMIT.name)
    data = data_again(told, asked, rules.catalogue_of(""))
    assert paper_digest(data, texts=asked.texts, layout=asked.layout) == asked.data_digest
    tables = [each.table.rows for each in fill(data, texts()).paragraphs if each.table]
    masked = ("李**", "*" * 14 + theirs.number[-4:])
    assert tables == [((mine.name, mine.number), masked), (("备注", "无"),)]
    words = "".join(each.text for each in fill(data, texts()).paragraphs)
    assert grant.id in words
    assert theirs.number not in words


@pytest.mark.parametrize(("yields", "offered"), [("birth_licence", None), ("record_paper", FILE), ("", None)])
def test_what_has_a_file_of_its_authority_or_is_no_paper_gives_no_certificate(yields: str, offered: Offered | None):
    approve = APPROVE.model_copy(update={"licence": offered})
    told, _ = lived(RECEIVE, ACCEPT, approve, yields=yields)
    assert "certificate" not in {each.paper_kind for each in told if isinstance(each, PaperAsked)}


def test_a_result_that_no_paper_can_say_holds_up_no_approval():
    _, rules = stating(valid_until=FIELDS["valid_until"])
    approve = APPROVE.model_copy(update={"result": {"valid_until": "some day"}})
    told, case = lived(RECEIVE, ACCEPT, approve, papers=rules, yields="record_paper", yields_fields=("valid_until",))
    assert isinstance(told[-1], PaperAsked)
    assert (told[-1].data_digest, told[-1].title, case.step("one").state) == (UNFIT, "证明（凭证）", "approved")


def test_papers_of_one_decision_come_after_all_that_it_brings_under_its_act():
    told, case = lived(*LIVES["granted"])
    assert [each.act for each in told][-3:] == ["approve", "close", "ask_paper"] or told[-1].act == "ask_paper"
    assert told[-1].act_id == APPROVE.id
    assert [each.number for each in told] == list(range(1, case.version + 1))
    assert case.step("one").version == next(each.number for each in told if each.act == "approve")


def test_a_node_without_papers_asks_for_none():
    told, case = lived(*LIVES["granted"], papers=None)
    assert not [each for each in told if isinstance(each, PaperAsked)]
    assert not case.given_papers


def test_what_another_node_decides_gives_no_paper_here():
    step = planned("one", division="330106")
    decided = decide_with_papers(None, opening([step]), knowing())
    by = Actor(node=ZHEJIANG, part="node")
    told = acts.Receive(id="told", by=by, step="one", at=later())
    received = decide_with_papers(decided.values[-1], told, knowing())
    assert [each.act for each in received.events] == ["receive"]


def test_nothing_is_given_for_a_step_that_never_came_to_its_authority():
    told, _ = lived(WITHDRAW)
    assert not [each for each in told if isinstance(each, PaperAsked)]


def test_what_fits_no_paper_holds_up_no_act_and_has_no_digest():
    told, _ = lived(RECEIVE, ACCEPT, REFUSE.model_copy(update={"grounds": "。"}), name="一" * 500)
    asked = [each for each in told if isinstance(each, PaperAsked)]
    assert asked[-1].paper_kind == "refused"
    assert asked[-1].data_digest != UNFIT, "names are cut, and empty grounds have words of their own"
    told, _ = lived(RECEIVE, ACCEPT, REFUSE, papers=replace(RULES, origin="ftp://nowhere"))
    assert {each.data_digest for each in told if isinstance(each, PaperAsked)} == {UNFIT}
