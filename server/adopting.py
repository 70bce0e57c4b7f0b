"""The command of those who put a backup back, move a node or try a copy: whose database this is from now on."""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from server import main
from server.domain.identity import Held, Identity, NotOurDatabase, Use
from server.domain.values import Value
from server.operating import DONE, WRONG, operator
from server.store.format import DataFormat
from server.store.store import Store
from server.tools.clock import SystemClock
from server.tools.metrics import Metrics
from server.tools.publications import load_divisions
from server.tools.settings import Settings, load_settings

AFTERWARDS: Mapping[Use, tuple[str, ...]] = {
    "production": (
        "From now on this database speaks for the node, and no other may: end every process on the one before it.",
        "If a backup was put back, other nodes may have letters of ours that it lacks: `peers` shows STOPPED for them, "
        "and `peers --open-stream` lets such a way go on: read docs/how-to/run-the-exchange.md first.",
        "Rights that were ended after that backup count again: end them again (docs/trust.md).",
    ),
    "drill": (
        "From now on this database is a drill: it starts with --quiet only, and no process of it reaches anybody.",
        "What is done in it counts for nobody.",
    ),
}


class Adoption(Value):
    """Whose database it is: its incarnation and use (empty: nobody's yet), and why it cannot be opened as it is."""

    division: str
    place: str
    folder: str
    incarnation: str
    use: str
    faults: tuple[str, ...]


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The command `adopt`."""
    adopt = command(
        "adopt", run, "Show whose database the settings name, and make it this node's; exit 1 if it is not yet."
    )
    adopt.add_argument(
        "--as",
        dest="use",
        choices=get_args(Use),
        help="production: it speaks for the node; drill: a copy to look at, which speaks to nobody. Without it nothing "
        "is changed",
    )
    adopt.add_argument("--json", action="store_true", help="print it as one JSON object")


def run(chosen: argparse.Namespace) -> int:
    """Show, adopt if asked to, and show what has become of it."""
    found = asyncio.run(_adopted(load_settings(), chosen.use))
    print(found.model_dump_json() if chosen.json else "\n".join(_lines(found, chosen.use)))
    return WRONG if found.faults else DONE


async def _adopted(settings: Settings, use: Use | None) -> Adoption:
    """Whose database it is, after it was adopted if a use is given; raises what nobody may adopt."""
    keys, database = main.keys_of(settings), main.database_of(settings)
    store, ours = main.store_of(settings, database, keys=keys, metrics=Metrics()), main.identity_of(settings, keys)
    try:
        if use:
            provinces = load_divisions(settings.regions_folder).by_parent.get("", ())
            await DataFormat(database).claim(each.code for each in provinces)
            await _adopt(store, ours, use)
        held = await store.identity.held()
        faults = [str(fault) for fault in store.identity.faults(held, ours) or await _broken_ends(store, held)]
    finally:
        await database.close()
    return Adoption(
        division=ours.division,
        place=ours.place,
        folder=str(settings.data_folder),
        incarnation=held.incarnation if held else "",
        use=held.use if held else "",
        faults=tuple(faults),
    )


async def _adopt(store: Store, ours: Identity, use: Use) -> None:
    """Adopt the database; that is audited before it is done."""
    held, incarnation = await store.identity.held(), main.new_incarnation()
    for fault in store.identity.faults(held, ours):
        if not fault.may_adopt:
            raise fault
    before = {"before": held.incarnation, "from": f"{held.identity.place}, {held.identity.origin}"} if held else {}
    about = {"incarnation": incarnation, "use": use, "by": operator(), **before}
    await store.audit.note(f"adopted:{incarnation}", "node.adopted", at=SystemClock().now(), about=about)
    await store.identity.adopt(ours, use, incarnation=incarnation)


async def _broken_ends(store: Store, held: Held | None) -> list[NotOurDatabase]:
    """Why a database that is ours may not be opened all the same: what was ended in it may have come back."""
    try:
        if held:
            await store.ends.start(held.incarnation, at=SystemClock().now())
    except NotOurDatabase as fault:
        return [fault]
    return []


def _lines(found: Adoption, use: Use | None) -> Iterator[str]:
    whose = f"incarnation {found.incarnation}, {found.use}" if found.incarnation else "nobody's yet"
    yield f"{found.division}: the database {found.place} with the folder {found.folder}: {whose}"
    yield from found.faults
    if use:
        yield from AFTERWARDS[use]
    elif found.faults:
        yield from (
            f"adopt --as {each} would give it a new incarnation. {' '.join(AFTERWARDS[each])}" for each in AFTERWARDS
        )
        yield "Nothing was changed."
