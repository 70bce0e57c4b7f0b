"""The key file: written once, readable by its owner only, and said plainly when it is not."""

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest

from server.crypto import base64url
from server.crypto.fields import FieldRing
from server.crypto.keyring import (
    KeyFileExists,
    KeyFileOpenToOthers,
    KeyFileUnreadable,
    NodeKeys,
    add_key,
    choose_key,
    load_keys,
    load_publisher_key,
    make_keys,
    make_publisher_key,
    next_key_id,
    remove_key,
    save_keys,
    save_publisher_key,
)


def rewritten(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(content))


def written(path: Path) -> Path:
    save_keys(make_keys("330000"), path)
    return path


def secrets_of(keys: NodeKeys) -> list[bytes]:
    return [
        keys.signing.private.private_bytes_raw(),
        keys.encryption.private.private_bytes_raw(),
        keys.tokens.private.private_bytes_raw(),
        *keys.fields.keys.values(),
        *keys.integrity.keys.values(),
        keys.lookup,
        keys.case_ids,
        keys.materials,
    ]


def test_saved_keys_come_back_the_same(tmp_path: Path):
    keys = make_keys("330000")
    save_keys(keys, tmp_path / "keys.json")
    loaded = load_keys(tmp_path / "keys.json")
    assert secrets_of(loaded) == secrets_of(keys)
    assert (loaded.division, loaded.fields, loaded.integrity) == (keys.division, keys.fields, keys.integrity)
    assert loaded.signing.id == "330000-sign-1"
    assert loaded.encryption.id == "330000-encrypt-1"
    assert loaded.tokens.id == "330000-tokens-1"
    assert loaded.fields.current == "330000-fields-1"
    assert loaded.integrity.current == "330000-integrity-1"


def test_every_secret_of_every_node_is_its_own():
    secrets = secrets_of(make_keys("330000")) + secrets_of(make_keys("330000"))
    assert len(set(secrets)) == len(secrets) == 16
    assert {len(secret) for secret in secrets} == {32}


def test_digests_of_one_node_keep_and_those_of_another_differ(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    first, again, other = load_keys(path), load_keys(path), make_keys("330000")

    def names(keys: NodeKeys) -> list[str]:
        return [
            keys.owner("person", "1"),
            keys.owner("officer", "1"),
            keys.case_number("owner", "key-1"),
            keys.request_digest({"bundle": "birth"}),
            keys.material("00" * 32),
        ]

    assert names(first) == names(again)
    assert len(set(names(first) + names(other))) == 10


def test_keys_never_show_their_secrets():
    keys = make_keys("330000")
    assert repr(keys) == (
        "NodeKeys(division='330000', signing=SigningKey(id='330000-sign-1', suite='international'), "
        "encryption=EncryptionKey(id='330000-encrypt-1', suite='international'), "
        "tokens=SigningKey(id='330000-tokens-1', suite='international'), "
        "fields=FieldRing(current='330000-fields-1'), integrity=IntegrityRing(current='330000-integrity-1'))"
    )


def test_the_file_is_for_its_owner_only_whatever_the_umask(tmp_path: Path):
    before = os.umask(0)
    try:
        path = written(tmp_path / "keys.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_file_is_never_overwritten(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    content = path.read_bytes()
    with pytest.raises(KeyFileExists, match=r"keys\.json already"):
        save_keys(make_keys("330000"), path)
    with pytest.raises(KeyFileExists):
        save_publisher_key(make_publisher_key(), path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o604, 0o601, 0o660])
def test_a_file_open_to_others_is_refused_with_the_remedy(tmp_path: Path, mode: int):
    path = written(tmp_path / "keys.json")
    path.chmod(mode)
    with pytest.raises(KeyFileOpenToOthers, match=rf"mode {mode:o}.*chmod 600 .*keys\.json"):
        load_keys(path)


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path):
    with pytest.raises(KeyFileUnreadable, match=r"nowhere\.json.*No such file.*keys make"):
        load_keys(tmp_path / "nowhere.json")
    with pytest.raises(KeyFileUnreadable, match=r"nowhere\.json"):
        load_publisher_key(tmp_path / "nowhere.json")


