"""What every act carries, whatever it is done to."""

from typing import ClassVar

from server.domain.aggregate.actors import Actor
from server.domain.values import Value


class Act(Value):
    """What every act carries; `digest` tells two acts under one id apart."""

    name: ClassVar[str]
    id: str
    digest: str = ""
    by: Actor
