"""What an officer has done: their own acts, the last first."""

from typing import Annotated

from pydantic import StringConstraints

from server.desk.steps import LocalMoment
from server.desk.wording import ACT_NAMES, LICENCE_ACT_NAMES
from server.domain.aggregate.names import FIRST, kind_and_id
from server.domain.effects.deeds import Deed
from server.domain.people.persons import Officer
from server.domain.values import Value
from server.node import Node


class DeedsAsked(Value):
    """After which `next` the list goes on."""

    after: Annotated[str, StringConstraints(max_length=300)] = ""


class DeedLine(Value):
    """One act: when, on which step of which case, what, and for which authority; without personal data.

    `case` is the name of a licence (`licences/...`) if it was done to that.
    `stands_in_for` is in whose place the officer did it, if in another's.
    """

    at: LocalMoment
    case: str
    step: str
    item_name: str
    act: str
    act_name: str
    authority: str
    authority_name: str
    stands_in_for: str


class DeedList(Value):
    """What the officer has done; `next` goes into `?after=` for the following page."""

    deeds: tuple[DeedLine, ...]
    next: str | None


async def deeds(node: Node, officer: Officer, asked: DeedsAsked, *, limit: int) -> DeedList:
    """What this officer has done, and nobody else."""
    found = await node.store.deeds.deeds_of(officer.name, before=asked.after, limit=limit + 1)
    page = found[:limit]
    return DeedList(
        deeds=tuple(_line(each) for each in page),
        next=node.store.deeds.place(page[-1]) if len(found) > limit else None,
    )


def _line(deed: Deed) -> DeedLine:
    told = {name: value for name, value in vars(deed).items() if name in DeedLine.model_fields}
    kind, _ = kind_and_id(deed.case)
    return DeedLine(**told, act_name=(ACT_NAMES if kind == FIRST else LICENCE_ACT_NAMES)[deed.act])
