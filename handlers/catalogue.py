"""The doors of what a province publishes: bundles, items, what one asks of a citizen, lists and divisions."""

from collections.abc import Callable
from functools import partial

from pydantic import BaseModel

from handlers.base import Handler, Operation, Role
from handlers.response_cache import PUBLIC, CachedResponse, ResponseCache, cached_response
from server.desk.citizen import authorities, browsing, divisions, guiding, windows
from server.domain.remembering import Memory, itself
from server.node import Node

MOST_AT_START = 256  # pages: more than a node of a few dozen bundles has, and a tenth of a second


class CatalogueHandler(Handler):
    """A handler whose answers change only with what is published; a caller who has the current answer gets 304."""

    role = Role.ANYONE

    def answer_with(self, response: CachedResponse) -> None:
        """Answer with a response, compressed if the caller accepts gzip."""
        self.etag = response.etag
        self.set_header("Cache-Control", PUBLIC)
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(response.compressed)
        else:
            self.finish(response.plain)

    def answer_cached(self, *key: str, view: Callable[[], BaseModel]) -> None:
        """Answer with the cached response of this path and key."""
        cache: ResponseCache = self.settings["cache"]
        self.answer_with(cache.response((self.path, *key), view))


class BundlesHandler(CatalogueHandler):
    """All bundles, or those of a stage, for a subject, or found by a search."""

    path = "/api/v1/bundles"
    role = Role.ANYONE
    operations = {
        "GET": Operation(
            browsing.bundles,
            "查询一件事列表，可按阶段、主体和关键词筛选",
            gives=browsing.BundleList,
            queries=("stage", "subject", "q"),
        )
    }

    async def get(self) -> None:
        asked = {name: self.get_query_argument(name, "") for name in ("stage", "subject", "q")}
        if any(asked.values()):
            self.answer_with(cached_response(browsing.bundles(self.node, **asked)))
        else:
            self.answer_cached(view=lambda: browsing.bundles(self.node))


class BundleHandler(CatalogueHandler):
    """One bundle with its questions."""

    path = "/api/v1/bundles/{code}"
    role = Role.ANYONE
    operations = {"GET": Operation(browsing.bundle, "查看一件事及其情形问题", gives=browsing.BundleView)}

    async def get(self, code: str) -> None:
        self.answer_cached(code, view=lambda: browsing.bundle(self.node, code))


class ItemHandler(CatalogueHandler):
    """One item with all that is published of it."""

    path = "/api/v1/items/{code}"
    role = Role.ANYONE
    operations = {"GET": Operation(browsing.item, "查看单个事项的办事指南", gives=browsing.ItemView)}

    async def get(self, code: str) -> None:
        self.answer_cached(code, view=lambda: browsing.item(self.node, code))


class SearchHandler(Handler):
    """Bundles and items by everyday words."""

    path = "/api/v1/search"
    role = Role.ANYONE
    operations = {
        "GET": Operation(browsing.search, "用日常用语搜索一件事和事项", gives=browsing.SearchResults, queries=("q",))
    }

    async def get(self) -> None:
        self.answer(browsing.search(self.node, self.get_query_argument("q", "")))


class BundleGuideHandler(Handler):
    """The one form, the materials and the steps for given answers."""

    path = "/api/v1/bundles/{code}/guide"
    role = Role.ANYONE
    operations = {
        "POST": Operation(
            guiding.guide,
            "按已答的情形问题生成办事指引：表单、材料和步骤",
            takes=guiding.GuideRequest,
            gives=guiding.Guide,
            is_looking=True,
        )
    }

    async def post(self, code: str) -> None:
        guide = guiding.guide(self.node, code, self.read(guiding.GuideRequest))
        texts: Memory = self.settings["texts"]
        self.finish(texts.of(itself(guide), lambda: guide.model_dump_json(by_alias=True)))


class YearlyListHandler(CatalogueHandler):
    """What is known of the national lists of a year."""

    path = "/api/v1/lists/{year}"
    role = Role.ANYONE
    operations = {"GET": Operation(browsing.yearly_list, "查看某年度的一件事清单", gives=browsing.ListView)}

    async def get(self, year: str) -> None:
        self.answer_cached(year, view=lambda: browsing.yearly_list(self.node, year))


class DivisionsHandler(CatalogueHandler):
    """What lies right inside a division on a day; without a parent, the provinces."""

    path = "/api/v1/divisions"
    role = Role.ANYONE
    operations = {
        "GET": Operation(
            divisions.divisions,
            "查询下级行政区划（默认为各省）",
            gives=divisions.DivisionList,
            queries=("parent", "on"),
        )
    }

    async def get(self) -> None:
        parent, on = self.get_query_argument("parent", ""), self.get_query_argument("on", "")
        self.answer_with(cached_response(divisions.divisions(self.node, parent=parent, on=on)))


class AuthoritiesHandler(CatalogueHandler):
    """Who decides in a division today: one item, or each of them."""

    path = "/api/v1/authorities"
    role = Role.ANYONE
    operations = {
        "GET": Operation(
            authorities.authorities,
            "查询某地某事项今天由哪个机关办理（不填事项时列出该地全部办理机关）",
            gives=authorities.DeciderList,
            queries=tuple(authorities.DecidersAsked.model_fields),
        )
    }

    async def get(self) -> None:
        asked = self.query(authorities.DecidersAsked)
        self.answer_with(cached_response(authorities.authorities(self.node, asked)))


class WindowsHandler(CatalogueHandler):
    """Where in a division one may hand in."""

    path = "/api/v1/windows"
    role = Role.ANYONE
    operations = {
        "GET": Operation(
            windows.windows,
            "查询某地的办事窗口及当前是否开放，可按事项筛选、按距离排序",
            gives=windows.WindowList,
            queries=tuple(windows.WindowsAsked.model_fields),
        )
    }

    async def get(self) -> None:
        asked = self.query(windows.WindowsAsked)
        self.answer_with(cached_response(windows.windows(self.node, asked)))


def filled(node: Node) -> ResponseCache:
    """A cache that already holds the list, every bundle and every item, but no more pages than it may at the start.

    Further ones are made when somebody first asks for them. The first search builds the index, so one is made here,
    before any caller waits for it.
    """
    browsing.search(node, "")
    cache = ResponseCache()
    cache.response((BundlesHandler.path,), lambda: browsing.bundles(node))
    pages: list[tuple[str, str, Callable[[Node, str], BaseModel]]] = [
        *((BundleHandler.path, code, browsing.bundle) for code in browsing.local(node).bundle_of),
        *((ItemHandler.path, code, browsing.item) for code in node.catalogue.item_of),
    ]
    for path, code, view in pages[: MOST_AT_START - len(cache)]:
        cache.response((path, code), partial(view, node, code))
    return cache
