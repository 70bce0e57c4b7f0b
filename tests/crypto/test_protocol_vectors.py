"""The vectors of docs/exchange-protocol.md: what tests/vectors.py makes, what the code reads, what others compute.

The other half of each test is an independent one: a library, or the few lines of hashing that the standard names.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import rfc8785
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from http_message_signatures import HTTPMessageVerifier, MappingKeyResolver, algorithms
from joserfc.jwe import decrypt_compact
from joserfc.jwk import OKPKey

from regions import wire
from regions.directory import read_directory
from server.crypto import base64url, merkle
from server.crypto.envelopes import open_sealed
from server.crypto.receipts import Receipt, ReceivedAnswer, verify_answer
from server.crypto.signatures import (
    KnownKey,
    ReceivedRequest,
    RequestReference,
    SignatureInvalid,
    prove_request,
    prove_sender,
    verify_request,
    verify_sender,
)
from server.crypto.suites import EncryptionKey, VerifyKey
from server.domain.canonical import canonical
from server.domain.case.case import Commission
from server.domain.effects.letters_in import KINDS, act_of, told_licence
from server.domain.exchange.letters import Letter, letter_id, letter_salt
from server.domain.licence.telling import LICENCE_TOLD
from server.domain.rules.table import TRANSITIONS
from tests.domain.places import CONTEXT
from tests.vectors import FILES, FOLDER, ORIGINS, text_of
from tests.written_letters import DECIDER, HOME

Vector = dict[str, Any]
PATH = "/peer/v1/log"
NOW = datetime(2026, 11, 23, 4, 40, 2, tzinfo=UTC)


def read(name: str) -> Vector:
    made: Vector = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return made


KEYS, DIRECTORY, LETTERS, LOG, ENVELOPE, EXCHANGE, QUESTION = (read(name.removesuffix(".json")) for name in FILES)
BATCHES: list[Vector] = LOG["batches"]


def seed(key_id: str) -> bytes:
    return bytes.fromhex(KEYS["keys"][key_id]["test_only_seed"])


def public(key_id: str) -> bytes:
    return base64url.decode(KEYS["keys"][key_id]["public"])


def known(key_id: str) -> KnownKey | None:
    """The signing keys of the directory."""
    is_there = key_id in KEYS["keys"] and "-sign-" in key_id
    return KnownKey(key_id[:6], VerifyKey(key_id, public(key_id))) if is_there else None


def mine(key_id: str) -> EncryptionKey | None:
    """The decider's key of encryption."""
    key = EncryptionKey("330000-encrypt-1", X25519PrivateKey.from_private_bytes(seed("330000-encrypt-1")))
    return key if key_id == key.id else None


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_what_the_script_makes(name: str):
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(name)


def test_the_keys_follow_from_their_ids():
    for key_id, key in KEYS["keys"].items():
        assert seed(key_id) == hashlib.sha256(f"tongban test-only {key_id}".encode()).digest()
        kind = {"Ed25519": Ed25519PrivateKey, "X25519": X25519PrivateKey}[key["algorithm"]]
        assert kind.from_private_bytes(seed(key_id)).public_key().public_bytes_raw() == public(key_id)


# The directory.


def test_the_directory_is_read_by_us_and_by_a_library():
    directory = read_directory(DIRECTORY["jws"], KEYS["keys"]["publisher-1"]["public"])
    assert directory.model_dump(mode="json") == json.loads(DIRECTORY["canonical"])
    publisher = Ed25519PublicKey.from_public_bytes(public("publisher-1"))
    assert jwt.decode(DIRECTORY["jws"], publisher, algorithms=["EdDSA"]) == json.loads(DIRECTORY["canonical"])
    for node, origin in ORIGINS.items():
        entry = directory.entry(node)
        assert entry is not None
        assert entry.origin == origin
        assert {key.id: base64url.decode(key.public) for key in entry.keys} == {
            key_id: public(key_id) for key_id in (f"{node}-sign-1", f"{node}-encrypt-1")
        }


# Letters.


