"""Officers in the store: what is kept of a password."""

from pathlib import Path

import pytest

from server.crypto.passwords import Cost
from server.domain.people.persons import Officer
from server.store.ends import Ends
from server.store.mongo import MongoDatabase
from server.store.people.accounts import OFFICERS, Accounts, WrongPassword

CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)


async def test_a_password_is_hashed_at_the_recommended_cost_unless_another_is_named(
    database: MongoDatabase, tmp_path: Path
) -> None:
    accounts = Accounts(database, Ends(database, tmp_path))
    await accounts.add(Officer(name="anna"), "a long password")
    await accounts.add(Officer(name="bert"), "another password", cost=CHEAP)
    kept = await database.get_many(OFFICERS, ["officer:anna", "officer:bert"])
    assert kept["officer:anna"]["password_hash"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert kept["officer:bert"]["password_hash"].startswith("$argon2id$v=19$m=64,t=1,p=1$")
    for name, password in (("anna", "a long password"), ("bert", "another password")):
        assert (await accounts.proven(name, password)).officer.name == name
        with pytest.raises(WrongPassword):
            await accounts.proven(name, f"{password}.")
