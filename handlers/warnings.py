"""The door of the clocks' warnings."""

from handlers.base import Does, Door, Who
from server.desk import sessions, warning

PAGE = 50


class Warnings(Door):
    """What the clocks told the officer's rank in his department, the newest first; a leader reads all."""

    path = "/desk/v1/warnings"
    who = Who.OFFICER
    audience = sessions.OFFICERS
    does = {"GET": Does(warning.warnings, gives=warning.WarningList, queries=tuple(warning.Sought.model_fields))}

    async def get(self) -> None:
        sought = self.query(warning.Sought)
        self.answer(await warning.warnings(self.node, self.officer, sought, limit=PAGE))
