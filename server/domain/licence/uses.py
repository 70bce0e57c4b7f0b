"""Uses (用证) of a licence: each is kept with who it was for, and its holder is shown all of them."""

from typing import Annotated, Literal

from server.domain.values import SENSITIVE, Moment, Value

# How it was used: by a code that its holder showed, in place of a material, checked by an officer or another node, at
# the desk that issued it. And what came of it.
UseKind = Literal["shown", "covered", "checked", "opened"]
UseOutcome = Literal["asked", "confirmed", "declined", "given"]
USE_NAMES: dict[UseKind, str] = {
    "shown": "亮证",
    "covered": "免提交材料",
    "checked": "核验",
    "opened": "颁发机关查看",
}
OUTCOME_NAMES: dict[UseOutcome, str] = {
    "asked": "等待本人确认",
    "confirmed": "本人已确认",
    "declined": "本人未同意",
    "given": "已提供",
}


class UsedBy(Value):
    """Who uses a licence: the node, the authority, the officer (empty where none took part), for which item or case.

    `case` is the full name of the case, if any, `item` the code of an item.
    """

    node: str
    authority_name: str = ""
    officer: str = ""
    item: str = ""
    case: str = ""
    purpose: Annotated[str, SENSITIVE] = ""


class LicenceUse(UsedBy):
    """One use of one licence: when, how, by whom, and what came of it."""

    id: str
    licence: str
    at: Moment
    kind: UseKind
    outcome: UseOutcome
