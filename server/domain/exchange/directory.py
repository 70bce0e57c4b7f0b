"""The directory of nodes (目录): who decides for which divisions, at which address, with which keys."""

from collections.abc import Iterator

from server.domain.values import Moment, Value


class NodeKey(Value):
    """One public key of a node; `public` is base64url without padding, `use` is `sign` or `encrypt`."""

    id: str
    suite: str
    use: str
    public: str
    valid_from: Moment
    valid_to: Moment
    revoked_at: Moment | None = None

    def is_valid(self, at: Moment) -> bool:
        """Whether a signature made, or a letter sealed, at this moment may rely on the key."""
        return self.valid_from <= at < self.valid_to and (self.revoked_at is None or at < self.revoked_at)


class NodeEntry(Value):
    """One node: its province's code, its name, its origin (`https://host:port`), its divisions and keys."""

    node: str
    name: str
    origin: str
    divisions: tuple[str, ...]
    keys: tuple[NodeKey, ...]

    def key_for(self, use: str, at: Moment) -> NodeKey | None:
        """The key of this use that stays valid longest, if any is valid at the moment."""
        valid = [key for key in self.keys if key.use == use and key.is_valid(at)]
        return max(valid, key=lambda key: key.valid_to, default=None)


class Directory(Value):
    """What the publisher signed: a version that only grows, and the nodes."""

    version: int
    issued_at: Moment
    nodes: tuple[NodeEntry, ...]

    def entry(self, node: str) -> NodeEntry | None:
        """The entry of a node by its code."""
        return next((entry for entry in self.nodes if entry.node == node), None)

    def peers_of(self, node: str) -> Iterator[NodeEntry]:
        """All nodes but this one."""
        return (entry for entry in self.nodes if entry.node != node)

    def signer(self, key_id: str, at: Moment) -> tuple[NodeEntry, NodeKey] | None:
        """Whose signing key this is, if it is valid at the moment."""
        for entry in self.nodes:
            for key in entry.keys:
                if key.id == key_id and key.use == "sign" and key.is_valid(at):
                    return entry, key
        return None
