"""Whose database it is, as it stands in the database and, by the incarnation alone, in the folder of files.

One document, and one empty file `incarnation-<id>`. Who copies the database alone, or names the wrong one, has no such
file; who copies both opens the database at another place or for another origin.
"""

import os
from contextlib import suppress
from pathlib import Path

from server.domain.errors import StaleVersion, Unavailable
from server.domain.identity import (
    ADOPT,
    FolderOfAnother,
    FolderTaken,
    Held,
    Identity,
    NotOurDatabase,
    Use,
    differences,
    gained,
)
from server.store.database import Database, Document, Duplicate
from server.store.members import read

NODE, IDENTITY = "node", "identity"
RETIRED = "retired"
NEW, MARKED = "new", "marked"  # whether its folder has its mark
MARK = "incarnation-"


class Identities:
    """The one identity of this database, and the mark of it in the folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    async def held(self) -> Held | None:
        """What stands in the database, or None if nothing does yet."""
        document = await self._database.get(NODE, IDENTITY)
        return _held(document) if document else None

    async def key_names(self) -> frozenset[str]:
        """All keys that this database has ever known, by ring and id (`fields:<key id>`), also those retired."""
        document = await self._database.get(NODE, IDENTITY)
        return frozenset(document["checks"]) if document else frozenset()

    async def retire(self, name: str) -> None:
        """Let a key of a ring be missing in the key file from now on, or be there; raises StaleVersion."""
        document = await self._database.get(NODE, IDENTITY)
        retired = sorted({*document.get(RETIRED, ()), name}) if document else []
        if document is None or not await self._put({**document, RETIRED: retired}):
            raise StaleVersion("另一个进程刚刚修改了节点信息，请重试。")

    async def claim(self, ours: Identity, *, incarnation: str) -> Held:
        """See that the database is ours; if it is nobody's yet it becomes ours, with this fresh incarnation.

        Nothing is written where nothing is missing. Raises NotOurDatabase's kin.
        """
        document = await self._database.get(NODE, IDENTITY) or await self._found(ours, incarnation)
        held = _held(document)
        for fault in self.faults(held, ours):
            raise fault
        checks = {**document["checks"], **gained(held.identity, ours)}
        if not held.is_marked:
            self._give_mark(held.incarnation)
        if checks != document["checks"] or not held.is_marked:
            with suppress(Unavailable):  # a full database is still read, and the next start tries again
                await self._put({**document, "checks": checks, "state": MARKED})
        return held

    async def adopt(self, ours: Identity, use: Use, *, incarnation: str) -> None:
        """Make the database ours, whatever it was, under this fresh incarnation; raises what nobody may adopt.

        Its folder is marked anew. In production the mark before is taken away, so that the database from which this one
        was copied does not start on this folder again. Raises NotOurDatabase's kin, and StaleVersion.
        """
        document = await self._database.get(NODE, IDENTITY)
        if document is None:
            await self._insert(ours, use, incarnation=incarnation)
        else:
            held = _held(document)
            for fault in self.faults(held, ours):
                if not fault.may_adopt:
                    raise fault
            checks = {**document["checks"], **ours.checks}
            if not await self._put({**document, **_written(ours, use, incarnation=incarnation), "checks": checks}):
                raise StaleVersion("另一个进程刚刚接管了该数据库，请重新查看。")
            if use == "production":
                self._mark(held.incarnation).unlink(missing_ok=True)
        await self.claim(ours, incarnation=incarnation)

    def faults(self, held: Held | None, ours: Identity) -> list[NotOurDatabase]:
        """Why a process that is `ours` may not open a database in which this stands, the gravest first."""
        if held is None:
            return self._taken(ours)
        found = list(differences(held.identity, ours))
        if held.is_marked and not self._mark(held.incarnation).exists():
            name = self._mark(held.incarnation).name
            found.append(
                FolderOfAnother(
                    f"`data_folder` ({self._folder}) is not that of this database: no {name} is in it. {ADOPT}"
                )
            )
        return found

    async def _found(self, ours: Identity, incarnation: str) -> Document:
        """The document of a database that had none a moment ago, whoever was first to write it."""
        taken = self._taken(ours)
        if document := await self._database.get(NODE, IDENTITY):  # read after the folder: it is written before the mark
            return document
        for fault in taken:
            raise fault
        with suppress(Duplicate):
            await self._insert(ours, "production", incarnation=incarnation)
        return await self._found(ours, incarnation)

    def _taken(self, ours: Identity) -> list[NotOurDatabase]:
        """Why a database of nobody may not be given this folder."""
        marks = sorted(each.name for each in self._folder.glob(MARK + "*"))
        text = (
            f"the database {ours.place} is of nobody yet, and `data_folder` ({self._folder}) is that of another one: "
            f"{', '.join(marks)} is in it. A new node needs a folder of its own. {ADOPT}"
        )
        return [FolderTaken(text)] if marks else []

    async def _insert(self, ours: Identity, use: Use, *, incarnation: str) -> None:
        written = _written(ours, use, incarnation=incarnation)
        await self._database.insert(NODE, {"_id": IDENTITY, "version": 1, **written})

    async def _put(self, document: Document) -> bool:
        """Put the document in the place of what it was read from; False if that has changed."""
        version = document["version"]
        return await self._database.replace(NODE, {**document, "version": version + 1}, version=version)

    def _mark(self, incarnation: str) -> Path:
        return self._folder / f"{MARK}{incarnation}"

    def _give_mark(self, incarnation: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._mark(incarnation).touch()
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _written(ours: Identity, use: Use, *, incarnation: str) -> Document:
    """What is new in the document of a database that becomes ours; its folder has no mark yet."""
    return ours.model_dump(mode="json") | {"incarnation": incarnation, "use": use, "state": NEW}


def _held(document: Document) -> Held:
    retired = document.get(RETIRED, ())
    checks = {name: value for name, value in document["checks"].items() if name not in retired}
    identity = read(Identity, {**document, "checks": checks})
    is_marked = document["state"] == MARKED
    return Held(identity=identity, incarnation=document["incarnation"], use=document["use"], is_marked=is_marked)
