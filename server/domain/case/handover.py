"""What happens to a step between the place that receives it and the one that decides: checks, and originals by post."""

from typing import Annotated, ClassVar, Literal

from server.domain.aggregate.happening import Happened
from server.domain.case.happening import Moved
from server.domain.catalogue.terms import Leg
from server.domain.values import SENSITIVE


class CheckAsked(Moved):
    """The step may start, and its home has to do its own part first (受理地核验)."""

    act: ClassVar[str] = "ask_check"
    kind: Literal["check_asked"] = "check_asked"


class Checked(Moved):
    """The home did its part (核验通过); what it found goes to the decider."""

    act: ClassVar[str] = "check"
    kind: Literal["checked"] = "checked"
    finding: Annotated[str, SENSITIVE]


class TurnedBack(Moved):
    """The home found that the step cannot be sent on as it is (核验不通过); it ends, and nothing has been decided."""

    act: ClassVar[str] = "turn_back"
    kind: Literal["turned_back"] = "turned_back"
    grounds: Annotated[str, SENSITIVE]


class PaperPosted(Happened):
    """One place posted originals to the other (寄出原件); a second time on the same leg, it corrects the first.

    `parcel` is what is `number` in act, letter and view: the `number` of an event is its place in the case.
    """

    act: ClassVar[str] = "post_paper"
    kind: Literal["paper_posted"] = "paper_posted"
    step: str
    leg: Leg
    courier: str
    parcel: str


class PaperArrived(Happened):
    """The other place has them in hand (签收原件); `parcel` is the number of what came."""

    act: ClassVar[str] = "confirm_paper"
    kind: Literal["paper_arrived"] = "paper_arrived"
    step: str
    leg: Leg
    courier: str
    parcel: str
