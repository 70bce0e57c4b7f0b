"""Results (办理结果): what an approval yields."""

from typing import Literal

from server.domain.catalogue.alike import Alike
from server.domain.catalogue.items import Text

ResultKind = Literal["licence", "paper", "text"]


class Result(Alike):
    """What an approval yields: a licence (证照), a paper (证明, 通知书), or text, an answer without a document."""

    name: Text
    kind: ResultKind
