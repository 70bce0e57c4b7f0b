"""Somebody who can write to the databases of two running nodes and has none of their keys, and the doors that tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.desk.background import case_verifying, verifying
from server.node import Node
from server.store.aggregates.links import link_after
from tests.nodes import Caller, Places, settle_here
from tests.world import JIANGSU, ZHEJIANG

Document = dict[str, Any]
FIRST, FAR = "birth_certificate", "household_registration"
FORGED = "forged"


@dataclass
class Raw:
    """The database of one node, as a client of the driver sees it."""

    collections: Any
    was: dict[str, dict[str, Document]] = field(default_factory=dict)

    def all(self, collection: str) -> dict[str, Document]:
        """All documents of a collection, by id."""
        return {document["_id"]: document for document in self.collections[collection].find()}

    def one(self, collection: str, id: str = "", **said: Any) -> Document:
        """The document under this id, or the only one that says this."""
        found = list(self.collections[collection].find({"_id": id} if id else said))
        assert found, f"no such document in {collection}"
        return dict(found[0])

    def set(self, collection: str, id: str, **members: Any) -> None:
        """Write other values into members of a document."""
        assert self.collections[collection].update_one({"_id": id}, {"$set": members}).matched_count == 1

    def put(self, collection: str, document: Mapping[str, Any], **change: Any) -> None:
        """Put a document where it was not, or in the place of the one that is there."""
        whole = {**document, **change}
        self.collections[collection].replace_one({"_id": whole["_id"]}, whole, upsert=True)

    def remove(self, collection: str, *ids: str) -> None:
        """Remove documents that are there."""
        assert self.collections[collection].delete_many({"_id": {"$in": ids}}).deleted_count == len(ids)

    def remember(self) -> None:
        """Remember everything that is here."""
        self.was = {name: self.all(name) for name in self.collections.list_collection_names()}

    def restore(self) -> None:
        """Put everything back as it was when it was remembered."""
        for name in self.collections.list_collection_names():
            was, now = self.was.get(name, {}), self.all(name)
            for id in now.keys() - was.keys():
                self.collections[name].delete_one({"_id": id})
            for id, document in was.items():
                if now.get(id) != document:
                    self.collections[name].replace_one({"_id": id}, document, upsert=True)


@dataclass
class Scene:
    """Two provinces with a few cases and people, and their databases, which may be written to."""

    places: Places
    here: Raw
    there: Raw
    mother: Caller
    stranger: Caller
    health: Caller
    police: Caller
    home: str  # accepted here, decided by nobody yet
    other: str  # the stranger's, the same
    far: str  # decided here, on a desk in Zhejiang
    before: dict[str, list[Document]]  # older documents of this node, by collection
    more: dict[str, Any] = field(default_factory=dict)

    def node(self, division: str = JIANGSU) -> Node:
        """A running node."""
        return self.places.nodes[division].node

    def case(self, id: str = "") -> Document:
        """The document of a case here, of the mother's unless another one is named."""
        return self.here.one("cases", id or self.home)

    def key_of(self, citizen: str) -> str:
        """Under which key the mother or the stranger is known here: whoever reads the database sees it."""
        return str(self.case(self.home if citizen == "mother" else self.other)["owner_key"]).partition("|")[0]

    async def carry(self) -> None:
        """Let both nodes do what follows by itself."""
        for division in (JIANGSU, ZHEJIANG):
            await settle_here(self.places.nodes[division])

    def letters(self) -> set[tuple[str, str]]:
        """All letters that the nodes have written and received, by collection and id."""
        return {
            (f"{raw.collections.name} {name}", id)
            for raw in (self.here, self.there)
            for name in ("letters_out", "letters_in")
            for id in raw.all(name)
        }

    def forged_chain(self, document: Document, events: Sequence[Document]) -> Document:
        """A document whose chain of events is in order, as anybody can make one who has read the code."""
        link = ""
        for event in events:
            link = link_after(link, event)
        return {**document, "events": list(events), "link": link, "version": len(events)}

    async def audit(self) -> set[str]:
        """The troubles that `audit verify` tells, some time later."""
        self.node().clock.wait(minutes=2)  # type: ignore[attr-defined]
        return {each.trouble for each in (await verifying.verify(self.node())).findings}

    async def cases(self) -> set[str]:
        """The troubles that `cases verify` tells, some time later."""
        self.node().clock.wait(minutes=2)  # type: ignore[attr-defined]
        found = await case_verifying.verify_cases(self.node(), tell=verifying.silent)
        return {each.trouble for each in found.findings}
