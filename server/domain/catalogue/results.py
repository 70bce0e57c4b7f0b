"""Results (办理结果): what an approval yields, and what there is to know of each kind of licence and paper."""

from typing import Annotated, Literal

from pydantic import Field

from server.domain.catalogue.alike import Alike
from server.domain.catalogue.items import Text
from server.domain.catalogue.validity import Validity

ResultKind = Literal["licence", "paper", "text"]
MOST_HOLDERS = 10  # that one licence may have


class Result(Alike):
    """What an approval yields: a licence (证照), a paper (证明, 通知书), or text, an answer without a document.

    Of a licence: `type_code` is that of its type (证照类型代码), official or a sample, which results of one
    type share. `holders` says who may hold one, and `most_holders` how many hold it together. `validity` is how long it
    holds, which must be said of a licence, and may be of a paper.
    """

    name: Text
    kind: ResultKind
    type_code: str = ""
    holders: Literal["", "person", "organisation", "both"] = ""
    most_holders: Annotated[int, Field(ge=1, le=MOST_HOLDERS)] = 1
    validity: Validity | None = None
