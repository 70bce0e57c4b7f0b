"""The store of one node: every room of it by its noun, over one database."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from server.crypto.fields import FieldRing
from server.crypto.keyring import NodeKeys
from server.domain.aggregate.records import AnyRecord
from server.domain.chains import ChainName
from server.domain.errors import WrittenByNewer
from server.store.aggregates.aggregates import Aggregates
from server.store.aggregates.alarms import Alarms
from server.store.aggregates.heads import HistoryHeads
from server.store.aggregates.histories import Histories
from server.store.aggregates.intake import Intake
from server.store.apart import Apart
from server.store.audit import Audit
from server.store.audit_evidence import AuditEvidence
from server.store.blobs import Blobs
from server.store.cases.case_documents import CASES, CaseDocuments
from server.store.cases.cases import Cases
from server.store.cases.drafts import Drafts
from server.store.cases.materials import Materials
from server.store.cases.plans import Plans
from server.store.cases.visits import Visits
from server.store.catalogues import Catalogues
from server.store.chains import KeptChain
from server.store.clocks import Clocks
from server.store.database import WalkableDatabase
from server.store.effects.checkpoints import Checkpoints
from server.store.effects.claims import Claims
from server.store.effects.clues import Clues
from server.store.effects.counts import Counts
from server.store.effects.deeds import Deeds
from server.store.effects.fetches import Fetches
from server.store.effects.issues import Issues
from server.store.effects.notices import Notices
from server.store.effects.papers import Papers
from server.store.effects.projection import ProjectedCalendar
from server.store.effects.tasks import Tasks
from server.store.effects.warnings import Warnings
from server.store.ends import Ends
from server.store.exchange.directories import Directories
from server.store.exchange.erasing import LettersAbout
from server.store.exchange.exchange import ExchangeLog
from server.store.exchange.letters_in import LettersIn
from server.store.exchange.letters_out import LettersOut
from server.store.exchange.peers import Peers
from server.store.format import NUMBER
from server.store.identity import Identities
from server.store.licences.known import KnownLicences
from server.store.licences.licences import LICENCE_KIND, LICENCES, Licences
from server.store.licences.showings import Showings
from server.store.licences.uses import LicenceUses
from server.store.numbers import Numbers
from server.store.people.accounts import Accounts
from server.store.people.attempts import Attempts
from server.store.people.desk_sessions import DeskSessions
from server.store.people.dishonest import Dishonest
from server.store.people.mandates import Mandates
from server.store.people.people import People
from server.store.people.posts import Posts
from server.store.people.second_factors import SecondFactors
from server.store.proven import ProvenDatabase
from server.store.queries import EXPIRED, KNOWN_ALARMS_DUE, hour_bucket
from server.store.rings import Rings
from server.store.waiting import WaitingRooms

EXPIRED_AT_ONCE = 500
First = tuple[ProvenDatabase, Identities, Ends, Rings, Numbers]


@dataclass(frozen=True)
class Store:
    """All rooms; `log` gives the log of one direction and peer."""

    database: ProvenDatabase
    identity: Identities
    ends: Ends
    rings: Rings
    numbers: Numbers
    cases: Cases
    licences: Licences
    known_licences: KnownLicences
    showings: Showings
    licence_uses: LicenceUses
    issues: Issues
    visits: Visits
    tasks: Tasks
    claims: Claims
    clues: Clues
    deeds: Deeds
    counts: Counts
    letters_in: LettersIn
    letters_out: LettersOut
    notices: Notices
    checkpoints: Checkpoints
    warnings: Warnings
    apart: Apart
    calendar: ProjectedCalendar
    people: People
    accounts: Accounts
    posts: Posts
    second_factors: SecondFactors
    desk_sessions: DeskSessions
    materials: Materials
    fetches: Fetches
    papers: Papers
    drafts: Drafts
    mandates: Mandates
    peers: Peers
    audit: Audit
    clocks: Clocks
    attempts: Attempts
    directories: Directories
    dishonest: Dishonest
    catalogues: Catalogues
    waiting: WaitingRooms
    log: Callable[[str, str], ExchangeLog]

    @property
    def aggregates(self) -> Mapping[str, Aggregates[Any, Any, Any]]:
        """The room of each kind of aggregate, by its collection."""
        return {CASES: self.cases, LICENCES: self.licences}

    @property
    def alarms(self) -> Mapping[str, Alarms]:
        """The alarms of each kind of aggregate, and of what is known of others' licences, by collection."""
        queries = [*(room.kind.queries.alarms_due for room in self.aggregates.values()), KNOWN_ALARMS_DUE]
        return {query.collection: Alarms(self.database, query) for query in queries}

    @property
    def intake(self) -> Intake:
        """The group commit of new cases."""
        return self.cases.intake

    @property
    def heads(self) -> HistoryHeads:
        """How far all aggregates have come, told outside of them."""
        return self.cases.heads

    @property
    def chains(self) -> Mapping[ChainName, KeptChain]:
        """The chains by their names."""
        audit, heads = self.audit, self.heads
        return {"audit": KeptChain(audit.chain, audit.files), "heads": KeptChain(heads.chain, heads.files)}

    async def mark_relayed(self, records: Sequence[AnyRecord]) -> None:
        """Mark all effects of these records, of any kinds, as relayed."""
        for kind, room in self.aggregates.items():
            if some := [record for record in records if record.kind == kind]:
                await room.mark_relayed(some)

    async def oldest_relay(self) -> datetime | None:
        """The moment of the oldest commit, of whatever kind, whose effects are not known to be carried, or None."""
        found = [await room.oldest_relay() for room in self.aggregates.values()]
        return min((each for each in found if each), default=None)

    async def carry(self, effects: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Carry effects from their aggregates to their rooms, all of one kind in one round trip; how many of each kind.

        What is to be done to another aggregate has no room: it is left to the desk.
        Raises WrittenByNewer if one of them is of no kind that is known here, with all others carried.
        """
        rooms: Mapping[str, Callable[..., Awaitable[None]]] = {
            "task": self._put_tasks,
            "letter": self.letters_out.put,
            "notice": self.notices.put,
            "fetch": self.fetches.put,
            "clues": self.clues.put,
            "deed": self.deeds.put,
            "paper": self.papers.put,
        }
        waiting = {kind: [effect[kind] for effect in effects if kind in effect] for kind in rooms}
        for kind, documents in waiting.items():
            if documents:
                await rooms[kind](*documents)
        unknown = [effect for effect in effects if not effect.keys() & {*rooms, "issue"}]
        if unknown:
            kinds = sorted({name for effect in unknown for name in effect} - {"event", "index"})
            raise WrittenByNewer("effects", ", ".join(kinds))
        return {kind: len(documents) for kind, documents in waiting.items() if documents}

    async def _put_tasks(self, *tasks: dict[str, Any]) -> None:
        await self.tasks.put(*tasks)
        await self.counts.mark_stale({task[place] for task in tasks for place in ("authority", "left")} - {""})

    @property
    def audit_evidence(self) -> AuditEvidence:
        """The audit as it lies in the database, whether it can be believed or not."""
        return AuditEvidence(self.database.bare, self.database.is_ours)

    @property
    def letters_about(self) -> LettersAbout:
        """The letters about one case, ours and those of others."""
        return LettersAbout(self.database)

    @property
    def data_format(self) -> int:
        """The number of the format of what is stored; no node starts on data of another."""
        return NUMBER

    @property
    def expiring(self) -> tuple[str, ...]:
        """The rooms that hold what expires, by name."""
        return tuple(EXPIRED)

    async def forget_expired(self, room: str, hour: datetime) -> int:
        """Delete what expired there in the hour of this moment or before, as much as goes at once; how many went."""
        query = EXPIRED[room]
        found = await self.database.between(query, "h", hour_bucket(hour) + "!", limit=EXPIRED_AT_ONCE)
        await self.database.delete(query.collection, [document["_id"] for document in found])
        return len(found)


def open_store(bare: WalkableDatabase, keys: NodeKeys, folder: Path, *, here: str, relay_due_seconds: float) -> Store:
    """The store of the node of division `here` over a database without proofs; `folder` holds the blobs."""
    (first, database, ends), ring, blobs = _ground(bare, keys, folder)
    return Store(
        *first,
        *_aggregates(database, keys, folder, here=here, due=timedelta(seconds=relay_due_seconds)),
        issues=Issues(ring),
        visits=Visits(database, ring),
        tasks=Tasks(database),
        claims=Claims(database, ring),
        clues=Clues(database, ring),
        deeds=Deeds(database),
        counts=Counts(database),
        letters_in=LettersIn(database, ring),
        letters_out=LettersOut(database, ring),
        notices=Notices(database),
        checkpoints=Checkpoints(database),
        warnings=Warnings(database),
        apart=Apart(database),
        calendar=ProjectedCalendar(database),
        people=People(database, ring, ends),
        accounts=Accounts(database, ends),
        posts=Posts(database, ends),
        second_factors=SecondFactors(database, ring, ends),
        desk_sessions=DeskSessions(database, ends),
        materials=Materials(database, ring, blobs),
        fetches=Fetches(database, ring, blobs),
        papers=Papers(database),
        drafts=Drafts(database, ring),
        mandates=Mandates(database, ring, ends),
        peers=Peers(database),
        audit=Audit(database, folder),
        clocks=Clocks(database),
        attempts=Attempts(database),
        directories=Directories(database),
        dishonest=Dishonest(database, ends),
        catalogues=Catalogues(database),
        waiting=WaitingRooms(database),
        log=lambda direction, peer: ExchangeLog(database, ring, direction=direction, peer=peer),
    )


def _ground(
    bare: WalkableDatabase, keys: NodeKeys, folder: Path
) -> tuple[tuple[First, ProvenDatabase, Ends], FieldRing, Blobs]:
    """What comes first in a store, and what else its rooms stand on."""
    database, blobs = ProvenDatabase(bare, keys.integrity), Blobs(folder, keys.fields)
    rings, ends = Rings(database, keys.fields, blobs), Ends(database, folder)
    first = (database, Identities(database, folder), ends, rings, Numbers(database, keys))
    return (first, database, ends), keys.fields, blobs


def _aggregates(
    database: ProvenDatabase, keys: NodeKeys, folder: Path, *, here: str, due: timedelta
) -> tuple[Cases, Licences, KnownLicences, Showings, LicenceUses]:
    """The rooms of all kinds of aggregates, whose heads stand in one chain, and what stands beside licences."""
    documents = CaseDocuments(keys, Plans(database), here=here, relay_due=due)
    histories = Histories(LICENCE_KIND, keys, relay_due=due)
    heads = HistoryHeads(database, [documents, histories], folder)
    cases = Cases(database, documents, Intake(database, CASES), heads=heads)
    licences, ring = Aggregates(database, histories, heads=heads), keys.fields
    return cases, licences, KnownLicences(database, ring), Showings(database, ring), LicenceUses(database, ring)
