"""Notices leave a node once: with several workers, a busy platform, a refusal, or a crash in between."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import orjson
import pytest

from server.demo.phones import Phones, phones_of
from server.demo.platform import PlatformUser, listen
from server.desk.background.notifying import notify
from server.domain.effects.notices import Notice, Templates
from server.node import Node
from server.tools.platform import Platform
from tests.http.asking import PERSONAL, opened
from tests.nodes import APP_ID, CITIZENS, HERE, MOTHER, HandClock, Places, newborn_wish, running_nodes
from tests.world import JIANGSU

SHY = PlatformUser("shy", "openid-shy", "测试静", "320000199001010023", "face-shy", refuses_messages=True)
NOTICES = Path(__file__).parents[2] / "config/notices.toml"
VALUES = {
    **{"bundle": "新生儿出生", "item": "出生医学证明", "state": "准予", "hint": "请查看办理结果"},
    **{"date": "2026年11月23日", "due": "2026年12月1日"},
}


@dataclass
class Telling:
    """A node, a second worker of it, and the phones of its citizens."""

    node: Node
    other: Node
    phones: Phones
    clock: HandClock
    person: str
    places: Places

    async def cause(self, *causes: str, template: str = "decided", person: str = "") -> None:
        """Let something happen that is told to the mother, or to this person."""
        for cause in causes:
            told = {"id": cause, "person": person or self.person, "template": template}
            notice = Notice(**told, page=f"pages/case/case?id={cause}", values=VALUES, at=self.clock.now())
            await self.node.store.notices.add(notice)

    async def state(self, id: str = "c:1") -> tuple[str, str, int, int]:
        """How it stands with a notice: state, reason, errcode, attempts."""
        kept = (await self.node.store.notices.notices([id]))[id]
        return kept.state, kept.reason, kept.errcode, kept.attempts

    async def opened(self) -> str:
        """A new case of the mother, all of whose steps are decided here."""
        mother = await self.places.citizen("mother")
        wish = await newborn_wish(mother)
        return await opened(self.places, mother, {**wish, "answers": {**wish["answers"], "household": HERE}})

    def count(self, outcome: str, template: str = "decided") -> float:
        """What the metric says."""
        return self.node.metrics.notices.labels(template, outcome)._value.get()

    @property
    def told(self) -> list[str]:
        """The causes that the phones were told of."""
        return [message["page"].partition("=")[2] for message in self.phones.sent]


@pytest.fixture
async def telling(tmp_path: Path, database_uri: str, database_name: str) -> AsyncIterator[Telling]:
    clock, phones = HandClock(), phones_of(NOTICES)
    async with running_nodes(tmp_path, database_uri, database_name, divisions=(JIANGSU,), clock=clock) as places:
        server, port = listen([*CITIZENS, SHY], phones=phones)
        async with aiohttp.ClientSession() as session:
            platforms = [
                Platform(f"http://127.0.0.1:{port}", APP_ID, secret="test-only", session=session) for _ in range(2)
            ]
            node, other = (replace(places.nodes[JIANGSU].node, platform=platform) for platform in platforms)
            yield Telling(node, other, phones, clock, await proven(places), places)
        server.stop()
        await server.close_all_connections()


async def proven(places: Places) -> str:
    """The key of the mother, once she has proven her name."""
    await places.citizen("mother")
    return places.nodes[JIANGSU].node.keys.owner("person", MOTHER.id_number)


async def test_a_notice_is_sent_to_the_phone_that_proved_the_name(telling: Telling):
    await telling.cause("c:1")
    assert not await notify(telling.node)
    (message,) = telling.phones.sent
    assert (message["touser"], message["page"]) == ("openid-mother", "pages/case/case?id=c:1")
    assert message["data"]["thing1"] == {"value": "新生儿出生"}
    assert await telling.state() == ("sent", "", 0, 1)
    assert telling.count("sent") == 1


async def test_a_notice_that_is_relayed_again_is_not_sent_again(telling: Telling):
    for _ in range(3):
        await telling.cause("c:1")
        await notify(telling.node)
    assert telling.told == ["c:1"]


async def test_two_workers_at_once_send_each_notice_once(telling: Telling):
    causes = [f"c:{number:02}" for number in range(30)]
    await telling.cause(*causes)
    for _ in range(4):
        await asyncio.gather(*(notify(node) for node in (telling.node, telling.other) for _ in range(2)))
    assert sorted(telling.told) == causes
    assert telling.count("sent") == 30


async def test_there_is_more_to_do_while_as_many_are_due_as_are_sent_at_once(telling: Telling):
    await telling.cause(*(f"c:{number:02}" for number in range(11)))
    assert [await notify(telling.node) for _ in range(3)] == [True, False, False]
    assert len(telling.told) == 11


async def test_who_refuses_messages_is_asked_once_and_it_is_on_record(telling: Telling):
    people = telling.node.store.people
    await people.keep_person(MOTHER.model_copy(update={"key": "shy"}), openid="openid-shy")
    await telling.cause("c:1", person="shy")
    for _ in range(3):
        await notify(telling.node)
        telling.clock.wait(hours=1)
    assert await telling.state() == ("refused", "platform", 43101, 1)
    assert telling.told == []
    assert telling.count("refused") == 1


async def test_a_person_without_a_phone_cannot_be_told_and_it_is_on_record(telling: Telling):
    await telling.cause("c:1", person="nobody")
    await notify(telling.node)
    assert await telling.state() == ("refused", "no_recipient", 0, 0)


async def test_what_the_mini_program_has_no_template_for_is_not_sent(telling: Telling):
    published = replace(telling.node.published, templates=Templates(template=()))
    await telling.cause("c:1")
    await notify(replace(telling.node, published=published))
    assert await telling.state() == ("refused", "no_template", 0, 0)


async def test_a_busy_platform_is_asked_again_after_a_pause_that_doubles(telling: Telling):
    telling.phones.busy = 2
    await telling.cause("c:1")
    for pause in (5, 10):
        assert not await notify(telling.node)
        telling.clock.wait(seconds=pause - 0.001)
        await notify(telling.node)
        assert telling.told == []
        telling.clock.wait(seconds=0.001)
    await notify(telling.node)
    assert await telling.state() == ("sent", "", 0, 3)
    assert telling.told == ["c:1"]
    assert telling.count("later") == 2


async def test_after_ten_attempts_a_notice_is_given_up(telling: Telling):
    telling.phones.busy = 100
    await telling.cause("c:1")
    for _ in range(12):
        await notify(telling.node)
        telling.clock.wait(minutes=10)
    assert await telling.state() == ("refused", "given_up", -1, 10)
    assert telling.phones.busy == 90


async def test_an_unreachable_platform_loses_no_notice(telling: Telling):
    async with aiohttp.ClientSession() as session:
        nowhere = Platform("http://127.0.0.1:1", APP_ID, secret="test-only", session=session)
        await telling.cause("c:1")
        await notify(replace(telling.node, platform=nowhere))
    assert await telling.state() == ("waiting", "", 0, 1)
    telling.clock.wait(seconds=5)
    await notify(telling.node)
    assert telling.told == ["c:1"]


async def test_what_a_crash_left_between_claim_and_answer_is_unknown_and_not_sent_again(telling: Telling):
    await telling.cause("c:1")
    (kept,) = await telling.node.store.notices.due(telling.clock.now(), limit=1)
    await telling.node.store.notices.claim(kept, at=telling.clock.now())
    telling.clock.wait(seconds=59)
    await notify(telling.node)
    assert (await telling.state())[0] == "sending"
    telling.clock.wait(seconds=1)
    for _ in range(3):
        await notify(telling.node)
        telling.clock.wait(hours=1)
    assert await telling.state() == ("unknown", "no_word", 0, 1)
    assert telling.told == []
    assert telling.count("unknown") == 1


async def test_a_worker_that_is_stopped_while_it_sends_leaves_it_sent_at_most_once(telling: Telling):
    await telling.cause("c:1")
    under_way = asyncio.create_task(notify(telling.node))
    while (await telling.state())[0] != "sending":
        await asyncio.sleep(0)
    under_way.cancel()
    await asyncio.wait([under_way])
    for _ in range(3):
        telling.clock.wait(minutes=1)
        await notify(telling.node)
    assert (await telling.state())[0] in ("unknown", "sent")
    assert len(telling.told) <= 1


async def test_a_case_is_told_as_it_goes_on_and_nobody_is_named(telling: Telling):
    case = await telling.opened()
    await telling.places.decide(case, "birth_certificate", department="health")
    for _ in range(2):
        await telling.places.settle()
        await notify(telling.node)
    names = {each.id: each.name for each in telling.node.published.templates.template}
    told = [(names[message["template_id"]], message["page"]) for message in telling.phones.sent]
    page = f"pages/case/case?id={case}"
    assert sorted(told) == [("accepted", page), ("decided", page)]
    text = orjson.dumps([{**message, "touser": ""} for message in telling.phones.sent]).decode()
    assert "出生医学证明" in text
    assert [each for each in PERSONAL if each in text] == []


async def test_a_case_keeps_its_notices_when_its_relay_is_repeated(telling: Telling):
    case = await telling.opened()
    await telling.places.decide(case, "birth_certificate", department="health")
    await notify(telling.node)
    record = await telling.node.store.cases.case(case)
    for _ in range(3):
        for effect in reversed(record.document["effects"]):
            await telling.node.store.carry([effect])
        await notify(telling.node)
    assert telling.told == [case, case], "of the acceptance and of the decision"
