"""A paper that is to be made, as the store keeps it."""

from server.domain.case.papers import PaperFile
from server.domain.papers.numbers import RunName
from server.domain.values import Value


class KeptPaper(Value):
    """A paper that is to be made, or was: `number` with its `run`, and `file`, once they are sure.

    `place` is that of the number that people say, which is taken with `number` and stands in no row; 0: it has none.
    `case` is its id here, `event` that by which the case asked for it. `outcome`: empty, `made`, or `moot` if its case
    is gone. Of one that its applicant signs, `file` is what is shown, and `signed` what they have signed last, before
    the case knows of it; it ends as `made` once the case has its signature, or as `lapsed`.
    """

    id: str
    case: str
    step: str
    event: int
    run: RunName | None = None
    number: str = ""
    place: int = 0
    file: PaperFile | None = None
    signed: PaperFile | None = None
    failures: int = 0
    reason: str = ""
    outcome: str = ""
    version: int = 1
