"""The doors of what a province publishes: bundles, what one asks of a citizen, lists and divisions."""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel

from handlers.base import Does, Door, Who
from server.desk import divisions, guiding
from server.domain.names import Value


class GuideWish(Value):
    """The answers given so far."""

    answers: Mapping[str, str] = {}


class CatalogueDoor(Door):
    """A door whose answers change only with what is published: the ETag is the digest of what is answered."""

    who = Who.ANYONE

    def answer_cached(self, view: BaseModel) -> None:
        """Answer, or 304 if the caller has this already."""
        body = view.model_dump_json().encode()
        self.etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        self.set_header("Cache-Control", "public, max-age=60")
        self.finish(body)


class Bundles(CatalogueDoor):
    """All bundles."""

    path = "/api/v1/bundles"
    who = Who.ANYONE
    does = {"GET": Does(guiding.bundles, gives=guiding.BundleList)}

    async def get(self) -> None:
        self.answer_cached(guiding.bundles(self.node))


class Bundle(CatalogueDoor):
    """One bundle with its questions."""

    path = "/api/v1/bundles/{code}"
    who = Who.ANYONE
    does = {"GET": Does(guiding.bundle, gives=guiding.BundleView)}

    async def get(self, code: str) -> None:
        self.answer_cached(guiding.bundle(self.node, code))


class BundleGuide(Door):
    """The one form, the materials and the steps for given answers."""

    path = "/api/v1/bundles/{code}/guide"
    who = Who.ANYONE
    does = {"POST": Does(guiding.guide, takes=GuideWish, gives=guiding.Guide)}

    async def post(self, code: str) -> None:
        self.answer(guiding.guide(self.node, code, self.read(GuideWish).answers))


class YearlyList(CatalogueDoor):
    """What is known of the national lists of a year."""

    path = "/api/v1/lists/{year}"
    who = Who.ANYONE
    does = {"GET": Does(guiding.yearly_list, gives=guiding.ListView)}

    async def get(self, year: str) -> None:
        self.answer_cached(guiding.yearly_list(self.node, year))


class Divisions(CatalogueDoor):
    """What lies right inside a division on a day; without a parent, the provinces."""

    path = "/api/v1/divisions"
    who = Who.ANYONE
    does = {"GET": Does(divisions.divisions, gives=divisions.DivisionList, queries=("parent", "on"))}

    async def get(self) -> None:
        parent, on = self.get_query_argument("parent", ""), self.get_query_argument("on", "")
        self.answer_cached(divisions.divisions(self.node, parent=parent, on=on))
