"""A bare aiohttp server with pymongo's asyncio client: one `insert_one` for each wish."""

import asyncio
from typing import Any

import uvloop
from aiohttp import web
from pydantic import ValidationError
from pymongo import AsyncMongoClient

from loadtests.baselines.serving import COLLECTION, DURABLE, Baseline, baseline_of, tell_ready
from loadtests.baselines.wishes import Wish, document_of


def application(wishes: Any) -> web.Application:
    """The application; `wishes` is the collection that is written."""

    async def keep(request: web.Request) -> web.Response:
        try:
            wish = Wish.model_validate_json(await request.read())
        except ValidationError as fault:
            return web.json_response({"detail": fault.errors(include_url=False, include_input=False)}, status=422)
        document = document_of(wish)
        await wishes.insert_one(document)
        return web.json_response({"id": document["_id"]}, status=201)

    app = web.Application()
    app.router.add_post("/wishes", keep)
    return app


async def serve(baseline: Baseline) -> None:
    """Answer until the process is ended."""
    async with AsyncMongoClient[dict[str, Any]](baseline.uri) as client:
        await client.admin.command("ping")
        wishes = client.get_database(baseline.database).get_collection(COLLECTION, write_concern=DURABLE)
        runner = web.AppRunner(application(wishes), access_log=None)
        await runner.setup()
        await web.SockSite(runner, baseline.socket).start()
        tell_ready(baseline)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(baseline_of()))
