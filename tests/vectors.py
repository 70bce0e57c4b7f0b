"""The test vectors of the exchange protocol: `python -m tests.vectors --write` makes the files in docs/vectors.

All of it follows from the texts in this file but the envelope, which holds an ephemeral key and is therefore kept as
long as it opens to the batch. The keys are test-only: their private halves are published, so no node may ever use them.
"""

import hashlib
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from regions import wire
from server.crypto import base64url, merkle
from server.crypto.envelopes import Undecryptable, open_sealed, seal
from server.crypto.publishing import publish
from server.crypto.receipts import Answer, sign_answer
from server.crypto.signature_base import SignedMessage
from server.crypto.signatures import OutgoingRequest, ReceivedRequest, SignedRequest, sign_as_received, sign_request
from server.crypto.suites import EncryptionKey, SigningKey
from server.domain.canonical import canonical
from server.domain.exchange.letters import GENESIS, Batch
from tests.written_letters import AT, DECIDER, HOME, NAME, STEP, from_decider, from_home, made_up

FOLDER = Path(__file__).parents[1] / "docs/vectors"
ORIGINS = {HOME: "https://node.js.example", DECIDER: "https://node.zj.example:8443"}
NAMES = {HOME: "江苏省", DECIDER: "浙江省"}


def signing(key_id: str) -> SigningKey:
    return SigningKey(key_id, Ed25519PrivateKey.from_private_bytes(made_up(key_id)))


def encryption(key_id: str) -> EncryptionKey:
    return EncryptionKey(key_id, X25519PrivateKey.from_private_bytes(made_up(key_id)))


PUBLISHER = signing("publisher-1")
SIGN = {node: signing(f"{node}-sign-1") for node in ORIGINS}
ENCRYPT = {node: encryption(f"{node}-encrypt-1") for node in ORIGINS}


def nonce(name: str) -> str:
    return base64url.encode(made_up(f"nonce {name}", 16))


# What each file holds.


def keys() -> dict[str, Any]:
    """All keys, with their private halves."""
    known: dict[str, SigningKey | EncryptionKey] = {
        key.id: key for key in (PUBLISHER, *SIGN.values(), *ENCRYPT.values())
    }
    return {
        "warning": "test-only keys: the private seeds are published here, and no node may ever use them",
        "seed": "SHA-256 of `tongban test-only ` followed by the key's id",
        "keys": {
            key_id: {
                "algorithm": "X25519" if "encrypt" in key_id else "Ed25519",
                "test_only_seed": made_up(key_id).hex(),
                "public": base64url.encode(key.public),
            }
            for key_id, key in known.items()
        },
    }


def directory() -> dict[str, Any]:
    """A directory of two nodes, its canonical form and the JWS."""
    document = {
        "version": 7,
        "issued_at": "2026-11-20T00:00:00.000Z",
        "nodes": [
            {
                "node": node,
                "name": NAMES[node],
                "origin": ORIGINS[node],
                "divisions": [node],
                "keys": [
                    {
                        "id": key.id,
                        "suite": "international",
                        "use": use,
                        "public": base64url.encode(key.public),
                        "valid_from": "2026-11-20T00:00:00.000Z",
                        "valid_to": "2027-11-20T00:00:00.000Z",
                        "revoked_at": None,
                    }
                    for use, key in (("sign", SIGN[node]), ("encrypt", ENCRYPT[node]))
                ],
            }
            for node in ORIGINS
        ],
    }
    return {"canonical": canonical(document).decode(), "jws": publish(PUBLISHER, document)}


def letters() -> dict[str, Any]:
    """Letters of every kind: their texts, ids, salts, and leaves; those of the home stand in the log."""
    return {
        "letters": [
            {
                "id": made.letter.id,
                "id_of": made.id_of,
                "salt_of": made.salt_of,
                "salt": made.letter.salt,
                "text": made.letter.text(),
                "leaf": hashlib.sha256(b"\x00" + made.letter.text().encode()).hexdigest(),
            }
            for made in (*from_home(), *from_decider())
        ]
    }


def batches() -> list[tuple[Batch, list[bytes]]]:
    """The first three entries of the log from the home to the decider; the last one is empty."""
    texts = [made.letter.text().encode() for made in from_home()]
    chain: list[tuple[Batch, list[bytes]]] = []
    prev = GENESIS
    for number, (chosen, minutes) in enumerate(((texts[:3], 25), (texts[3:], 95), ([], 105)), 1):
        batch = Batch(
            sender=HOME,
            to=DECIDER,
            stream=1,
            number=number,
            prev=prev,
            complete_to=AT + timedelta(minutes=minutes),
            root=merkle.root(chosen).hex(),
        )
        chain.append((batch, chosen))
        prev = batch.hash
    return chain


