"""Licences that are to be issued: the act as it waits in the aggregate that it follows from, sealed."""

from collections.abc import Iterable, Mapping
from typing import Any

from server.crypto.fields import DataKey, FieldRing
from server.domain.licence.acts import IssueLicence
from server.store.members import read_text


class Issues:
    """Reads the acts that wait to be done; they go to no room of the store, for they are decided first."""

    def __init__(self, ring: FieldRing) -> None:
        self._ring = ring

    def of(self, effects: Iterable[Mapping[str, Any]]) -> list[IssueLicence]:
        """Those among these effects, in their order; SealBroken if one was altered or moved."""
        return [self._opened(effect["issue"]) for effect in effects if "issue" in effect]

    def _opened(self, issue: Mapping[str, Any]) -> IssueLicence:
        key = self._ring.key(issue["data_key"], issue["act_id"])
        return read_text(IssueLicence, key.open(issue["act"], _place(issue["act_id"])))


def sealed_issue(act: IssueLicence, key: DataKey) -> dict[str, Any]:
    """The act as it waits; its identifier and its id say nothing of anybody."""
    text = key.seal(act.model_dump_json(exclude_defaults=True), _place(act.id))
    return {"act_id": act.id, "licence": act.grant.id, "act": text, "data_key": key.wrapped}


def _place(act_id: str) -> str:
    return f"issue/{act_id}"
