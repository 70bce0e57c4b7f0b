"""Official numbers (文号): one run per authority, class (类字) and year, in which no number is given twice."""

from collections.abc import Mapping

from pydantic import Field

from server.domain.values import Value


class RunName(Value):
    """Which run: of which authority (by its name), class and year."""

    authority: str
    word: str
    year: int


class NumberRun(RunName):
    """One run: the `last` number that was taken, whose papers still wait for theirs to be used, and what went unused.

    `open` has the number of each paper, by its id, that is not made yet; `unused` says of a number why no paper has it.
    """

    last: int = 0
    open: Mapping[str, int] = Field(default_factory=dict)
    unused: Mapping[str, str] = Field(default_factory=dict)

    def taken(self, paper: str) -> "NumberRun":
        """The run with a number for this paper: the one it has, or the next one."""
        if paper in self.open:
            return self
        return self.model_copy(update={"last": self.last + 1, "open": {**self.open, paper: self.last + 1}})

    def used(self, paper: str) -> "NumberRun":
        """The run once the paper is made."""
        return self.model_copy(update={"open": {id: number for id, number in self.open.items() if id != paper}})

    def given_up(self, paper: str, why: str) -> "NumberRun":
        """The run once it is sure that the paper is never made: its number stays taken, and this is why."""
        if paper not in self.open:
            return self
        unused = {**self.unused, str(self.open[paper]): why}
        return self.used(paper).model_copy(update={"unused": unused})


def number_text(run: NumberRun, paper: str) -> str:
    """How the number of a paper is written: GB/T 9704 has the year in such brackets and no zeros in front.

    KeyError if the run has no number for it.
    """
    return f"{run.authority}{run.word}字〔{run.year}〕{run.open[paper]}号"
