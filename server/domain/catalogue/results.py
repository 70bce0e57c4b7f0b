"""Results (办理结果): what an approval yields, and what there is to know of each kind of licence and paper."""

from collections.abc import Collection
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from server.domain.catalogue.alike import Alike
from server.domain.catalogue.items import Text
from server.domain.catalogue.validity import Validity

ResultKind = Literal["licence", "paper", "text"]
MOST_HOLDERS = 10  # that one licence may have


class HeldBy(Alike):
    """Which fields name those who hold a licence together, and which have their numbers, in the same order.

    Without `numbers` they are not known when it is approved, as with a newborn: then no electronic licence is issued.
    """

    names: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_HOLDERS)]
    numbers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.numbers and len(self.numbers) != len(self.names):
            raise ValueError("numbers must be as many as names, or none")
        return self

    def stands_in(self, fields: Collection[str]) -> bool:
        """Whether all of its fields are among these."""
        return set(self.names) | set(self.numbers) <= set(fields)


class Result(Alike):
    """What an approval yields: a licence (证照), a paper (证明, 通知书), or text, an answer without a document.

    Of a licence: `type_code` is that of its type (证照类型代码), official or a sample, which results of one
    type share. `holders` says who may hold one, and `most_holders` how many hold it together. `validity` is how long it
    holds, which must be said of a licence, and may be of a paper. Who does hold it stands in the fields of the first of
    `held_by` that the item has and whose names are filled in; without any it is the subject of the case. `ends_in` is
    the field that names its last day, where the decision does.
    """

    name: Text
    kind: ResultKind
    type_code: str = ""
    holders: Literal["", "person", "organisation", "both"] = ""
    most_holders: Annotated[int, Field(ge=1, le=MOST_HOLDERS)] = 1
    validity: Validity | None = None
    held_by: tuple[HeldBy, ...] = ()
    ends_in: str = ""
