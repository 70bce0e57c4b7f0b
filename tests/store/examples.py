"""Values made up from their kinds, every member filled in at every depth, and a look at all values inside of one."""

import dataclasses
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError

from server.domain.catalogue.items import Competence, LevelRule
from server.domain.licence.identifier import LicenceIdentifier
from server.domain.licence.licence import LicenceHolder
from server.domain.licence.telling import ToldLicence
from server.domain.people.posts import Post
from server.domain.values import Value

AT, DAY = datetime(2026, 11, 23, 4, tzinfo=UTC), date(2026, 11, 23)
PLAIN: Mapping[type[Any], tuple[Any, ...]] = {
    str: ("x", "320102", "320102/1", "00" * 32, "0" * 26, "0" * 16),
    int: (1, 5),
    bool: (True,),
    float: (1.5,),
    datetime: (AT,),
    date: (DAY,),
}
OF_A_SAMPLE: Mapping[str, Any] = {"type_code": "SAMPLE000000000000999", "issuer": "SAMPLE000000000001"}
# Of which members their kinds ask for more than that each fits by itself.
FITTING: Mapping[type[Any], Mapping[str, Any]] = {
    Competence: {"decided_by": "authority", "levels": (LevelRule(level="county"),)},
    LicenceHolder: {"number": "0" * 18},
    LicenceIdentifier: OF_A_SAMPLE,
    ToldLicence: {"identifier": LicenceIdentifier(**OF_A_SAMPLE, serial="1").text},
    Post: {"authority": "x/320102", "window": "", "kind": "delegation"},
}


def example(kind: type[Any], /, **members: Any) -> Any:
    """A value of this kind with these members, and all its others filled in."""
    members = {**FITTING.get(kind, {}), **members}
    return kind(**{name: _any_of(each) for name, each in annotations(kind).items() if name not in members} | members)


def annotations(kind: type[Any]) -> dict[str, Any]:
    """What its members may be, by name."""
    if issubclass(kind, Value):
        fields = kind.model_fields.items()
        return {name: Annotated[(each.annotation, *each.metadata, None)] for name, each in fields}
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def is_kind(annotation: Any) -> bool:
    """Whether it is a value with members."""
    return isinstance(annotation, type) and (issubclass(annotation, Value) or dataclasses.is_dataclass(annotation))


def kinds_in(*annotated: Any) -> set[type[Any]]:
    """All kinds of values that stand in these at any depth."""
    found: set[type[Any]] = set()
    left = list(annotated)
    while left:
        each = left.pop()
        if is_kind(each):
            if each not in found:
                found.add(each)
                left += annotations(each).values()
        elif not isinstance(each, list):
            left += get_args(each)
    return found


def values_in(value: Any) -> Iterator[Any]:
    """The value itself, if it is one, and all values inside of it."""
    if is_kind(type(value)):
        yield value
        for name in annotations(type(value)):
            yield from values_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from values_in(each)
    elif isinstance(value, Collection) and not isinstance(value, str):
        for each in value:
            yield from values_in(each)


def painted(value: Any, member: str, text: str) -> Any:
    """The same with this member in each value inside that may have it."""
    paint = partial(painted, member=member, text=text)
    if is_kind(type(value)):
        names = annotations(type(value))
        change = {name: paint(getattr(value, name)) for name in names} | ({member: text} if member in names else {})
        return value.model_copy(update=change) if isinstance(value, Value) else dataclasses.replace(value, **change)
    if isinstance(value, Mapping):
        return {name: paint(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return type(value)(*map(paint, value)) if hasattr(value, "_fields") else tuple(map(paint, value))
    return value


def _any_of(annotation: Any) -> Any:
    """Something that fits, the fullest that there is."""
    return _all_of(annotation)[0]


def _all_of(annotation: Any) -> list[Any]:
    """One of each alternative."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_kind(annotation):
        return [example(annotation)]
    if origin is Annotated:
        return _fitting(annotation, _all_of(arguments[0]))
    if origin is Literal:
        return list(arguments)
    if origin in (Union, types.UnionType):
        return [found for each in arguments if each is not types.NoneType for found in _all_of(each)]
    if origin is tuple:
        return [tuple(_all_of(arguments[0])) if Ellipsis in arguments else tuple(map(_any_of, arguments))]
    if origin is frozenset:
        return [frozenset(_all_of(arguments[0]))]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return [{_any_of(arguments[0]): _any_of(arguments[1])}]
    if hasattr(annotation, "_fields"):
        return [annotation(*map(_any_of, typing.get_type_hints(annotation).values()))]
    return list(PLAIN[annotation]) if annotation in PLAIN else [{}]


def _fitting(annotation: Any, candidates: list[Any]) -> list[Any]:
    """Those that its constraints let pass."""
    adapter, found = TypeAdapter(annotation), []
    for each in candidates:
        try:
            adapter.validate_python(each)
        except ValidationError:
            continue
        found.append(each)
    return found
