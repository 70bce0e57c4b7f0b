"""Random bytes come from the system, and each is given out once: to one thread, and to one process."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.crypto.randomness import ASKED_AT_ONCE, RandomPool


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the system was asked for, each time."""
    asked: list[int] = []
    urandom = os.urandom

    def told(length: int) -> bytes:
        asked.append(length)
        return urandom(length)

    monkeypatch.setattr(os, "urandom", told)
    return asked


def test_the_system_is_asked_for_many_at_once(asked: list[int]) -> None:
    pool = RandomPool()
    taken = [pool.take(12) for _ in range(ASKED_AT_ONCE // 12 + 1)]
    assert asked == [ASKED_AT_ONCE] * 2
    assert {len(each) for each in taken} == {12}
    assert len(set(taken)) == len(taken)


def test_more_than_the_pool_holds_may_be_asked_for(asked: list[int]) -> None:
    assert len(RandomPool().take(ASKED_AT_ONCE + 1)) == ASKED_AT_ONCE + 1
    assert asked == [ASKED_AT_ONCE + 1]


def test_no_two_threads_are_given_the_same() -> None:
    pool = RandomPool()
    with ThreadPoolExecutor(8) as threads:
        taken = [
            each for some in threads.map(lambda _: [pool.take(12) for _ in range(2000)], range(8)) for each in some
        ]
    assert len(set(taken)) == len(taken) == 16_000


def test_a_forked_child_is_given_none_of_its_parents() -> None:
    pool = RandomPool()
    pool.take(12)
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, pool.take(12))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, 12) != pool.take(12)
