"""Materials: a file is handed in once and used as often as need be."""

from hashlib import sha256

from server.domain.materials import LONGEST_NAME, Upload, media_type
from server.node import Node


async def hand_in(node: Node, owner: str, content: bytes, *, name: str) -> Upload:
    """Keep a file for this owner; the same content again gives the same id.

    Raises MaterialTooLarge and MaterialTypeUnknown.
    """
    kind = media_type(content)
    digest = sha256(content).hexdigest()
    upload = Upload(
        id=node.keys.material(digest), name=name[-LONGEST_NAME:], size=len(content), media_type=kind, sha256=digest
    )
    await node.store.materials.keep(owner, upload, content)
    return upload
