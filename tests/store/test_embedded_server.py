"""The demo's database: which server it is, that it is alone on its folder, and that it ends with its parent."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import pytest

from server.demo.database import DatabaseDidNotStart, DataFolderInUse, database_server
from server.store.mongo import MongoDatabase
from server.tools import children
from tests.store.servers import answers

ROOT = Path(__file__).parents[2]
HOLDER = """
import asyncio, pathlib, sys
from server.demo.database import database_server

async def main():
    async with database_server(pathlib.Path(sys.argv[1]), None) as uri:
        print(uri, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""

DEAF = """
import signal, socket, sys

signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""


def port_of(uri: str) -> int:
    return int(uri.rpartition(":")[2])


async def a_process_with_a_database(folder: Path) -> tuple[Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(folder), cwd=ROOT, stdout=PIPE, stderr=DEVNULL
    )
    assert process.stdout
    return process, port_of((await process.stdout.readline()).decode().strip())


def files_held_by(pid: str) -> list[str]:
    held = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            held.append(os.readlink(file))
    return held


async def is_silent(port: int) -> bool:
    for _ in range(500):
        if not await answers(port):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_given_server_is_used_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with database_server(folder, "mongodb://db.example:27017/?replicaSet=rs0") as uri:
        assert uri == "mongodb://db.example:27017/?replicaSet=rs0"
    assert not folder.exists()


async def test_the_embedded_server_keeps_its_data_and_ends_with_the_block(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "data"
    for found in (None, {"_id": "a", "version": 1}):
        async with database_server(folder, None) as uri:
            database = MongoDatabase.connect(uri, "demo", queries=(), timeout_seconds=20.0)
            assert await database.get("cases", "a") == found
            if found is None:
                await database.insert("cases", {"_id": "a", "version": 1})
            await database.close()
        assert await is_silent(port_of(uri))


async def test_a_folder_has_its_port_at_each_start_for_nodes_know_their_database_by_it(tmp_path: Path) -> None:
    uris = []
    for _ in range(2):
        async with database_server(tmp_path, None) as uri:
            uris.append(uri)
    assert uris[0] == uris[1]


async def test_a_number_left_by_a_killed_server_does_not_keep_the_next_from_starting(tmp_path: Path) -> None:
    (tmp_path / "database.pid").write_text(str(os.getpid()))
    async with database_server(tmp_path, None) as uri:
        assert await answers(port_of(uri))


async def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    async with database_server(tmp_path, None):
        with pytest.raises(DataFolderInUse, match="is in use by another process"):
            async with database_server(tmp_path, None):
                pass


async def test_when_its_parent_is_killed_the_server_ends_and_frees_the_folder(tmp_path: Path) -> None:
    process, port = await a_process_with_a_database(tmp_path)
    with pytest.raises(DataFolderInUse):
        await database_server(tmp_path, None).__aenter__()
    process.kill()
    await process.wait()
    assert await is_silent(port)
    async with asyncio.timeout(30):
        while True:
            try:
                async with database_server(tmp_path, None) as uri:
                    assert await answers(port_of(uri))
                    return
            except DataFolderInUse:
                await asyncio.sleep(0.02)


async def test_the_server_holds_the_lock_of_its_folder_itself(tmp_path: Path) -> None:
    async with database_server(tmp_path, None):
        pid = (tmp_path / "database.pid").read_text()
        assert str(tmp_path / "database.lock") in files_held_by(pid)


async def test_a_server_that_is_deaf_to_requests_does_not_outlive_a_killed_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deaf.py").write_text(DEAF)
    put_mongod_on_the_path(tmp_path, monkeypatch, f'exec {sys.executable} {tmp_path / "deaf.py"} "$6"')
    process, port = await a_process_with_a_database(tmp_path / "data")
    assert await answers(port)
    process.kill()
    await process.wait()
    assert await is_silent(port)


def put_mongod_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    mongod = tmp_path / "bin" / "mongod"
    mongod.parent.mkdir()
    mongod.write_text(f"#!/bin/sh\n{script}\n")
    mongod.chmod(0o755)
    monkeypatch.setenv("PATH", str(mongod.parent))


async def test_a_mongod_on_the_path_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = Path(sys.executable).with_name("nx-27017")
    script = f'echo "$@" >&2; exec {embedded} --data-dir "$2" --host "$4" --port "$6" --pid-file "$2/pid"'
    put_mongod_on_the_path(tmp_path, monkeypatch, script)
    async with database_server(tmp_path / "data", None) as uri:
        assert await answers(port_of(uri))
    asked = (tmp_path / "data" / "database.log").read_text().splitlines()[0]
    data = tmp_path / "data" / "mongod"
    assert asked == f"--dbpath {data} --bind_ip 127.0.0.1 --port {port_of(uri)}"


async def test_a_server_that_ends_at_once_did_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_mongod_on_the_path(tmp_path, monkeypatch, 'echo "no space" >&2; exit 3')
    with pytest.raises(DatabaseDidNotStart, match=r"database\.log"):
        async with database_server(tmp_path / "data", None):
            pass
    assert "no space" in (tmp_path / "data" / "database.log").read_text()


async def test_a_child_becomes_the_command_and_keeps_its_answer() -> None:
    command = children.child_command([sys.executable, "-c", "import os, sys; print(os.getpid()); sys.exit(7)"])
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    out, _ = await process.communicate()
    assert (int(out), process.returncode) == (process.pid, 7)


async def test_a_child_whose_parent_is_already_gone_does_not_begin(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    for parent, has_begun in ((os.getppid(), False), (os.getpid(), True)):
        command = [sys.executable, "-m", "server.tools.children", str(parent), "15", "touch", str(begun)]
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        await process.wait()
        assert begun.exists() is has_begun


async def test_a_child_is_sent_the_signal_it_was_promised_when_its_parent_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    child = f"trap 'touch {told}; exit' TERM; echo ready; while true; do sleep 0.02; done"
    parent = f"""
import subprocess
from server.tools.children import child_command
subprocess.run(child_command(["sh", "-c", {child!r}]))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, cwd=ROOT, stdout=PIPE)
    assert process.stdout
    assert await process.stdout.readline() == b"ready\n"
    process.kill()
    assert await process.stdout.read() == b"", "the child has ended when nobody holds the pipe"
    assert told.exists()
    await process.wait()
