"""Signed tickets of the waiting room: JWTs (RFC 7519) under keys of our own, made from those of the integrity ring."""

from collections.abc import Mapping
from typing import Any

import jwt
from pydantic import ValidationError

from server.crypto.digests import mac
from server.crypto.integrity import IntegrityRing
from server.domain.waiting.admitting import TicketInvalid
from server.domain.waiting.tickets import Ticket

ALGORITHM, AUDIENCE, KIND = "HS256", "waiting", "ticket+jwt"
PURPOSE = b"tickets of the waiting room"  # no proof of a document is made of bytes like these: they have a NUL
LONGEST_TICKET = 1024
UNREAD_TIMES = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}


class Tickets:
    """Signs tickets under the current key of the ring, and reads those under any of its keys."""

    def __init__(self, ring: IntegrityRing) -> None:
        self._current = ring.current
        self._keys: Mapping[str, bytes] = {id: mac(key, PURPOSE) for id, key in ring.keys.items()}

    def signed(self, ticket: Ticket) -> str:
        """The ticket as a text that only this node can write."""
        payload: dict[str, Any] = ticket.model_dump(mode="json", exclude_none=True) | {"aud": AUDIENCE}
        headers = {"typ": KIND, "kid": self._current}
        return jwt.encode(payload, self._keys[self._current], algorithm=ALGORITHM, headers=headers)

    def read(self, text: str) -> Ticket:
        """The ticket that was signed so; raises TicketInvalid."""
        if len(text) > LONGEST_TICKET or not text.isascii():
            raise TicketInvalid
        try:
            header = jwt.get_unverified_header(text)
            if header.get("typ") != KIND:
                raise TicketInvalid
            key = self._keys[header["kid"]]
            options: Any = {"require": ["aud"], "strict_aud": True, **UNREAD_TIMES}
            payload = jwt.decode(text, key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)
            # A newer program may say more in a ticket: that is passed over, as in what is stored.
            return Ticket.model_validate({name: payload[name] for name in Ticket.model_fields if name in payload})
        except (jwt.InvalidTokenError, KeyError, TypeError, ValidationError) as fault:
            raise TicketInvalid from fault
