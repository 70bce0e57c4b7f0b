"""The embedded database server at less than half of its price; it takes the options of `nx-27017`.

As it comes, it asks SQLite for each command anew which tables there are and which column has the id, and hands each
command to a thread, which waits for the lock of its database. Here it asks again only once the schema has changed, and
one command follows another. What it answers is the same.
"""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from neosqlite import Collection, Connection
from nx_27017.nx_27017 import main


def remembered(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """This question to a database or a collection, with its last answer kept as long as the schema is the same.

    Within a transaction nothing is kept: a schema that is rolled back gives its version to another one.
    """
    kept = f"_remembered_{ask.__name__}"

    @functools.wraps(ask)
    def answer(asked: Any) -> Any:
        if asked.db.in_transaction:
            return ask(asked)
        schema = asked.db, asked.db.execute("PRAGMA schema_version").fetchone()[0]
        if kept not in vars(asked) or vars(asked)[kept][0] != schema:  # a database answers any name with a collection
            vars(asked)[kept] = schema, ask(asked)
        return vars(asked)[kept][1]

    return answer


async def at_once(command: Callable[..., Any], *given: Any) -> Any:
    """What the command answers, in the thread of the loop."""
    return command(*given)


def serve() -> None:
    """Serve as the command line says."""
    Connection.list_collection_names = remembered(Connection.list_collection_names)
    Collection._id_column = property(remembered(Collection._id_column.fget))
    asyncio.to_thread = at_once  # type: ignore[assignment]
    main()


if __name__ == "__main__":
    serve()