@pytest.mark.parametrize("vector", LETTERS["letters"], ids=lambda vector: vector["id"][:8])
def test_a_letter_is_canonical_and_its_id_salt_and_leaf_are_hashes(vector: Vector):
    told = json.loads(vector["text"])
    letter = Letter.model_validate(told)
    assert letter.text() == canonical(told).decode() == rfc8785.dumps(told).decode() == vector["text"]
    plain = json.dumps(vector["id_of"], separators=(",", ":")).encode()
    assert letter_id(*vector["id_of"]) == hashlib.sha256(plain).hexdigest() == told["id"] == vector["id"]
    made_of = vector["salt_of"]
    commit = bytes.fromhex(made_of["commit"])
    numbers = made_of["event"].to_bytes(8, "big") + made_of["index"].to_bytes(8, "big")
    by_hand = base64.urlsafe_b64encode(hashlib.sha256(commit + numbers).digest()[:16]).decode().rstrip("=")
    assert letter_salt(commit, made_of["event"], made_of["index"]) == by_hand == told["salt"] == vector["salt"]
    assert hashlib.sha256(b"\x00" + vector["text"].encode()).hexdigest() == vector["leaf"]


def test_the_letters_are_ones_that_a_node_understands():
    letters = [Letter.model_validate_json(vector["text"]) for vector in LETTERS["letters"]]
    assert Commission.model_validate(letters[0].body).step.code == letters[0].step
    for letter in letters[1:]:
        act = act_of(letter, dict[str, Any]().__getitem__, CONTEXT) if letter.about else None
        assert act is None or (act.id, act.by.node) == (letter.unique_id, letter.sender)
        assert (act is None) == letter.kind.startswith(("letter.", "head.", "licence."))
        assert letter.kind != LICENCE_TOLD or told_licence(letter).case == letters[0].case
    threads = {(letter.sender, letter.about.name) for letter in letters if letter.about}
    assert len(threads) == 3
    for sender, name in threads:
        thread = [each for each in letters if each.sender == sender and each.about and each.about.name == name]
        assert [letter.after for letter in thread] == [None, *(letter.id for letter in thread[:-1])]


def test_there_is_a_letter_of_every_kind_and_of_each_of_its_forms():
    letters = [Letter.model_validate_json(vector["text"]) for vector in LETTERS["letters"]]
    assert {letter.kind for letter in letters} == KINDS
    for form in [each.letter for each in TRANSITIONS.values() if each.letter]:
        found = [each for each in letters if each.kind == form.kind and form.marks.items() <= each.body.items()]
        assert found, form
        assert {each.may_ignore for each in found} == {form.may_ignore}
        assert any(set(form.says) <= each.body.keys() for each in found)
    moves = {(each.sender, each.body["move"]) for each in letters if each.kind == "step.paper"}
    assert moves == {(node, move) for node in (HOME, DECIDER) for move in ("sent", "arrived")}


# Batches.


