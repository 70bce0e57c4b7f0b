"""A driver listener that holds every command to the portable subset and to the table of queries."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from server.store.database import LOOKS_LIKE_A_DATE, Query

Command = Mapping[str, Any]

FREE = frozenset({"ping", "hello", "isMaster", "endSessions", "getMore", "killCursors"})
FIND = frozenset(
    {"find", "filter", "projection", "sort", "limit", "singleBatch", "readConcern", "lsid", "maxTimeMS", "$db"}
)
SURE = {"w": "majority", "j": True}


class Witness(CommandListener):
    """Remembers what was sent, and what of it no server should have been asked."""

    def __init__(self, queries: Sequence[Query]) -> None:
        self.sent: list[Command] = []
        self.faults: list[str] = []
        self._equal = {(query.collection, query.field) for query in queries if not query.is_range}
        self._range = {(query.collection, query.field) for query in queries if query.is_range}
        self._indexed = self._equal | self._range
        self._judges: dict[str, Callable[[Command], bool]] = {
            "insert": self._may_insert,
            "update": self._may_update,
            "delete": self._may_delete,
            "find": self._may_find,
            "createIndexes": self._may_index,
            "listCollections": lambda command: command["nameOnly"] is True,
            "listIndexes": lambda command: bool(
                {collection for collection, _ in self._indexed} & {command["listIndexes"]}
            ),
        }

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(event.command)
        if not self.is_portable(event.command_name, event.command):
            self.faults.append(f"{event.command_name}: {event.command!r:.500}")

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass

    def named(self, name: str) -> list[Command]:
        """The commands of this name, in the order they were sent."""
        return [command for command in self.sent if name in command]

    def is_portable(self, name: str, command: Command) -> bool:
        """Whether every server may be asked this; else a test fails, so a key that is missing is no accident."""
        if name in FREE:
            return True
        return name in self._judges and "maxTimeMS" in command and self._judges[name](command)

    def _may_insert(self, command: Command) -> bool:
        documents = command["documents"]
        return _is_sure(command) and all(_is_operand(document["_id"]) for document in documents)

    def _may_update(self, command: Command) -> bool:
        return _is_sure(command) and all(_may_change(update) for update in command["updates"])

    def _may_delete(self, command: Command) -> bool:
        return _is_sure(command) and all(list(one["q"]) == ["_id"] and _is_list(one["q"]) for one in command["deletes"])

    def _may_index(self, command: Command) -> bool:
        fields = [list(index["key"].items()) for index in command["indexes"]]
        return all(len(one) == 1 and (command["createIndexes"], one[0][0]) in self._indexed for one in fields)

    def _may_find(self, command: Command) -> bool:
        if not FIND.issuperset(command) or command.get("readConcern") != {"level": "majority"}:
            return False
        wanted = command["filter"]
        if len(wanted) != 1:
            return False
        [(field, operand)] = wanted.items()
        if field == "_id":
            return "projection" not in command and (_is_operand(operand) or _is_list(wanted) or _is_walk(command))
        if command.get("limit", 0) < 1:
            return False
        if _is_operand(operand):
            return (command["find"], field) in self._equal and not {"sort", "projection"} & set(command)
        is_range = isinstance(operand, dict) and list(operand) == ["$gte", "$lt"]
        return (
            is_range
            and all(_is_operand(bound) for bound in operand.values())
            and (command["find"], field) in self._range
            and list(command.get("sort", ())) == [field]
            and _shows_plainly(command.get("projection", {}), field)
        )


def _shows_plainly(shown: Command, field: str) -> bool:
    """Whole documents, the one field alone, or several members each by its name."""
    are_names = all(show == 1 and name.isidentifier() for name, show in shown.items())
    return shown == {field: 1, "_id": 0} or (are_names and len(shown) != 1)


def _may_change(update: Command) -> bool:
    wanted, change = update["q"], update["u"]
    if list(wanted) not in (["_id"], ["_id", "version"], ["_id", "proof"]) or not _is_operand(wanted["_id"]):
        return False
    if update.get("multi"):
        return False
    if update.get("upsert"):
        return list(wanted["version"]) == ["$lt"] and change["version"] == wanted["version"]["$lt"]
    if "proof" in wanted:
        return _is_operand(wanted["proof"]) and list(change) == ["$set"]
    if "$set" in change:
        return list(change) == ["$set"] and all(type(one) in (str, int) for one in change["$set"].values())
    return "version" in wanted and not any(key.startswith("$") for key in change)


def _is_list(wanted: Command) -> bool:
    operand = wanted["_id"]
    return isinstance(operand, dict) and list(operand) == ["$in"] and all(_is_operand(one) for one in operand["$in"])


def _is_walk(command: Command) -> bool:
    operand = command["filter"]["_id"]
    is_bounded = command.get("limit", 0) >= 1 and list(command.get("sort", ())) == ["_id"]
    return isinstance(operand, dict) and list(operand) == ["$gt"] and _is_operand(operand["$gt"]) and is_bounded


def _is_operand(value: Any) -> bool:
    return isinstance(value, str) and not LOOKS_LIKE_A_DATE.match(value)


def _is_sure(command: Command) -> bool:
    return command.get("writeConcern") == SURE
