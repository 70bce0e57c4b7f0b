"""The operators' commands: what they print, their exit codes, and that they show no personal data."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from regions import outbox, standing
from regions.letters import LetterNotDead
from server import operating
from server.domain.exchange.circuit_breaker import failed, probing
from server.domain.exchange.circuit_breaker import stopped as breaker_stopped
from server.domain.exchange.log import Head, Outbound
from server.domain.time.clock_guard import Beat
from server.domain.values import moment_text
from server.node import Node
from server.tools.clock import SystemClock
from tests.nodes import running_nodes, until
from tests.regions.exchanging import (
    OlderPeer,
    Sweeper,
    backup,
    environment,
    exchange,
    node_of,
    peer_of,
    restore,
    send,
    send_one_by_one,
    sent,
    with_wire,
    write,
)
from tests.world import JIANGSU, ZHEJIANG, about_step

SECRET = "测试母亲"
ABSENT: dict[str, Any] = {
    "kind": "step.decided",
    "about": about_step(f"{ZHEJIANG}/none", step="step"),
    "body": {"outcome": "refused", "grounds": SECRET},
}


def parsed(*words: str) -> argparse.Namespace:
    """The command line as `cli` would take it apart."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, description=text)
        sub.set_defaults(run=run)
        return sub

    operating.add_arguments(command)
    return parser.parse_args(words)


async def peers(node: Node, *words: str) -> operating.Report:
    return await operating.peers(node, parsed("peers", *words))


async def letters(node: Node, *words: str) -> operating.Report:
    return await operating.about_letters(node, parsed("letters", *words))


async def reconcile(node: Node, *words: str) -> operating.Report:
    return await operating.compare(node, parsed("reconcile", *words))


async def test_a_way_that_works_is_closed_and_nobody_is_needed(pair: tuple[Node, Node]):
    await send_one_by_one(pair[0], 2)
    await exchange(*pair)
    report = await peers(pair[0])
    (one,) = report.values
    assert isinstance(one, standing.Standing)
    assert (one.peer, one.breaker, one.lag_seconds, one.backlog, one.unacknowledged) == (ZHEJIANG, "closed", 0, 0, 0)
    assert (one.head.number, one.acknowledged.number, one.kept.number) == (2, 2, 0)
    assert report.code == 0
    assert report.lines[0].startswith(f"{ZHEJIANG} 浙江省: closed, lag 0 s")
    (other,) = (await peers(pair[1])).values
    assert isinstance(other, standing.Standing)
    assert (other.kept.number, other.spread.number) == (2, 2)


async def test_a_peer_that_is_down_is_shown_with_reason_lag_and_next_attempt(pair: tuple[Node, Node]):
    node = pair[0]
    directory = node.directory.model_copy(
        update={
            "nodes": tuple(each.model_copy(update={"origin": "http://127.0.0.1:9"}) for each in node.directory.nodes)
        }
    )
    node.places.directory = directory
    await write(node)
    await send(node)
    node.clock.wait(minutes=2)
    report = await peers(node)
    (one,) = report.values
    assert isinstance(one, standing.Standing)
    assert (one.breaker, one.reason, one.failures, one.lag_seconds, one.unacknowledged) == (
        "half_open",
        "unreachable",
        1,
        120,
        1,
    )
    assert any("Nothing answers at the peer's address" in line for line in report.lines)
    assert report.code == 0
    compared = await reconcile(node)
    assert (compared.code, compared.lines) == (
        1,
        [f"{ZHEJIANG}: not compared: unreachable (Nothing answers at the peer's address)"],
    )


async def test_a_clock_that_differs_is_shown_by_how_much(pair: tuple[Node, Node]):
    node = pair[0]
    state = await node.store.peers.outbound(ZHEJIANG)
    at = node.clock.now()
    skewed = {"failures": 3, "reason": "clock_skew", "skew_seconds": -400, "next_attempt_at": at + timedelta(seconds=9)}
    await node.store.peers.take(ZHEJIANG, state, Outbound(**skewed))
    report = await peers(node)
    assert any("the peer's clock is -400 s from ours" in line for line in report.lines)
    await standing.measure(node)
    text = node.metrics.render().decode()
    assert f'peer_clock_skew_seconds{{peer="{ZHEJIANG}"}} -400.0' in text
    assert f'peer_breaker{{peer="{ZHEJIANG}"}} 2.0' in text


