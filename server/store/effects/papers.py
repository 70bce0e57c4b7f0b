"""Papers to make: one document for each that a case has asked for, until its file is made; and runs of numbers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from server.domain.apart import Found
from server.domain.case.papers import PaperOrder
from server.domain.papers.numbers import NumberRun, RunName
from server.domain.paperwork.kept import KeptPaper
from server.domain.values import moment_key
from server.store.database import Database, Document, Duplicate, is_safe
from server.store.members import changed, read, rewrite
from server.store.queries import BAR, PAPERS_DUE
from server.store.reading import read_each

PAPERS, RUNS = "papers", "paper_runs"
DUE, ENDED = "due", "ended"


class NumberRuns:
    """The runs of official numbers, each moved by compare-and-set."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def move(self, name: RunName, change: Callable[[NumberRun], NumberRun]) -> NumberRun:
        """The run of this authority, class and year after the change; what changes nothing is not written."""
        while True:
            document = await self._database.get(RUNS, _run_id(name))
            run = read(NumberRun, document) if document else NumberRun(**name.model_dump())
            after = change(run)
            if after == run or await self._put(after, version=document["version"] if document else 0):
                return after

    async def _put(self, run: NumberRun, *, version: int) -> bool:
        """False if another worker has moved the run of this version."""
        document = {"_id": _run_id(run), **run.model_dump(mode="json"), "version": version + 1}
        if version:
            return await rewrite(self._database, RUNS, document["_id"], change=lambda _: document, version=version)
        try:
            await self._database.insert(RUNS, document)
        except Duplicate:
            return False
        return True


class Papers:
    """All papers that cases of this node have asked for, and the `runs` of their numbers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.runs = NumberRuns(database)

    async def put(self, *orders: Mapping[str, Any]) -> None:
        """Put what `written_order` wrote among those to make, unless it is there already."""
        await self._database.insert_many(PAPERS, [_fresh(order) for order in orders])

    async def due(self, now: datetime, *, limit: int) -> Found[KeptPaper]:
        """Those to make now, the longest due first."""
        low, high = BAR.join((DUE, "t")), BAR.join((DUE, moment_key(now), "~"))
        return read_each(await self._database.between(PAPERS_DUE, low, high, limit=limit), _kept)

    async def find(self, id: str) -> KeptPaper | None:
        """The paper of this id, or None; ids come from outside."""
        document = await self._database.get(PAPERS, id) if is_safe(id) else None
        return _kept(document) if document else None

    async def move(self, kept: KeptPaper, *, until: datetime, **change: Any) -> KeptPaper | None:
        """The paper with this change, not due before that moment; None if another worker has moved it."""
        key = BAR.join((DUE, moment_key(until), kept.id))
        return await self._write(kept, key, change)

    async def end(self, kept: KeptPaper, outcome: str) -> KeptPaper | None:
        """The paper once nothing more is to be done for it; None if another worker has moved it."""
        return await self._write(kept, ENDED, {"outcome": outcome, "reason": ""})

    async def forget(self, ids: Sequence[str]) -> None:
        """Delete these."""
        await self._database.delete(PAPERS, ids)

    async def _write(self, kept: KeptPaper, key: str, change: Mapping[str, Any]) -> KeptPaper | None:
        after = kept.model_copy(update={**change, "version": kept.version + 1})
        document = {**changed(kept, after, _members(after)), "key": key}
        is_ours = await rewrite(self._database, PAPERS, kept.id, change=lambda _: document, version=kept.version)
        return after if is_ours else None


def written_order(order: PaperOrder) -> dict[str, Any]:
    """An order as it waits in its case."""
    return {**order.model_dump(mode="json", exclude={"at"}), "at": moment_key(order.at)}


def _fresh(order: Mapping[str, Any]) -> Document:
    """What waits in the case, with all that a newer program says of it."""
    kept = KeptPaper(id=order["paper"], case=order["case"], step=order["step"], event=order["event"])
    more = {name: told for name, told in order.items() if name not in ("paper", "at")}
    return {**more, **_document(kept, BAR.join((DUE, order["at"], kept.id)))}


def _document(kept: KeptPaper, key: str) -> Document:
    return {"_id": kept.id, "key": key, **_members(kept)}


def _members(kept: KeptPaper) -> Document:
    return kept.model_dump(mode="json", exclude={"id"})


def _kept(document: Document) -> KeptPaper:
    return read(KeptPaper, {**document, "id": document["_id"]})


def _run_id(run: RunName) -> str:
    return BAR.join(("r:" + quote(run.authority, safe=""), quote(run.word, safe=""), str(run.year)))
