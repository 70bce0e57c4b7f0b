"""Cases with the catalogue that they were opened under, which is read when somebody looks at one."""

from collections.abc import Iterable

from server.domain.effects.records import CaseRecord
from server.domain.errors import Conflict
from server.node import Node


class CatalogueLost(Conflict):
    """The catalogue that a case of this node was opened under is gone: no other may take its place."""

    code = "catalogue_lost"
    title = "缺少办件所依据的事项目录"


async def case_of(node: Node, id: str) -> CaseRecord:
    """The case, ready to be shown and decided; raises NoSuchCase, CaseErased, and as `have_at_hand`."""
    record = await node.store.cases.case(id)
    await have_at_hand(node, [record])
    return record


async def have_at_hand(node: Node, records: Iterable[CaseRecord]) -> None:
    """Have the catalogues of these cases at hand; raises NotAuthentic, and CatalogueLost for a case that began here.

    A case from elsewhere may have a version that this node never published: it goes by the one in force here.
    """
    cases = [record.case for record in records if record.case.catalogue != node.catalogue.version]
    await node.store.catalogues.load({case.catalogue for case in cases})
    for version in {case.catalogue for case in cases if case.home == node.here}:
        if node.store.catalogues.of(version) is None:
            raise CatalogueLost("系统已记录，请稍后再来查看。")
