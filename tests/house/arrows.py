"""Rules about imports: who may know whom."""

import ast
from collections.abc import Iterator

from tests.house.house import Breach, House, Import, Source, is_import_call, is_in, loaded_name

EVERYTHING = (
    *("server.domain", "server.crypto", "server.tools", "server.store", "server.node", "server.desk"),
    *("regions", "handlers"),
)
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "server.domain": (),
    "server.crypto": ("server.domain",),
    "server.tools": ("server.domain",),
    "server.store": ("server.domain", "server.crypto"),
    "server.papers": ("server.domain",),
    "server.node": ("server.domain", "server.crypto", "server.store", "server.tools"),
    "server.desk": ("server.domain", "server.node"),
    "regions": ("server.domain", "server.crypto", "server.node", "server.desk"),
    "handlers": ("server.domain", "server.node", "server.desk", "regions"),
    "server.working": ("server.domain", "server.node", "server.tools", "server.desk", "regions"),
    "server.main": (*EVERYTHING, "server.working"),
    "server.demo": ("server.tools", "server.crypto", "server.papers.stand_in", "server.domain.papers.signing"),
    "server.supervising": ("server.tools",),
    "server.operating": ("server.main", "handlers", "regions", "server.node", "server.domain", "server.tools"),
    "server.staffing": (
        *("server.main", "server.operating", "server.store"),
        *("server.node", "server.desk", "server.domain", "server.tools"),
    ),
    "server.adopting": (*("server.main", "server.operating", "server.store", "server.domain", "server.tools"),),
    "server.inspecting": ("server.operating", "server.node", "server.desk", "server.domain"),
    "server.keeping": ("server.operating", "server.node", "server.desk", "server.domain"),
    "server.seeding": ("server.operating", "server.demo", "server.node", "server.desk", "server.domain"),
    "server.keying": (
        *("server.operating", "regions", "server.node", "server.desk"),
        *("server.domain", "server.crypto", "server.papers", "server.tools"),
    ),
    "server.processes": ("server.tools",),
    "server.serving": ("server.answering", "server.supervising", "server.processes", "server.tools"),
    "server.papering": ("server.desk", "server.node", "server.papers", "server.tools"),
    "server.answering": (
        *("server.main", "handlers", "regions", "server.working", "server.papering"),
        *("server.desk", "server.node", "server.domain", "server.tools"),
    ),
    "server.work": (
        *(
            "server.main",
            "handlers",
            "server.working",
            "server.papering",
            "server.processes",
            "server.tools",
        ),
    ),
    "server.checking": ("server.domain", "server.tools"),
    "server.describing": (
        *("handlers", "server.adopting", "server.inspecting", "server.keeping", "server.keying"),
        *("server.operating", "server.staffing", "server.domain"),
    ),
    "server.proving": ("server.papers", "server.domain"),
    "server.listing": ("server.main", "server.operating", "server.desk", "server.domain", "server.tools"),
    "server.cli": (
        *("server.serving", "server.work", "server.demo", "server.checking", "server.describing", "server.keying"),
        *("server.staffing", "server.listing", "server.operating", "server.adopting", "server.inspecting"),
        *("server.keeping", "server.seeding", "server.proving", "server.supervising", "server.domain", "server.tools"),
    ),
    "server.__main__": ("server.cli", "server.tools"),
    # the parts of a letter's path that no request shows
    "loadtests.exchange": ("loadtests.cryptography", "server.main", "server.demo", *EVERYTHING),
    "loadtests.cryptography": ("server.domain", "server.crypto", "server.node", "regions"),
    # a peer signs, and Locust lives in an environment without our cryptography
    "loadtests.signer": ("server.crypto",),
    "loadtests.push": ("loadtests.cpu", "server.demo", "regions"),
    "loadtests": (),
}
# The rooms inside a full room: the files directly in it are its ground, which import none of them and are open to all.
SUB_ROOMS: dict[str, tuple[str, ...]] = {
    "server.domain.people": (),
    "server.domain.aggregate": ("server.domain.people",),
    "server.domain.catalogue": ("server.domain.people",),
    "server.domain.catalogue_checks": ("server.domain.catalogue",),
    "server.domain.time": ("server.domain.catalogue.items",),
    "server.domain.exchange": ("server.domain.catalogue",),
    "server.domain.waiting": ("server.domain.catalogue",),
    "server.domain.case": (
        *("server.domain.aggregate", "server.domain.licence"),
        *("server.domain.people", "server.domain.catalogue", "server.domain.time", "server.domain.exchange"),
    ),
    "server.domain.rules": (
        *("server.domain.people", "server.domain.catalogue", "server.domain.time", "server.domain.exchange"),
        *("server.domain.aggregate", "server.domain.case", "server.domain.licence"),
        "server.domain.papers.signing",
    ),
    "server.domain.licence": ("server.domain.people", "server.domain.aggregate", "server.domain.catalogue"),
    "server.domain.papers": ("server.domain.catalogue.items",),
    "server.domain.paperwork": (
        *("server.domain.people", "server.domain.catalogue", "server.domain.time", "server.domain.aggregate"),
        *("server.domain.case", "server.domain.rules", "server.domain.papers"),
    ),
    "server.domain.effects": (
        *("server.domain.people", "server.domain.catalogue", "server.domain.time", "server.domain.exchange"),
        *("server.domain.aggregate", "server.domain.licence", "server.domain.case", "server.domain.rules"),
    ),
    "server.store.exchange": (),
    "server.store.effects": (),
    "server.store.people": (),
    "server.store.aggregates": ("server.store.effects",),
    "server.store.cases": ("server.store.aggregates", "server.store.effects"),
    "server.store.licences": ("server.store.aggregates", "server.store.effects"),
    "server.store.apart": ("server.store.aggregates", "server.store.effects", "server.store.exchange"),
    "server.store.format": ("server.store.exchange",),
    "server.store.trust": (
        *("server.store.exchange", "server.store.effects", "server.store.people", "server.store.aggregates"),
        *("server.store.cases", "server.store.licences", "server.store.apart", "server.store.format"),
    ),
    "server.store.proven": ("server.store.trust",),
    "server.store.rings": (
        *("server.store.exchange", "server.store.effects", "server.store.people", "server.store.aggregates"),
        *("server.store.cases", "server.store.licences", "server.store.trust", "server.store.proven"),
    ),
    "server.store.store": (
        *("server.store.exchange", "server.store.effects", "server.store.people", "server.store.aggregates"),
        *("server.store.cases", "server.store.licences", "server.store.apart", "server.store.format"),
        *("server.store.proven", "server.store.rings"),
    ),
    "server.desk.citizen": (),
    "server.desk.background": ("server.desk.citizen",),
    "server.desk.officer": ("server.desk.citizen", "server.desk.background"),
}
# The files that may import by a call, and what: each name stands in the call, and counts as any other import.
LOADED_LATE: dict[str, tuple[str, ...]] = {
    "server/cli.py": MAY_IMPORT["server.cli"][:-3],
    "server/serving.py": ("server.answering",),
    "server/proving.py": ("server.papers.verifying", "server.papers.contracts"),
    "server/tools/searching.py": ("jieba", "bm25s"),
}
FULL_ROOMS = ("server.domain", "server.store", "server.desk")
DRIVERS = ("pymongo", "motor", "bson", "gridfs")
DRIVER_FILE = "server/store/mongo.py"
BASELINES = "loadtests/baselines/"
DRIVER_FILES = (DRIVER_FILE, "loadtests/catalogues.py", "loadtests/bench/carrying.py")
PURE_MODULES = frozenset(
    {
        *("abc", "annotated_types", "base64", "bisect", "collections", "copy", "dataclasses", "datetime"),
        *("decimal", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac", "ipaddress"),
        *("itertools", "json", "jsonschema_rs", "math", "operator", "orjson", "pydantic", "pydantic_core", "re"),
        *("string", "types", "typing", "typing_extensions", "unicodedata"),
    }
)
IMPURE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint", "globals"})
TELLS_TIME = frozenset({"now", "utcnow", "today"})


def arrows_point_down(house: House) -> Iterator[Breach]:
    """A room imports only the rooms listed for it (ARCHITECTURE.md: the import table)."""
    for source in house.sources:
        room = room_of(source.module)
        if room is None:
            if not source.is_package:
                yield Breach(source.path, "", "stands in no room of the import table")
            continue
        for one in house.imports(source):
            if house.is_ours(one.module) and not any(is_in(one.module, other) for other in (room, *MAY_IMPORT[room])):
                yield Breach(source.path, one.module, f"line {one.line}: {room} may not import {one.module}")


def sub_rooms_point_down(house: House) -> Iterator[Breach]:
    """A sub-room imports the ground of its room and the sub-rooms listed for it; the ground imports none of them."""
    for source in house.sources:
        own = sub_room_of(source.module)
        room = next((each for each in FULL_ROOMS if is_in(source.module, each)), None)
        if room is None or source.is_package:
            continue
        if own is None and source.module.count(".") > room.count(".") + 1:
            yield Breach(source.path, "", f"stands in no sub-room of {room}")
        for one in house.imports(source):
            other = sub_room_of(one.module)
            is_listed = any(is_in(one.module, each) for each in SUB_ROOMS.get(own or "", ()))
            if is_in(one.module, room) and other not in (None, own) and not is_listed:
                yield Breach(source.path, one.module, f"line {one.line}: {own or room} may not import {one.module}")


def imports_stand_on_top(house: House) -> Iterator[Breach]:
    """An import stands at the top level of its file: not in a function, a condition or a try, and not as a call.

    What only some processes need may be loaded by a call that names it, in the files of LOADED_LATE (ADR 0033).
    """
    for source in house.sources:
        on_top = set(source.tree.body)
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in on_top:
                yield Breach(source.path, ast.unparse(node), f"line {node.lineno}: not at the top level")
            elif is_import_call(node) and not _may_load(source, loaded_name(node)):
                yield Breach(source.path, ast.unparse(node), f"line {node.lineno}: imports by a call")


def no_circles(house: House) -> Iterator[Breach]:
    """No module imports itself, directly or around a corner."""
    arrows = {source.module: sorted({_target(house, one) for one in house.imports(source)}) for source in house.sources}
    for module in arrows:
        ahead, reached = list(arrows[module]), set()
        while ahead:
            if (step := ahead.pop()) not in reached:
                reached.add(step)
                ahead += arrows.get(step, [])
        if module in reached:
            yield Breach(house.by_module[module].path, "", f"{module} imports itself around a corner")


def names_come_from_their_real_place(house: House) -> Iterator[Breach]:
    """A name is imported from the file that makes it, and a package's __init__ holds nothing but a docstring."""
    for source in house.sources:
        if source.is_package and len(source.tree.body) > (ast.get_docstring(source.tree) is not None):
            yield Breach(source.path, "", "an __init__ holds nothing but its docstring")
        for one in house.imports(source):
            origin = house.by_module.get(one.module)
            if one.name == "*":
                yield Breach(source.path, one.module, f"line {one.line}: imports * from {one.module}")
            elif origin is None and house.is_ours(one.module):
                yield Breach(source.path, one.module, f"line {one.line}: there is no {one.module}")
            elif origin is not None and one.name and one.name not in origin.defined:
                yield Breach(source.path, one.name, f"line {one.line}: {one.name} is not made in {one.module}")


def one_driver_import(house: House) -> Iterator[Breach]:
    """One file of the product speaks to the database driver.

    So do two measurements, from outside: one looks in a demo's database how large a catalogue is, one whether all is
    carried; they may not import ours. So do the servers that a node is compared with.
    """
    for source in house.sources:
        for one in house.imports(source):
            may_drive = source.path in DRIVER_FILES or source.path.startswith(BASELINES)
            if one.module.split(".")[0] in DRIVERS and not may_drive:
                yield Breach(source.path, one.module, f"line {one.line}: only {DRIVER_FILE} imports {one.module}")


def a_pure_domain(house: House) -> Iterator[Breach]:
    """The domain does no I/O, has no clock and no chance, writes no log and waits for nobody."""
    for source in house.in_room("server.domain"):
        for one in house.imports(source):
            if not house.is_ours(one.module) and one.module.split(".")[0] not in PURE_MODULES:
                yield Breach(source.path, one.module, f"line {one.line}: {one.module} is not known to be pure")
        for node in ast.walk(source.tree):
            if what := _impurity(node):
                yield Breach(source.path, what, f"line {node.lineno}: {what}")  # type: ignore[attr-defined]


def sub_room_of(module: str) -> str | None:
    return next((room for room in SUB_ROOMS if is_in(module, room)), None)


def room_of(module: str) -> str | None:
    return next((room for room in MAY_IMPORT if is_in(module, room)), None)


def _may_load(source: Source, name: str) -> bool:
    return any(is_in(name, each) for each in LOADED_LATE.get(source.path, ()))


def _target(house: House, one: Import) -> str:
    return one.module if one.module in house.by_module else ""


def _impurity(node: ast.AST) -> str:
    if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
        return "waits"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            return f"{node.func.id}()"
        if isinstance(node.func, ast.Attribute) and node.func.attr in TELLS_TIME:
            return f".{node.func.attr}()"
    return ""


def driver_is_used(house: House) -> bool:
    """Whether the one file that may import the driver does; else the rule above guards an empty room."""
    source: Source | None = house.by_module.get("server.store.mongo")
    return source is not None and any(one.module.split(".")[0] in DRIVERS for one in house.imports(source))
