"""The commands of those who run the exchange: its peers, its letters, and the comparison of both sides."""

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from handlers import routes
from regions import apart, clocks, evidence, letters, outbox, reconcile, standing, witnessing
from regions.client import PeerFailure
from regions.letters import LetterLine
from regions.standing import Standing
from server import main
from server.domain.apart import SetApart
from server.domain.audit import Doer
from server.domain.chains import ChainHead
from server.domain.exchange.reconciliation import Reconciliation
from server.domain.values import Value, moment_text
from server.node import Node
from server.tools.logs import configure
from server.tools.settings import Settings, load_settings

DONE, WRONG = 0, 1
TOLD_EVERY = 10_000
HEAD = "NUMBER:HASH"
HEAD_HELP = "a head that another node was told (`peers --witnessed` there); may be given again"
LISTS = ("dead", "attention", "waiting")
ACTS = ("replay", "annul", "show")
APART_ACTS = ("show", "retry", "drop")
SPOKEN: Mapping[str, str] = {  # reasons that are no refusals
    "waits_on_earlier_letter": "An earlier letter about the same case is not settled.",
    "kind_unknown": "This node does not know the kind yet; the letter is settled after an upgrade.",
    "unreachable": "Nothing answers at the peer's address.",
    "timed_out": "The peer did not answer in time.",
    "sender_behind": "The peer has batches of ours that we no longer know: a backup was put back here.",
    "letter_unreadable": "A letter of the batch under way does not open any more: it was altered, or its key is gone.",
    "head_behind_receipt": "The peer receipted a batch that it says it does not have.",
    "answer_unreadable": "The peer's answer is not what the protocol says.",
    "answer_too_long": "The peer's answer is too long.",
    "no_valid_encryption_key": "The directory names no key to seal to that is valid now.",
}


class Report(NamedTuple):
    """What a command prints, as values or as lines, and its exit code."""

    values: Sequence[Value]
    lines: Sequence[str]
    code: int


Ask = Callable[[Node, argparse.Namespace], Awaitable[Report]]


class NotCompared(Value):
    """A peer that did not tell how far it is, and why."""

    peer: str
    reason: str