def test_a_folder_is_no_key_file(tmp_path: Path):
    with pytest.raises(KeyFileUnreadable):
        load_keys(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", "1", "{}", '{"suite": "guomi"}', '{"suite": "international"}'])
def test_a_file_that_is_no_key_file_is_broken(tmp_path: Path, content: str):
    path = tmp_path / "keys.json"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(KeyFileUnreadable, match=r"keys\.json is broken"):
        load_keys(path)
    with pytest.raises(KeyFileUnreadable, match=r"keys\.json is broken"):
        load_publisher_key(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"division": 330000},
        {"division": ""},
        {"signing": None},
        {"signing": {"id": "a"}},
        {"signing": {"id": "a", "private": "AAAA"}},
        {"tokens": "text"},
        {"lookup": "not base64!"},
        {"case_ids": None},
        {"fields": {"current": "a", "keys": {}}},
        {"fields": {"current": ["a"], "keys": {}}},
        {"fields": {"current": "a", "keys": []}},
        {"fields": []},
    ],
)
def test_a_damaged_key_file_is_refused_without_showing_it(tmp_path: Path, changes: dict[str, object]):
    path = written(tmp_path / "keys.json")
    rewritten(path, **changes)
    with pytest.raises(KeyFileUnreadable, match=r"keys\.json is broken") as caught:
        load_keys(path)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_publisher_key_comes_back_and_is_no_node_key(tmp_path: Path):
    key = make_publisher_key()
    path = tmp_path / "publisher.json"
    save_publisher_key(key, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = load_publisher_key(path)
    assert (loaded.id, loaded.public) == (key.id, key.public)
    with pytest.raises(KeyFileUnreadable):
        load_keys(path)
    with pytest.raises(KeyFileUnreadable):
        load_publisher_key(written(tmp_path / "keys.json"))
    path.chmod(0o644)
    with pytest.raises(KeyFileOpenToOthers):
        load_publisher_key(path)


def test_every_secret_has_a_check_value_which_tells_other_keys_apart_and_nothing_of_the_keys():
    ours, theirs = make_keys("330000"), make_keys("330000")
    for secret in fields(NodeKeys):
        mixed = replace(ours, **{secret.name: getattr(theirs, secret.name)})
        differing = {name for name, value in mixed.check_values().items() if ours.check_values()[name] != value}
        assert {name.partition(":")[0] for name in differing} == {secret.name} - {"division"}
    told = json.dumps(ours.check_values())
    assert not any(text in told for secret in secrets_of(ours) for text in (base64url.encode(secret), secret.hex()))


def test_a_ring_has_a_check_value_for_each_of_its_keys():
    keys = make_keys("330000")
    first = keys.fields.current
    more = replace(keys, fields=FieldRing({**keys.fields.keys, "second": bytes(32)}, "second"))
    values = more.check_values()
    assert values[f"fields:{first}"] == keys.check_values()[f"fields:{first}"]
    assert values.keys() - keys.check_values().keys() == {"fields:second"}


def test_a_secret_of_a_kind_that_nobody_checks_is_an_error():
    with pytest.raises(TypeError, match="no check value is known for the secret lookup"):
        replace(make_keys("330000"), lookup="a text").check_values()


# Keys of rings: added, chosen, removed.


@pytest.mark.parametrize("ring", ["fields", "integrity"])
def test_a_key_is_added_then_chosen_and_the_one_before_removed(tmp_path: Path, ring: str):
    path = written(tmp_path / "keys.json")
    before = load_keys(path)
    old, new = f"330000-{ring}-1", f"330000-{ring}-2"
    add_key(path, ring, new)  # type: ignore[arg-type]
    added = load_keys(path)
    assert (set(getattr(added, ring).keys), getattr(added, ring).current) == ({old, new}, old)
    choose_key(path, ring, new)  # type: ignore[arg-type]
    assert getattr(load_keys(path), ring).current == new
    remove_key(path, ring, old)  # type: ignore[arg-type]
    after = load_keys(path)
    assert getattr(after, ring).keys == {new: getattr(added, ring).keys[new]}
    changed = {name for name, value in before.check_values().items() if after.check_values().get(name) != value}
    assert changed == {f"{ring}:{old}"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_what_a_newer_program_keeps_in_the_file_is_not_lost(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    rewritten(path, tomorrow={"secret": "x"})
    add_key(path, "fields", "330000-fields-2")
    assert json.loads(path.read_text())["tomorrow"] == {"secret": "x"}


def test_a_change_that_leaves_no_keys_of_a_node_changes_nothing(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    before = path.read_bytes()
    with pytest.raises(KeyFileUnreadable):
        remove_key(path, "fields", "330000-fields-1")
    with pytest.raises(KeyFileUnreadable):
        choose_key(path, "integrity", "unknown")
    with pytest.raises(ValueError, match="already"):
        add_key(path, "fields", "330000-fields-1")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_a_file_that_others_may_read_is_not_changed(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    path.chmod(0o640)
    with pytest.raises(KeyFileOpenToOthers):
        add_key(path, "fields", "330000-fields-2")


def test_commands_that_add_keys_at_once_lose_none(tmp_path: Path):
    path = written(tmp_path / "keys.json")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add_key(path, "fields", f"330000-fields-{number}"), range(2, 18)))
    assert len(load_keys(path).fields.keys) == 17


def test_a_link_to_the_file_stays_one(tmp_path: Path):
    path, link = written(tmp_path / "keys.json"), tmp_path / "link.json"
    link.symlink_to(path)
    add_key(link, "fields", "330000-fields-2")
    assert link.is_symlink()
    assert "330000-fields-2" in load_keys(path).fields.keys


def test_the_next_key_has_a_name_that_none_has_had():
    assert next_key_id("330000", "fields", []) == "330000-fields-1"
    known = ["330000-fields-1", "330000-fields-9", "330000-integrity-11", "old", "330000-fields-x"]
    assert next_key_id("330000", "fields", known) == "330000-fields-10"
