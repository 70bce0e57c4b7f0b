"""Mutants: the small changes of a module's text that a test should notice, in the order of the text.

Left as they are, for other checks hold them: annotations, decorators, docstrings, the codes of refusals, and the
Chinese texts for people.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

INSTEAD: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
OPPOSITE = {"min": "max", "max": "min", "any": "all", "all": "any"}
WORD = "mutant"
UNTOUCHED = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True)
class Mutant:
    """One change: what `was` in this line became `now`; `number` is its place among those of the module.

    `is_inside` a function it changes what that does, and nothing else in the module.
    """

    path: str
    number: int
    is_inside: bool
    line: int
    text: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.was}  ->  {self.now}"


@dataclass(frozen=True)
class _Place:
    """A node of the tree, and how to put another one there."""

    node: Any
    put: Callable[[ast.AST], None]
    is_inside: bool


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All of a module."""
    lines = source.splitlines()
    found = []
    for place, change in _changes(ast.parse(source)):
        line = place.node.pattern.lineno if isinstance(place.node, ast.match_case) else place.node.lineno
        text = lines[line - 1].strip()
        found.append(Mutant(path, len(found), place.is_inside, line, text, _told(place.node), _told(change)))
    return found


def mutated(source: str, number: int) -> ast.Module:
    """The module with the change of this number."""
    tree = ast.parse(source)
    place, change = list(_changes(tree))[number]
    place.put(ast.copy_location(change, place.node))
    return ast.fix_missing_locations(tree)


def _told(node: ast.AST) -> str:
    """The node on one line; of what has a body, its head."""
    lines = ast.unparse(node).strip().splitlines()
    return lines[0] if isinstance(node, ast.If | ast.match_case) else " ".join(line.strip() for line in lines)


def _changes(tree: ast.Module) -> Iterator[tuple[_Place, ast.AST]]:
    for place in _places(tree):
        if change_of := CHANGES.get(type(place.node)):
            yield from ((place, change) for change in change_of(place.node))


def _places(parent: ast.AST, *, is_inside: bool = False) -> Iterator[_Place]:
    """Whatever may be changed below this node, in the order of the text."""
    for name, value in ast.iter_fields(parent):
        if name in UNTOUCHED or not isinstance(value, ast.AST | list):
            continue
        is_body = is_inside or (name == "body" and isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef))
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST) or _is_docstring(node) or _is_type(node) or _is_code(node):
                continue

            def put(change: ast.AST, name: str = name, value: Any = value, index: int = index) -> None:
                if isinstance(value, list):
                    value[index] = change
                else:
                    setattr(parent, name, change)

            if isinstance(node, ast.expr | ast.stmt | ast.match_case):
                yield _Place(node, put, is_body)
            yield from _places(node, is_inside=is_body)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_code(node: ast.AST) -> bool:
    """Whether it is the code of a refusal."""
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code"


def _is_type(node: ast.AST) -> bool:
    """Whether it is a type, such as `Literal["legal", "promised"]`; tables (`RULES[...]`) are written in capitals."""
    name = node.value.id if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) else ""
    return name[:1].isupper() and not name.isupper()


# What may stand in the place of a node.


def _compared(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        for other in INSTEAD[type(op)]:
            yield ast.Compare(node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators)


def _joined(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(INSTEAD[type(node.op)][0](), node.values)
    for rest in _without_one(node.values):
        yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]


def _unsigned(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not):
        yield node.operand


def _reckoned(node: ast.BinOp) -> Iterator[ast.AST]:
    for other in INSTEAD.get(type(node.op), ()):
        yield ast.BinOp(node.left, other(), node.right)


def _chosen(node: ast.IfExp) -> Iterator[ast.AST]:
    yield node.body
    yield node.orelse


def _valued(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
        yield ast.Constant(node.value - 1)
    elif isinstance(node.value, str) and node.value.isascii():
        yield ast.Constant(WORD)


def _named(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in OPPOSITE:
        yield ast.Name(OPPOSITE[node.id], node.ctx)


def _called(node: ast.Call) -> Iterator[ast.AST]:
    for gone, rest in zip(node.keywords, _without_one(node.keywords), strict=True):
        if gone.arg:
            yield ast.Call(node.func, node.args, rest)


def _listed(node: Any) -> Iterator[ast.AST]:
    """Without one of its elements; a constant among them becomes another one anyway."""
    if len(node.elts) > 1 and not isinstance(getattr(node, "ctx", None), ast.Store):
        for gone, rest in zip(node.elts, _without_one(node.elts), strict=True):
            if not isinstance(gone, ast.Constant):
                yield type(node)(**dict(ast.iter_fields(node)) | {"elts": rest})


def _filtered(node: Any) -> Iterator[ast.AST]:
    """Without one of its conditions."""
    for index, loop in enumerate(node.generators):
        for rest in _without_one(loop.ifs):
            loops = [*node.generators]
            loops[index] = ast.comprehension(loop.target, loop.iter, rest, loop.is_async)
            yield type(node)(**dict(ast.iter_fields(node)) | {"generators": loops})


def _asked(node: ast.If) -> Iterator[ast.AST]:
    if not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):  # which are changed themselves
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)


def _matched(node: ast.match_case) -> Iterator[ast.AST]:
    if node.guard is None:
        yield ast.match_case(node.pattern, ast.Constant(False), node.body)


def _answered(node: ast.Return) -> Iterator[ast.AST]:
    if node.value and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def _left_out(_: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Pass()


def _without_one(parts: list[Any]) -> Iterator[list[Any]]:
    return (parts[:index] + parts[index + 1 :] for index in range(len(parts)))


CHANGES: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Compare: _compared,
    ast.BoolOp: _joined,
    ast.UnaryOp: _unsigned,
    ast.BinOp: _reckoned,
    ast.IfExp: _chosen,
    ast.Constant: _valued,
    ast.Name: _named,
    ast.Call: _called,
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), _listed),
    **dict.fromkeys((ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp), _filtered),
    ast.If: _asked,
    ast.match_case: _matched,
    ast.Return: _answered,
    **dict.fromkeys((ast.Expr, ast.Raise, ast.Continue, ast.Break, ast.AugAssign), _left_out),
}
