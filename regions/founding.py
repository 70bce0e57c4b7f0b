"""Founding: keys for nodes, and the signed directory that makes them known to each other."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from server.crypto import base64url
from server.crypto.keyring import NodeKeys, make_keys, make_publisher_key, save_keys, save_publisher_key
from server.crypto.publishing import publish
from server.domain.exchange.directory import Directory, NodeEntry, NodeKey

VALID_FOR = timedelta(days=365)


def found(folder: Path, origins: Mapping[str, str], names: Mapping[str, str], *, at: datetime) -> str:
    """Make keys for each node (division -> origin) and a directory of them; answers the publisher's public key.

    Writes `<division>.keys.json` and `publisher.json`, both with mode 600, and `directory.jws`. Raises
    KeyFileExists rather than overwrite a key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    publisher = make_publisher_key()
    save_publisher_key(publisher, folder / "publisher.json")
    entries = []
    for division, origin in origins.items():
        keys = make_keys(division)
        save_keys(keys, folder / f"{division}.keys.json")
        entries.append(entry_of(keys, origin, names.get(division, division), at=at))
    directory = Directory(version=1, issued_at=at, nodes=tuple(entries))
    (folder / "directory.jws").write_text(publish(publisher, directory.model_dump(mode="json")) + "\n")
    return base64url.encode(publisher.public)


def entry_of(keys: NodeKeys, origin: str, name: str, *, at: datetime) -> NodeEntry:
    """The entry of a node that decides for its whole province, with its public keys valid from now on."""
    published = (("sign", keys.signing), ("encrypt", keys.encryption))
    return NodeEntry(
        node=keys.division,
        name=name,
        origin=origin,
        divisions=(keys.division,),
        keys=tuple(
            NodeKey(
                id=key.id,
                suite=key.suite,
                use=use,
                public=base64url.encode(key.public),
                valid_from=at - timedelta(minutes=10),
                valid_to=at + VALID_FOR,
            )
            for use, key in published
        ),
    )
