"""What processes of a node make papers with, and let people sign them."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from server.desk.citizen.signing import SigningTools
from server.node import Node
from server.papers.pool import PaperPool
from server.tools import silence
from server.tools.settings import Settings, SettingsFault
from server.tools.signing import SigningProvider

BEGIN = "-----BEGIN CERTIFICATE-----"


@asynccontextmanager
async def papers_made(node: Node) -> AsyncIterator[PaperPool | None]:
    """The processes that make papers, which end with this one; None where no papers are given."""
    texts, settings = node.published.paper_texts, node.settings
    if texts is None or settings.seals_folder is None:
        yield None
        return
    people = roots_of(settings)
    pool = PaperPool(texts, settings.seals_folder, people=people, at_once=settings.paper_processes)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def signing_offered(node: Node, *, is_silent: bool = False) -> AsyncIterator[SigningTools | None]:
    """What people sign with here; None where no signing service is set."""
    settings = node.settings
    if not settings.signing_url:
        yield None
        return
    secret = settings.signing_app_secret.get_secret_value()
    async with papers_made(node) as works, silence.session(is_silent=is_silent) as session:
        service = SigningProvider(settings.signing_url, settings.signing_app_id, secret=secret, session=session)
        yield SigningTools(service, works) if works else None


def roots_of(settings: Settings) -> tuple[bytes, ...]:
    """The certificates (DER) above those of people who sign; none without a signing service. Raises SettingsFault."""
    if not settings.signing_url or settings.signing_roots_file is None:
        return ()
    return _certificates(settings.signing_roots_file)


def _certificates(file: Path) -> tuple[bytes, ...]:
    try:
        text = file.read_text(encoding="ascii")
        found = tuple(ssl.PEM_cert_to_DER_cert(BEGIN + each) for each in text.split(BEGIN)[1:])
    except (OSError, ValueError) as fault:
        raise SettingsFault(
            str(file), f"has no certificates: {type(fault).__name__}", key="signing_roots_file"
        ) from fault
    if not found:
        raise SettingsFault(str(file), "has no certificates", key="signing_roots_file")
    return found
