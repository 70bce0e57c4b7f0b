"""Files of citizens on disk, sealed, each under its address."""

import asyncio
import contextlib
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from server.crypto.fields import FieldRing
from server.domain.errors import Missing

FIRST_LINE = 400  # bytes: more than any wrapped key has
ADDRESS = re.compile(r"[a-z0-9]{8,128}")


class NoSuchBlob(Missing):
    """There is no file at this address."""

    code = "no_such_blob"
    title = "材料文件不存在"


class UnsafeAddress(ValueError):
    """An address is base32 or hexadecimal in lower case."""


class Blobs:
    """Sealed files in a folder: written once, and never changed but for the key in front; parts of what is still coming
    are removed.
    """

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

    async def folders(self) -> AsyncIterator[Sequence[str]]:
        """The addresses of all files, folder by folder."""
        for folder in await asyncio.to_thread(lambda: sorted(self._folder.glob("??"))):
            yield await asyncio.to_thread(_addresses, folder)

    async def key_ids(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """The id of the key under which each of these files stands that are there; empty for one that is broken."""
        return await asyncio.to_thread(self._key_ids, addresses)

    async def rewrap(self, addresses: Sequence[str]) -> int:
        """Put the data keys of these files under the current key; answers how many were there."""
        return sum([await asyncio.to_thread(self._rewrap, self._path(each)) for each in addresses])

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

    def _key_ids(self, addresses: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for address in addresses:
            with contextlib.suppress(FileNotFoundError), self._path(address).open("rb") as file:
                wrapped = file.read(FIRST_LINE).partition(b"\n")[0].decode("ascii", "replace")
                found[address] = self._ring.key_of(wrapped) if self._ring.unwraps(wrapped, address) else ""
        return found

    def _rewrap(self, path: Path) -> bool:
        with contextlib.suppress(FileNotFoundError):  # a part that has been put together
            self._write_whole(path, self._ring.rewrapped_bytes(path.read_bytes(), path.name))
            _sync(path.parent)
            return True
        return False

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


def _addresses(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if ADDRESS.fullmatch(each.name))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
