"""A bare Tornado server with Motor: one `insert_one` for each wish, and one page that never changes."""

import asyncio

import uvloop
from motor.motor_asyncio import AsyncIOMotorClient
from pydantic import ValidationError
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from loadtests.baselines.serving import COLLECTION, DURABLE, Baseline, baseline_of, etag_of, tell_ready
from loadtests.baselines.wishes import Wish, document_of


class WishesHandler(RequestHandler):
    """Check the body, insert it, answer its id."""

    async def post(self) -> None:
        """201 with the id; 422 for a body that is no wish."""
        try:
            wish = Wish.model_validate_json(self.request.body)
        except ValidationError as fault:
            self.set_status(422)
            self.finish({"detail": fault.errors(include_url=False, include_input=False)})
            return
        document = document_of(wish)
        await self.settings["wishes"].insert_one(document)
        self.set_status(201)
        self.finish({"id": document["_id"]})


class PageHandler(RequestHandler):
    """The page; 304 for whoever has it."""

    def get(self) -> None:
        """200 with the bytes that were given; Tornado compares the ETag and answers 304."""
        self.set_header("Content-Type", self.settings["media_type"])
        self.set_header("Cache-Control", "public, max-age=60")
        self.finish(self.settings["page"])

    def compute_etag(self) -> str:
        """The digest, which is taken once, not with each answer."""
        etag: str = self.settings["etag"]
        return etag


async def serve(baseline: Baseline) -> None:
    """Answer until the process is ended."""
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(baseline.uri)
    wishes = client.get_database(baseline.database).get_collection(COLLECTION, write_concern=DURABLE)
    application = Application(
        [("/wishes", WishesHandler), ("/page", PageHandler)],
        wishes=wishes,
        page=baseline.page,
        media_type=baseline.media_type,
        etag=etag_of(baseline.page),
    )
    server = HTTPServer(application)
    server.add_sockets([baseline.socket])
    await client.admin.command("ping")
    tell_ready(baseline)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(baseline_of()))
