"""Values of a catalogue that are alike, held once: thousands of items ask for the same few hundred things."""

from typing import Any, Self

from pydantic import ValidationInfo, model_validator

from server.domain.values import Value


class Pool:
    """What one reading of a catalogue has met so far; it is given to pydantic as the context, and thrown away then."""

    def __init__(self) -> None:
        self._met: dict[Any, Value] = {}
        self._names: dict[frozenset[str], set[str]] = {}

    def one(self, value: Value) -> Value:
        """The equal value that was met first, or this one."""
        members = vars(value)
        return self._met.setdefault((type(value), tuple([_key(each) for each in members.values()])), value)

    def with_names_shared(self, value: Value) -> None:
        """Let the value have the set of the names that were given in common with those that were given the same."""
        names = value.__pydantic_fields_set__
        object.__setattr__(value, "__pydantic_fields_set__", self._names.setdefault(frozenset(names), names))


class Alike(Value):
    """A value of which a catalogue has many that are equal: where a `Pool` is the context, they are one."""

    @model_validator(mode="after")
    def _once(self, info: ValidationInfo) -> Self:
        pool = info.context
        return pool.one(self) if isinstance(pool, Pool) else self  # type: ignore[return-value] # of its own type


class Various(Value):
    """A value with many members of which a catalogue has many that differ: only which members were given is shared."""

    @model_validator(mode="after")
    def _slim(self, info: ValidationInfo) -> Self:
        if isinstance(info.context, Pool):
            info.context.with_names_shared(self)
        return self


def _key(member: Any) -> Any:
    """What tells a member of a value from others; the values in it are told by themselves, for they were met before."""
    if isinstance(member, Value):
        return id(member)
    if isinstance(member, tuple):
        return tuple([_key(each) for each in member])
    return tuple(member.items()) if isinstance(member, dict) else member
