"""Files are kept sealed, whole, and under addresses that lead nowhere else."""

import asyncio
import hashlib
import sys
from errno import EFBIG
from pathlib import Path

import pytest

from server.crypto.fields import FieldRing, SealBroken
from server.domain.errors import Missing
from server.store.blobs import Blobs, NoSuchBlob, UnsafeAddress

RING = FieldRing(keys={"k1": bytes(range(32))}, current="k1")
PHOTO = "身份证照片".encode() * 1000
ADDRESS = hashlib.sha256(PHOTO).hexdigest()


ROOT = Path(__file__).parents[2]
ON_A_FULL_DISK = """
import asyncio, pathlib, resource, sys
from server.crypto.fields import FieldRing
from server.store.blobs import Blobs

blobs = Blobs(pathlib.Path(sys.argv[1]), FieldRing(keys={"k1": bytes(32)}, current="k1"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    asyncio.run(blobs.put(sys.argv[2], bytes(100_000)))
except OSError as fault:
    sys.exit(fault.errno)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    return Blobs(folder, RING)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [PHOTO, b"", b"\n\0\n", bytes(range(256)) * 4096], ids=len)
async def test_what_was_put_is_got(blobs: Blobs, data: bytes) -> None:
    await blobs.put(ADDRESS, data)
    assert await blobs.get(ADDRESS) == data


async def test_a_file_on_disk_shows_nothing_of_its_content(blobs: Blobs, folder: Path) -> None:
    await blobs.put(ADDRESS, PHOTO)
    [file] = files_in(folder)
    assert PHOTO[:15] not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0, "and nobody else may read it"


async def test_another_process_with_the_same_keys_reads_it(blobs: Blobs, folder: Path) -> None:
    await blobs.put(ADDRESS, PHOTO)
    newer = FieldRing(keys={**RING.keys, "k2": bytes(32)}, current="k2")
    assert await Blobs(folder, newer).get(ADDRESS) == PHOTO


async def test_a_file_that_is_there_is_not_written_again(blobs: Blobs, folder: Path) -> None:
    await blobs.put(ADDRESS, PHOTO)
    [file] = files_in(folder)
    before = (file.stat().st_ino, file.read_bytes())
    await blobs.put(ADDRESS, PHOTO)
    assert [(one.stat().st_ino, one.read_bytes()) for one in files_in(folder)] == [before]


async def test_ten_parallel_puts_leave_one_whole_file(blobs: Blobs, folder: Path) -> None:
    await asyncio.gather(*(blobs.put(ADDRESS, PHOTO) for _ in range(10)))
    assert len(files_in(folder)) == 1
    assert await blobs.get(ADDRESS) == PHOTO


async def test_there_is_nothing_at_an_unknown_address(blobs: Blobs) -> None:
    with pytest.raises(NoSuchBlob) as told:
        await blobs.get(ADDRESS)
    assert isinstance(told.value, Missing)
    assert told.value.code == "no_such_blob"


@pytest.mark.parametrize(
    "address",
    ["", "short", "../" * 3 + "etcpasswd", "aa/../../secret", "/etc/hostname", ADDRESS.upper(), ADDRESS + "\n",
     "a" * 129, "aaaaaaa\0a", ".hidden-file", "照片照片照片照片"],
)  # fmt: skip
async def test_an_address_that_could_lead_elsewhere_is_refused(blobs: Blobs, folder: Path, address: str) -> None:
    with pytest.raises(UnsafeAddress):
        await blobs.put(address, PHOTO)
    with pytest.raises(UnsafeAddress):
        await blobs.get(address)
    assert files_in(folder) == []


async def test_a_file_moved_to_another_address_is_not_opened(blobs: Blobs, folder: Path) -> None:
    await blobs.put(ADDRESS, PHOTO)
    [file] = files_in(folder)
    other = file.with_name(ADDRESS[:2] + "0" * 62)
    file.rename(other)
    with pytest.raises(SealBroken):
        await blobs.get(other.name)


async def test_an_altered_file_is_not_opened(blobs: Blobs, folder: Path) -> None:
    await blobs.put(ADDRESS, PHOTO)
    [file] = files_in(folder)
    sealed = bytearray(file.read_bytes())
    sealed[-1] ^= 1
    file.write_bytes(sealed)
    with pytest.raises(SealBroken):
        await blobs.get(ADDRESS)


async def test_a_put_that_fails_leaves_no_half_file(folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", ON_A_FULL_DISK, str(folder), ADDRESS, cwd=ROOT)
    assert await process.wait() == EFBIG
    assert files_in(folder) == []
