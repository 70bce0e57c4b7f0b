"""What an approval comes to: a paper is told and delivered, an answer in words is told and needs no delivery."""

from typing import Any

import pytest

from tests.catalogue.shipped import CATALOGUE
from tests.http.asking import act, opened, refused
from tests.http.conftest import module_wide
from tests.http.test_every_bundle import wish_for
from tests.http.test_licence_files import ELECTRONIC, licence_of
from tests.http.test_modes import timeline
from tests.nodes import Caller, Places
from tests.world import JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROOF, ENQUIRY = "no_criminal_record_proof", "fund_enquiry"
IN_NANJING = "320102"
PDF = b"%PDF-1.7 no criminal record"
LATEST = "最迟在2026-12-07按您的选择（电子证明）送达，送达时通知您。"
IN_WORDS = {"公积金账户状态": "正常", "公积金账户余额（元）": "52000"}
ANSWER = {"fund_balance": "52000", "fund_account_status": "normal"}


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


async def accepted(places: Places, citizen: Caller, officer: Caller, item: str) -> str:
    """A case of this item alone that Zhejiang has accepted."""
    wish, _ = await wish_for(citizen, CATALOGUE.bundle(item), home=JIANGSU)
    case = await opened(places, citizen, wish | {"division": IN_NANJING})
    await places.settle()
    for name in ("receive", "accept"):
        assert (await officer.post(act(f"{JIANGSU}:{case}", item, name))).status == 200
    return case


async def granted(places: Places, officer: Caller, case: str, item: str, **said: Any) -> None:
    """Zhejiang approves."""
    answer = await officer.post(act(f"{JIANGSU}:{case}", item, "approve"), said)
    assert answer.status == 200, answer.body
    await places.settle()


async def result_of(citizen: Caller, case: str) -> dict[str, Any]:
    """What the applicant is told that it came to."""
    (line,) = (await citizen.get(f"/api/v1/cases/{case}")).body["results"]
    return dict(line)


async def words(citizen: Caller, case: str, name: str) -> str:
    """What the timeline says of this act."""
    return str(next(each["words"] for each in await timeline(citizen, case) if each["act"] == name))


async def open_tasks(officer: Caller, case: str) -> list[dict[str, Any]]:
    """What is left to do for the officer."""
    tasks = (await officer.get("/desk/v1/tasks")).body["tasks"]
    return [task for task in tasks if task["case"] == f"{JIANGSU}:{case}"]


async def test_a_proof_is_approved_with_its_file_told_by_name_and_delivered(places: Places, mother: Caller):
    police = await places.officer("public_security", ZHEJIANG)
    case = await accepted(places, mother, police, PROOF)
    assert (await mother.get(f"/api/v1/cases/{case}")).body["results"] == []
    await granted(places, police, case, PROOF, licence=await licence_of(police, PDF))
    told = await result_of(mother, case)
    assert (told["name"], told["kind"], told["kind_name"]) == ("无犯罪记录证明", "paper", "证明或者文书")
    assert (told["delivery"], told["method"], told["deliver_by"], told["licence"]) == ("due", None, "2026-12-07", None)
    assert told["words"] == f"尚未送达。{told['issued_by']}{LATEST}"
    assert ("公安" in told["issued_by"], told["wished"]) == (True, "电子证明")
    assert await words(mother, case, "approve") == "结果是无犯罪记录证明，另行送达。"
    assert (await mother.get(f"/api/v1/cases/{case}")).body["state"] == "closed"
    (task,) = await open_tasks(police, case)
    assert (task["state"], task["due_on"]) == ("approved", "2026-12-07")
    await check_delivery(places, mother, police, case)


async def check_delivery(places: Places, mother: Caller, police: Caller, case: str) -> None:
    """It is delivered electronically after the case is closed, opened by its holder, and nothing is left to do."""
    assert (await police.post(act(f"{JIANGSU}:{case}", PROOF, "deliver"), ELECTRONIC)).status == 200
    await places.settle()
    told = await result_of(mother, case)
    assert (told["delivery"], told["method"], told["method_name"]) == ("done", "electronic", "电子送达")
    assert (told["deliver_by"], told["licence"], told["words"]) == (None, 1, "已送达：电子送达。")
    answer = await mother.get(f"/api/v1/cases/{case}/licences/1/file")
    assert (answer.status, answer.body) == (200, PDF)
    assert await open_tasks(police, case) == []


