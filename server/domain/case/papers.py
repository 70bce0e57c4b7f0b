"""Papers (文书) that a case gives: asked for by what happened to a step, made later, and told to the home."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from server.domain.aggregate.happening import Happened
from server.domain.materials import MOST_BYTES
from server.domain.values import SENSITIVE, Day, Moment, Value

SAID_OF_PAPER = ("of", "paper", "paper_kind", "title", "authority", "dated_on", "data_digest", "file")
PAPER_ID = r"^[0-9A-Z]{16}$"
PaperId = Annotated[str, StringConstraints(pattern=PAPER_ID)]
PaperKind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]
PaperName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
EventNumber = Annotated[int, Field(strict=True, ge=1, le=2**31)]
RESULT_PAPERS = frozenset(("certificate", "licence"))  # kinds that are the result itself, in hand
MOST_PAPERS = 100  # of one step: no node is told of more
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class PaperFile(Value):
    """The sealed file of a paper: its SHA-256 (hex), its size in bytes, and the number (文号) that stands on it."""

    sha256: Sha256
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)]
    number: Annotated[str, StringConstraints(max_length=300)]


class PaperOrder(Value):
    """A paper that is to be made: `case` is its id here; `event` is that by which the case asked for it."""

    paper: PaperId
    case: str
    step: str
    event: int
    at: Moment


class GivenPaper(Value):
    """A paper of a step: its id, kind and title, who gives it, its day; the `file` once it is made.

    `spoken_number` is the one that people say, and only where the paper was made.
    `event` is the number of what it is about and `data_digest` that of its data, both as the one who gives it has them.
    """

    id: PaperId
    step: str
    paper_kind: str
    title: str
    authority: str
    dated_on: Day
    event: int
    data_digest: Sha256
    file: PaperFile | None = None
    spoken_number: str = ""
    made_at: Moment | None = None


class PaperAsked(Happened):
    """What happened to a step asks for a paper; `of` is the number of that event.

    `data_digest` is that of the paper's data, without a number yet, with the versions of texts and layout. The data
    follows from the case after that event and from what stands here: `address` is that of its check, `dates` are the
    days that were worked out by the calendar of that moment, `catalogue` is the version that things were called by, and
    `names` are those of the divisions in a result, by their codes.
    """

    act: ClassVar[str] = "ask_paper"
    kind: Literal["paper_asked"] = "paper_asked"
    step: str
    of: int
    paper: PaperId
    paper_kind: str
    title: str
    authority: str
    dated_on: Day
    dates: Mapping[str, Day] = Field(default_factory=dict)
    names: Annotated[Mapping[str, str], SENSITIVE] = Field(default_factory=dict)
    address: Annotated[str, SENSITIVE]
    data_digest: Sha256
    catalogue: str
    texts: str
    layout: str


class PaperMade(Happened):
    """A paper was sealed and is kept; at home it is told by the node that decides the step.

    `spoken_number` is the one that people say, which stands on the paper; no letter tells it.
    """

    act: ClassVar[str] = "make_paper"
    kind: Literal["paper_made"] = "paper_made"
    step: str
    of: int
    paper: PaperId
    paper_kind: str
    title: str
    authority: str
    dated_on: Day
    data_digest: Sha256
    file: PaperFile
    spoken_number: str = ""


def given_by(event: PaperAsked | PaperMade) -> GivenPaper:
    """The paper as it stands after this event."""
    return GivenPaper(
        id=event.paper,
        step=event.step,
        paper_kind=event.paper_kind,
        title=event.title,
        authority=event.authority,
        dated_on=event.dated_on,
        event=event.of,
        data_digest=event.data_digest,
        file=event.file if isinstance(event, PaperMade) else None,
        spoken_number=event.spoken_number if isinstance(event, PaperMade) else "",
        made_at=event.at if isinstance(event, PaperMade) else None,
    )
