"""What a node serves to another: what a letter offered, to whom it was offered, while it matters, and with a note."""

from typing import Any
from urllib.parse import urlencode

import pytest

from regions.asking import PeerRefused
from regions.client import PeerFailure
from regions.directory import known_key
from server.crypto import base64url
from server.crypto.receipts import ReceivedAnswer, verify_answer
from server.crypto.signatures import ReceivedRequest, sign_as_received
from tests.http.conftest import module_wide
from tests.http.peer_questions import FAR, Books, LyingWire, asked, digest, far_case, picture
from tests.http.peer_requests import Reply, refused_unsigned
from tests.nodes import Caller, Places
from tests.world import GUANGDONG, JIANGSU, ZHEJIANG

pytestmark = pytest.mark.asyncio(loop_scope="module")
CONTENT = picture(1000, "served")
SHA = digest(CONTENT)


@module_wide
async def places(three: Places) -> Places:
    """Three nodes under a clock that stands still."""
    return three


@module_wide
async def case(places: Places, mother: Caller) -> str:
    """A case whose material Zhejiang may have."""
    return await far_case(places, mother, CONTENT)


async def refusal(places: Places, *about: str, **more: str) -> str:
    """The code of the signed refusal."""
    with pytest.raises(PeerRefused) as refused:
        await asked(places, *about, **more)
    return refused.value.reason


async def test_the_decider_of_an_open_step_gets_its_material_whole(places: Places, case: str):
    told = await asked(places, SHA, case)
    assert (told.status, told.body, told.content_range) == (200, CONTENT, "")
    assert told.receipt.sender == JIANGSU


@pytest.mark.parametrize(
    ("span", "part", "content_range"),
    [
        ("bytes=0-99", CONTENT[:100], "bytes 0-99/1000"),
        ("bytes=0-0", CONTENT[:1], "bytes 0-0/1000"),
        ("bytes=999-999", CONTENT[-1:], "bytes 999-999/1000"),
        ("bytes=900-5000", CONTENT[900:], "bytes 900-999/1000"),
        ("bytes=900-", CONTENT[900:], "bytes 900-999/1000"),
        ("bytes=0-999", CONTENT, "bytes 0-999/1000"),
    ],
)
async def test_a_range_is_answered_with_that_part(
    places: Places, case: str, span: str, part: bytes, content_range: str
):
    told = await asked(places, SHA, case, span=span)
    assert (told.status, told.body, told.content_range) == (206, part, content_range)


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ("bytes=1000-1000", "range_beyond_end"),
        ("bytes=1000-", "range_beyond_end"),
        ("bytes=5000-6000", "range_beyond_end"),
        ("bytes=99-0", "range_unreadable"),
        ("bytes=-100", "range_unreadable"),
        ("bytes=0-1,5-6", "range_unreadable"),
        ("items=0-1", "range_unreadable"),
        ("bytes=00-1", "range_unreadable"),
    ],
)
async def test_a_range_that_is_none_is_refused(places: Places, case: str, span: str, code: str):
    assert await refusal(places, SHA, case, span=span) == code


async def test_a_stranger_is_told_nothing_and_noted(places: Places, case: str, audit: Books):
    jiangsu = places.nodes[JIANGSU].node
    codes = [await refusal(places, sha, case, by=GUANGDONG) for sha in (SHA, "0" * 64)]
    assert codes == ["content_not_served"] * 2
    notes = audit.notes(jiangsu, "content.refused", peer=GUANGDONG)
    assert [(each["case"], each["step"]) for each in notes] == [(f"{JIANGSU}/{case}", FAR)] * 2
    assert notes[0]["content"] == jiangsu.keys.material(SHA)
    assert not audit.notes(jiangsu, "content.served", peer=GUANGDONG)


@pytest.mark.parametrize("step", ["birth_certificate", "parenting_guidance", "no_such_step", "", "../../x"])
async def test_a_material_is_not_served_for_a_step_that_another_node_decides(places: Places, case: str, step: str):
    assert await refusal(places, SHA, case, step=step) == "content_not_served"


@pytest.mark.parametrize("other", ["nothing", "2026-11-23", "", "a b"])
async def test_a_material_is_not_served_for_another_case(places: Places, case: str, other: str):
    assert await refusal(places, SHA, other) == "content_not_served"


async def test_what_the_case_does_not_have_is_not_served(places: Places, case: str, mother: Caller):
    content = picture(1001, "not handed in")
    assert (await mother.upload(content)).status == 201
    for sha in (digest(content), SHA.upper(), "x", SHA[:-1]):
        assert await refusal(places, sha, case) == "content_not_served"


