"""Each kind of aggregate has its row in every table that keeps it whole."""

from pathlib import Path
from typing import Any

import pytest

from server.crypto.keyring import make_keys
from server.domain.aggregate.names import name_of
from server.store.aggregates.marks import MARKS
from server.store.queries import QUERIES
from server.store.rings import WRAPPED
from server.store.store import Store, open_store
from server.store.trust import TRUST
from tests.world import JIANGSU

NOWHERE: Any = None  # nothing is read or written


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(NOWHERE, make_keys(JIANGSU), tmp_path, here=JIANGSU, relay_due_seconds=5)


def test_each_kind_can_be_found_believed_and_given_new_keys(store: Store):
    assert store.aggregates.keys() == {"cases", "licences"}
    for collection, room in store.aggregates.items():
        kind = room.kind
        assert kind.collection == collection
        assert set(kind.queries) <= set(QUERIES)
        assert {query.collection for query in kind.queries} == {collection}
        trust = TRUST[collection]
        assert (trust.means, trust.marks, "events" in trust.elsewhere) == ("proof", MARKS, True)
        wrapped = {(*each.within, each.member) for each in WRAPPED[collection]}
        assert wrapped == {("key",), *(("effects", each, "data_key") for each in ("letter", "fetch", "issue"))}


def test_heads_of_each_kind_are_compared_with_where_it_stands(store: Store):
    assert {kind for kind in store.aggregates if store.heads.is_known(name_of(kind, "one"))} == {*store.aggregates}
