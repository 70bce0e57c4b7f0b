"""The wire between simulated nodes: messages are lost, doubled, delayed, corrupted, refused on the way, or cut off."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from tornado.httputil import HTTPHeaders

from server.domain.exchange.wire import NoAnswer, WireAnswer, WireRequest
from tests.simulation.founding import origin_of
from tests.simulation.scheduler import Later
from tests.simulation.world import PATIENCE, World

Door = Callable[[WireRequest, Later], None]


class SimulatedWire:
    """The way of one process of `here` to all other nodes; `doors` takes requests by their node."""

    def __init__(self, world: World, here: str, doors: Mapping[str, Door]) -> None:
        self._world = world
        self._here = here
        self._doors = doors
        self.attempt: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()

    async def send(self, request: WireRequest) -> WireAnswer:
        world, answer = self._world, Later()
        to = next(each for each in self._doors if request.url.startswith(origin_of(each)))
        world.scheduler.after(PATIENCE, lambda: answer.give(fault=NoAnswer("timed_out")))
        with self.attempt(to) if request.method == "POST" else nullcontext():
            self._carry(request, to, answer)
            came: WireAnswer = await answer
        return came

    def is_cut(self, to: str) -> bool:
        """Whether nothing passes now between here and there."""
        now, pair = self._world.scheduler.now, {self._here, to}
        return self._world.is_stormy and any(
            cut.since <= now < cut.until and set(cut.nodes) == pair for cut in self._world.weather.cuts
        )

    def _carry(self, request: WireRequest, to: str, answer: Later) -> None:
        world, weather = self._world, self._world.weather
        if self.is_cut(to) or world.happens(weather.lost):
            world.note(self._here, "wire.lost", {"to": to})
            return
        if world.happens(weather.refused):
            self._refuse(to, answer)
            return
        if world.happens(weather.corrupted):
            world.note(self._here, "wire.corrupted", {"to": to})
            request = replace(request, body=self._corrupt(request.body))
        if world.happens(weather.doubled):
            world.note(self._here, "wire.doubled", {"to": to})
            world.scheduler.after(self._delay(), lambda: self._arrive(request, to, Later()))
        world.scheduler.after(world.latency(), lambda: self._arrive(request, to, answer))

    def _arrive(self, request: WireRequest, to: str, answer: Later) -> None:
        whole = Later()
        whole.waiting = lambda: self._return(whole, to, answer)
        self._doors[to](request, whole)

    def _return(self, whole: Later, to: str, answer: Later) -> None:
        world, weather = self._world, self._world.weather
        if self.is_cut(to) or world.happens(weather.answers_lost):
            world.note(self._here, "wire.answer_lost", {"from": to})
            return
        if whole.fault:
            world.scheduler.after(world.latency(), lambda: answer.give(fault=NoAnswer("unreachable")))
            return
        came: WireAnswer = whole.result
        if world.happens(weather.corrupted):
            world.note(self._here, "wire.answer_corrupted", {"from": to})
            came = replace(came, body=self._corrupt(came.body))
        world.scheduler.after(world.latency(), lambda: answer.give(came))

    def _refuse(self, to: str, answer: Later) -> None:
        """Somebody in between answers without having asked the node."""
        status = self._world.chance.choice((403, 413, 502, 503))
        headers = HTTPHeaders({"Retry-After": str(self._world.chance.choice((1, 30, 120)))})
        self._world.note(self._here, "wire.refused", {"to": to, "status": status})
        came = WireAnswer(status, headers if status == 503 else HTTPHeaders(), b"")
        self._world.scheduler.after(self._world.latency(), lambda: answer.give(came))

    def _delay(self) -> float:
        """A second copy comes at once, or much later."""
        chance = self._world.chance
        return chance.choice((chance.uniform(0, 0.1), chance.uniform(0, 30), chance.uniform(0, 900)))

    def _corrupt(self, body: bytes) -> bytes:
        if not body:
            return b"?"
        place = self._world.chance.randrange(len(body))
        return body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