def root_of(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def path_of(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1, word for word."""
    if len(leaves) < 2:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m < k:
        return [*path_of(m, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), root_of(leaves[:k])]


def texts_of(vector: Vector) -> list[bytes]:
    return [rfc8785.dumps(letter) for letter in json.loads(vector["plaintext"])["letters"]]


@pytest.mark.parametrize("vector", BATCHES, ids=lambda vector: vector["hash"][:8])
def test_a_batch_has_its_hash_its_tree_and_its_text(vector: Vector):
    whole = json.loads(vector["plaintext"])
    letters = whole.pop("letters")
    assert rfc8785.dumps(whole).decode() == vector["header"]
    assert hashlib.sha256(vector["header"].encode()).hexdigest() == vector["hash"]
    assert rfc8785.dumps(whole | {"letters": letters}).decode() == vector["plaintext"]
    texts = texts_of(vector)
    assert root_of(texts).hex() == merkle.root(texts).hex() == whole["root"] == vector["root"]
    for index, path in enumerate(vector["paths"]):
        steps = tuple(bytes.fromhex(step) for step in path)
        assert steps == tuple(path_of(index, texts)) == merkle.path(texts, index)
        assert merkle.root_of_path(texts[index], index, size=len(texts), path=steps).hex() == vector["root"]


@pytest.mark.parametrize("vector", BATCHES, ids=lambda vector: vector["hash"][:8])
def test_a_batch_is_read_and_written_again(vector: Vector):
    batch, letters = wire.read(vector["plaintext"].encode())
    assert batch.hash == vector["hash"]
    assert wire.write(batch, [each.text for each in letters]).decode() == vector["plaintext"]
    assert [each.text for each in letters] == texts_of(vector)


def test_the_batches_are_one_chain_of_all_letters():
    headers = [json.loads(vector["header"]) for vector in BATCHES]
    assert [header["number"] for header in headers] == [1, 2, 3]
    assert [header["prev"] for header in headers] == ["0" * 64, *(vector["hash"] for vector in BATCHES[:-1])]
    letters = [text.decode() for vector in BATCHES for text in texts_of(vector)]
    of_home = [vector["text"] for vector in LETTERS["letters"] if json.loads(vector["text"])["from"] == HOME]
    assert letters == of_home
    assert BATCHES[-1]["root"] == hashlib.sha256(b"").hexdigest()
    assert all(json.loads(letter)["at"] <= headers[0]["complete_to"] for letter in letters[:3])
    assert all(json.loads(letter)["at"] > headers[0]["complete_to"] for letter in letters[3:])


# The envelope.


def test_the_envelope_opens_to_the_first_batch_here_in_a_library_and_by_hand():
    jwe = ENVELOPE["jwe"].encode()
    key = OKPKey.import_key(X25519PrivateKey.from_private_bytes(seed(ENVELOPE["to"])))
    by_library = decrypt_compact(jwe, key, algorithms=["ECDH-ES", "A256GCM"]).plaintext
    assert open_sealed(jwe, mine) == by_library == by_hand(jwe) == BATCHES[0]["plaintext"].encode()
    assert base64url.decode(jwe.partition(b".")[0].decode()).decode() == ENVELOPE["header"]
    header = json.loads(ENVELOPE["header"])
    assert {name: header[name] for name in ("alg", "enc", "kid")} == {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": ENVELOPE["to"],
    }
    assert set(header) == {"alg", "enc", "kid", "epk"}
    assert set(header["epk"]) == {"kty", "crv", "x"}


def by_hand(jwe: bytes) -> bytes:
    """RFC 7518, section 4.6 (the key is agreed on, not wrapped), and RFC 7516, section 5.2."""
    protected, wrapped, vector, ciphertext, tag = jwe.split(b".")
    assert wrapped == b""
    decoded = [base64url.decode(part.decode()) for part in (protected, vector, ciphertext, tag)]
    ephemeral = X25519PublicKey.from_public_bytes(base64url.decode(json.loads(decoded[0])["epk"]["x"]))
    shared = X25519PrivateKey.from_private_bytes(seed(ENVELOPE["to"])).exchange(ephemeral)
    parts = (b"A256GCM", b"", b"")
    told = b"".join(len(part).to_bytes(4, "big") + part for part in parts) + (256).to_bytes(4, "big")
    secret = ConcatKDFHash(hashes.SHA256(), 32, told).derive(shared)
    return AESGCM(secret).decrypt(decoded[1], decoded[2] + decoded[3], protected)


# Requests and answers.


@dataclass
class LibraryRequest:
    """A request as http-message-signatures reads it."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass
class LibraryAnswer:
    """An answer as http-message-signatures reads it."""

    status_code: int
    headers: dict[str, str]
    request: LibraryRequest


class Library(HTTPMessageVerifier):
    """The library, which else compares with the clock of the day."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """The vectors are of a fixed day."""


RESOLVER = MappingKeyResolver(
    public_keys={
        key_id: Ed25519PublicKey.from_public_bytes(public(key_id)) for key_id in KEYS["keys"] if known(key_id)
    },
    private_keys={},
)
SIGNED = {
    "request": (EXCHANGE["request"], "320000-sign-1"),
    "receipt": (EXCHANGE["receipt"], "330000-sign-1"),
    "refusal": (EXCHANGE["refusal"], "330000-sign-1"),
    "question": (QUESTION["request"], "320000-sign-1"),
    "answer": (QUESTION["answer"], "330000-sign-1"),
}


def library_request(vector: Vector) -> LibraryRequest:
    return LibraryRequest(vector["method"], vector["url"], dict(vector["headers"]))


@pytest.mark.parametrize("name", SIGNED)
def test_a_base_ends_in_the_parameters_and_is_what_is_signed(name: str):
    vector, key_id = SIGNED[name]
    base = bytes.fromhex(vector["base_hex"])
    assert base == vector["base"].encode("ascii")
    label, _, params = vector["headers"]["Signature-Input"].partition("=")
    assert base.endswith(f'\n"@signature-params": {params}'.encode())
    assert Ed25519PrivateKey.from_private_bytes(seed(key_id)).sign(base).hex() == vector["signature"]
    encoded = base64.b64encode(bytes.fromhex(vector["signature"])).decode()
    assert vector["headers"]["Signature"] == f"{label}=:{encoded}:"


@pytest.mark.parametrize("name", ["request", "question"])
def test_a_library_verifies_what_was_sent(name: str):
    vector, key_id = SIGNED[name]
    body = ENVELOPE["jwe"].encode() if name == "request" else b""
    verifier = Library(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    (found,) = verifier.verify(library_request(vector), expect_tag="tongban-1", max_age=None, body=body)
    assert found.parameters["keyid"] == key_id
    covered = [f"{component}: {value}" for component, value in found.covered_components.items()]
    assert covered[: len(vector["base"].splitlines()) - 1] == vector["base"].splitlines()[:-1]


@pytest.mark.parametrize(("name", "asked"), [("receipt", "request"), ("refusal", "request"), ("answer", "question")])
def test_a_library_verifies_what_was_answered(name: str, asked: str):
    vector, key_id = SIGNED[name]
    answer = LibraryAnswer(vector["status"], dict(vector["headers"]), library_request(SIGNED[asked][0]))
    verifier = Library(signature_algorithm=algorithms.ED25519, key_resolver=RESOLVER)
    (found,) = verifier.verify(answer, expect_tag="tongban-1-receipt", max_age=None, body=vector["body"].encode())
    assert found.parameters["keyid"] == key_id


def asked_of(vector: Vector) -> RequestReference:
    """What the answer to this request must repeat."""
    headers = vector["headers"]
    signature = headers["Signature"].partition("=")[2]
    return RequestReference(signature, headers.get("Content-Digest", ""), headers.get("Exchange-Root", ""))


def heard(vector: Vector, asked: Vector) -> Receipt:
    answer = ReceivedAnswer(vector["status"], vector["headers"], vector["body"].encode())
    return verify_answer(answer, request=asked_of(asked), sender=DECIDER, directory_key=known, at=NOW)


def test_the_request_is_proven_and_its_receipt_names_the_head():
    vector = EXCHANGE["request"]
    received = ReceivedRequest("POST", ORIGINS[DECIDER], PATH, "", vector["headers"])
    announced = verify_request(received, directory_key=known, at=NOW, directory_version=7)
    proof = prove_request(announced, ENVELOPE["jwe"].encode(), at=NOW)
    assert (proof.sender, proof.base.decode(), proof.root.hex()) == (HOME, vector["base"], BATCHES[0]["root"])
    assert proof.asked == asked_of(vector)
    receipt = heard(EXCHANGE["receipt"], vector)
    assert (receipt.sender, receipt.status, receipt.base.decode()) == (DECIDER, 200, EXCHANGE["receipt"]["base"])
    assert json.loads(EXCHANGE["receipt"]["body"])["head"] == {"stream": 1, "number": 1, "hash": BATCHES[0]["hash"]}
    assert heard(EXCHANGE["refusal"], vector).status == 409


def test_the_question_is_proven_and_its_answer_is_bound_to_it():
    vector = QUESTION["request"]
    path, _, query = vector["url"].removeprefix(ORIGINS[DECIDER]).partition("?")
    received = ReceivedRequest("GET", ORIGINS[DECIDER], path, query, vector["headers"])
    announced = verify_sender(received, directory_key=known, at=NOW, directory_version=7)
    proven = prove_sender(announced, b"", at=NOW)
    assert (proven.sender, proven.base.decode(), proven.asked) == (HOME, vector["base"], asked_of(vector))
    assert heard(QUESTION["answer"], vector).base.decode() == QUESTION["answer"]["base"]
    with pytest.raises(SignatureInvalid):
        heard(replace_signature(QUESTION["answer"]), vector)


def replace_signature(vector: Vector) -> Vector:
    """The answer with the signature of the receipt."""
    return {**vector, "headers": {**vector["headers"], "Signature": EXCHANGE["receipt"]["headers"]["Signature"]}}


def test_one_letter_is_proven_by_its_path_and_both_signatures():
    texts = texts_of(BATCHES[0])
    path = [bytes.fromhex(step) for step in BATCHES[0]["paths"][1]]
    root = merkle.root_of_path(texts[1], 1, size=len(texts), path=path)
    for name, key_id in (("request", "320000-sign-1"), ("receipt", "330000-sign-1")):
        key = Ed25519PublicKey.from_public_bytes(public(key_id))
        key.verify(bytes.fromhex(EXCHANGE[name]["signature"]), bytes.fromhex(EXCHANGE[name]["base_hex"]))
    assert f'"exchange-root": {wire.root_header(root)}' in EXCHANGE["request"]["base"].splitlines()
    assert f'"exchange-root";req: {wire.root_header(root)}' in EXCHANGE["receipt"]["base"].splitlines()
    signature = EXCHANGE["request"]["headers"]["Signature"].partition("=")[2]
    assert f'"signature";req;key="tongban-1": {signature}' in EXCHANGE["receipt"]["base"].splitlines()
    assert '"@status": 200' in EXCHANGE["receipt"]["base"].splitlines()
