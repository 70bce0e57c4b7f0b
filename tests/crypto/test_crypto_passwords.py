"""Officers' passwords."""

import pytest

from server.crypto.passwords import Cost, hash_password, verify_password


def light(text: str) -> str:
    return hash_password(text, Cost(rounds=1, memory_kib=64, lanes=1))


def test_the_right_password_verifies_and_another_does_not():
    hashed = light("正确 horse battery")
    assert verify_password(hashed, "正确 horse battery")
    assert not verify_password(hashed, "正确 horse batterY")
    assert not verify_password(hashed, "")


def test_equal_passwords_have_different_hashes_that_do_not_contain_them():
    assert light("secret-word") != light("secret-word")
    assert "secret-word" not in light("secret-word")


def test_the_hash_names_argon2id_with_its_parameters():
    assert light("x").startswith("$argon2id$v=19$m=64,t=1,p=1$")


def test_who_names_no_cost_gets_the_second_recommendation_of_rfc_9106():
    assert hash_password("x").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("hashed", ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$broken", "$2b$12$abc"])
def test_a_hash_that_cannot_be_read_admits_nobody(hashed: str):
    assert not verify_password(hashed, "x")
