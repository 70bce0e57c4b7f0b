"""How a door answers with a file."""

from handlers.base import Handler
from server.domain.materials import File


def send_file(door: Handler, file: File) -> None:
    """Answer with a file, which a browser keeps and does not show."""
    door.set_header("Content-Type", file.media_type)
    door.set_header("Content-Disposition", "attachment")
    door.finish(file.content)
