"""The command of those who keep the list of the seriously dishonest (严重失信主体), who may not defer materials."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from server import main
from server.desk import recording, sessions
from server.domain.audit import Doer
from server.operating import DONE, operator
from server.tools.publications import Publications
from server.tools.settings import Settings, load_settings


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `dishonest`."""
    listed = command("dishonest", _dishonest, "Change who may not defer materials, by a JSON list of ID numbers.")
    listed.add_argument("what", choices=["add", "remove"], help="add: put them on the list; remove: take them off")
    listed.add_argument("file", help="a file, or - for standard input")
    listed.add_argument("--json", action="store_true", help="print the count as one JSON object")


async def change_dishonest(
    settings: Settings, id_numbers: Sequence[str], *, is_listed: bool, by: Doer, data: Publications | None = None
) -> int:
    """Put the persons of these ID numbers on the list of the seriously dishonest (严重失信主体), or take them off.

    Each is noted before. Answers how many changed; raises ValueError for the first that is no ID number, and changes
    nothing then. What was cut off is finished by doing it again.
    """
    async with main.opened(settings, data=data) as node:
        persons: dict[str, None] = {}
        for place, id_number in enumerate(id_numbers, 1):
            try:
                persons[sessions.person_key(node, id_number, at=f"/{place - 1}")] = None
            except sessions.IdNumberInvalid as fault:
                raise ValueError(f"entry {place} is no ID number: {fault}") from None
        about = {**by.by, "what": "added" if is_listed else "removed"}
        await recording.note_all(node, {"dishonest.changed": [{**about, "person": person} for person in persons]})
        room = node.store.dishonest
        return await (room.add(persons) if is_listed else room.remove(persons))


def _dishonest(chosen: argparse.Namespace) -> int:
    id_numbers = _json_of(chosen.file)
    if not isinstance(id_numbers, list) or not all(isinstance(each, str) for each in id_numbers):
        raise ValueError(f"dishonest {chosen.what} needs a JSON list of ID numbers")
    by, is_listed = Doer(name=operator()), chosen.what == "add"
    changed = asyncio.run(change_dishonest(load_settings(), id_numbers, is_listed=is_listed, by=by))
    print(json.dumps({"changed": changed}) if chosen.json else f"{changed} changed")
    return DONE


def _json_of(file: str) -> Any:
    return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
