"""Signatures that are true, over what the profile does not allow: one table for requests, questions and answers."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from multidict import CIMultiDict

from server.crypto.signature_base import ALGORITHM, LONGEST_LIFETIME, Parameters, byte_sequence
from server.crypto.suites import SigningKey

NONCE = ';nonce="'
Components = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Signing:
    """What is signed, by whom and when: component identifiers (`"@method"`) with their values, then the parameters.

    `rewritten` changes the parameters as they were written, before they are signed.
    """

    key: SigningKey
    label: str
    components: Components
    at: datetime
    nonce: str
    rewritten: Callable[[str], str] = str

    def headers(self) -> dict[str, str]:
        """The two headers of the true signature over just that, whatever the profile says of it."""
        created = int(self.at.timestamp())
        expires = created + LONGEST_LIFETIME
        written = Parameters(created, expires, self.nonce, self.key.id, ALGORITHM, self.label)
        params = self.rewritten(written.written(name for name, _ in self.components))
        lines = [f"{name}: {value}" for name, value in self.components]
        base = "\n".join([*lines, f'"@signature-params": {params}']).encode()
        return {
            "Signature-Input": f"{self.label}={params}",
            "Signature": f"{self.label}={byte_sequence(self.key.sign(base))}",
        }


Spoil = Callable[[Signing], Signing]


def spoiled(names: Iterable[str]) -> dict[str, tuple[Spoil, str]]:
    """How -> the spoiling and the code of its refusal: each component by itself, then each parameter."""
    rows: dict[str, tuple[Spoil, str]] = {}
    for name in names:
        rows |= {
            f"{name} altered by one byte": (_of_each(name, lambda own: ((own[0], off_by_one(own[1])),)), INVALID),
            f"{name} removed": (_of_each(name, lambda _: ()), MISSING),
            f"{name} doubled": (_of_each(name, lambda own: (own, own)), MISSING),
        }
    return rows | {how: (_rewriting(change), code) for how, (change, code) in PARAMETERS.items()}


def off_by_one(value: str) -> str:
    """The value with another byte in its middle, or in the nonce if it is a Signature-Input."""
    _, nonce, _ = value.partition(NONCE)
    place = value.index(NONCE) + len(NONCE) if nonce else len(value) // 2
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


def spoiled_header(headers: Mapping[str, str], name: str, how: str) -> CIMultiDict[str]:
    """The headers with one of them `altered`, `removed` or `doubled` on the way."""
    carried = CIMultiDict(headers)
    value = carried.popone(name)
    for each in {"altered": [off_by_one(value)], "removed": [], "doubled": [value, value]}[how]:
        carried.add(name, each)
    return carried


def _of_each(name: str, change: Callable[[tuple[str, str]], Components]) -> Spoil:
    def spoil(it: Signing) -> Signing:
        return replace(it, components=sum((change(own) if own[0] == name else (own,) for own in it.components), ()))

    return spoil


def _rewriting(change: Callable[[str], str]) -> Spoil:
    return lambda it: replace(it, rewritten=change)


def _says(name: str, value: str) -> Callable[[str], str]:
    return lambda params: re.sub(rf';{name}=("[^"]*"|[0-9]+)', lambda _: f";{name}={value}", params)


def _without(name: str) -> Callable[[str], str]:
    return lambda params: re.sub(rf';{name}=("[^"]*"|[0-9]+)', "", params)


def _shifted(created: int, expires: int) -> Callable[[str], str]:
    """Both moments, in seconds after the moment of signing."""

    def shift(params: str) -> str:
        at = int(re.search(r";created=([0-9]+)", params)[1])
        return _says("expires", str(at + expires))(_says("created", str(at + created))(params))

    return shift


INVALID, MISSING, SKEW = "signature_invalid", "component_missing", "clock_skew"
PARAMETERS: dict[str, tuple[Callable[[str], str], str]] = {
    "created 301 seconds ago": (_shifted(-301, -1), SKEW),
    "created a day ago, and good until now": (_shifted(-86_400, 300), INVALID),
    "created 61 seconds ahead": (_shifted(61, 361), SKEW),
    "expired a second ago": (_shifted(-30, -1), "signature_expired"),
    "expires before it is created": (_shifted(0, -1), INVALID),
    "expires when it is created": (_shifted(0, 0), INVALID),
    "lives 301 seconds": (_shifted(0, 301), INVALID),
    **{f"no {name}": (_without(name), INVALID) for name in Parameters.__annotations__},
    "an empty nonce": (_says("nonce", '""'), INVALID),
    "a nonce of 129 characters": (_says("nonce", f'"{"n" * 129}"'), INVALID),
    "a nonce that is a number": (_says("nonce", "7"), INVALID),
    "created as a text": (_says("created", '"now"'), INVALID),
    "a key that nobody knows": (_says("keyid", '"990000-sign-1"'), "unknown_key"),
    "a key that is for encryption": (lambda params: params.replace("-sign-", "-encrypt-"), "unknown_key"),
    "another algorithm": (_says("alg", '"hmac-sha256"'), INVALID),
    "another tag": (_says("tag", '"tongban-2"'), INVALID),
    "an unknown parameter": (lambda params: f'{params};hurry="1"', INVALID),
    "a parameter twice": (lambda params: f'{params};nonce="n-2"', INVALID),
    "a space between parameters": (lambda params: params.replace(";nonce", "; nonce"), INVALID),
}


def in_another_order(params: str) -> str:
    """The same parameters, the last one first."""
    components, _, rest = params.rpartition(")")
    return components + ")" + ";".join(["", *reversed(rest.split(";")[1:])])
