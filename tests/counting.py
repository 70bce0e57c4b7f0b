"""A counter: a second kind of aggregate, so small that only what all kinds have in common can be wrong with it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, cast

import pytest
from pydantic import ConfigDict, Field, TypeAdapter

from server.domain.aggregate.actors import Actor
from server.domain.aggregate.acts import Act
from server.domain.aggregate.happening import Happened, Header
from server.domain.aggregate.judging import Judgement
from server.domain.aggregate.records import Record
from server.domain.aggregate.words import AggregateWords
from server.domain.effects.commits import Commit
from server.domain.effects.effects import NOTICE, Effect
from server.domain.effects.notices import Notice
from server.domain.errors import Conflict, Missing
from server.domain.values import SENSITIVE, Value
from server.store.aggregates.kinds import AggregateKind
from server.store.aggregates.marks import MARKS
from server.store.database import Query
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES, AggregateQueries
from server.store.trust import TRUST, Trust
from tests.store.witness import Witness
from tests.world import JIANGSU, MONDAY

COUNTERS = "counters"
BY_RULE = Actor(node=JIANGSU, part="node")
QUERIES_OF_COUNTERS = AggregateQueries(
    *(Query(f"{COUNTERS}_by_{field}", COUNTERS, field, is_range=True) for field in ("relay", "event_key", "alarm"))
)
TRUST_OF_COUNTERS = Trust(
    "something is counted that never was",
    "`cases verify` names it",
    marks=MARKS,
    elsewhere=frozenset({"events"}),
    why="as in cases",
)


class NoSuchCounter(Missing):
    """There is no counter of this name."""

    code = "no_such_counter"
    title = "没有这个计数"


class CounterErased(Missing):
    """The counter was erased."""

    code = "counter_erased"
    title = "计数已删除"


class CounterNotErasable(Conflict):
    """What follows is not carried yet."""

    code = "counter_not_erasable"
    title = "计数还不能删除"


class CounterFull(Conflict):
    """It counts no further."""

    code = "counter_full"
    title = "计数已满"


class Counter(Value):
    """How often something was counted, and what."""

    name: str
    what: Annotated[str, SENSITIVE]
    total: int = 0
    version: int


class Begun(Happened):
    """Counting has begun."""

    act: ClassVar[str] = "begin"
    kind: Literal["begun"] = "begun"
    name: str
    what: Annotated[str, SENSITIVE]


class Counted(Happened):
    """So many more were counted."""

    act: ClassVar[str] = "count"
    kind: Literal["counted"] = "counted"
    more: int


class Cleared(Happened):
    """Counting has begun anew."""

    act: ClassVar[str] = "clear"
    kind: Literal["cleared"] = "cleared"


CounterEvent = Annotated[Begun | Counted | Cleared, Field(discriminator="kind")]
COUNTER_EVENT: TypeAdapter[Begun | Counted | Cleared] = TypeAdapter(
    CounterEvent, config=ConfigDict(hide_input_in_errors=True)
)


class Begin(Act):
    """Begin to count."""

    name: ClassVar[str] = "begin"
    counter: str
    what: str


class Count(Act):
    """Count so many more; none, and nothing happens."""

    name: ClassVar[str] = "count"
    more: int = 1


class Clear(Act):
    """Begin anew."""

    name: ClassVar[str] = "clear"


@dataclass(frozen=True)
class CountingFacts:
    """What counting knows of the world."""

    at: datetime = MONDAY


CounterRecord = Record[Counter, Begun | Counted | Cleared]
CounterCommit = Commit[Counter, Begun | Counted | Cleared]
CounterJudgement = Judgement[Counter, Begun | Counted | Cleared]


def evolve(counter: Counter | None, event: Begun | Counted | Cleared) -> Counter:
    """The counter after the event."""
    if isinstance(event, Begun):
        return Counter(name=event.name, what=event.what, version=event.number)
    assert counter is not None
    total = counter.total + event.more if isinstance(event, Counted) else 0
    return counter.model_copy(update={"total": total, "version": event.number})


def replay(told: Iterable[Begun | Counted | Cleared]) -> Counter:
    """The counter that these events made."""
    counter: Counter | None = None
    for event in told:
        counter = evolve(counter, event)
    assert counter is not None
    return counter


def decide(counter: Counter | None, act: Act, facts: CountingFacts) -> CounterJudgement:
    """What happens if this act is done now; raises NoSuchCounter and CounterFull."""
    number = counter.version + 1 if counter else 1
    header: Header = {"number": number, "at": facts.at, "by": act.by, "act_id": act.id, "act_digest": act.digest}
    event: Begun | Counted | Cleared
    if isinstance(act, Begin):
        event = Begun(**header, name=act.counter, what=act.what)
    elif counter is None:
        raise NoSuchCounter
    elif isinstance(act, Count):
        if counter.total + act.more > 9:
            raise CounterFull
        if not act.more:
            return Judgement((), ())
        event = Counted(**header, more=act.more)
    else:
        event = Cleared(**header)
    return Judgement((event,), (evolve(counter, event),))


def commit_of(_record: CounterRecord | None, decision: CounterJudgement, _facts: CountingFacts) -> CounterCommit:
    """A notice follows each event, and whoever counts looks again a day after the last."""
    effects = tuple(
        Effect(event=event.number, index=NOTICE, notice=_notice(value, event))
        for event, value in zip(decision.events, decision.values, strict=True)
    )
    return Commit(events=decision.events, value=decision.values[-1], effects=effects, alarm=decision.events[-1].at)


def _notice(counter: Counter, event: Happened) -> Notice:
    told: Mapping[Any, str] = {"item": counter.name}
    id = f"{counter.name}:{event.number}"
    return Notice(id=id, person="somebody", template="received", page="/", values=told, at=event.at)


KIND: AggregateKind[Counter, Begun | Counted | Cleared, CounterRecord] = AggregateKind(
    collection=COUNTERS,
    queries=QUERIES_OF_COUNTERS,
    value=Counter,
    event=COUNTER_EVENT,
    kinds=frozenset({"begun", "counted", "cleared"}),
    record=Record,
    id_of=lambda counter: counter.name,
    replay=replay,
    revision=1,
    words=AggregateWords(
        noun="counter",
        moved="counter.moved",
        missing=NoSuchCounter,
        erased=CounterErased,
        unfinished=CounterNotErasable,
        moved_on="计数已有新的变动，请刷新后重试。",
    ),
)


def begin(name: str = "visitors", *, id: str = "begin", what: str = "访客") -> Begin:
    """An act that begins a counter."""
    return Begin(id=f"{id}:{name}", by=BY_RULE, counter=name, what=what)


def count(id: str, more: int = 1, *, digest: str = "") -> Count:
    """An act that counts."""
    return Count(id=id, digest=digest, by=BY_RULE, more=more)


@asynccontextmanager
async def database_that_counts(
    uri: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[MongoDatabase, Witness]]:
    """An empty database that has a place for counters; it is asked nothing but what every kind is asked."""
    monkeypatch.setitem(cast(dict[str, Any], TRUST), COUNTERS, TRUST_OF_COUNTERS)
    queries = (*QUERIES, *QUERIES_OF_COUNTERS)
    witness = Witness(queries)
    database = MongoDatabase.connect(uri, name, queries=queries, timeout_seconds=20.0, listeners=[witness])
    await database.prepare()
    yield database, witness
    await database.close()
    assert witness.faults == []
