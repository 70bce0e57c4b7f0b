"""What is said of licences where one cannot be had, or cannot be moved."""

from server.domain.aggregate.words import AggregateWords
from server.domain.errors import Conflict, Missing
from server.domain.licence.licence import NeverIssued


class LicenceErased(Missing):
    """The licence was erased here (at `erased_at`): that it was there is known, and nothing of what it said."""

    code = "licence_erased"
    title = "证照内容已依规删除"


class LicenceNotErasable(Conflict):
    """Something about the licence is still under way: nothing of it was erased."""

    code = "licence_not_erasable"
    title = "证照还不能删除"


LICENCE_WORDS = AggregateWords(
    noun="licence",
    moved="licence.moved",
    missing=lambda: NeverIssued("没有这个证照。"),
    erased=LicenceErased,
    unfinished=lambda: LicenceNotErasable("证照还有未送出的后续事项。"),
    moved_on="该证照已有新的变动，请刷新后重试。",
)
