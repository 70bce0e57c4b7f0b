"""Whatever stands in an envelope, reading it ends in a batch that can be hashed and proven, or in a refusal by name."""

from contextlib import suppress
from typing import Any

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regions import wire
from server.domain.errors import Refusal
from tests.vectors import batches

MODERATE = settings(max_examples=300, derandomize=True, deadline=None)
BATCH, TEXTS = batches()[0]
TRUE: dict[str, Any] = orjson.loads(wire.write(BATCH, TEXTS))
MEMBERS = [(name,) for name in TRUE] + [("letters", 0, name) for name in TRUE["letters"][0]] + [("letters", 0)]
MOMENTS = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:00(\.[0-9]{1,9})?(Z|[+-]\d\d:00)?")
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | MOMENTS.filter(str.isascii)
    | st.sampled_from(["0" * 64, "320000", "$date", "\0", "1" * 400, 1e300, 2**53, -(2**53)])
)
ANY = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))


def changed(path: tuple[str | int, ...], value: Any) -> bytes:
    """The true batch with another value at one place."""
    document = orjson.loads(orjson.dumps(TRUE))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return orjson.dumps(document)


@MODERATE
@given(path=st.sampled_from(MEMBERS), value=ANY)
@example(path=("complete_to",), value="0001-01-01T00:00:00.000+08:00")
@example(path=("number",), value=2**53)
@example(path=("v",), value=True)
def test_a_batch_with_anything_in_any_place_is_read_or_refused(path: tuple[str | int, ...], value: Any) -> None:
    plaintext = changed(path, value)
    with suppress(Refusal):
        batch, letters = wire.read(plaintext)
        wire.check_parties(batch, (each.letter for each in letters), sender=BATCH.sender, here=BATCH.to)
        assert len(batch.hash) == 64
        wire.root_of([each.text for each in letters])
        assert orjson.loads(wire.write(batch, [each.text for each in letters])) == orjson.loads(plaintext)


@MODERATE
@given(plaintext=st.binary(max_size=40) | ANY.map(orjson.dumps))
@example(plaintext=b"[" * 1000 + b"]" * 1000)
@example(plaintext=b'{"v":1,"letters":[' + b"[" * 1000 + b"]" * 1000 + b"]}")
def test_what_is_no_batch_at_all_is_refused(plaintext: bytes) -> None:
    with suppress(Refusal):
        wire.read(plaintext)
        raise AssertionError(plaintext)
