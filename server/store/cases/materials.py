"""Materials in the store: who handed in what; the content itself lies in blob storage."""

from collections.abc import Sequence

from server.crypto.fields import FieldRing
from server.domain.materials import Upload
from server.store.blobs import Blobs
from server.store.database import Database, Duplicate, is_safe
from server.store.members import read
from server.store.sealing import opened, sealed

MATERIALS = "materials"


class Materials:
    """Uploads by owner: two citizens may hand in the same file, and each has an entry."""

    def __init__(self, database: Database, ring: FieldRing, blobs: Blobs) -> None:
        self._database = database
        self._ring = ring
        self._blobs = blobs

    async def keep(self, owner: str, upload: Upload, content: bytes) -> None:
        """Store the content first and then the entry; the same file again changes nothing."""
        await self._blobs.put(upload.id, content)
        id = f"{owner}:{upload.id}"
        key = self._ring.new_key(id)
        try:
            await self._database.insert(
                MATERIALS, {"_id": id, "data_key": key.wrapped, "upload": sealed(upload, key, id)}
            )
        except Duplicate:
            return

    async def uploads_of(self, owner: str, ids: Sequence[str]) -> dict[str, Upload]:
        """Those of these uploads that exist and are this owner's, by id; ids come from outside."""
        wanted = [f"{owner}:{id}" for id in ids if is_safe(id)]
        found = await self._database.get_many(MATERIALS, wanted)
        uploads = [
            read(Upload, opened(document["upload"], self._ring.key(document["data_key"], id), id))
            for id, document in found.items()
        ]
        return {upload.id: upload for upload in uploads}

    async def keep_content(self, id: str, content: bytes) -> None:
        """Store a content that is nobody's upload here; `id` is its keyed digest."""
        await self._blobs.put(id, content)

    async def forget_contents(self, ids: Sequence[str]) -> None:
        """Remove these contents, which nothing else here may have."""
        await self._blobs.remove(ids)

    async def missing(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of these contents that are not here."""
        return frozenset([id for id in ids if not await self._blobs.has(id)])

    async def content(self, id: str) -> bytes:
        """The content of an upload; raises NoSuchBlob."""
        return await self._blobs.get(id)
