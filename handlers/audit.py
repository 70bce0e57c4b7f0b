"""The door by which the audit administrator reads what is on record."""

from handlers.base import Handler, Operation, Role
from server.desk.officer import auditing
from server.domain.audit import AuditFilter

PAGE = 50


class AuditHandler(Handler):
    """The audit of this node."""

    path = "/desk/v1/audit"
    role = Role.AUDIT
    operations = {
        "GET": Operation(
            auditing.read, "查看审计记录", gives=auditing.AuditPage, queries=tuple(AuditFilter.model_fields)
        )
    }

    async def get(self) -> None:
        wanted = self.query(AuditFilter)
        self.answer(await auditing.read(self.node, wanted, by=self.entry.doer, limit=PAGE))
