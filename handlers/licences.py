"""The doors to electronic licences: those of a citizen, and those of the desks that issued them."""

from typing import Annotated

from pydantic import StringConstraints

from handlers.base import Handler, Operation, Role, Variant
from regions import licence_checks
from server.desk.citizen import holding
from server.desk.officer import licence_file, licence_forms
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


class LicenceSearchesHandler(Handler):
    """Look for licences. What is looked for is personal data, and therefore stands in a body and in no address."""

    path = "/desk/v1/licence-searches"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            licence_file.search_licences,
            "按电子证照标识、编号或者持证人号码查找本机关颁发的证照",
            takes=licence_file.LicenceSearch,
            gives=licence_file.LicencesFound,
            is_looking=True,
        )
    }

    async def post(self) -> None:
        asked = self.read(licence_file.LicenceSearch)
        self.answer(await licence_file.search_licences(self.node, self.entry, asked, limit=PAGE))


class DeskLicenceHandler(Handler):
    """A licence that an authority of the officer's has issued; each look is noted."""

    path = "/desk/v1/licences/{identifier}"
    role = Role.OFFICER
    operations = {"GET": Operation(licence_file.desk_licence, "查看本机关颁发的证照", gives=licence_file.LicenceAtDesk)}

    async def get(self, identifier: str) -> None:
        view = await licence_file.desk_licence(self.node, self.entry, identifier)
        self.etag = f'"{view.version}"'
        self.answer(view)


class LicenceActHandler(Handler):
    """One of the acts on a licence, each with a body of its own."""

    path = "/desk/v1/licences/{identifier}/{act}"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            licence_file.act_on_licence,
            "办理一个证照",
            takes=licence_forms.GroundedRequest,
            gives=licence_file.LicenceAtDesk,
            is_once=True,
            variants={path: Variant(form.summary, form.takes) for path, form in licence_forms.LICENCE_FORMS.items()},
        ),
    }

    async def post(self, identifier: str, act: str) -> None:
        key, said = self.key(), self.read(licence_forms.licence_form(act).takes)
        request = licence_file.LicenceActRequest(identifier=identifier, act=act, key=key, said=said)
        view, record = await licence_file.act_on_licence(self.node, self.entry, request)
        self.answer(view, committed=record)


class LicenceChecksHandler(Handler):
    """Ask the node that issued a licence how it stands."""

    path = "/desk/v1/licence-checks"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            licence_checks.check,
            "向颁发节点核验一个证照的状态",
            takes=licence_checks.LicenceCheck,
            gives=licence_checks.CheckedLicence,
        )
    }

    async def post(self) -> None:
        asked = self.read(licence_checks.LicenceCheck)
        self.answer(await licence_checks.check(self.node, self.entry, asked))
