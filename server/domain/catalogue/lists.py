"""The national yearly lists (年度清单): which things are added to those done as one, as far as it is known."""

from typing import Annotated, Literal

from pydantic import PositiveInt, StringConstraints

from server.domain.catalogue.items import Sourced, Text
from server.domain.errors import Missing
from server.domain.values import Value


class NoSuchList(Missing):
    """No list of this year is known."""

    code = "no_such_list"
    title = "没有这一年的清单"


class ListEntry(Value):
    """A name on a yearly list, and whether it was found in a source or only in a weak one."""

    name: Text
    certainty: Literal["found", "weak"]


class ListBatch(Sourced):
    """One document of a year's lists: how many things it officially names, and those of them that we can name."""

    name: Text
    batch: PositiveInt
    document: Text
    issued: Annotated[str, StringConstraints(pattern=r"^([0-9]{4}-[0-9]{2}(-[0-9]{2})?)?$")] = ""
    official_count: PositiveInt
    entries: tuple[ListEntry, ...] = ()


class YearlyList(Value):
    """The list of one year (年度清单): which things the nation adds to those done as one, as far as it is known."""

    year: PositiveInt
    batches: tuple[ListBatch, ...]
