"""The doors by which officers find cases again: a search, and what they have done themselves."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import deeds, searching

PAGE = 50


class SearchesHandler(Handler):
    """Look for cases. What is looked for is personal data, and therefore stands in a body and in no address."""

    path = "/desk/v1/searches"
    role = Role.OFFICER
    operations = {
        "POST": Operation(
            searching.search,
            "按编号、姓名、身份证号码或手机号码精确查找本人可见的办件，按编号也查找证照",
            takes=searching.CaseSearch,
            gives=searching.FoundCases,
            is_looking=True,
        )
    }

    async def post(self) -> None:
        asked = self.read(searching.CaseSearch)
        self.answer(await searching.search(self.node, self.entry, asked, limit=PAGE))


class DeedsHandler(Handler):
    """What the officer has done."""

    path = "/desk/v1/done"
    role = Role.OFFICER
    operations = {
        "GET": Operation(
            deeds.deeds, "查看本人已办理的操作", gives=deeds.DeedList, queries=tuple(deeds.DeedsAsked.model_fields)
        )
    }

    async def get(self) -> None:
        asked = self.query(deeds.DeedsAsked)
        self.answer(await deeds.deeds(self.node, self.officer, asked, limit=PAGE))
