"""The commands of those who keep the keys of a node: new ones, what stands under each, and taking one away."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from regions.founding import found
from server.crypto.keyring import add_key, choose_key, next_key_id, remove_key
from server.desk.background import key_renewing
from server.domain.audit import Doer
from server.domain.keys import KeyUse, KeyWalk, Ring
from server.domain.values import Value
from server.node import Node
from server.operating import DONE, WRONG, Report, operator, progress, run_with
from server.papers.seal_folder import make_stand_in
from server.tools.publications import load_nodes

REGIONS = Path("config/regions")
RESTART = "Copy the key file to every machine of the node, and restart all of its processes"


class KeyChange(Value):
    """A key of a ring, and what was done with it."""

    ring: str
    key: str
    done: str


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `keys make`, `seals`, `show`, `add`, `use`, `renew` and `retire`."""
    whats = command("keys", run_with(_show), "Make keys, and replace those of a node.").add_subparsers(
        title="what", required=True, metavar="WHAT"
    )
    making = whats.add_parser("make", help="make keys of new nodes, and the directory that names them")
    making.add_argument("folder", type=Path, help="where to write them; existing ones are never overwritten")
    making.add_argument(
        "--node", action="append", required=True, metavar="DIVISION=ORIGIN", help="repeat for each node"
    )
    making.set_defaults(run=_make)
    sealing = whats.add_parser("seals", help="make a stand-in that certifies the seals of papers, for tests and demos")
    sealing.add_argument("folder", type=Path, help="where to write it; an existing one is never overwritten")
    sealing.set_defaults(run=_make_seals)
    showing = whats.add_parser("show", help="tell what stands under each key of the rings")
    adding = whats.add_parser("add", help="add a fresh key to a ring, beside the current one")
    adding.add_argument("ring", choices=get_args(Ring), help="fields: seals what is stored; integrity: proves it")
    using = whats.add_parser("use", help="make a key the current one, which all processes of the node know already")
    using.add_argument("key", help="its id")
    renewing = whats.add_parser("renew", help="put everything under the current keys; exit 1 if anything is left")
    retiring = whats.add_parser("retire", help="take a key away under which nothing stands any more")
    retiring.add_argument("key", help="its id")
    rows = ((showing, _show), (adding, _add), (using, _use), (renewing, _renew), (retiring, _retire))
    for parser, ask in rows:
        parser.add_argument("--json", action="store_true", help="print a JSON list")
        parser.set_defaults(run=run_with(ask))


def _make(chosen: argparse.Namespace) -> int:
    origins = dict(pair.partition("=")[::2] for pair in chosen.node)
    names = {area.node: area.name for area in load_nodes(REGIONS)}
    print(found(chosen.folder, origins, names, at=datetime.now(UTC)))
    return DONE


def _make_seals(chosen: argparse.Namespace) -> int:
    try:
        print(make_stand_in(chosen.folder, datetime.now(UTC)))
    except FileExistsError as fault:
        print(f"{fault.filename} is there already", file=sys.stderr)
        return WRONG
    return DONE


async def _show(node: Node, _: argparse.Namespace) -> Report:
    walked = await key_renewing.walk(node, is_only_told=True, tell=progress())
    return Report([walked], [*map(_line_of, walked.keys), *_broken(walked)], DONE)


async def _add(node: Node, chosen: argparse.Namespace) -> Report:
    names = await node.store.identity.key_names()
    known = {name.partition(":")[2] for name in names} | set(node.keys.rings[chosen.ring].keys)
    key = next_key_id(node.here, chosen.ring, known)
    await key_renewing.note(node, "key.added", ring=chosen.ring, key=key, by=Doer(name=operator()))
    add_key(node.settings.keys_file, chosen.ring, key)
    change = KeyChange(ring=chosen.ring, key=key, done="added")
    return _changed(change, f"{RESTART}. Then: python -m server keys use {key}")


async def _use(node: Node, chosen: argparse.Namespace) -> Report:
    ring = key_renewing.ring_of(node, chosen.key)
    await key_renewing.note(node, "key.chosen", ring=ring, key=chosen.key, by=Doer(name=operator()))
    choose_key(node.settings.keys_file, ring, chosen.key)
    change = KeyChange(ring=ring, key=chosen.key, done="chosen")
    return _changed(change, f"{RESTART}. Then: python -m server keys renew")


async def _renew(node: Node, _: argparse.Namespace) -> Report:
    walked = await key_renewing.walk(node, is_only_told=False, tell=progress())
    done = f"{walked.seen} looked at, {walked.old} not under the current keys, {walked.renewed} written anew"
    moved = [f"{walked.moved} were changed meanwhile: run it again"] if walked.moved else []
    return Report([walked], [done, *moved, *_broken(walked)], WRONG if walked.moved or walked.broken else DONE)


async def _retire(node: Node, chosen: argparse.Namespace) -> Report:
    ring = await key_renewing.retire(node, chosen.key, by=Doer(name=operator()), tell=progress())
    remove_key(node.settings.keys_file, ring, chosen.key)
    kept = "Backups of the database from before need it: keep the key file from before as long as them"
    return _changed(KeyChange(ring=ring, key=chosen.key, done="retired"), f"{kept}. {RESTART}")


def _changed(change: KeyChange, then: str) -> Report:
    return Report([change], [f"{change.key}: {change.done}", f"{then}."], DONE)


def _line_of(use: KeyUse) -> str:
    stands = ", ".join(f"{number} {room}" for room, number in use.stands.items()) or "nothing"
    return f"{use.ring} {use.key}{' (current)' if use.is_current else ''}: {stands}"


def _broken(walked: KeyWalk) -> list[str]:
    lines = [f"{place} is not as this node wrote it, or no key opens it" for place in walked.broken_places]
    left = walked.broken - len(walked.broken_places)
    return [*lines, f"and {left} more"] if left else lines