async def test_what_goes_by_post_is_told_with_its_number(places: Places, mother: Caller):
    police = await places.officer("public_security", ZHEJIANG)
    case = await accepted(places, mother, police, PROOF)
    await granted(places, police, case, PROOF)
    by_post = {"delivery": {"method": "post", "number": "EX200"}}
    assert (await police.post(act(f"{JIANGSU}:{case}", PROOF, "deliver"), by_post)).status == 200
    await places.settle()
    told = await result_of(mother, case)
    assert (told["method"], told["number"], told["licence"]) == ("post", "EX200", None)
    assert told["words"] == "已送达：邮寄，单号EX200。"


async def test_an_answer_in_words_is_told_with_its_fields_and_done_with_its_approval(places: Places, mother: Caller):
    fund = await places.officer("housing_fund", ZHEJIANG)
    case = await accepted(places, mother, fund, ENQUIRY)
    await granted(places, fund, case, ENQUIRY, result=ANSWER)
    told = await result_of(mother, case)
    assert (told["name"], told["kind"], told["kind_name"]) == ("住房公积金信息查询结果", "text", "文字答复")
    assert {each["name"]: each["value"] for each in told["fields"]} == IN_WORDS
    assert (told["delivery"], told["deliver_by"], told["licence"]) == ("nothing", None, None)
    assert told["words"] == "答复如下，没有需要领取的文书。"
    assert await words(mother, case, "approve") == "结果是住房公积金信息查询结果，内容见办理结果。"
    shown = (await mother.get(f"/api/v1/cases/{case}")).body
    assert (shown["state"], shown["outcome"], shown["licences"]) == ("closed", "completed", [])
    assert await open_tasks(fund, case) == []
    nothing = await fund.post(act(f"{JIANGSU}:{case}", ENQUIRY, "deliver"), ELECTRONIC)
    refused(nothing, 409, "nothing_to_deliver")


async def test_where_no_more_than_the_word_was_given_nothing_is_promised(places: Places, mother: Caller):
    fund = await places.officer("housing_fund", ZHEJIANG)
    case = await accepted(places, mother, fund, ENQUIRY)
    await granted(places, fund, case, ENQUIRY)
    told = await result_of(mother, case)
    assert (told["fields"], told["words"]) == ([], "已经办好，没有需要领取的文书。")
    assert await words(mother, case, "approve") == "结果是住房公积金信息查询结果。"


async def test_an_answer_in_words_takes_no_file_and_no_field_or_choice_of_its_own_making(
    places: Places, mother: Caller
):
    fund = await places.officer("housing_fund", ZHEJIANG)
    case = await accepted(places, mother, fund, ENQUIRY)
    approve = act(f"{JIANGSU}:{case}", ENQUIRY, "approve")
    problem = refused(await fund.post(approve, {"licence": await licence_of(fund, PDF)}), 409, "not_yielded")
    assert "文字答复" in problem["detail"]
    unknown = refused(await fund.post(approve, {"result": {"fund_account_status": "rich"}}), 422, "form_faulty")
    assert [each["pointer"] for each in unknown["errors"]] == ["/result/fund_account_status"]
    refused(await fund.post(approve, {"result": {"record_period": "十年"}}), 422, "form_faulty")
    assert (await result_lines(mother, case)) == []


async def result_lines(citizen: Caller, case: str) -> list[Any]:
    """All that the case has come to."""
    return list((await citizen.get(f"/api/v1/cases/{case}")).body["results"])


async def test_the_desk_is_told_what_an_approval_yields_with_types_choices_and_examples(places: Places, mother: Caller):
    fund = await places.officer("housing_fund", ZHEJIANG)
    case = await accepted(places, mother, fund, ENQUIRY)
    (seen,) = (await fund.get(f"/desk/v1/cases/{JIANGSU}:{case}")).body["steps"]
    assert (seen["yields_name"], seen["yields_kind"]) == ("住房公积金信息查询结果", "text")
    fields = {each["code"]: each for each in seen["yields_fields"]}
    assert fields["fund_account_status"] == {
        "code": "fund_account_status",
        "name": "公积金账户状态",
        "type": "choice",
        "is_required": False,
        "hint": "",
        "example": "normal",
        "choices": {"normal": "正常", "sealed": "封存", "owing": "欠缴", "other": "其他"},
    }
    assert fields["fund_balance"]["hint"] == "只填数字，最多两位小数。"


async def test_whoever_looks_at_an_item_reads_what_it_yields(places: Places):
    found = [(await places.caller().get(f"/api/v1/items/{item}")).body for item in (PROOF, ENQUIRY)]
    assert [(each["yields_name"], each["yields_kind"]) for each in found] == [
        ("无犯罪记录证明", "paper"),
        ("住房公积金信息查询结果", "text"),
    ]