async def test_dead_letters_and_those_in_attention_are_listed_in_words_without_what_they_say(pair: tuple[Node, Node]):
    letter = await write(pair[0], **ABSENT)
    await exchange(*pair)
    dead, attention = await letters(pair[0], "dead"), await letters(pair[1], "attention")
    assert (dead.code, attention.code) == (1, 1)
    assert dead.lines[0].startswith(
        f"{letter.id} out {ZHEJIANG} step.decided {ZHEJIANG}/none step dead: no_such_case ("
    )
    shown = [await letters(node, "show", letter.id) for node in pair]
    for report in (dead, attention, *shown):
        text = "\n".join(report.lines) + "".join(each.model_dump_json() for each in report.values)
        assert SECRET not in text
        assert "grounds" not in text
    assert any(line.startswith("digest: ") for line in shown[0].lines)
    assert (await letters(pair[0], "dead", "--peer", JIANGSU)).code == 0
    assert (await letters(pair[0], "waiting")).lines == ["no letter is waiting"]


async def test_a_dead_letter_is_replayed_and_annulled_by_command(pair: tuple[Node, Node]):
    letter = await write(pair[0], **ABSENT)
    await exchange(*pair)
    assert (await letters(pair[0], "replay", letter.id)).code == 0
    with pytest.raises(LetterNotDead):
        await letters(pair[0], "annul", letter.id)
    await exchange(*pair)
    report = await letters(pair[0], "annul", letter.id)
    assert "state: annulled" in report.lines
    assert (await sent(pair[0], letter)).state == "annulled"


