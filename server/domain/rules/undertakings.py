"""Undertakings (告知承诺): the texts in force, and what an applicant may promise by them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from server.domain.case.case import Application
from server.domain.catalogue.forms import FormFaulty
from server.domain.catalogue.items import Sourced, Text
from server.domain.catalogue.terms import Undertaking
from server.domain.errors import Conflict, FieldFault, Forbidden, Outdated
from server.domain.values import Value


class UndertakingMissing(FormFaulty):
    """What is left out or closed early needs the applicant's undertaking."""

    code = "undertaking_missing"
    title = "请先阅读并签署承诺书"


class UndertakingOutdated(Outdated):
    """The text that was signed is not the one in force; the one in force must be read first."""

    code = "undertaking_outdated"
    title = "承诺书文本已更新"


class DeferralForbidden(Forbidden):
    """Who is listed as seriously dishonest may not defer materials."""

    code = "deferral_forbidden"
    title = "不适用容缺受理"


class NothingToPromise(Conflict):
    """The undertaking promises something that this application does not need."""

    code = "nothing_to_promise"
    title = "此申请不需要该承诺"


class UndertakingText(Sourced):
    """A text that applicants sign; a changed text is a new version."""

    kind: Literal["deferral", "closing"]
    version: Text
    text: Text

    @property
    def sha256(self) -> str:
        """The digest (hex) of the text as it is shown, in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class SignedUndertaking(Value):
    """What a phone sends of a signed text: which one, and the digest of what it showed."""

    kind: Literal["deferral", "closing"]
    version: str
    sha256: str


def promised(
    application: Application,
    signed: Sequence[SignedUndertaking],
    *,
    texts: Sequence[UndertakingText],
    is_trusted: bool,
    at: datetime,
) -> Application:
    """The application with its undertakings; each names the text in force and what is promised by it.

    Raises UndertakingMissing, UndertakingOutdated, DeferralForbidden, NothingToPromise.
    """
    kinds = [each.kind for each in signed]
    if application.deferred and not is_trusted:
        raise DeferralForbidden("您目前不适用容缺受理，请备齐全部材料后提交。")
    if application.deferred and "deferral" not in kinds:
        fault = FieldFault(pointer="/undertakings", code="required", detail="请签署容缺受理承诺书。")
        raise UndertakingMissing("容缺受理需要签署承诺书。", errors=[fault])
    in_force = {(text.kind, text.version, text.sha256) for text in texts}
    for each in signed:
        if (each.kind, each.version, each.sha256) not in in_force:
            raise UndertakingOutdated("承诺书文本已更新，请重新阅读后签署。")
    needed = {"deferral": bool(application.deferred), "closing": application.closing == "undertaking"}
    if not all(needed[kind] for kind in kinds):
        raise NothingToPromise("此申请不需要签署这份承诺书。")
    undertakings = tuple(Undertaking(**each.model_dump(), at=at) for each in dict.fromkeys(signed))
    return application.model_copy(update={"undertakings": undertakings})