def log() -> dict[str, Any]:
    """The three batches: what is hashed, what is sent, the tree with the path of each letter."""
    return {
        "batches": [
            {
                "header": canonical(batch.model_dump(by_alias=True)).decode(),
                "hash": batch.hash,
                "plaintext": wire.write(batch, texts).decode(),
                "root": merkle.root(texts).hex(),
                "paths": [[step.hex() for step in merkle.path(texts, index)] for index in range(len(texts))],
            }
            for batch, texts in batches()
        ]
    }


def envelope() -> dict[str, Any]:
    """The first batch, sealed: the envelope that stands there, if it still opens to it."""
    batch, texts = batches()[0]
    key, plaintext = ENCRYPT[DECIDER], wire.write(batch, texts)
    file = FOLDER / "envelope.json"
    kept = orjson.loads(file.read_bytes())["jwe"] if file.exists() else ""
    try:
        is_good = open_sealed(kept.encode(), lambda key_id: key if key_id == key.id else None) == plaintext
    except Undecryptable:
        is_good = False
    jwe = kept if is_good else seal(plaintext, key.public, kid=key.id).decode()
    return {"to": key.id, "jwe": jwe, "header": base64url.decode(jwe.partition(".")[0]).decode()}


def _signed(made: SignedMessage) -> dict[str, Any]:
    return {
        "headers": dict(made.headers),
        "base": made.base.decode(),
        "base_hex": made.base.hex(),
        "signature": made.signature.hex(),
    }


def posted() -> SignedRequest:
    """The request that carries the envelope."""
    batch, _ = batches()[0]
    body = envelope()["jwe"].encode()
    root = wire.root_header(bytes.fromhex(batch.root))
    request = OutgoingRequest("POST", ORIGINS[DECIDER] + wire.PATH, wire.CONTENT_TYPE, body, root)
    return sign_request(SIGN[HOME], request, at=AT + timedelta(minutes=40), nonce=nonce("request"))


def _answered(request: SignedRequest, answer: Answer, name: str) -> dict[str, Any]:
    at = AT + timedelta(minutes=40, seconds=1)
    made = sign_answer(SIGN[DECIDER], answer, request=request.asked, at=at, nonce=nonce(name))
    return {"status": answer.status, "body": answer.body.decode(), **_signed(made)}


def exchange() -> dict[str, Any]:
    """One request whole, its receipt, and how it would have been refused."""
    first, _ = batches()[0]
    head = {"stream": 1, "number": 1, "hash": first.hash}
    kept = canonical({"head": head, "time": "2026-11-23T04:40:01.000Z"})
    gap = canonical(
        {
            "type": "/problems/log_gap",
            "code": "log_gap",
            "title": "批次编号不连续",
            "status": 409,
            "head": {"stream": 1, "number": 0, "hash": GENESIS},
        }
    )
    request = posted()
    return {
        "request": {"method": "POST", "url": ORIGINS[DECIDER] + wire.PATH, "body": "envelope.json", **_signed(request)},
        "receipt": _answered(request, Answer(200, "application/json", kept), "receipt"),
        "refusal": _answered(request, Answer(409, "application/problem+json", gap), "refusal"),
    }


def question() -> dict[str, Any]:
    """One signed GET for a part, and its answer."""
    material = hashlib.sha256(b"a made-up picture").hexdigest()
    path, query = f"/peer/v1/materials/{material}", f"case={NAME}&step={STEP}"
    url = f"{ORIGINS[DECIDER]}{path}?{query}"
    asked = ReceivedRequest("GET", url, path, query, {"Range": "bytes=0-3"})
    request = sign_as_received(SIGN[HOME], asked, at=AT + timedelta(minutes=40), nonce=nonce("question"))
    part = Answer(206, "application/octet-stream", b"a ma", "bytes 0-3/17")
    return {"request": {"method": "GET", "url": url, **_signed(request)}, "answer": _answered(request, part, "answer")}


FILES = {
    "keys.json": keys,
    "directory.json": directory,
    "letters.json": letters,
    "log.json": log,
    "envelope.json": envelope,
    "exchange.json": exchange,
    "question.json": question,
}


def text_of(name: str) -> str:
    """What this file must hold."""
    return orjson.dumps(FILES[name](), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def write() -> None:
    """Make all files; each follows from those before it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (FOLDER / name).write_text(text_of(name), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tests.vectors --write")
    write()
