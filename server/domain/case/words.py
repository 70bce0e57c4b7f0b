"""What is said of cases where one cannot be had, or cannot be moved."""

from server.domain.aggregate.words import AggregateWords
from server.domain.case.case import NoSuchCase
from server.domain.case.erasure import CaseErased, CaseNotErasable

CASE_WORDS = AggregateWords(
    noun="case",
    moved="case.moved",
    missing=lambda: NoSuchCase("没有这个办件。"),
    erased=CaseErased,
    unfinished=lambda: CaseNotErasable("办件还有未送出的后续事项。"),
    moved_on="办件已有新的进展，请刷新后重试。",
)
