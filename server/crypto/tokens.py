"""Access tokens: signed JWTs (RFC 7519) that say who acts, at which level, in which session."""

import hashlib
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import jwt
from pydantic import ValidationError

from server.crypto.suites import SigningKey
from server.domain.errors import Unproven
from server.domain.people.persons import TokenClaims

ALGORITHM = "EdDSA"
LONGEST_TOKEN = 4096
REQUIRED = ["iss", "aud", "sub", "iat", "exp"]


class TokenInvalid(Unproven):
    """The token is not one that this node issued."""

    code = "token_invalid"
    title = "登录凭证无效，请重新登录"


class TokenExpired(Unproven):
    """The token was ours and its time is over."""

    code = "token_expired"
    title = "登录已过期，请重新登录"


class WrongAudience(Unproven):
    """The token was issued for another door."""

    code = "wrong_audience"
    title = "登录凭证不适用于此服务"


class Tokens:
    """Issues and verifies the tokens of one node; remembers those verified until they expire."""

    def __init__(self, signing: SigningKey, issuer: str, *, remembered: int = 4096) -> None:
        self._signing = signing
        self._public = signing.private.public_key()
        self._issuer = issuer
        self._remembered = remembered
        self._verified: OrderedDict[tuple[bytes, str], tuple[TokenClaims, int]] = OrderedDict()

    def issue(self, claims: TokenClaims, *, audience: str, at: datetime, seconds: int) -> str:
        """A token for this audience that is honoured for so many seconds from `at`."""
        issued = int(at.timestamp())
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": audience,
            "sub": claims.subject,
            "iat": issued,
            "exp": issued + seconds,
            "level": claims.level,
            "session": claims.session,
        }
        return jwt.encode(payload, self._signing.private, algorithm=ALGORITHM, headers={"kid": self._signing.id})

    def verify(self, token: str, *, audience: str, at: datetime) -> TokenClaims:
        """The claims of a token of ours; raises TokenInvalid, WrongAudience or TokenExpired."""
        return self.verify_until(token, audience=audience, at=at)[0]

    def verify_until(self, token: str, *, audience: str, at: datetime) -> tuple[TokenClaims, datetime]:
        """The same, and when it expires."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise TokenInvalid
        name = (hashlib.sha256(token.encode()).digest(), audience)
        claims, expires = self._verified.get(name) or self._read(token, audience)
        if at.timestamp() >= expires:
            self._verified.pop(name, None)
            raise TokenExpired
        self._remember(name, (claims, expires))
        return claims, datetime.fromtimestamp(expires, UTC)

    @staticmethod
    def check_lasts(until: datetime, *, at: datetime) -> None:
        """See that a token that was verified is still good, by when it expires; raises TokenExpired."""
        if at >= until:
            raise TokenExpired

    def _remember(self, name: tuple[bytes, str], entry: tuple[TokenClaims, int]) -> None:
        self._verified[name] = entry
        if len(self._verified) > self._remembered:
            self._verified.popitem(last=False)

    def _read(self, token: str, audience: str) -> tuple[TokenClaims, int]:
        """Claims and expiry of a token with a true signature; its times are compared by the caller's clock."""
        try:
            payload = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._issuer,
                options={
                    "require": REQUIRED,
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = TokenClaims(subject=payload["sub"], level=payload["level"], session=payload["session"])
        except jwt.InvalidAudienceError as fault:
            raise WrongAudience from fault
        except (jwt.InvalidTokenError, KeyError, ValidationError) as fault:
            raise TokenInvalid from fault
        if not isinstance(payload["exp"], int):
            raise TokenInvalid
        return claims, payload["exp"]