class UnknownPeer(ValueError):
    """The directory names no such peer."""


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `peers`, `letters`, `apart`, `clock`, `reconcile` and `receipts`."""
    receipts = command("receipts", _receipts, "Verify the receipts of all batches; exit 1 if one proves nothing.")
    receipts.add_argument("--json", action="store_true", help="print the logs as one JSON object")
    of_peers = command(
        "peers", run_with(peers), "Show how the exchange with each peer stands; exit 1 if one is stopped."
    )
    done = of_peers.add_mutually_exclusive_group()
    done.add_argument("--retry", metavar="PEER", help="make the next attempt to reach this peer now")
    done.add_argument("--open-stream", metavar="PEER", help="let a stopped way go on in a new stream; needs --yes")
    done.add_argument("--witnessed", action="store_true", help="show how far each peer told us that its logs have come")
    of_peers.add_argument("--yes", action="store_true", help="really open it")
    of_letters = command(
        "letters", run_with(about_letters), "Show letters that need somebody, and deal with dead ones."
    )
    of_letters.add_argument("what", choices=[*LISTS, *ACTS], help="dead: ours that were refused; attention: theirs")
    of_letters.add_argument("id", nargs="?", default="", help="of the letter, for replay, annul and show")
    of_letters.add_argument("--peer", default="", help="only letters from or to this node")
    of_letters.add_argument("--limit", type=positive, default=100, help="at most so many (default %(default)s)")
    of_apart = command(
        "apart", run_with(about_apart), "Show what could not be handled, and deal with it; exit 1 if any is."
    )
    of_apart.add_argument("what", choices=["list", *APART_ACTS], help="retry: handle it anew; drop: let it end undone")
    of_apart.add_argument("id", nargs="?", default="", help="kind:id as the list has it, for show, retry and drop")
    of_apart.add_argument("--reason", default="", help="why; retry and drop need it, and it is audited")
    of_apart.add_argument("--limit", type=positive, default=100, help="at most so many (default %(default)s)")
    of_clock = command("clock", run_with(about_clock), "Show the clock of each machine; exit 1 if one is held.")
    accepting = "let moments that a clock ahead of the time has stored hold nothing any more; needs --reason"
    of_clock.add_argument("--accept-stored", action="store_true", help=accepting)
    of_clock.add_argument("--reason", default="", help="why; it is audited")
    of_both = command("reconcile", run_with(compare), "Compare the logs with peers, both ways; exit 1 if they differ.")
    of_both.add_argument("peer", nargs="?", default="", help="only with this node")
    for each in (of_peers, of_letters, of_apart, of_clock, of_both):
        each.add_argument("--json", action="store_true", help="print a JSON list")
        each.set_defaults(parser=each)


async def peers(node: Node, chosen: argparse.Namespace) -> Report:
    """How the exchange stands with each peer; with `--retry` or `--open-stream` after that was done."""
    if chosen.retry:
        await outbox.retry(node, _known(node, chosen.retry), by=operator())
    if chosen.open_stream:
        if not chosen.yes:
            chosen.parser.error("--open-stream needs --yes: read docs/how-to/run-the-exchange.md first")
        await outbox.open_stream(node, _known(node, chosen.open_stream), by=operator())
    if chosen.witnessed:
        heads = await witnessing.listed(node)
        lines = [f"{each.peer} {each.chain} {each.number}:{each.hash}" for each in heads]
        return Report(heads, lines or ["no peer has told any head"], DONE)
    found = await standing.standings(node)
    return Report(
        found,
        [line for each in found for line in _lines_of(each)],
        _code(each.stopped or each.conflict for each in found),
    )


async def about_letters(node: Node, chosen: argparse.Namespace) -> Report:
    """A list of letters, or one letter after what was done about it."""
    if (chosen.what in ACTS) != bool(chosen.id):
        chosen.parser.error(f"{', '.join(ACTS)} need the id of a letter, and nothing else does")
    if chosen.what in LISTS:
        found = await letters.listed(node, chosen.what, peer=chosen.peer, limit=chosen.limit)
        code = DONE if chosen.what == "waiting" else _code(found)
        return Report(found, [_line_of(each) for each in found] or [f"no letter is {chosen.what}"], code)
    if chosen.what == "replay":
        await letters.replay(node, chosen.id, by=operator())
    elif chosen.what == "annul":
        await letters.annul(node, chosen.id, by=operator())
    found = await letters.shown(node, chosen.id)
    return Report(found, [line for each in found for line in _all_of(each)], DONE)


async def about_apart(node: Node, chosen: argparse.Namespace) -> Report:
    """What is set apart or being tried again, or one of them after what was done about it."""
    if (chosen.what in APART_ACTS) != bool(chosen.id):
        chosen.parser.error(f"{', '.join(APART_ACTS)} need the id of what is set apart, and nothing else does")
    if (chosen.what in ("retry", "drop")) != bool(chosen.reason.strip()):
        chosen.parser.error("retry and drop need --reason, and nothing else does")
    if chosen.what == "list":
        found = await apart.listed(node, limit=chosen.limit)
        code = _code(each.state == "apart" for each in found)
        return Report(found, [_line_apart(each) for each in found] or ["nothing is set apart"], code)
    if chosen.what == "show":
        row = await apart.shown(node, chosen.id)
    else:
        act = apart.retry if chosen.what == "retry" else apart.drop
        row = await act(node, chosen.id, by=Doer(name=operator()), reason=chosen.reason.strip())
    return Report([row], [_line_apart(row)], DONE)


async def about_clock(node: Node, chosen: argparse.Namespace) -> Report:
    """What the clock of each machine told last, after what was stored ahead of the time was accepted if need be."""
    if chosen.accept_stored != bool(chosen.reason.strip()):
        chosen.parser.error("--accept-stored needs --reason, and nothing else does")
    if chosen.accept_stored:
        await clocks.accept_stored(node, by=operator(), reason=chosen.reason.strip())
    found = await clocks.listed(node)
    lines = [f"{each.machine}  {each.state} at {moment_text(each.at)}  {each.text}".rstrip() for each in found]
    return Report(found, lines or ["no `work` has told its time"], _code(each.state == "held" for each in found))


async def compare(node: Node, chosen: argparse.Namespace) -> Report:
    """The comparison with one peer, or with all; a peer that does not tell is a difference too."""
    only = _known(node, chosen.peer) if chosen.peer else ""
    found: list[Reconciliation | NotCompared] = []
    for peer in node.directory.peers_of(node.here):
        if only in ("", peer.node):
            try:
                found.append(await reconcile.reconcile(node, peer))
            except PeerFailure as failure:
                found.append(NotCompared(peer=peer.node, reason=failure.reason))
    return Report(found, [line for each in found for line in _lines_between(each)], _code(map(_is_wrong, found)))


def _receipts(chosen: argparse.Namespace) -> int:
    report = asyncio.run(_check_receipts(load_settings()))
    if chosen.json:
        print(report.model_dump_json())
        return DONE if report.verified else WRONG
    for log in report.logs:
        state = "all proven" if log.faulty is None else f"batch {log.faulty} is not proven"
        print(f"{log.direction} {log.peer}: {log.batches} batches, {log.letters} letters, {state}")
    return DONE if report.verified else WRONG


async def _check_receipts(settings: Settings) -> evidence.Receipts:
    """Whether the receipts of all batches, both ways, still prove what they should."""
    async with main.opened(settings) as node:
        return await evidence.check_receipts(node)


def spoken(reason: str) -> str:
    """A reason with what it means."""
    meanings = {row["code"]: row["meaning"] for row in routes.refusals()}
    said = SPOKEN.get(reason) or meanings.get(reason) or meanings.get(reason.partition("_")[2].partition("_")[2])
    return f"{reason} ({said.rstrip('.')})" if said else reason


def run_with(ask: Ask, *, log_level: str = "") -> Callable[[argparse.Namespace], int]:
    """The command that asks a node which is opened for it, and prints the report; it logs by the settings, or so."""

    async def asked(settings: Settings, chosen: argparse.Namespace) -> Report:
        async with main.opened(settings) as node:
            return await ask(node, chosen)

    def run(chosen: argparse.Namespace) -> int:
        settings = load_settings()
        configure(log_level or settings.log_level)
        report = asyncio.run(asked(settings, chosen))
        values = [each.model_dump(mode="json") for each in report.values]
        print(json.dumps(values, ensure_ascii=False) if chosen.json else "\n".join(report.lines))
        return report.code

    return run


def _line_apart(row: SetApart) -> str:
    """One thing that could not be handled, in words."""
    times = f"{row.tries} tries since {moment_text(row.first_at)}"
    when = {"trying": "again at", "released": "over at"}.get(row.state, "since")
    return f"{row.id}  {row.state} {when} {moment_text(row.next_at)}, {times}: {row.fault} in {row.place}"


def _lines_of(one: Standing) -> list[str]:
    """How one peer stands, in words."""
    to_go = f"{one.backlog} letters and {one.unacknowledged} batches to go"
    lines = [
        f"{one.peer} {one.name}: {one.breaker}, lag {one.lag_seconds} s, {to_go}, {one.dead} dead",
        f"  out: stream {one.head.stream}, head {one.head.number}, receipted"
        f" {one.acknowledged.stream}:{one.acknowledged.number}",
        f"  in:  stream {one.kept.stream}, head {one.kept.number}, spread {one.spread.stream}:{one.spread.number},"
        f" {one.attention} in attention",
    ]
    if one.failures:
        then = moment_text(one.next_attempt_at) if one.next_attempt_at else "now"
        lines.append(f"  {one.failures} failures, next attempt {then}: {spoken(one.reason)}")
    if one.skew_seconds:
        lines.append(f"  the peer's clock is {one.skew_seconds:+d} s from ours")
    if one.stopped:
        theirs = f"{one.theirs.stream}:{one.theirs.number}" if one.theirs else "unknown"
        lines.append(f"  STOPPED at the peer's head {theirs}: {spoken(one.stopped)}")
    if one.conflict:
        lines.append(f"  the peer contradicted its own log: {spoken(one.conflict)}")
    last = f"{one.differences} differences at {moment_text(one.reconciled_at)}" if one.reconciled_at else "never"
    return [*lines, f"  reconciled: {last}"]


def _line_of(one: LetterLine) -> str:
    reason = f": {spoken(one.reason)}" if one.reason else ""
    about = f"{one.about.name} {one.about.part or '-'}" if one.about else "- -"
    return f"{one.id} {one.way} {one.peer} {one.kind} {about} {one.state}{reason}"


def _all_of(one: LetterLine) -> list[str]:
    said = one.model_dump(mode="json") | {"reason": spoken(one.reason) if one.reason else ""}
    return [f"{name}: {value}" for name, value in said.items() if value != ""]


def _is_wrong(one: Reconciliation | NotCompared) -> bool:
    return not isinstance(one, Reconciliation) or not one.is_clean


def _lines_between(one: Reconciliation | NotCompared) -> list[str]:
    """What a comparison found, in words."""
    if isinstance(one, NotCompared):
        return [f"{one.peer}: not compared: {spoken(one.reason)}"]
    lines = []
    for each in one.compared:
        way = "our letters" if each.way == "out" else "its letters"
        lines.append(
            f"{one.peer} {way}, stream {each.stream}: here {each.ours} batches, there {each.theirs};"
            f" {each.total} letters, {each.settled} settled, {each.waiting} waiting,"
            f" {each.attention} in attention, {each.annulled} annulled"
        )
        past = "(past, a later stream was opened) "
        lines += [f"  {past if found.is_past else ''}{found.words}" for found in each.differences]
    if one.unknown_kinds:
        lines.append(f"{one.peer} does not know these kinds of letters yet: {', '.join(one.unknown_kinds)}")
    return [*lines, f"{one.peer} is clean" if one.is_clean else f"{one.peer} DIFFERS"]


def _known(node: Node, code: str) -> str:
    if code not in [peer.node for peer in node.directory.peers_of(node.here)]:
        raise UnknownPeer(f"the directory has no peer {code}")
    return code


def progress() -> Callable[[str, int], None]:
    """Tells now and then how far a long run is, to who watches it."""
    told = 0

    def tell(what: str, number: int) -> None:
        nonlocal told
        if number - told >= TOLD_EVERY:
            told = number
            print(f"{number} {what} looked at", file=sys.stderr)
        elif number < told:
            told = number  # of the next sort

    return tell


def operator() -> str:
    """Whose account runs the command, for the audit."""
    return os.environ.get("SUDO_USER") or os.environ.get("USER") or f"uid {os.getuid()}"


def _code(wrong: Any) -> int:
    return WRONG if any(wrong) else DONE


def head_in(text: str) -> ChainHead:
    """The head that stands in an argument, NUMBER:HASH; ArgumentTypeError."""
    found = re.fullmatch(r"([1-9][0-9]{0,11}):([0-9a-f]{64})", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"not NUMBER:HASH with 64 hex digits: {text!r:.40}")
    return ChainHead(number=int(found[1]), hash=found[2])


def positive(text: str) -> int:
    """The number that stands in an argument; ArgumentTypeError unless it is above 0."""
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError("must be a number above 0")
    return int(text)
