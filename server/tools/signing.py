"""Asks the signing service (电子签名服务) for the certificate of a person, and for a signature with its key."""

import base64
import binascii
from typing import Any

import aiohttp

from server.domain.papers.signing import Signatory, SigningCertificate, SigningRefused, SigningUnavailable
from server.tools.calls import Calls, NotAnswered, NotReached
from server.tools.logs import log

TOTAL_SECONDS = 5.0
MOST_ISSUERS = 5
DIGEST_BYTES = 32


class SigningProvider:
    """A client of the service at `base_url`, which holds the keys of people; the session belongs to the caller.

    The contract is that of our own stand-in (server/demo/signing.py): services differ, and a real one is opened by
    agreement. It never gets a PDF. Neither call is made again: each may have been carried out, and a key signs once.
    """

    def __init__(
        self,
        base_url: str,
        app_id: str,
        *,
        secret: str,
        session: aiohttp.ClientSession,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._calls = Calls(base_url, session, total_seconds=total_seconds, called="signing")
        self._app_id = app_id
        self._headers = {"Authorization": f"Bearer {secret}"}

    async def certificate(self, signatory: Signatory, *, id_number: str, face_token: str) -> SigningCertificate:
        """A certificate for this person and request alone, of whom the platform's face check is fresh.

        The service learns the full number, for it must know whom it certifies; it writes the masked one. What it
        gives is not trusted yet: the signed PDF is verified. Raises SigningRefused and SigningUnavailable.
        """
        who = {"name": signatory.name, "id_number": id_number, "masked_number": signatory.id_number}
        asked = {**who, "request": signatory.request, "face_token": face_token}
        answer = await self._ask("/certificates", asked)
        key, issuers = answer.get("key"), answer.get("issuers")
        if not isinstance(key, str) or not 0 < len(key) <= 200:
            raise SigningUnavailable
        if not isinstance(issuers, list) or len(issuers) > MOST_ISSUERS:
            raise SigningUnavailable
        return SigningCertificate(
            key=key, certificate=_bytes(answer.get("certificate")), issuers=tuple(_bytes(each) for each in issuers)
        )

    async def sign(self, certificate: SigningCertificate, digest: bytes) -> bytes:
        """ECDSA (DER) by the certificate's key over what has this SHA-256, once.

        Raises SigningRefused and SigningUnavailable, and ValueError for a digest of another length.
        """
        if len(digest) != DIGEST_BYTES:
            raise ValueError(f"a SHA-256 has {DIGEST_BYTES} bytes, not {len(digest)}")
        asked = {"key": certificate.key, "digest": base64.b64encode(digest).decode("ascii")}
        return _bytes((await self._ask("/signatures", asked)).get("signature"))

    async def _ask(self, path: str, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            request = {"app_id": self._app_id, **asked}
            answer = await self._calls.ask("POST", path, json=request, headers=self._headers)
        except (NotReached, NotAnswered):
            raise SigningUnavailable from None
        if "refused" in answer:
            log.info("signing.refused", path=path, reason=str(answer["refused"])[:40])
            raise SigningRefused
        return answer


def _bytes(text: Any) -> bytes:
    """What the service wrote in Base64; raises SigningUnavailable for anything else, and for nothing."""
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise SigningUnavailable
    return data
