"""The commands of those who see to the accounts of a node's desks: list, add, end, reset, posts, and seed a demo's."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from server import main
from server.desk.officer import administering, appointing, officers
from server.desk.officer.administering import Ending, Listing, NewOfficer, OfficerLine, OneTimePassword, Resetting
from server.desk.officer.appointing import NewPost, PostLine, appoint
from server.domain.audit import Doer
from server.domain.people.passwords import check_password
from server.domain.people.persons import AccountRole, Officer
from server.domain.people.posts import PostRole
from server.domain.values import Value, moment_text
from server.node import Node
from server.operating import operator
from server.store.people.accounts import OfficerExists
from server.tools.logs import configure, log
from server.tools.publications import Publications
from server.tools.settings import Settings, load_settings

DONE = 0
PAGE = 200
SEEDED = "seed"  # who gave the posts of officers that were seeded
PLACED = ("authority", "window", "from_day", "to_day")
Sub = Callable[..., argparse.ArgumentParser]
Printed = tuple[Sequence[Value] | Value, str]
Ask = Callable[[Node, argparse.Namespace], Awaitable[Printed]]


class PostUnsaid(ValueError):
    """A post is ended with a reason, and its days are days."""


class UnfitName(ValueError):
    """A name begins with a letter and has letters, digits, blanks, points, lines and hyphens, at most 100 in all."""


def add_arguments(command: Sub) -> None:
    """The commands `officers list`, `add`, `end`, `reset`, `posts` and `seed`."""
    officers_command = command("officers", _run(_list), "See to the accounts of officers and administrators.")
    whats = officers_command.add_subparsers(title="what", required=True, metavar="WHAT")

    def sub(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = whats.add_parser(name, help=text, description=text)
        added.add_argument("--json", action="store_true", help="print what was done or found as JSON")
        added.set_defaults(run=run)
        return added

    sub("list", _run(_list), "List all accounts: those in office, then those that have ended.")
    adding = sub("add", _run(_add), "Add an account, and print the password for its first sign-in, this once.")
    adding.add_argument("name", help="what they sign in by; never given twice")
    adding.add_argument(
        "--role",
        choices=get_args(AccountRole),
        default="officer",
        help="officer, or one of the three administrators; once there is one of security, they add the others",
    )
    ending = sub("end", _run(_end), "End an account for good, and every session of it at once.")
    ending.add_argument("name", help="whose")
    resetting = sub("reset", _run(_reset), "Give a new one-time password, or take an authenticator away.")
    resetting.add_argument("name", help="whose")
    resetting.add_argument("what", choices=["password", "totp"], help="what is reset")
    for each in (ending, resetting):
        each.add_argument("--reason", required=True, type=_reason, help="why; it is audited")
    _add_posts(sub)
    seeding = sub("seed", _seed, "Add officers with lasting passwords, for demos and load tests.")
    seeding.add_argument("file", help="a JSON list of {name, password, posts[, totp_secret]}, or - for standard input")


async def seed_officers(
    settings: Settings, seats: Sequence[Mapping[str, Any]], *, data: Publications | None = None
) -> int:
    """Add the officers that are not there yet, with their posts; answers how many were added.

    A seat has `name`, `password` and `posts`, each with what a post needs (`NewPost`), and maybe `totp_secret`.
    Raises PasswordTooEasy, PostUnfit, and NameEnded for the first whose name was that of an officer who has ended.
    """
    added = 0
    async with main.opened(settings, data=data) as node:
        for seat in seats:
            officer = Officer(name=seat["name"])
            check_password(seat["password"], name=officer.name, fewest=settings.password_characters, at="/password")
            try:
                account = await administering.add_lasting(node, officer, seat["password"], by=Doer(name=SEEDED))
                if seat.get("totp_secret"):
                    await node.store.second_factors.plant(account, seat["totp_secret"])
                added += 1
            except OfficerExists:
                log.info("officer.known", name=officer.name)
            for place, post in enumerate(seat["posts"]):
                await appoint(node, officer.name, NewPost.model_validate(post), by=Doer(name=SEEDED), key=str(place))
    return added


def _add_posts(sub: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]) -> None:
    posts = sub("posts", _run(_posts), "List the posts of an officer, give one, or end one.")
    posts.add_argument("name", help="whose")
    what = posts.add_mutually_exclusive_group()
    what.add_argument("--add", choices=get_args(PostRole), help="give a post in this role")
    what.add_argument("--end", metavar="ID", help="end this post; needs --reason")
    posts.add_argument("--authority", default="", help="of a new post: the id, as `authorities list` prints it")
    posts.add_argument("--window", default="", help="of a new post: the id of a window, in the place of an authority")
    posts.add_argument("--item", action="append", default=[], help="of a new post: one of its items; none: all")
    posts.add_argument("--from", dest="from_day", metavar="DAY", help="of a new post: its first day")
    posts.add_argument("--to", dest="to_day", metavar="DAY", help="of a new post: its last day")
    posts.add_argument("--reason", type=_reason, help="why a post ends; it is audited")


def _run(ask: Ask) -> Callable[[argparse.Namespace], int]:
    """The command that asks a node which is opened for it, and prints the answer."""

    async def asked(chosen: argparse.Namespace) -> Printed:
        async with main.opened(load_settings()) as node:
            return await ask(node, chosen)

    def run(chosen: argparse.Namespace) -> int:
        configure(load_settings().log_level)
        found, text = asyncio.run(asked(chosen))
        is_one = isinstance(found, Value)
        values = [each.model_dump(mode="json") for each in ((found,) if isinstance(found, Value) else found)]
        print(json.dumps(values[0] if is_one else values, ensure_ascii=False) if chosen.json else text)
        return DONE

    return run


async def _list(node: Node, _chosen: argparse.Namespace) -> Printed:
    lines: list[OfficerLine] = []
    after: str | None = ""
    while after is not None:
        page = await administering.listed(node, Listing(after=after), limit=PAGE)
        lines += page.officers
        after = page.next
    return lines, "\n".join(map(_words, lines)) or "there are no accounts"


async def _add(node: Node, chosen: argparse.Namespace) -> Printed:
    try:
        new = NewOfficer(name=chosen.name, role=chosen.role)
    except ValidationError:
        raise UnfitName(f"{chosen.name!r} cannot be the name of an account") from None
    return _secret(await administering.add_by_command(node, new, by=Doer(name=operator())))


async def _end(node: Node, chosen: argparse.Namespace) -> Printed:
    ended = await officers.end(node, chosen.name, reason=chosen.reason, by=Doer(name=operator()))
    return ended, f"{ended.name} ended at {moment_text(ended.ended_at)}, {ended.released} tasks are free"


async def _reset(node: Node, chosen: argparse.Namespace) -> Printed:
    resetting = Resetting(what=chosen.what, reason=chosen.reason)
    return _secret(await administering.reset_account(node, chosen.name, resetting, by=Doer(name=operator())))


async def _posts(node: Node, chosen: argparse.Namespace) -> Printed:
    if chosen.end and not chosen.reason:
        raise PostUnsaid("--end needs --reason")
    if chosen.end:
        ending = Ending(reason=chosen.reason)
        line = await appointing.end_post(node, chosen.name, chosen.end, ending=ending, by=Doer(name=operator()))
        return line, _post_words(line)
    if chosen.add:
        try:
            new = NewPost(role=chosen.add, items=tuple(chosen.item), **{name: getattr(chosen, name) for name in PLACED})
        except ValidationError:
            raise PostUnsaid("a day is written like 2026-12-01, and lies in the years 2000 to 2100") from None
        key = node.chance.token(16).hex()
        line = await appointing.appoint(node, chosen.name, new, by=Doer(name=operator()), key=key)
        return line, _post_words(line)
    found = (await appointing.officer_view(node, chosen.name)).posts
    return found, "\n".join(map(_post_words, found)) or "there are no posts"


def _seed(chosen: argparse.Namespace) -> int:
    settings = load_settings()
    configure(settings.log_level)
    text = sys.stdin.read() if chosen.file == "-" else Path(chosen.file).read_text(encoding="utf-8")
    added = asyncio.run(seed_officers(settings, json.loads(text)))
    print(json.dumps({"added": added}) if chosen.json else f"{added} officers added")
    return DONE


def _secret(made: OneTimePassword) -> Printed:
    if not made.one_time_password:
        return made, f"{made.name} signs in without an authenticator now"
    return made, f"{made.name} signs in once with {made.one_time_password} and then chooses a password"


def _words(line: OfficerLine) -> str:
    """One account in words."""
    seat = "officer" if line.role == "officer" else f"{line.role} administrator"
    kinds = (("one-time password", line.has_one_time_password), ("authenticator", line.has_totp))
    told = [seat, *(word for word, holds in kinds if holds)]
    told += [f"ended at {moment_text(line.ended_at)}"] if line.ended_at else []
    return f"{line.name}: {', '.join(told)}"


def _post_words(line: PostLine) -> str:
    """One post in words."""
    told = [f"{line.role} at {line.authority or line.window}", line.kind]
    told += [f"for {line.stands_in_for}"] if line.stands_in_for else []
    told += [f"items {' '.join(line.items)}"] if line.items else []
    told += [f"from {line.from_day}"] if line.from_day else []
    told += [f"to {line.to_day}"] if line.to_day else []
    told += [f"ended at {moment_text(line.ended_at)}"] if line.ended_at else []
    return f"{line.id}: {', '.join(told)}"


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must say why")
    return text.strip()
