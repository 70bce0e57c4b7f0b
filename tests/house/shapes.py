"""Rules about single files: how large, how named, how introduced."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.house.house import Breach, Function, House

MODULE_LINES = 400
CLASS_LINES = 150
FUNCTION_LINES = 40
PARAMETERS = 5
POSITIONAL = 3
NODE_FIELDS = 12
EMPTY_WORDS = re.compile(r"(?:util|helper|common|manager|service)s?")


def modules_are_small(house: House) -> Iterator[Breach]:
    """A module has at most 400 lines, docstrings and blank lines not counted."""
    for source in house.sources:
        if source.code_lines > MODULE_LINES:
            yield Breach(source.path, "", f"has {source.code_lines} lines, more than {MODULE_LINES}")


def classes_are_small(house: House) -> Iterator[Breach]:
    """A class has at most 150 lines."""
    for source in house.sources:
        for node in source.classes:
            if (lines := _lines(node)) > CLASS_LINES:
                yield Breach(source.path, node.name, f"has {lines} lines, more than {CLASS_LINES}")


def functions_are_small(house: House) -> Iterator[Breach]:
    """A function has at most 40 lines, its docstring included."""
    for source in house.sources:
        for name, node, _ in source.functions:
            if (lines := _lines(node)) > FUNCTION_LINES:
                yield Breach(source.path, name, f"has {lines} lines, more than {FUNCTION_LINES}")


def parameters_are_few(house: House) -> Iterator[Breach]:
    """A function has at most five parameters, keyword-only after the third.

    Not counted: self and cls; one that begins with an underscore (a caller elsewhere dictates it); the
    parameters of dunder methods other than __init__.
    """
    for source in house.sources:
        for name, node, is_method in source.functions:
            if node.name.startswith("__") and node.name != "__init__":
                continue
            positional, keyword = _parameters(node, is_method=is_method)
            if positional + keyword > PARAMETERS:
                yield Breach(source.path, name, f"has {positional + keyword} parameters, more than {PARAMETERS}")
            elif positional > POSITIONAL:
                yield Breach(source.path, name, f"has {positional} positional parameters, more than {POSITIONAL}")


def the_node_stays_small(house: House) -> Iterator[Breach]:
    """The Node value has at most twelve fields."""
    for source in house.in_room("server.node"):
        for node in source.classes:
            fields = sum(isinstance(line, ast.AnnAssign) for line in node.body)
            if node.name == "Node" and fields > NODE_FIELDS:
                yield Breach(source.path, node.name, f"has {fields} fields, more than {NODE_FIELDS}")


def modules_open_with_a_sentence(house: House) -> Iterator[Breach]:
    """Each module begins with a docstring whose first paragraph is a sentence."""
    for source in house.sources:
        sentence = (ast.get_docstring(source.tree) or "").split("\n\n")[0]
        if not sentence.endswith("."):
            yield Breach(source.path, "", "does not open with a docstring of one sentence")


def classes_have_names_of_their_own(house: House) -> Iterator[Breach]:
    """No two public classes of the product have the same name, so that a name says which idea is meant."""
    places = defaultdict(list)
    for source in house.sources:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(source)
    for name, sources in places.items():
        for source in sources if len(sources) > 1 else ():
            others = ", ".join(other.path for other in sources if other is not source)
            yield Breach(source.path, name, f"is also a class of {others}")


def names_say_something(house: House) -> Iterator[Breach]:
    """No module, folder or class is called after nothing (utils, helpers, common, manager, service)."""
    for source in house.sources:
        words = [source.module, *(node.name for node in source.classes)]
        for word in words:
            parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", word)
            if any(EMPTY_WORDS.fullmatch(part.lower()) for part in parts):
                yield Breach(source.path, word, "is a name that says nothing")


def _lines(node: ast.ClassDef | Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _parameters(node: Function, *, is_method: bool) -> tuple[int, int]:
    """How many may be given by position, and how many by keyword only."""
    named = [*node.args.posonlyargs, *node.args.args]
    is_static = any(ast.unparse(decorator) == "staticmethod" for decorator in node.decorator_list)
    if is_method and not is_static:
        named = named[1:]
    return sum(not one.arg.startswith("_") for one in named), len(node.args.kwonlyargs)
