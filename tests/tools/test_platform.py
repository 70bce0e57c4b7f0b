"""The platform's answers become openids or named refusals, over real HTTP."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import tornado.httpserver
import tornado.netutil
import tornado.web

from server.demo.platform import PlatformUser, listen
from server.domain.errors import Refusal
from server.tools.platform import (
    IdentityMismatch,
    LoginCodeInvalid,
    LoginRefusedByPlatform,
    LoginTooOften,
    Platform,
    PlatformBusy,
    PlatformUnreachable,
)

ROOT = Path(__file__).parents[2]
ZHANG = PlatformUser(code="code-1", openid="o-1", name="张三", id_number="11010519491231002X", face_token="face-1")
PlatformAt = Callable[..., Platform]


class Scripted(tornado.web.RequestHandler):
    """Answers what the script says, one answer after the other, the last one for ever."""

    def initialize(self, answers: list[tuple[int, bytes]], asked: list[str]) -> None:
        self.answers = answers
        self.asked = asked

    async def get(self) -> None:
        self.asked.append(self.get_query_argument("js_code"))
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.set_status(status)
        self.write(body[:10])
        await self.flush()  # so that the body comes in pieces
        await asyncio.sleep(0.01)
        self.finish(body[10:])


@pytest.fixture
async def platform_at() -> AsyncIterator[PlatformAt]:
    async with aiohttp.ClientSession() as session:
        yield lambda url, **other: Platform(url, "wx1", session=session, **({"secret": "hush"} | other))


@pytest.fixture
async def stand_in_url() -> AsyncIterator[str]:
    server, port = listen([ZHANG])
    yield f"http://127.0.0.1:{port}"
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def stand_in(stand_in_url: str, platform_at: PlatformAt) -> Platform:
    return platform_at(stand_in_url)


@pytest.fixture
async def scripted(platform_at: PlatformAt) -> AsyncIterator[Callable[..., tuple[Platform, list[str]]]]:
    servers = []

    def start(*answers: tuple[int, bytes]) -> tuple[Platform, list[str]]:
        asked: list[str] = []
        route = (r"/sns/jscode2session", Scripted, {"answers": list(answers), "asked": asked})
        server = tornado.httpserver.HTTPServer(tornado.web.Application([route], log_function=lambda _: None))
        sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        servers.append(server)
        return platform_at(f"http://127.0.0.1:{sockets[0].getsockname()[1]}"), asked

    yield start
    for server in servers:
        server.stop()
        await server.close_all_connections()


async def refusal_of(wish: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await wish
    return caught.value


def errcode(number: int) -> tuple[int, bytes]:
    return 200, json.dumps({"errcode": number, "errmsg": "x"}).encode()


async def test_a_login_code_gives_the_openid_as_often_as_it_is_shown(stand_in: Platform) -> None:
    assert await stand_in.openid("code-1") == "o-1"
    assert await stand_in.openid("code-1") == "o-1"


async def test_an_unknown_login_code_is_refused(stand_in: Platform) -> None:
    assert type(await refusal_of(stand_in.openid("code-2&js_code=code-1"))) is LoginCodeInvalid


async def test_the_face_of_the_named_person_passes(stand_in: Platform) -> None:
    await stand_in.check_face(ZHANG.name, ZHANG.id_number, face_token=ZHANG.face_token)


@pytest.mark.parametrize("wrong", ["name", "id_number", "face_token"])
async def test_a_face_that_is_not_the_named_persons_is_refused(stand_in: Platform, wrong: str) -> None:
    told = {"name": ZHANG.name, "id_number": ZHANG.id_number, "face_token": ZHANG.face_token} | {wrong: "other"}
    refusal = await refusal_of(stand_in.check_face(**told))
    assert type(refusal) is IdentityMismatch
    assert ZHANG.id_number not in str(refusal)


async def test_a_missing_secret_is_our_fault_and_not_the_citizens(stand_in_url: str, platform_at: PlatformAt) -> None:
    refusal = await refusal_of(platform_at(stand_in_url, secret="").openid("code-1"))
    assert type(refusal) is PlatformUnreachable


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (40029, LoginCodeInvalid),
        (40163, LoginCodeInvalid),
        (40226, LoginRefusedByPlatform),
        (45009, PlatformBusy),
        (45011, LoginTooOften),
        (40125, PlatformUnreachable),
    ],
)
async def test_each_errcode_has_its_refusal_and_is_asked_once(
    scripted: Callable[..., tuple[Platform, list[str]]], number: int, kind: type[Refusal]
) -> None:
    platform, asked = scripted(errcode(number))
    assert type(await refusal_of(platform.openid("c"))) is kind
    assert asked == ["c"]


async def test_a_busy_platform_is_asked_three_times(scripted: Callable[..., tuple[Platform, list[str]]]) -> None:
    platform, asked = scripted(errcode(-1))
    assert type(await refusal_of(platform.openid("c"))) is PlatformBusy
    assert asked == ["c", "c", "c"]


async def test_a_platform_that_is_busy_once_does_no_harm(scripted: Callable[..., tuple[Platform, list[str]]]) -> None:
    platform, asked = scripted(errcode(-1), (200, b'{"openid":"o-1","errcode":0}'))
    assert await platform.openid("c") == "o-1"
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"openid":""}'),
        (200, b'{"openid":7}'),
        (200, b'{"openid":"' + b"o" * 70_000 + b'"}'),
    ],
)
async def test_an_answer_that_cannot_be_read_is_as_good_as_none(
    scripted: Callable[..., tuple[Platform, list[str]]], answer: tuple[int, bytes]
) -> None:
    platform, _ = scripted(answer)
    assert type(await refusal_of(platform.openid("c"))) is PlatformUnreachable


async def test_a_platform_that_is_not_there_is_unreachable_and_the_secret_stays(platform_at: PlatformAt) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        refusal = await refusal_of(platform_at(f"http://127.0.0.1:{taken.getsockname()[1]}").openid("c"))
    assert type(refusal) is PlatformUnreachable
    assert refusal.__suppress_context__
    assert "hush" not in str(refusal)


async def test_a_platform_that_takes_the_call_and_is_silent_is_unreachable(platform_at: PlatformAt) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        impatient = platform_at(f"http://127.0.0.1:{silent.getsockname()[1]}", total_seconds=0.05)
        assert type(await refusal_of(impatient.openid("c"))) is PlatformUnreachable


async def test_the_stand_in_runs_as_a_command(tmp_path: Path, platform_at: PlatformAt) -> None:
    citizens = tmp_path / "citizens.json"
    citizens.write_text(json.dumps([vars(ZHANG)]), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "server.demo.platform", "--port", "0", "--citizens", str(citizens)),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        ready = json.loads(await process.stderr.readline())
        assert ready["event"] == "platform.ready"
        assert await platform_at(f"http://127.0.0.1:{ready['port']}").openid("code-1") == "o-1"
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
