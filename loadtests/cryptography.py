"""Measures what proves and hides a batch of letters between two nodes: signatures, envelope, tree, receipt."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from regions import wire
from server.crypto import merkle
from server.crypto.envelopes import open_sealed, seal
from server.crypto.receipts import Answer, ReceivedAnswer, sign_answer, verify_answer
from server.crypto.signatures import (
    KnownKey,
    OutgoingRequest,
    ReceivedRequest,
    prove_request,
    sign_request,
    verify_request,
)
from server.crypto.suites import VerifyKey
from server.domain.values import moment_text
from server.node import Node

ROUNDS = 30


def cryptography(home: Node, abroad: Node, texts: Sequence[bytes]) -> dict[str, float]:
    """What proves and hides one batch of these letters, in microseconds for each letter."""
    at, nonce, ours = home.clock.now(), "bm9uY2Utbm9uY2U", abroad.keys.encryption
    root = wire.root_of(texts)
    plaintext = b'{"letters":[' + b",".join(texts) + b"]}"
    envelope = seal(plaintext, ours.public, kid=ours.id)
    url = abroad.settings.origin + wire.PATH
    request = OutgoingRequest("POST", url, wire.CONTENT_TYPE, envelope, wire.root_header(root))
    signed = sign_request(home.keys.signing, request, at=at, nonce=nonce)
    received = ReceivedRequest("POST", abroad.settings.origin, wire.PATH, "", signed.headers)
    known = {
        node.keys.signing.id: KnownKey(node.here, VerifyKey(node.keys.signing.id, node.keys.signing.public))
        for node in (home, abroad)
    }
    head = b'{"head":{"hash":"","number":1,"stream":1},"time":"' + moment_text(at).encode() + b'"}'
    answer = Answer(200, "application/json", head)
    answered = sign_answer(abroad.keys.signing, answer, request=signed.asked, at=at, nonce=nonce)
    arrived = ReceivedAnswer(200, answered.headers, head)
    parts: dict[str, Callable[[], Any]] = {
        "root_and_sign": lambda: (wire.root_of(texts), sign_request(home.keys.signing, request, at=at, nonce=nonce)),
        "encrypt": lambda: seal(plaintext, ours.public, kid=ours.id),
        "verify_receipt": lambda: verify_answer(
            arrived, request=signed.asked, sender=abroad.here, directory_key=known.get, at=at
        ),
        "verify": lambda: prove_request(
            verify_request(received, directory_key=known.get, at=at, directory_version=1), envelope, at=at
        ),
        "decrypt": lambda: open_sealed(envelope, lambda _: ours),
        "root": lambda: wire.root_of(texts),
        "sign_receipt": lambda: sign_answer(abroad.keys.signing, answer, request=signed.asked, at=at, nonce=nonce),
        "prove_one": lambda: merkle.path(texts, len(texts) // 2),
    }
    cost = {name: round(_microseconds(run) / len(texts), 2) for name, run in parts.items()}
    cost["sender"] = round(sum(cost[name] for name in ("root_and_sign", "encrypt", "verify_receipt")), 2)
    cost["receiver"] = round(sum(cost[name] for name in ("verify", "decrypt", "root", "sign_receipt")), 2)
    return cost


def _microseconds(run: Callable[[], Any]) -> float:
    """The CPU time of one run, the least of several rounds."""
    rounds = []
    for _ in range(3):
        before = time.process_time()
        for _ in range(ROUNDS):
            run()
        rounds.append((time.process_time() - before) / ROUNDS)
    return min(rounds) * 1e6
