"""The doors to electronic licences: those of a citizen."""

from typing import Annotated

from pydantic import StringConstraints

from handlers.base import Handler, Operation, Role
from server.desk.citizen import holding
from server.domain.values import Value

PAGE = 20


class LicencesAsked(Value):
    """After which `next` the list goes on."""

    after: Annotated[str, StringConstraints(max_length=1000)] = ""


class LicencesHandler(Handler):
    """One's own electronic licences, across all cases."""

    path = "/api/v1/licences"
    role = Role.REAL_NAME
    operations = {
        "GET": Operation(
            holding.my_licences,
            "查看本人的电子证照",
            gives=holding.MyLicences,
            queries=tuple(LicencesAsked.model_fields),
        )
    }

    async def get(self) -> None:
        asked = self.query(LicencesAsked)
        self.answer(await holding.my_licences(self.node, self.owner, after=asked.after, limit=PAGE))


class LicenceHandler(Handler):
    """One of them, by its identifier."""

    path = "/api/v1/licences/{identifier}"
    role = Role.REAL_NAME
    operations = {"GET": Operation(holding.my_licence, "查看本人的一个电子证照", gives=holding.MyLicenceView)}

    async def get(self, identifier: str) -> None:
        self.answer(await holding.my_licence(self.node, self.owner, identifier))
