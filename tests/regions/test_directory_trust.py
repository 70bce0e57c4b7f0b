"""The directory: only the pinned publisher's, never an older one, and the last good copy when the source fails."""

from datetime import timedelta
from pathlib import Path

import pytest

from regions import directory
from regions.directory import DirectoryFault, first_directory, read_directory
from server.crypto import base64url
from server.crypto.keyring import load_publisher_key, make_publisher_key
from server.crypto.publishing import publish
from server.domain.exchange.directory import Directory
from tests.nodes import Running, running_nodes
from tests.world import JIANGSU, MONDAY, ZHEJIANG

PUBLISHER = make_publisher_key()
PINNED = base64url.encode(PUBLISHER.public)


def published(version: int, key=PUBLISHER) -> str:
    """An empty directory of this version."""
    return publish(key, Directory(version=version, issued_at=MONDAY, nodes=()).model_dump(mode="json"))


def test_a_directory_of_another_publisher_is_refused():
    with pytest.raises(DirectoryFault, match="publisher"):
        read_directory(published(1, make_publisher_key()), PINNED)


def test_a_malformed_directory_is_refused():
    with pytest.raises(DirectoryFault, match="malformed"):
        read_directory(publish(PUBLISHER, {"version": 1}), PINNED)


def test_a_start_takes_the_newer_of_source_and_copy(tmp_path: Path):
    source = tmp_path / "directory.jws"
    source.write_text(published(3))
    assert first_directory(source, PINNED, kept=published(2))[0].version == 3
    assert first_directory(source, PINNED, kept=published(4))[0].version == 4


def test_a_start_without_source_takes_the_copy_and_without_both_fails(tmp_path: Path):
    gone = tmp_path / "gone.jws"
    assert first_directory(gone, PINNED, kept=published(2))[0].version == 2
    with pytest.raises(DirectoryFault, match=r"gone\.jws"):
        first_directory(gone, PINNED, kept=None)


def put(running: Running, *, version: int, change: dict[str, object] | None = None) -> None:
    """Publish another version of the node's directory, truly signed."""
    folder = running.node.settings.directory_file.parent
    key = load_publisher_key(folder / "publisher.json")
    changed = running.node.directory.model_copy(update={"version": version, **(change or {})})
    running.node.settings.directory_file.write_text(publish(key, changed.model_dump(mode="json")))


async def test_a_newer_version_is_taken_up_and_an_older_one_is_not(
    tmp_path: Path, database_uri: str, database_name: str
):
    async with running_nodes(tmp_path, database_uri, database_name, divisions=[JIANGSU]) as places:
        running = places.nodes[JIANGSU]
        put(running, version=5)
        await directory.refresh(running.node)
        assert running.node.directory.version == 5
        put(running, version=4)
        await directory.refresh(running.node)
        assert running.node.directory.version == 5
        running.node.settings.directory_file.write_text("not a directory")
        await directory.refresh(running.node)
        assert running.node.directory.version == 5
        text = await directory.published(running.node)
        assert read_directory(text, running.node.settings.publisher_key).version == 5


async def test_a_revoked_or_expired_key_proves_nothing(tmp_path: Path, database_uri: str, database_name: str):
    async with running_nodes(tmp_path, database_uri, database_name) as places:
        running = places.nodes[JIANGSU]
        node = running.node
        key_id = places.nodes[ZHEJIANG].node.keys.signing.id
        assert directory.known_key(node, key_id).sender == ZHEJIANG
        assert directory.known_key(node, "unheard-of") is None
        for change in ({"revoked_at": node.clock.now()}, {"valid_to": node.clock.now() - timedelta(seconds=1)}):
            entries = tuple(
                entry.model_copy(update={"keys": tuple(key.model_copy(update=change) for key in entry.keys)})
                for entry in node.directory.nodes
            )
            put(running, version=node.directory.version + 1, change={"nodes": entries})
            await directory.refresh(node)
            assert directory.known_key(node, key_id) is None
