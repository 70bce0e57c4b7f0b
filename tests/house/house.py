"""The source files of the product, as syntax trees, and what the rules say about them."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

FOLDERS = ("server", "handlers", "regions", "loadtests")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Breach:
    """One place that breaks a rule: the file, the name inside it (empty for the file itself), what is wrong."""

    path: str
    name: str
    what: str

    @property
    def place(self) -> str:
        return f"{self.path} {self.name}".rstrip()

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True)
class Source:
    """One file."""

    path: str
    module: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.endswith("/__init__.py")

    @functools.cached_property
    def code_lines(self) -> int:
        """How many lines it has, without docstrings and blank lines."""
        spoken = {number for node in ast.walk(self.tree) for number in _docstring_lines(node)}
        return sum(bool(line.strip()) for number, line in enumerate(self.text.splitlines(), 1) if number not in spoken)

    @functools.cached_property
    def classes(self) -> tuple[ast.ClassDef, ...]:
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    @functools.cached_property
    def functions(self) -> tuple[tuple[str, Function, bool], ...]:
        """Every function with its dotted name, and whether it is called on an instance or a class."""
        return tuple(_functions(self.tree, "", is_class=False))

    @functools.cached_property
    def defined(self) -> frozenset[str]:
        """The names that the file itself makes at its top level."""
        names: set[str] = set()
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef | Function):
                names.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                names.update(_names_bound(node))
        return frozenset(names)


@dataclass(frozen=True)
class Import:
    """One import: the module it names, and the name it takes from there (empty: the module itself)."""

    module: str
    name: str
    line: int


class House:
    """All product files below a root."""

    def __init__(self, root: Path) -> None:
        self.sources = tuple(_sources(root))
        self.by_module = {source.module: source for source in self.sources}

    def in_room(self, room: str) -> tuple[Source, ...]:
        return tuple(source for source in self.sources if is_in(source.module, room))

    def imports(self, source: Source) -> Iterator[Import]:
        """Every import of the file, wherever it stands, by a call too; `from server import desk` names server.desk."""
        for node in ast.walk(source.tree):
            if is_import_call(node) and (name := loaded_name(node)):
                yield Import(name, "", node.lineno)
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, "", node.lineno)
            elif isinstance(node, ast.ImportFrom):
                module = _absolute(source, node)
                for alias in node.names:
                    inner = f"{module}.{alias.name}"
                    is_module = inner in self.by_module
                    yield Import(inner if is_module else module, "" if is_module else alias.name, node.lineno)

    def is_ours(self, module: str) -> bool:
        return module.split(".")[0] in (*FOLDERS, "tests")


def is_import_call(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether a call imports something."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")


def loaded_name(call: ast.Call) -> str:
    """The module that an import by a call names in full; empty if it cannot be read off."""
    named = call.args[0] if len(call.args) == 1 and not call.keywords else None
    return named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else ""


def is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def base_names(node: ast.ClassDef) -> tuple[str, ...]:
    """The last parts of the names of the bases."""
    return tuple(ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases)


def descendants(house: House, roots: set[str]) -> Iterator[tuple[Source, ast.ClassDef]]:
    """Every class below one of these names, near or far, in any file."""
    classes = [(source, node) for source in house.sources for node in source.classes]
    known = set(roots)
    while more := {node.name for _, node in classes if node.name not in known and known.intersection(base_names(node))}:
        known |= more
    return ((source, node) for source, node in classes if known.intersection(base_names(node)))


def own_value(node: ast.ClassDef, name: str) -> ast.expr | None:
    """What the class body itself assigns to the name."""
    for line in node.body:
        if isinstance(line, ast.Assign | ast.AnnAssign) and name in _names_bound(line):
            return line.value
    return None


def _sources(root: Path) -> Iterator[Source]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            parts = path.relative_to(root).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield Source(path.relative_to(root).as_posix(), module, text, ast.parse(text))


def _docstring_lines(node: ast.AST) -> range:
    """The lines of this node's own docstring."""
    if not isinstance(node, ast.Module | ast.ClassDef | Function) or ast.get_docstring(node, clean=False) is None:
        return range(0)
    first = node.body[0]
    return range(first.lineno, (first.end_lineno or first.lineno) + 1)


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = source.module.split(".")
    package = package[: len(package) - node.level + source.is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def _functions(node: ast.AST, prefix: str, *, is_class: bool) -> Iterator[tuple[str, Function, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield prefix + child.name, child, is_class
        inner = f"{prefix}{child.name}." if isinstance(child, ast.ClassDef | Function) else prefix
        yield from _functions(child, inner, is_class=isinstance(child, ast.ClassDef))


def _names_bound(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}
