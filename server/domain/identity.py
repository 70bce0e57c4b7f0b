"""Whose database it is: what stands in it of its node, and what tells a process of that node from all others."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from server.domain.values import Value

Use = Literal["production", "drill"]

# Nothing that is stored hangs on these: with others the node speaks to phones and nodes, no more. All others stay.
REPLACEABLE = frozenset({"signing", "encryption", "tokens"})
ADOPT = (
    "If it is a copy, or the node has moved or a backup was put back: `python -m server adopt` says what it would do. "
    "If not, correct the settings."
)


class Identity(Value):
    """What a node is by its settings and its keys.

    `database` is the name of its database, on the servers `hosts` (each `name:port`, in any order). `checks` are the
    check values of its keys: by the name of the secret, for a ring by that name, a colon and the id of the key.
    """

    division: str
    origin: str
    database: str
    hosts: tuple[str, ...]
    checks: Mapping[str, str]

    @property
    def place(self) -> str:
        """Where its database is, for people."""
        return f"{self.database} at {','.join(self.hosts)}"


class Held(Value):
    """What stands in a database: of which node it is, its incarnation (a random id), and for what it is used.

    `is_marked` tells that its folder of files has been given the mark of the incarnation.
    """

    identity: Identity
    incarnation: str
    use: Use
    is_marked: bool


class NotOurDatabase(ValueError):
    """What the settings name does not belong together. `may_adopt` tells whether an operator may say that it does."""

    code: ClassVar[str] = "not_our_database"
    may_adopt: ClassVar[bool] = True

    def __init__(self, sentences: str) -> None:
        super().__init__(f"{self.code}: {sentences}")


class DatabaseOfAnotherNode(NotOurDatabase):
    """The database belongs to the node of another division."""

    code = "database_of_another_node"
    may_adopt = False


class OtherKeys(NotOurDatabase):
    """The key file is not the one with which the database was written."""

    code = "other_keys"
    may_adopt = False


class KeyLost(NotOurDatabase):
    """A ring of the key file lacks a key that it had."""

    code = "key_lost"
    may_adopt = False


class KeysReplaced(NotOurDatabase):
    """Keys were replaced on which nothing hangs that is stored."""

    code = "keys_replaced"


class OriginChanged(NotOurDatabase):
    """The node of the database has another address."""

    code = "origin_changed"


class DatabaseMoved(NotOurDatabase):
    """The database says that it is another one, or stands elsewhere."""

    code = "database_moved"


class FolderOfAnother(NotOurDatabase):
    """The folder of files has no mark of the database's incarnation."""

    code = "folder_of_another"


class FolderTaken(NotOurDatabase):
    """The database is empty, and its folder of files belongs to another one."""

    code = "folder_taken"


class DrillOnly(NotOurDatabase):
    """The database was adopted as a drill, and a process was started that would speak for it."""

    code = "drill_only"


def differences(held: Identity, ours: Identity) -> Iterator[NotOurDatabase]:
    """Why a process that is `ours` may not open a database that is `held`, the gravest first; nothing if it may.

    A key that only we have is no difference: a ring gained it, or a newer program knows one more secret. So is a secret
    that only the database knows: an older program does not.
    """
    if held.division != ours.division:
        yield DatabaseOfAnotherNode(
            f"the database {ours.place} belongs to the node of {held.division}, and the settings are those of "
            f"{ours.division}. Correct `mongodb_uri` or `database`."
        )
    yield from _keys(held.checks, ours.checks)
    if held.origin != ours.origin:
        yield OriginChanged(
            f"the database belongs to the node at {held.origin}, and `origin` of the settings is {ours.origin}. {ADOPT}"
        )
    if held.database != ours.database or not set(held.hosts) & set(ours.hosts):
        yield DatabaseMoved(
            f"the database says that it is {held.place}, and it was opened as {ours.place}. {ADOPT} "
            "All processes of a node name its servers alike, or at least one of them."
        )


def gained(held: Identity, ours: Identity) -> Mapping[str, str]:
    """The check values that the database does not know yet."""
    return {name: value for name, value in ours.checks.items() if name not in held.checks}


def _keys(held: Mapping[str, str], ours: Mapping[str, str]) -> Iterator[NotOurDatabase]:
    changed = {name for name in held.keys() & ours.keys() if held[name] != ours[name]}
    if kept := changed - REPLACEABLE:
        yield OtherKeys(
            f"`keys_file` is not the key file with which this database was written: its {_all(kept)} differ. With it "
            "nothing here could be read or found again. Put the right key file back from the backup of keys."
        )
    elif changed:
        yield KeysReplaced(f"`keys_file` has another key than before for {_all(changed)}. {ADOPT}")
    secrets = {name.partition(":")[0] for name in ours}
    if lost := {name for name in held.keys() - ours.keys() if name.partition(":")[0] in secrets}:
        yield KeyLost(
            f"`keys_file` lacks {_all(lost)}, with which a part of this database was written. Put the newest key file "
            "back from the backup of keys: a key that was in use is taken out by `python -m server keys retire` only."
        )


def _all(names: set[str]) -> str:
    return ", ".join(sorted(names))