async def test_each_answer_is_noted_with_its_reason_and_part(places: Places, mother: Caller, audit: Books):
    content = picture(1002, "noted")
    case = await far_case(places, mother, content)
    await asked(places, digest(content), case, span="bytes=0-1")
    await asked(places, digest(content), case)
    jiangsu = places.nodes[JIANGSU].node
    notes = audit.notes(jiangsu, "content.served", case=f"{JIANGSU}/{case}")
    assert [each["part"] for each in notes] == ["bytes 0-1/1002", "whole"]
    assert {(each["peer"], each["step"], each["reason"]) for each in notes} == {(ZHEJIANG, FAR, f"decides {FAR}")}
    assert {each["content"] for each in notes} == {jiangsu.keys.material(digest(content))}


async def test_once_its_step_is_closed_a_material_is_served_no_more(places: Places, mother: Caller):
    content = picture(1003, "closed")
    case = await far_case(places, mother, content)
    await places.settle()
    await places.decide(f"{JIANGSU}:{case}", FAR, department="public_security", division=ZHEJIANG)
    assert await refusal(places, digest(content), case) == "content_not_served"


async def test_while_its_step_waits_a_material_is_not_served(places: Places, mother: Caller):
    content = picture(1004, "waiting")
    case = await far_case(places, mother, content)
    jiangsu = places.nodes[JIANGSU].node
    record = await jiangsu.store.cases.case(case)
    waiting = [code for code, step in record.case.steps.items() if step.state == "waiting"]
    assert waiting
    assert await refusal(places, digest(content), case, step=waiting[0]) == "content_not_served"


# The signature.


def signed_get(places: Places, case: str, **headers: str) -> tuple[str, dict[str, str], Any]:
    """The address, the headers and what the answer must repeat, of a true question of Zhejiang."""
    node = places.nodes[ZHEJIANG].node
    path = f"/peer/v1/materials/{SHA}"
    query = urlencode({"case": f"{JIANGSU}/{case}", "step": FAR}, safe="/")
    origin = places.nodes[JIANGSU].base_url
    sent = ReceivedRequest("GET", origin, path, query, headers)
    nonce = base64url.encode(node.chance.token(16))
    signed = sign_as_received(node.keys.signing, sent, at=node.clock.now(), nonce=nonce)
    return f"{origin}{path}?{query}", dict(signed.headers), signed.asked


async def get(places: Places, url: str, headers: dict[str, str], body: bytes = b"") -> Reply:
    async with places.http.get(url, headers=headers, data=body or None) as answer:
        return Reply(answer.status, answer.headers, await answer.read())


async def test_a_question_that_is_not_signed_or_altered_is_refused(places: Places, case: str):
    url, headers, _ = signed_get(places, case, Range="bytes=0-9")
    plain = {"Range": "bytes=0-9"}
    refused_unsigned(await get(places, url, plain), 401, "not_signed")
    refused_unsigned(await get(places, url, {**headers, "Range": "bytes=0-10"}), 401, "signature_invalid")
    without = {name: value for name, value in headers.items() if name != "Range"}
    refused_unsigned(await get(places, url, without), 401, "component_missing")
    refused_unsigned(await get(places, url + "&x=1", headers), 401, "signature_invalid")
    refused_unsigned(await get(places, url.replace(SHA, "0" * 64), headers), 401, "signature_invalid")
    refused_unsigned(await get(places, url, headers, b"{}"), 401, "digest_mismatch")
    assert (await get(places, url, headers)).status == 206  # what the others spoil


async def test_a_question_for_another_node_is_refused(places: Places, case: str):
    url, headers, _ = signed_get(places, case)
    elsewhere = url.replace(places.nodes[JIANGSU].base_url, places.nodes[GUANGDONG].base_url)
    refused_unsigned(await get(places, elsewhere, headers), 401, "signature_invalid")


async def test_a_question_is_answered_once(places: Places, case: str):
    url, headers, _ = signed_get(places, case)
    assert (await get(places, url, headers)).status == 200
    refused_unsigned(await get(places, url, headers), 401, "nonce_replayed")


async def test_a_refusal_after_the_signature_is_signed_too(places: Places, case: str):
    url, headers, repeated = signed_get(places, case, Range="bytes=1000-")
    reply = await get(places, url, headers)
    node = places.nodes[ZHEJIANG].node
    receipt = verify_answer(
        ReceivedAnswer(reply.status, reply.headers, reply.raw),
        request=repeated,
        sender=JIANGSU,
        directory_key=lambda key_id: known_key(node, key_id),
        at=node.clock.now(),
    )
    assert receipt.status == reply.status == 416


async def test_an_answer_that_another_node_signs_is_a_failure_of_the_peer(places: Places, case: str):
    impostor = LyingWire(places.nodes[GUANGDONG].node)
    with pytest.raises(PeerFailure) as failure:
        await asked(places, SHA, case, span="bytes=0-9", wire=impostor)
    assert (type(failure.value), failure.value.reason) == (PeerFailure, "unsigned_206_unknown")
