"""Remembering what was made of values that never change, by what tells them from others instead of all they say."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MOST = 1024


@dataclass(frozen=True)
class Keyed(Generic[T]):
    """A value as a part of a key: where the keys are equal, it counts as the same.

    It keeps the value alive, so that no other one gets its `id`.
    """

    key: Hashable
    value: T = field(compare=False)


class Memory:
    """The values that were made last, by key; those asked for longest ago are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._made: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under this key, or is made now; what `make` raises is not remembered."""
        if key in self._made:
            self._made.move_to_end(key)
        else:
            self._made[key] = make()
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        found: T = self._made[key]
        return found


def itself(value: T) -> Keyed[T]:
    """A value that counts as the same only as the very same object."""
    return Keyed(id(value), value)
