"""One value of each kind that rooms of the store keep, written, changed and read by today's or by tomorrow's code.

Run alone, in a folder with another version of the code: `python -m tests.store.side_by_side URI FOLDER write|read
DATABASE...`.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from server.crypto.fields import FieldRing
from server.crypto.integrity import IntegrityRing
from server.crypto.keyring import make_keys
from server.crypto.passwords import Cost
from server.desk import licensing
from server.desk.acting import commit_of
from server.domain.aggregate.acts import Act
from server.domain.aggregate.heads import HistoryHead
from server.domain.apart import SetApart, over
from server.domain.case.case import Case
from server.domain.case.fetches import Fetch
from server.domain.case.lines import Line
from server.domain.case.papers import PaperOrder
from server.domain.case.visits import Visit
from server.domain.catalogue.catalogue import Catalogue
from server.domain.chains import BEFORE_ALL, Chained, ChainHead, next_link
from server.domain.effects.clues import CaseClues
from server.domain.effects.deadlines import Checkpoint
from server.domain.effects.deeds import Deed
from server.domain.effects.effects import Effect, Task
from server.domain.effects.licensing import LicensingFacts
from server.domain.effects.notices import Notice
from server.domain.effects.records import CaseRecord
from server.domain.effects.warnings import DeskWarning
from server.domain.exchange.letters import Batch, Letter
from server.domain.exchange.log import Evidence, Head, Inbound, Outbound, Position, Written
from server.domain.exchange.reconciliation import Reconciliation
from server.domain.identity import Identity
from server.domain.licence.acts import IssueLicence, LicenceAct, SuspendLicence
from server.domain.licence.decide import decide as decide_licence
from server.domain.licence.licence import Licence, Origin
from server.domain.licence.showing import Showing
from server.domain.licence.telling import KnownLicence, ToldLicence
from server.domain.licence.uses import LicenceUse
from server.domain.materials import Upload
from server.domain.papers.numbers import RunName
from server.domain.people.accounts import DeskSession
from server.domain.people.claims import Claim
from server.domain.people.mandates import Mandate
from server.domain.people.persons import Officer, Person, Session
from server.domain.people.posts import Post
from server.domain.rules.decide import decide
from server.domain.rules.drafts import Draft
from server.domain.time.clock_guard import Beat
from server.domain.time.counts import AuthorityCounts
from server.domain.time.reprojection import Projection
from server.store.chains import Beginning
from server.store.ends import End
from server.store.format import DataFormat
from server.store.mongo import MongoDatabase
from server.store.queries import QUERIES
from server.store.sealing import sealed_letter
from server.store.store import Store, open_store
from server.store.waiting import WaitingRoom
from tests.store.examples import AT, DAY, example, painted, values_in
from tests.world import JIANGSU, ZHEJIANG, facts, officer, opening, pinned, planned, worked

MEMBER, RED = "tomorrow", "red"
LATER = AT + timedelta(days=20)
CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)
CASE, OWNER, UPLOAD = "case1", "owner", "abcdefgh"
PASSWORD = "a password of a test"
CLERK = officer()
ISSUE: IssueLicence = example(IssueLicence, id="issue", by=CLERK)
OF_A_CASE = {
    "authority": pinned("health", JIANGSU),
    "origin": example(Origin, case=f"{JIANGSU}/{CASE}", step="first"),
    "previous": "",
}
ISSUE = ISSUE.model_copy(update={"grant": ISSUE.grant.model_copy(update=OF_A_CASE)})

# What stands in each collection: values of these kinds, by the name that they have here. Or why there is none that is
# written with all its members, whatever they are called.
LETTERS = "letters and batches are proven by their bytes, and read strictly"
PAPER, RUN = "A" * 16, RunName(authority="某机关", word="受", year=2026)
BY_HAND = "its room names each member"
COLLECTIONS: Mapping[str, str | Mapping[str, type[Any]]] = {
    "apart": {"apart": SetApart},
    "attempts": BY_HAND,
    "audit": BY_HAND,
    "audit_chain": BY_HAND,
    "calendar": {"calendar": Projection},
    "cases": {"case": Case, "line": Line},  # and events, of all kinds
    "catalogues": {"catalogue": Catalogue},
    "claims": {"claim": Claim},
    "clocks": BY_HAND,
    "clues": BY_HAND,
    "counts": {"counts": AuthorityCounts},
    "deeds": {"deed": Deed},
    "desk_sessions": {"desk_session": DeskSession},
    "directories": "a text that its publisher has signed",
    "dishonest": BY_HAND,
    "drafts": {"draft": Draft},
    "ends": {"end": End},
    "fetches": {"fetch": Fetch},
    "head_chain": BY_HAND,
    "heads": BY_HAND,
    "known_licences": {"known_licence": KnownLicence},
    "letters_in": LETTERS,
    "letters_out": LETTERS,
    "licence_showings": {"showing": Showing},
    "licence_uses": {"licence_use": LicenceUse},
    "licences": {"licence": Licence},  # and events, of all kinds
    "log": LETTERS,
    "mandates": {"mandate": Mandate},
    "materials": {"upload": Upload},
    "node": {"identity": Identity},
    "nonces": "ids alone",
    "notices": {"notice": Notice},
    "number_blocks": "ids alone",
    "officers": {"officer": Officer},
    "paper_runs": BY_HAND,
    "papers": BY_HAND,
    "peers": {"outbound": Outbound, "inbound": Inbound, "reconciliation": Reconciliation},
    "persons": {"person": Person},
    "plans": "those of the steps of cases",
    "posts": {"post": Post},
    "rungs": {"checkpoint": Checkpoint},
    "sessions": {"session": Session},
    "tasks": {"task": Task},
    "visits": {"visit": Visit},
    "waiting": BY_HAND,
    "warnings": {"warning": DeskWarning},
    "witnessed": BY_HAND,
}
KINDS: Mapping[str, type[Any]] = {
    name: kind for kinds in COLLECTIONS.values() if not isinstance(kinds, str) for name, kind in kinds.items()
}
TOLD: ToldLicence = example(
    ToldLicence, identifier=ISSUE.grant.id, case=f"{JIANGSU}/{CASE}", step="first", kind="x", version=1
)
# What events make is written by them.
OF_EVENTS = ("case", "line", "licence")
# What a value must say beside what is made up, to be found again or to be accepted.
SAID: Mapping[str, Mapping[str, Any]] = {
    "known_licence": {"told": TOLD, "case": CASE},
    "apart": {"state": "released", "version": 1},
    "calendar": {"version": 0},
    "claim": {"version": 1, "holder": "anna"},
    "desk_session": {"ends_at": LATER, "version": 1},
    "draft": {"version": 1, "expires_at": LATER},
    "end": {"of": "posts/another", "below": 0, "ended_at": "t2026-11-23T04:00:00.000Z", "until": ""},
    "fetch": {"name": f"{JIANGSU}/{CASE}", "case": CASE},
    "mandate": {"ends_on": DAY, "revoked_at": None},
    "outbound": {"theirs": Head(1, 1, "x"), "version": 1},
    "post": {"ended_at": None, "version": 1},
    "session": {"version": 1},
    "showing": {"owner": OWNER, "version": 1},
    "upload": {"id": UPLOAD},
}


def values(*, paint: bool = False) -> dict[str, Any]:
    """One value of each kind, by name, with the member at every depth or without."""
    found = {name: example(kind, **SAID.get(name, {})) for name, kind in KINDS.items() if name not in OF_EVENTS}
    return {name: painted(value, MEMBER, RED) if paint else value for name, value in found.items()}


def letter(sender: str, to: str) -> Letter:
    """A letter between these."""
    return example(Letter, id="01" * 32, sender=sender, to=to)


@asynccontextmanager
async def opened(uri: str, name: str, folder: Path) -> AsyncIterator[Store]:
    """The store in this database; every version of the code has the same keys."""
    ring = FieldRing({"fields-1": bytes(32)}, "fields-1")
    database = MongoDatabase.connect(uri, name, queries=QUERIES, timeout_seconds=20.0)
    secrets: dict[str, Any] = dict.fromkeys(("lookup", "case_ids", "materials"), bytes(32))
    proofs = IntegrityRing({"one": bytes(32)}, "one")
    keys = replace(make_keys(JIANGSU), fields=ring, integrity=proofs, **secrets)
    store = open_store(database, keys, folder / name, here=JIANGSU, relay_due_seconds=5.0)
    await store.ends.start("i", at=AT)
    yield store
    await database.close()


async def write(store: Store, *, paint: bool = False) -> None:
    """Write all of them, and whatever else there must be for a document in each collection."""
    these = values(paint=paint)
    await _write_node(store, these)
    await _write_people(store, these)
    await _write_case(store, these, paint=paint)
    await _write_exchange(store, these)


async def _write_people(store: Store, these: Mapping[str, Any]) -> None:
    await store.posts.add(these["post"])
    await store.desk_sessions.begin(these["desk_session"])
    await store.people.open_session(these["session"], expires_at=LATER)
    await store.people.keep_person(these["person"], openid="o")
    await store.accounts.add(these["officer"], PASSWORD, cost=CHEAP)
    await store.mandates.add(these["mandate"], at=AT)
    await store.dishonest.add(["person"])
    await store.attempts.change("lane", lambda lane: lane.model_copy(update={"version": 1}), at=AT)


async def _write_case(store: Store, these: Mapping[str, Any], *, paint: bool) -> None:
    record = None
    for act in (opening([planned("first")]), worked("first", officer())[0]):
        record = await _act(store, record, act, these=these, paint=paint)
    await store.visits.add(these["visit"])
    await store.claims.put(these["claim"])
    await store.drafts.keep(OWNER, these["draft"])
    await store.materials.keep(OWNER, these["upload"], b"x")
    await store.checkpoints.claim(CASE, these["checkpoint"], until=AT)
    await store.warnings.put(these["warning"])
    await _count(store, these["counts"])
    await store.heads.put([HistoryHead("another", 1, "link")], at=AT)
    await _wait(store, lot=1)
    await _act_on_licence(store, None, ISSUE, paint=paint)
    await store.known_licences.keep(these["known_licence"], alarm=None)
    await store.showings.add(these["showing"])
    await store.licence_uses.note([these["licence_use"]])


async def _act_on_licence(store: Store, id: str | None, act: LicenceAct, *, paint: bool = False) -> None:
    record = await store.licences.one(id) if id else None
    licensing_facts = LicensingFacts(here=JIANGSU, at=AT, results={}, key_of=str)
    decision = decide_licence(record.value if record else None, act, licensing_facts)
    commit = licensing.commit_of(record, decision, licensing_facts)
    await store.licences.commit(record, painted(commit, MEMBER, RED) if paint else commit)


async def _count(store: Store, counts: AuthorityCounts) -> None:
    await store.counts.mark_stale([counts.authority])
    [begun] = await store.counts.to_make(now=LATER + timedelta(days=1), today=DAY, limit=1)
    counting = await store.counts.begin(begun, until=LATER)
    assert counting
    assert await store.counts.put(counting, counts, today=DAY)


async def _wait(store: Store, *, lot: int) -> None:
    """Somebody draws a lot for one peak, and comes late to another, each time in a process that has just started."""
    drawing, late = (WaitingRoom(store.database, peak) for peak in ("drawing", "late"))
    drawing.draw(lot)
    await drawing.tell(is_over=False)
    await late.arrive(f"person-{lot}", at_least=0)


async def _act(
    store: Store, record: CaseRecord | None, act: Act, *, these: Mapping[str, Any], paint: bool = False
) -> CaseRecord:
    decision = decide(record.case if record else None, act, facts())
    commit = commit_of(record, decision, facts())
    effects = _effects(these) if record is None else ()
    if paint:
        commit = painted(commit, MEMBER, RED)
    commit = replace(commit, effects=effects)
    if record is None:
        return await store.cases.add(commit, owner=OWNER, request="r")
    return await store.cases.commit(record, commit)


def _effects(these: Mapping[str, Any]) -> Sequence[Effect]:
    """One of each kind, as the first event of the case might have them."""
    kinds: dict[str, Any] = {
        "clues": example(CaseClues, case=CASE),
        "letter": letter(JIANGSU, ZHEJIANG),
        "paper": PaperOrder(paper=PAPER, case=CASE, step="x", event=1, at=AT),
    }
    kinds["issue"] = ISSUE
    kinds |= {name: these[name] for name in ("task", "notice", "fetch", "deed")}
    return [Effect(event=1, index=index, **{name: each}) for index, (name, each) in enumerate(kinds.items())]


async def _write_node(store: Store, these: Mapping[str, Any]) -> None:
    await DataFormat(store.database).claim(())
    await store.identity.claim(these["identity"], incarnation="i")
    await store.apart.put(these["apart"])
    await store.calendar.put(these["calendar"])
    await store.catalogues.keep(these["catalogue"])
    await store.audit.count("one", "case.read", at=AT, about={"officer": "anna"})
    link = next_link(BEFORE_ALL, (Chained(id="e", sha256="00"),), at=AT)
    for chain in (store.audit.chain, store.heads.chain):
        await chain.append(link)
        await chain.begin(Beginning())
    await store.clocks.beat(Beat(machine="m", at=AT, state="trusted", text=""))
    await store.clocks.accept_stored(AT)
    await store.numbers.take()
    await store.papers.runs.move(RUN, lambda run: run.taken("A"))
    end = these["end"]
    await store.ends._append("lasting", end)  # its members are not said by who ends something


async def _write_exchange(store: Store, these: Mapping[str, Any]) -> None:
    await store.directories.keep(1, "signed")
    await store.peers.use_nonce("k", "n", until=AT)
    await store.peers.take(ZHEJIANG, Outbound(), replace(these["outbound"], version=1))
    await store.peers.keep_inbound(ZHEJIANG, **vars(these["inbound"]))
    await store.peers.keep_reconciled(ZHEJIANG, these["reconciliation"])
    await store.peers.witness(ZHEJIANG, "audit", ChainHead(number=1, hash="h"))
    arrived = letter(ZHEJIANG, JIANGSU)
    ring = store.letters_in._ring  # a batch that is kept has it sealed already
    document = sealed_letter(arrived, ring.new_key(arrived.id), context=arrived.id)
    await store.letters_in.keep([document], sender=ZHEJIANG, at=AT, position=Position(1, 1))
    batch = example(Batch, sender=JIANGSU, to=ZHEJIANG, stream=1, number=1)
    await store.log("out", ZHEJIANG).append_ours(batch, [Written("l", AT, b"l")], total=1)


async def carry(store: Store) -> None:
    """Carry what must follow the commits of the case."""
    await store.carry((await store.cases.case(CASE)).pending)


async def _catalogue(store: Store) -> Mapping[str, Any]:
    version = values()["catalogue"].version
    await store.catalogues.load([version])
    return {version: store.catalogues.of(version)}


async def read(store: Store) -> dict[str, Any]:
    """All of them, as they are read; and the events of the case."""
    held = await store.identity.held()
    states = await store.peers.states([ZHEJIANG])
    [(_, line)] = await store.cases.lines_of(OWNER, limit=2)
    [fetch] = await store.fetches.of_step(CASE, "x")
    outbound, inbound = states[ZHEJIANG]
    record = await store.cases.case(CASE)
    one_each = {
        "claim": await store.claims.claims(["x"]),
        "upload": await store.materials.uploads_of(OWNER, [UPLOAD]),
        "counts": await store.counts.counts(["x"]),
        "reconciliation": await store.peers.reconciled([ZHEJIANG]),
        "catalogue": await _catalogue(store),
        "known_licence": await store.known_licences.find([f"{CASE}:first"]),
        "licence_use": await store.licence_uses.of_licence("x", limit=1),
    }
    return {name: next(iter(found.values())) for name, found in one_each.items()} | {
        "events": record.events,
        "licence": (await store.licences.one(ISSUE.grant.id)).events,
        "line": line,
        "apart": await store.apart.find(values()["apart"].id),
        "calendar": await store.calendar.projection(),
        "checkpoint": (await store.checkpoints.unfinished(LATER, limit=1))[0].checkpoint,
        "deed": (await store.deeds.deeds_of("x", limit=1))[0],
        "desk_session": await store.desk_sessions.find("x"),
        "draft": await store.drafts.draft(OWNER, "x", at=AT),
        "end": store.ends.of("posts", "another"),
        "fetch": fetch,
        "identity": held.identity if held else None,
        "inbound": inbound,
        "mandate": await store.mandates.find("x"),
        "notice": (await store.notices.notices(["x"]))["x"].notice,
        "officer": (await store.accounts.known("x")).officer,
        "outbound": outbound,
        "person": await store.people.person("x"),
        "post": await store.posts.post("x"),
        "session": await store.people.session("x", at=AT),
        "showing": (await store.showings.of_owner(OWNER, limit=1))[0],
        "task": await store.tasks.task(values()["task"].id),
        "visit": await store.visits.find("x"),
        "warning": (await store.warnings.warnings([("x", values()["warning"].reader)], limit=1))[0],
    }


async def change(store: Store) -> None:
    """What a day brings: each document is written again, as far as its room ever does that."""
    now = await read(store)
    await _change_people(store, now)
    await _act(store, await store.cases.case(CASE), worked("first", officer())[1], these={})
    for kind in ("claim", "draft"):
        now[kind] = now[kind].model_copy(update={"version": 2})
    await store.claims.put(now["claim"])
    await store.drafts.keep(OWNER, now["draft"])
    await store.materials.keep(OWNER, now["upload"], b"x")
    await store.apart.put(over(now["apart"], at=AT))
    await store.calendar.put(now["calendar"])
    await store.notices.claim((await store.notices.notices(["x"]))["x"], at=AT)
    await store.fetches.take(now["fetch"], until=LATER)
    [paper] = await store.papers.due(LATER, limit=1)
    await store.papers.move(paper, until=LATER, number="1")
    await store.papers.runs.move(RUN, lambda run: run.taken("B"))
    await store.tasks.redate(now["task"], "2026-12-24")
    await store.alarms["cases"].advance(CASE, LATER, event=1)
    suspend = SuspendLicence(id="suspend", by=ISSUE.by, reason="x", basis="x")
    await _act_on_licence(store, ISSUE.grant.id, suspend)
    later = now["known_licence"].told.model_copy(update={"version": 2})
    await store.known_licences.keep(now["known_licence"].model_copy(update={"told": later}), alarm=LATER)
    await store.showings.change(now["showing"].model_copy(update={"version": 2}))
    [kept] = await store.checkpoints.unfinished(LATER, limit=1)
    await store.checkpoints.take_over(kept, until=AT)
    await _count(store, now["counts"])
    await _wait(store, lot=2)
    await _change_node(store, now)
    await _change_exchange(store)


async def _change_people(store: Store, now: Mapping[str, Any]) -> None:
    await store.posts.end("x", at=AT)
    await store.desk_sessions.see(now["desk_session"], AT)
    await store.people.change_session(now["session"].model_copy(update={"version": 2}), expires_at=LATER)
    await store.people.keep_person(now["person"], openid="other")
    await store.accounts.set_password(await store.accounts.known("x"), "another password", is_one_time=False)
    await store.mandates.revoke("x", at=AT)
    await store.attempts.change("lane", lambda lane: lane.model_copy(update={"version": 2}), at=AT)
    await store.dishonest.add(["person", "people"])


async def _change_node(store: Store, now: Mapping[str, Any]) -> None:
    await store.identity.claim(now["identity"].model_copy(update={"checks": {"more": "x"}}), incarnation="i")
    await store.audit.count("one", "case.read", at=AT, about={"officer": "anna"})
    for chain in (store.audit.chain, store.heads.chain):
        beginning = await chain.beginning()
        await chain.begin(beginning)
    await store.clocks.beat(Beat(machine="m", at=LATER, state="trusted", text=""))
    await store.clocks.accept_stored(LATER)


async def _change_exchange(store: Store) -> None:
    await store.directories.keep(2, "signed again")
    await store.peers.change(ZHEJIANG, lambda state: replace(state, head=9))
    before = await store.peers.outbound(ZHEJIANG)
    await store.peers.take(ZHEJIANG, before, replace(before, head=10))
    await store.peers.keep_inbound(ZHEJIANG, head=9)
    await store.peers.witness(ZHEJIANG, "audit", ChainHead(number=2, hash="i"))
    await store.letters_in.mark_settled(await store.letters_in.due(LATER, limit=1))
    await store.log("out", ZHEJIANG).mark_receipted(Position(1, 1), example(Evidence))
    await store.letters_out.mark_logged(ZHEJIANG, ["01" * 32], Position(1, 1))


def colours(value: Any) -> Iterator[str]:
    """What the member says in each value inside."""
    return (getattr(each, MEMBER) for each in values_in(value) if hasattr(each, MEMBER))


async def main(uri: str, folder: str, what: str, *names: str) -> None:
    """Write with the member, or print what it is in each database."""
    told = []
    for name in names:
        async with opened(uri, name, Path(folder)) as store:
            if what == "write":
                await write(store, paint=True)
            else:
                told.append({name: sorted(set(colours(value))) for name, value in (await read(store)).items()})
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
