"""Files of citizens on disk, sealed, each under its address."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from server.crypto.fields import FieldRing
from server.domain.errors import Missing

ADDRESS = re.compile(r"[a-z0-9]{8,128}")


class NoSuchBlob(Missing):
    """There is no file at this address."""

    code = "no_such_blob"
    title = "材料文件不存在"


class UnsafeAddress(ValueError):
    """An address is base32 or hexadecimal in lower case."""


class Blobs:
    """Sealed files in a folder: written once, never changed; only parts of what is still coming are removed."""

    def __init__(self, folder: Path, ring: FieldRing) -> None:
        self._folder = folder
        self._ring = ring

    async def put(self, address: str, data: bytes) -> None:
        """Keep the data; when this returns it is on disk. An address that is taken holds the same data already."""
        await asyncio.to_thread(self._write, self._path(address), data)

    async def get(self, address: str) -> bytes:
        """The data; raises NoSuchBlob, and SealBroken if the file was altered or moved."""
        return await asyncio.to_thread(self._read, self._path(address))

    async def has(self, address: str) -> bool:
        """Whether there is a file at this address."""
        return await asyncio.to_thread(self._path(address).exists)

    async def remove(self, addresses: Sequence[str]) -> None:
        """Forget what lies at these addresses, if anything does."""
        for address in addresses:
            await asyncio.to_thread(self._path(address).unlink, missing_ok=True)

    def _path(self, address: str) -> Path:
        if not ADDRESS.fullmatch(address):
            raise UnsafeAddress(f"not an address: {address!r:.40}")
        return self._folder / address[:2] / address

    def _read(self, path: Path) -> bytes:
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            raise NoSuchBlob from None
        return self._ring.open_bytes(sealed, path.name)

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self._write_whole(path, self._ring.seal_bytes(data, path.name))
        for folder in (path.parent, self._folder):
            _sync(folder)

    def _write_whole(self, path: Path, sealed: bytes) -> None:
        """The name appears with the whole content behind it, or not at all."""
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(descriptor)
            Path(name).replace(path)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
