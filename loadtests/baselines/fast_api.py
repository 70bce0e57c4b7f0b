"""FastAPI on uvicorn, with uvloop and httptools and without an access log: one `insert_one` for each wish."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI
from pymongo import AsyncMongoClient

from loadtests.baselines.serving import COLLECTION, DURABLE, Baseline, baseline_of, tell_ready
from loadtests.baselines.wishes import Wish, document_of


def application(baseline: Baseline) -> FastAPI:
    """The application, whose client lives as long as it does; it tells when it is ready."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncMongoClient[dict[str, Any]](baseline.uri) as client:
            await client.admin.command("ping")
            database = client.get_database(baseline.database)
            app.state.wishes = database.get_collection(COLLECTION, write_concern=DURABLE)
            tell_ready(baseline)  # the socket listens already: who connects now is answered in a moment
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/wishes", status_code=201)
    async def keep(wish: Wish) -> dict[str, str]:
        document = document_of(wish)
        await app.state.wishes.insert_one(document)
        return {"id": document["_id"]}

    return app


async def serve(baseline: Baseline) -> None:
    """Answer until the process is ended."""
    config = uvicorn.Config(application(baseline), http="httptools", access_log=False, log_level="warning")
    await uvicorn.Server(config).serve(sockets=[baseline.socket])


if __name__ == "__main__":
    uvloop.run(serve(baseline_of()))
