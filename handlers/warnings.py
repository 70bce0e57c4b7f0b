"""The door of the clocks' warnings."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import warnings

PAGE = 50


class WarningsHandler(Handler):
    """The warnings to the authorities of the officer's posts, the newest first."""

    path = "/desk/v1/warnings"
    role = Role.OFFICER
    operations = {
        "GET": Operation(
            warnings.warnings, "查看时限预警", gives=warnings.WarningList, queries=tuple(warnings.Sought.model_fields)
        )
    }

    async def get(self) -> None:
        sought = self.query(warnings.Sought)
        self.answer(await warnings.warnings(self.node, self.entry, sought, limit=PAGE))