async def test_a_stopped_way_is_shown_and_opened_only_if_one_really_means_it(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    node = pair[0]
    memory = backup(database_sweeper, node)
    await send_one_by_one(node, 2)
    await restore(database_sweeper, node, memory)
    await write(node, "new")
    await send(node)
    stopped = await peers(node)
    assert stopped.code == 1
    assert any("STOPPED at the peer's head 1:2" in line for line in stopped.lines)
    assert (await peers(pair[1])).code == 1  # the peer saw the contradiction
    with pytest.raises(SystemExit) as ended:
        await peers(node, "--open-stream", ZHEJIANG)
    assert ended.value.code == 2
    with pytest.raises(operating.UnknownPeer):
        await peers(node, "--open-stream", "999999", "--yes")
    assert (await peers(node, "--open-stream", ZHEJIANG, "--yes")).code == 0
    await exchange(*pair)
    assert (await peers(pair[1])).code == 0
    past = await reconcile(node, ZHEJIANG)
    assert past.code == 0
    assert any("(past, a later stream was opened)" in line for line in past.lines)


async def broken(node: Node) -> None:
    """The way to Zhejiang has failed; the next attempt comes in nine minutes."""
    at = node.clock.now()
    await node.store.peers.change(ZHEJIANG, lambda state: failed(state, "unreachable", at=at, wait=540))


async def test_an_operator_makes_the_next_attempt_come_now_and_it_is_audited(
    pair: tuple[Node, Node], database_sweeper: Sweeper
):
    node = pair[0]
    await write(node)
    await broken(node)
    assert not await outbox.deliver(node, peer_of(node))
    report = await peers(node, "--retry", ZHEJIANG)
    (one,) = report.values
    assert isinstance(one, standing.Standing)
    assert (report.code, one.breaker, one.failures) == (0, "half_open", 1)
    assert await outbox.deliver(node, peer_of(node))
    assert (await node.store.peers.outbound(ZHEJIANG)).failures == 0
    (noted,) = database_sweeper[node.settings.database]["audit"].find({"kind": "peer.retried"})
    assert noted["about"].pop("by")
    assert noted["about"] == {"peer": ZHEJIANG, "failures": "1", "reason": "unreachable"}


async def test_an_attempt_that_is_under_way_stays_the_only_one(pair: tuple[Node, Node]):
    node = pair[0]
    await broken(node)
    until_then = node.clock.now() + timedelta(seconds=20)
    await node.store.peers.change(ZHEJIANG, lambda state: probing(state, until=until_then))
    before = await node.store.peers.outbound(ZHEJIANG)
    assert (await peers(node, "--retry", ZHEJIANG)).code == 0
    assert await node.store.peers.outbound(ZHEJIANG) == before


async def test_nothing_is_retried_at_an_unknown_peer_or_on_a_stopped_way(pair: tuple[Node, Node]):
    node = pair[0]
    with pytest.raises(operating.UnknownPeer):
        await peers(node, "--retry", "999999")
    theirs = Head(1, 2, "ab" * 32)
    await node.store.peers.change(ZHEJIANG, lambda state: breaker_stopped(state, "log_conflict", theirs=theirs))
    before = await node.store.peers.outbound(ZHEJIANG)
    with pytest.raises(outbox.WayStopped):
        await peers(node, "--retry", ZHEJIANG)
    assert await node.store.peers.outbound(ZHEJIANG) == before
    assert (await peers(node)).code == 1


async def test_a_way_is_opened_or_retried_and_not_both(pair: tuple[Node, Node]):
    with pytest.raises(SystemExit) as ended:
        await peers(pair[0], "--retry", ZHEJIANG, "--open-stream", ZHEJIANG, "--yes")
    assert ended.value.code == 2


async def clock(node: Node, *words: str) -> operating.Report:
    """What `clock` answers."""
    return await operating.about_clock(node, parsed("clock", *words))


async def test_the_clock_of_each_machine_is_shown_and_a_held_one_ends_with_one(pair: tuple[Node, Node]):
    node, at = pair[0], pair[0].clock.now()
    assert (await clock(node)).lines == ["no `work` has told its time"]
    await node.store.clocks.beat(Beat("boot:a", at, "agrees", ""))
    assert await clock(node) == operating.Report(ANY, [f"boot:a  agrees at {moment_text(at)}"], 0)
    await node.store.clocks.beat(Beat("boot:b", at, "held", "本机时钟比数据库快10天。"))
    report = await clock(node)
    assert (report.code, report.lines[1]) == (1, f"boot:b  held at {moment_text(at)}  本机时钟比数据库快10天。")


async def test_what_is_stored_ahead_of_the_time_is_accepted_with_a_reason(pair: tuple[Node, Node]):
    node = pair[0]
    for words in (["--accept-stored"], ["--accept-stored", "--reason", " "], ["--reason", "of what?"]):
        with pytest.raises(SystemExit) as ended:
            await clock(node, *words)
        assert ended.value.code == 2
    right = SystemClock()
    ahead = max(node.clock.now(), right.now()) + timedelta(days=10)
    node = replace(node, clock=right)
    await node.store.audit.note("ahead", "audit.read", at=ahead, about={})
    assert await node.store.clocks.newest_stored() == ahead
    assert (await clock(node, "--accept-stored", "--reason", "serve-2 was ahead")).code == 0
    assert await node.store.clocks.newest_stored() is None


async def test_differences_are_named_and_end_with_one(pair: tuple[Node, Node]):
    await write(pair[0], **ABSENT)
    await exchange(*pair)
    report = await reconcile(pair[0])
    assert report.code == 1
    assert report.lines[-1] == f"{ZHEJIANG} DIFFERS"
    (one,) = (await peers(pair[0])).values
    assert isinstance(one, standing.Standing)
    assert one.differences == 2, "it is refused there, and no case here has said it"
    with pytest.raises(operating.UnknownPeer):
        await reconcile(pair[0], "999999")


async def test_the_kinds_that_a_peer_does_not_know_yet_are_told_and_need_nobody(pair: tuple[Node, Node]):
    node = with_wire(pair[0], OlderPeer(pair[0].wire, pair[1], lacks=("step.notice", "step.urged")))
    report = await reconcile(node, ZHEJIANG)
    assert (report.code, report.lines[-2:]) == (
        0,
        [f"{ZHEJIANG} does not know these kinds of letters yet: step.notice, step.urged", f"{ZHEJIANG} is clean"],
    )


@pytest.mark.parametrize("words", [("replay",), ("show",), ("dead", "an-id")], ids=" ".join)
async def test_a_command_line_that_makes_no_sense_ends_with_two(pair: tuple[Node, Node], words: tuple[str, ...]):
    with pytest.raises(SystemExit) as ended:
        await letters(pair[0], *words)
    assert ended.value.code == 2


def test_a_reason_is_told_with_what_it_means():
    assert operating.spoken("letter_conflict").startswith("letter_conflict (Another letter came")
    assert operating.spoken("unsigned_413_body_too_large").startswith("unsigned_413_body_too_large (")
    assert operating.spoken("unsigned_502_unknown") == "unsigned_502_unknown"


async def run(node: Node, folder: Path, *words: str) -> tuple[int | None, Any]:
    """A command on this node in a process of its own: its exit code and what it printed."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words, "--json"),
        env=environment(node, folder),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await command.communicate()
    return command.returncode, json.loads(told)


async def test_a_retry_from_a_process_of_its_own_reaches_the_couriers_that_are_at_work(
    tmp_path: Path, database_uri: str, database_name: str
):
    async with running_nodes(tmp_path, database_uri, database_name, is_working=True) as working:
        node = node_of(working)
        await broken(node)
        await write(node)
        code, (one,) = await run(node, tmp_path, "peers", "--retry", ZHEJIANG)
        assert (code, one["peer"]) == (0, ZHEJIANG)

        async def is_delivered() -> bool:
            return (await node.store.peers.outbound(ZHEJIANG)).failures == 0

        await until(is_delivered)


async def test_the_commands_run_as_processes_of_their_own(tmp_path: Path, pair: tuple[Node, Node]):
    await write(pair[0], **ABSENT)
    await exchange(*pair)
    code, (one,) = await run(pair[0], tmp_path, "peers")
    assert (code, one["peer"], one["breaker"], one["dead"]) == (0, ZHEJIANG, "closed", 1)
    code, (line,) = await run(pair[0], tmp_path, "letters", "dead")
    assert (code, line["reason"], "body" in line) == (1, "no_such_case", False)
