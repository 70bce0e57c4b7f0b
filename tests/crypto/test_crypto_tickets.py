"""Tickets of the waiting room: what was signed is read, and nothing else."""

import hmac
from typing import Any

import jwt
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.crypto import base64url
from server.crypto.integrity import IntegrityRing
from server.crypto.keyring import make_keys
from server.crypto.tickets import LONGEST_TICKET, Tickets
from server.domain.waiting.admitting import TicketInvalid
from server.domain.waiting.tickets import Ticket
from tests.domain.peaks import PEAK, ticket
from tests.world import JIANGSU

ONE, OTHER = bytes(32), bytes([1]) * 32
RING = IntegrityRing({"one": ONE}, "one")
TICKETS = Tickets(RING)
HELD = ticket(0.25)
SETTLED = ticket(0.75, arrival=3).settled(PEAK, 1000)


@pytest.mark.parametrize("held", [HELD, SETTLED], ids=["before the hour", "settled"])
def test_what_was_signed_is_read(held: Ticket):
    text = TICKETS.signed(held)
    assert TICKETS.read(text) == held
    assert len(text) < LONGEST_TICKET / 2


@given(st.integers(0, 400), st.integers(1, 63))
def test_no_sign_of_it_can_be_another(place: int, change: int):
    text = TICKETS.signed(SETTLED)
    place %= len(text)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if text[place] == "." or place == len(text) - 1:  # the last one has bits that no byte needs
        return
    sign = alphabet[(alphabet.index(text[place]) + change) % 64]
    with pytest.raises(TicketInvalid):
        TICKETS.read(text[:place] + sign + text[place + 1 :])


def forged(key: bytes | str, *, algorithm: str = "HS256", headers: Any = None, **change: Any) -> str:
    payload = HELD.model_dump(mode="json", exclude_none=True) | {"aud": "waiting"} | change
    return jwt.encode(payload, key, algorithm=algorithm, headers={"typ": "ticket+jwt", "kid": "one"} | (headers or {}))


def signed_by_sha512(key: bytes) -> str:
    """The same with another algorithm, for which the library thinks the key too short to sign with it."""
    payload = forged(key).split(".")[1]
    header = base64url.encode(orjson.dumps({"alg": "HS512", "typ": "ticket+jwt", "kid": "one"}))
    return f"{header}.{payload}.{base64url.encode(hmac.digest(key, f'{header}.{payload}'.encode(), 'sha512'))}"


def own_key() -> bytes:
    """The key under which the tickets of these tests are signed."""
    return TICKETS._keys["one"]


def test_a_forged_one_would_be_read_if_its_key_were_ours():
    assert TICKETS.read(forged(own_key())) == HELD
    assert TICKETS.read(forged(own_key(), tomorrow="red")) == HELD


FORGED = {
    "under the key of the ring itself": lambda: forged(ONE),
    "under another key": lambda: forged(OTHER),
    "under a key that we have not": lambda: forged(own_key(), headers={"kid": "two"}),
    "under no key": lambda: forged("", algorithm="none"),
    "by another algorithm": lambda: signed_by_sha512(own_key()),
    "for another audience": lambda: forged(own_key(), aud="citizens"),
    "of another kind": lambda: forged(own_key(), headers={"typ": "JWT"}),
    "without a lot": lambda: forged(own_key(), lot=None),
    "with a lot that nobody can draw": lambda: forged(own_key(), lot=2**63),
    "no token": lambda: "ticket",
    "nothing of ASCII": lambda: "票",
    "too long": lambda: "a" * 2000,
    "a header that is no object": lambda: base64url.encode(orjson.dumps([1])) + ".e30.AA",
}


@pytest.mark.parametrize("what", FORGED)
def test_what_nobody_signed_is_no_ticket(what: str):
    with pytest.raises(TicketInvalid):
        TICKETS.read(FORGED[what]())


def test_tickets_outlive_a_new_key_and_not_their_own():
    text = TICKETS.signed(HELD)
    renewed = IntegrityRing({"one": ONE, "two": OTHER}, "two")
    assert Tickets(renewed).read(text) == HELD
    assert jwt.get_unverified_header(Tickets(renewed).signed(HELD))["kid"] == "two"
    with pytest.raises(TicketInvalid):
        Tickets(IntegrityRing({"two": OTHER}, "two")).read(text)


def test_a_lot_is_the_same_each_time_and_another_for_each_person_peak_and_node():
    keys, others = make_keys(JIANGSU), make_keys(JIANGSU)
    assert keys.lot("anna", PEAK.id) == keys.lot("anna", PEAK.id)
    drawn = [keys.lot(who, peak) for who in ("anna", "bert") for peak in (PEAK.id, "other")]
    assert len({*drawn, others.lot("anna", PEAK.id)}) == 5
    assert keys.peak_case_number("anna", PEAK.id) != keys.case_number("anna", f"peak:{PEAK.id}")
