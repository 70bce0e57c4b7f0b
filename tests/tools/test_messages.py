"""Notices go to phones over real HTTP; every answer of the platform becomes an outcome, and no secret shows."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web
from structlog.testing import capture_logs

from server.demo.phones import Phones, phones_of
from server.demo.platform import PlatformUser, listen
from server.domain.effects.notices import Attempt, Notice, Template, data_of, draft_notice
from server.tools.datafiles import BrokenData
from server.tools.messages import load_templates
from server.tools.platform import Platform

SHIPPED = Path(__file__).parents[2] / "config/notices.toml"
TEMPLATE = Template(name="draft_expiring", id="t-1", keys={"bundle": "thing1", "due": "date2"})
KEYS = {"t-1": ("thing1", "date2")}
NOTICE = draft_notice(
    "d1", "key-1", bundle_name="新生儿出生", due_on=date(2026, 12, 1), at=datetime(2026, 11, 23, tzinfo=UTC)
)
ZHANG = PlatformUser("code-1", "o-1", "张三", "11010519491231002X", "face-1")
SHY = PlatformUser("code-2", "o-2", "李四", "440524188001010014", "face-2", refuses_messages=True)


@dataclass
class Line:
    """A platform, the phones behind it, and its address."""

    platform: Platform
    phones: Phones
    server: tornado.httpserver.HTTPServer
    url: str

    async def send(self, openid: str = "o-1", *, notice: Notice = NOTICE, template: Template = TEMPLATE) -> Attempt:
        return await self.platform.messages.send(openid, notice, template=template, miniprogram_state="trial")

    async def stop(self) -> None:
        self.server.stop()
        await self.server.close_all_connections()

    async def shown(self, query: str = "") -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/messages{query}") as answer:
            messages: list[dict[str, Any]] = (await answer.json())["messages"]
            return messages


@asynccontextmanager
async def line_to(phones: Phones) -> AsyncIterator[Line]:
    server, port = listen([ZHANG, SHY], phones=phones)
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}"
        line = Line(Platform(url, "wx1", secret="hush", session=session), phones, server, url)
        yield line
        await line.stop()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with line_to(Phones(KEYS)) as line:
        yield line


class Scripted(tornado.web.RequestHandler):
    """Answers what the script of its path says, one answer after the other, the last one for ever; None cuts."""

    def initialize(self, scripts: dict[str, list[bytes | None]], asked: list[str]) -> None:
        self.scripts = scripts
        self.asked = asked

    async def post(self) -> None:
        self.asked.append(self.request.path.rpartition("/")[2])
        answers = self.scripts[self.asked[-1]]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is None:
            self.detach().close()
        else:
            self.finish(answer)


@pytest.fixture
async def scripted() -> AsyncIterator[Callable[..., tuple[Platform, list[str]]]]:
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())

        def start(sends: list[bytes | None], tokens: list[bytes | None] | None = None) -> tuple[Platform, list[str]]:
            asked: list[str] = []
            scripts = {"send": sends, "stable_token": tokens or [token("a")]}
            route = (r"/.*", Scripted, {"scripts": scripts, "asked": asked})
            server = tornado.httpserver.HTTPServer(tornado.web.Application([route], log_function=lambda _: None))
            sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
            server.add_sockets(sockets)
            stack.callback(server.stop)
            url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
            return Platform(url, "wx1", secret="hush", session=session), asked

        yield start


def token(name: str) -> bytes:
    return orjson.dumps({"access_token": name, "expires_in": 7200})


def errcode(number: Any) -> bytes:
    return orjson.dumps({"errcode": number, "errmsg": "x"})


async def send(platform: Platform) -> Attempt:
    return await platform.messages.send("o-1", NOTICE, template=TEMPLATE, miniprogram_state="formal")


async def test_a_notice_reaches_the_phone_in_the_platforms_shape(line: Line) -> None:
    assert await line.send() == Attempt("sent")
    assert await line.shown() == [
        {
            "touser": "o-1",
            "template_id": "t-1",
            "page": "pages/draft/draft?id=d1",
            "data": {"thing1": {"value": "新生儿出生"}, "date2": {"value": "2026年12月1日"}},
            "miniprogram_state": "trial",
            "lang": "zh_CN",
        }
    ]
    assert await line.shown("?openid=o-2") == []


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        ({"openid": "o-2"}, 43101),
        ({"openid": "o-9"}, 40003),
        ({"template": TEMPLATE.model_copy(update={"id": "t-9"})}, 40037),
        ({"template": TEMPLATE.model_copy(update={"keys": {"bundle": "thing1"}})}, 47003),
        ({"notice": NOTICE.model_copy(update={"values": {**NOTICE.values, "due": "soon"}})}, 47003),
        ({"notice": NOTICE.model_copy(update={"values": {**NOTICE.values, "bundle": ""}})}, 47003),
    ],
)
async def test_what_the_platform_refuses_is_refused_with_its_code(
    line: Line, wrong: dict[str, Any], number: int
) -> None:
    assert await line.send(**wrong) == Attempt("refused", number)
    assert line.phones.sent == []


async def test_a_busy_platform_asks_for_later_and_takes_it_then() -> None:
    async with line_to(Phones(KEYS, busy_first=2)) as line:
        assert [await line.send() for _ in range(3)] == [Attempt("later", -1), Attempt("later", -1), Attempt("sent")]
        assert len(line.phones.sent) == 1


async def test_a_token_is_asked_for_once_however_many_need_it(line: Line) -> None:
    assert await asyncio.gather(*(line.send() for _ in range(20))) == [Attempt("sent")] * 20
    assert line.phones.renewals == 1


async def test_a_token_that_is_over_is_renewed_and_the_notice_sent_once(line: Line) -> None:
    await line.send()
    line.phones.end_token()
    assert await line.send() == Attempt("sent")
    assert (line.phones.renewals, len(line.phones.sent)) == (2, 2)


async def test_a_token_is_renewed_five_minutes_before_it_is_over() -> None:
    for seconds, renewals in ((300, 2), (301, 1)):
        async with line_to(Phones(KEYS, token_seconds=seconds)) as line:
            assert [await line.send(), await line.send()] == [Attempt("sent")] * 2
            assert line.phones.renewals == renewals


@pytest.mark.parametrize("number", [40001, 40014, 42001])
async def test_a_token_that_is_refused_again_is_renewed_no_more(
    scripted: Callable[..., tuple[Platform, list[str]]], number: int
) -> None:
    platform, asked = scripted([errcode(number)], [token("a"), token("b")])
    assert await send(platform) == Attempt("later", number)
    assert asked == ["stable_token", "send", "stable_token", "send"]


async def test_a_token_is_renewed_by_force_only_when_the_refused_one_comes_back(
    scripted: Callable[..., tuple[Platform, list[str]]],
) -> None:
    platform, asked = scripted([errcode(40001), errcode(0)], [token("a"), token("a"), token("b")])
    assert await send(platform) == Attempt("sent")
    assert asked == ["stable_token", "send", "stable_token", "stable_token", "send"]


@pytest.mark.parametrize(
    ("answers", "number"),
    [([errcode(40013)], 40013), ([errcode(-1)], -1), ([b"<html>"], 0), ([None], 0), ([b"{}"], 0), ([errcode("x")], 0)],
)
async def test_without_a_token_nothing_is_sent_and_it_is_tried_later(
    scripted: Callable[..., tuple[Platform, list[str]]], answers: list[bytes | None], number: int
) -> None:
    platform, asked = scripted([errcode(0)], answers)
    assert await send(platform) == Attempt("later", number)
    assert "send" not in asked


@pytest.mark.parametrize("answer", [None, b"<html>", b"[]", errcode("x")])
async def test_a_message_without_a_readable_answer_may_have_been_sent(
    scripted: Callable[..., tuple[Platform, list[str]]], answer: bytes | None
) -> None:
    platform, asked = scripted([answer])
    assert await send(platform) == Attempt("unknown")
    assert asked.count("send") == 1


@pytest.mark.parametrize(("number", "outcome"), [(45009, "later"), (45011, "later"), (41030, "refused"), (0, "sent")])
async def test_quotas_pass_and_other_refusals_stay(
    scripted: Callable[..., tuple[Platform, list[str]]], number: int, outcome: str
) -> None:
    platform, _ = scripted([errcode(number)])
    assert await send(platform) == Attempt(outcome, number)  # type: ignore[arg-type]


async def test_a_success_without_an_errcode_is_one(scripted: Callable[..., tuple[Platform, list[str]]]) -> None:
    platform, _ = scripted([b"{}"])
    assert await send(platform) == Attempt("sent")


async def test_a_platform_that_is_not_there_got_nothing_with_a_token_or_without(line: Line) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        async with aiohttp.ClientSession() as session:
            gone = Platform(f"http://127.0.0.1:{taken.getsockname()[1]}", "wx1", secret="hush", session=session)
            assert await send(gone) == Attempt("later")
    assert await line.send() == Attempt("sent")
    await line.stop()
    assert await line.send() == Attempt("later")
    assert line.phones.renewals == 1


async def test_neither_secret_nor_token_nor_openid_is_logged(
    scripted: Callable[..., tuple[Platform, list[str]]],
) -> None:
    platform, _ = scripted([errcode(40001), None], [token("tok-a"), token("tok-b")])
    broken, _ = scripted([errcode(0)], [errcode(40013)])
    with capture_logs() as lines:
        assert [await send(platform), await send(broken)] == [Attempt("unknown"), Attempt("later", 40013)]
    assert [line["event"] for line in lines] == ["platform.failed", "platform.refused"]
    assert not [word for word in ("hush", "tok-a", "tok-b", "o-1") if word in str(lines)]


def test_the_shipped_templates_are_read_and_the_stand_in_takes_them() -> None:
    templates = load_templates(SHIPPED)
    assert len(templates.template) == 9
    assert templates.miniprogram_state == "formal"
    phones = phones_of(SHIPPED)
    for template in templates.template:
        notice = NOTICE.model_copy(
            update={
                "values": {
                    "item": "出生医学证明",
                    "state": "准予",
                    "hint": "请查看",
                    "date": "2026年1月1日",
                    **NOTICE.values,
                }
            }
        )
        message = {"touser": "o-1", "template_id": template.id, "data": data_of(notice, template)}
        assert phones.send(phones.token(is_forced=False)["access_token"], message, refusing={"o-1": False}) == 0


def test_broken_templates_are_refused_with_file_and_reason(tmp_path: Path) -> None:
    file = tmp_path / "notices.toml"
    file.write_text('[[template]]\nname = "decided"\nid = "x"\nkeys = { bundle = "date1" }\n', encoding="utf-8")
    with pytest.raises(BrokenData, match=r"notices\.toml:1: template\[1\] x: keys.bundle must stand"):
        load_templates(file)
    with pytest.raises(BrokenData, match="cannot be read"):
        load_templates(tmp_path / "none.toml")
