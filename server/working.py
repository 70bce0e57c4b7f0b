"""What `work` does while nobody waits: the loops of one node, each with its pause."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from regions import apart, directory, fetching, outbox, reconcile, settling, standing, watch, witnessing
from server.desk import relay
from server.desk.background import (
    chaining,
    clockwork,
    counting,
    forgetting,
    head_renewing,
    making_papers,
    notifying,
    reminding,
    reprojecting,
    succeeding,
)
from server.desk.background.case_verifying import CaseWatch
from server.desk.background.making_papers import PaperMaker
from server.desk.background.timekeeping import ClockGuard
from server.node import Node
from server.tools.loops import Loops, Rest, Run
from server.tools.settings import Settings

SLOWEST_LOOP_SECONDS = 30.0
ROUND_SECONDS = 5.0
DIRECTORY_SECONDS = 10.0
EXPIRY_SECONDS = 600.0
CLOCK_SECONDS = 10.0  # a few reads
APART_SECONDS = 1.0  # the first pause of what could not be handled
NOTICES_SECONDS = 2.0
CHAIN_SECONDS = 2.0
WITNESS_SECONDS = 600.0  # a look whether a day is over
WATCH_SECONDS = 5.0  # some links of heads, and the cases that they name
RENEWAL_SECONDS = 600.0  # a look whether the first links are old
ENDS_SECONDS = 1.0  # how long another process may still grant what was ended here
WAITING_SECONDS = 1.0  # how far apart processes are in whom they have met in a peak
CLOCKWORK_SECONDS = 10.0  # what it sees to falls due by the day
COUNT_SECONDS = 5.0  # a look whether any department is to be counted anew
SUCCESSION_SECONDS = 600.0  # a division is abolished at midnight
DRAFTS_SECONDS = 600.0
PAPERS_SECONDS = 2.0
STANDING_SECONDS = 30.0  # a few reads for each peer
RECONCILE_SECONDS = 600.0  # a look whether a day is over
LONG_ROUND_SECONDS = 900.0  # many calls to peers, one after the other, each of which may run into its time-out

# Whether a loop, or the loops of all peers, runs in a quiet process too: only what neither writes nor tells anybody.
# Loops that rest while nobody writes: what they look for comes from another process, which rings, or from their own.
RESTING = frozenset({"relay", "settle", "apart", "chain", "heads", "notices", "papers", "watch"})

RUNS_QUIET: Mapping[str, bool] = {
    "relay": False,
    "settle": False,
    "apart": False,
    "chain": False,
    "heads": False,
    "cases": False,
    "renewal": False,
    "witness": False,
    "notices": False,
    "papers": False,
    "clockwork": False,
    "calendar": False,
    "drafts": False,
    "counts": False,
    "succession": False,
    "expiry": False,
    "ends": True,
    "standing": True,
    "reconcile": False,
    "courier": False,
    "spread": False,
    "fetch": False,
    "watch": False,
    "directory": True,
    "clock": False,
}


def start(node: Node, loops: Loops, *, is_quiet: bool = False, maker: PaperMaker | None = None) -> ClockGuard:
    """Start the loops of `work`; each peer has a courier of its own, so that a dead one slows no other.

    Answers who says whether the clock is trusted: else nothing is done by date. Without a maker no paper is made.
    """
    loop = _starter(loops, is_quiet=is_quiet)
    guard = ClockGuard(node, loops.now)
    by_date = _by_date(node, guard, maker)
    for name, (run, every_seconds) in (_alone(node) | by_date).items():
        loop(name, run, every_seconds=every_seconds)
    loop("clock", partial(_look_at_clocks, guard, loops, tuple(by_date)), every_seconds=CLOCK_SECONDS)
    process = "" if is_quiet else f"work-{node.settings.work_port}"
    loop("ends", partial(follow_ends, node, process=process), every_seconds=ENDS_SECONDS)
    loop("reconcile", partial(reconcile.daily, node), every_seconds=RECONCILE_SECONDS, round_seconds=LONG_ROUND_SECONDS)
    known: set[str] = set()

    def meet_peers() -> None:
        for peer in node.directory.peers_of(node.here):
            if peer.node not in known:
                known.add(peer.node)
                loop(f"courier:{peer.node}", partial(_deliver, node, peer.node, guard), every_seconds=ROUND_SECONDS)
                loop(f"spread:{peer.node}", partial(settling.unpack, node, peer.node), every_seconds=ROUND_SECONDS)
                fetch = partial(fetching.fetch, node, peer.node)
                loop(f"fetch:{peer.node}", fetch, every_seconds=ROUND_SECONDS, round_seconds=LONG_ROUND_SECONDS)

    async def wake_peers() -> None:
        awaited = await watch.look(node)
        for name in [f"courier:{peer}" for peer in awaited.couriers] + [f"spread:{peer}" for peer in awaited.unpackers]:
            if name.partition(":")[2] in known:
                loops.nudge(name)

    async def renew() -> bool:
        has_more = await directory.refresh(node)
        meet_peers()
        return has_more

    meet_peers()
    loop("watch", wake_peers, every_seconds=node.settings.poll_seconds)
    loop("directory", renew, every_seconds=DIRECTORY_SECONDS)
    return guard


def rest_of(settings: Settings) -> Rest:
    """Which loops rest how long while no process on this machine rings."""
    return Rest(RESTING, settings.rest_seconds)


async def follow_ends(node: Node, *, process: str) -> None:
    """Learn which rights were ended elsewhere; a process without a name writes no file."""
    await node.store.ends.follow(node.clock.now(), process=process)


def _starter(loops: Loops, *, is_quiet: bool) -> Callable[..., None]:
    """What starts a loop, if it may run."""

    def start_one(name: str, run: Run, *, every_seconds: float, round_seconds: float = 0.0) -> None:
        if RUNS_QUIET[name.partition(":")[0]] or not is_quiet:
            loops.start(
                name, run, every_seconds=every_seconds, most_seconds=SLOWEST_LOOP_SECONDS, round_seconds=round_seconds
            )

    return start_one


def _alone(node: Node) -> dict[str, tuple[Run, float]]:
    """The loops that depend neither on a date nor on which peers there are, each with its pause in seconds."""
    return {
        "relay": (partial(relay.sweep, node), node.settings.poll_seconds),
        "settle": (partial(settling.settle, node), node.settings.poll_seconds),
        "apart": (partial(apart.release_due, node), APART_SECONDS),
        "chain": (partial(chaining.chain, node, "audit"), CHAIN_SECONDS),
        "heads": (partial(chaining.chain, node, "heads"), CHAIN_SECONDS),
        "cases": (CaseWatch(node).look, WATCH_SECONDS),
        "renewal": (partial(head_renewing.renew, node), RENEWAL_SECONDS),
        "witness": (partial(witnessing.tell, node), WITNESS_SECONDS),
        "calendar": (_projection(node), SLOWEST_LOOP_SECONDS),
        "standing": (partial(standing.measure, node), STANDING_SECONDS),
    }


def _by_date(node: Node, guard: ClockGuard, maker: PaperMaker | None) -> dict[str, tuple[Run, float]]:
    """The loops that act because a date or a moment has come, and cannot take it back, each with its pause in seconds.

    A notice that seems to be under way for a minute is given up, and counts of a later day are not made anew before it.
    A seal tells its moment: papers are made only by a clock that is trusted.
    """
    runs: dict[str, tuple[Run, float]] = {
        "notices": (partial(notifying.notify, node), NOTICES_SECONDS),
        "clockwork": (partial(clockwork.tick, node), CLOCKWORK_SECONDS),
        "drafts": (partial(reminding.remind_of_drafts, node), DRAFTS_SECONDS),
        "counts": (partial(counting.count, node), COUNT_SECONDS),
        "succession": (partial(succeeding.succeed, node), SUCCESSION_SECONDS),
        "expiry": (partial(_forget, node), EXPIRY_SECONDS),
    }
    if maker is not None:
        runs["papers"] = (partial(making_papers.make_papers, node, maker), PAPERS_SECONDS)
    return {name: (partial(_if_trusted, guard, run), every_seconds) for name, (run, every_seconds) in runs.items()}


async def _look_at_clocks(guard: ClockGuard, loops: Loops, held: Sequence[str]) -> None:
    """Look, and let what was held go on at once as soon as it may."""
    if await guard.look():
        for name in held:
            loops.nudge(name)


async def _if_trusted(guard: ClockGuard, run: Run) -> bool | None:
    """One round, if the clock is trusted; else nothing, until it is."""
    return guard.may_act and await run()


async def _deliver(node: Node, code: str, guard: ClockGuard) -> bool:
    """One cycle of the courier to this node, at the address that the directory has now."""
    peer = node.directory.entry(code)
    return peer is not None and await outbox.deliver(node, peer, may_vouch=guard.may_act)


def _projection(node: Node) -> Run:
    """A loop that once brings all dates to follow the calendar of this process, and then rests."""
    has_more = True

    async def project() -> bool:
        nonlocal has_more
        has_more = has_more and await reprojecting.reproject(node)
        return has_more

    return project


async def _forget(node: Node) -> bool:
    """Forget what expired more than an hour ago; True if there may be more."""
    return await forgetting.forget_expired(node, node.clock.now() - timedelta(hours=1)) > 0
