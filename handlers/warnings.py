"""The door of the clocks' warnings."""

import orjson

from handlers.base import Does, Door, Who
from handlers.bodies import read_model
from server.desk import sessions, warning

PAGE = 50
FILTERS = ("department", "before")


class Warnings(Door):
    """What the clocks told the officer's rank in his department, the newest first; a leader reads all."""

    path = "/desk/v1/warnings"
    who = Who.OFFICER
    audience = sessions.OFFICERS
    does = {"GET": Does(warning.warnings, gives=warning.WarningList, queries=FILTERS)}

    async def get(self) -> None:
        given = {name: value for name in FILTERS if (value := self.get_query_argument(name, ""))}
        sought = read_model(warning.Sought, orjson.dumps(given))
        self.answer(await warning.warnings(self.node, sessions.officer_of(self.claims), sought, limit=PAGE))
