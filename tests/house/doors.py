"""Rules about doors: what a handler declares of a method is what the method does."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.house.house import Breach, Function, House, Source, descendants, own_value

METHODS = ("get", "post", "put", "delete", "patch")
# How a body is read that is no JSON.
OWN_READERS: Mapping[str, str] = {"UploadForm": "self.file()"}


@dataclass(frozen=True)
class Declared:
    """One `Operation(...)` of a handler, as it is written."""

    source: Source
    handler: ast.ClassDef
    method: str
    call: ast.Call

    @property
    def function(self) -> str:
        return ast.unparse(self.call.args[0])

    def said(self, name: str) -> str:
        """What stands after this keyword; empty if nothing does."""
        return next((ast.unparse(each.value) for each in self.call.keywords if each.arg == name), "")

    @property
    def body(self) -> Function | None:
        """The function of the class that answers the method."""
        functions = [node for node in self.handler.body if isinstance(node, Function)]
        return next((node for node in functions if node.name == self.method.lower()), None)


def a_door_does_what_it_declares(house: House) -> Iterator[Breach]:
    """Each method of a handler calls the function that it declares, and none that is declared for another.

    It reads the declared body, asks for the key and the version if it says so and only then, takes the declared
    queries and no others, and sets no other status. tests/http/test_openapi.py compares the answers' shapes, over HTTP.
    """
    declared = [each for source, node in descendants(house, {"Handler"}) for each in _declared(source, node)]
    functions = {each.function for each in declared}
    for each in declared:
        place = f"{each.handler.name}.{each.method}"
        if each.body is None:
            yield Breach(each.source.path, place, "is declared and not there")
            continue
        for fault in _faults(each, each.body, functions):
            yield Breach(each.source.path, place, fault)
    for source, node in descendants(house, {"Handler"}):
        methods = {each.method.lower() for each in declared if each.handler is node}
        for function in node.body:
            if isinstance(function, Function) and function.name in set(METHODS) - methods:
                yield Breach(source.path, f"{node.name}.{function.name}", "is there and not declared")


PROOFS = (
    ("is_once", "self.key()"),
    ("is_matched", "self.if_match()"),
    ("is_queued", "self.request.headers.get('Waiting-Ticket', '')"),
)


def _declared(source: Source, node: ast.ClassDef) -> Iterator[Declared]:
    operations = own_value(node, "operations")
    if isinstance(operations, ast.Dict):
        for method, call in zip(operations.keys, operations.values, strict=True):
            if isinstance(method, ast.Constant) and isinstance(call, ast.Call):
                yield Declared(source, node, str(method.value), call)


def _faults(declared: Declared, body: Function, functions: set[str]) -> Iterator[str]:
    calls = [node for node in ast.walk(body) if isinstance(node, ast.Call)]
    made = {ast.unparse(call) for call in calls}
    called = {ast.unparse(call.func) for call in calls} & functions
    if called != {declared.function}:
        yield f"declares {declared.function} and calls {', '.join(sorted(called)) or 'nothing that is declared'}"
    for flag, proof in PROOFS:
        if (declared.said(flag) == "True") != (proof in made):
            yield f"declares {flag}={declared.said(flag) or False}, which {proof} tells otherwise"
    takes = declared.said("takes")
    expected = {OWN_READERS.get(takes, f"self.read({takes})")} if takes else set()
    read = {text for text in made if text.startswith("self.read(") or text in OWN_READERS.values()}
    if read != expected and not declared.said("variants"):  # of variants the last part of the path chooses one
        yield f"declares takes={takes or None} and reads {', '.join(sorted(read)) or 'nothing'}"
    yield from _faults_of_queries(declared, calls, body)
    statuses = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "self.set_status"}
    if not statuses <= {declared.said("status") or "200"}:
        yield f"sets the status {', '.join(sorted(statuses))} and declares another"


def _faults_of_queries(declared: Declared, calls: list[ast.Call], body: Function) -> Iterator[str]:
    """A model's fields are `tuple(Model.model_fields)` and `self.query(Model)`; single names are written out twice."""
    queries = declared.said("queries")
    models = {ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "self.query"}
    asked = [call.args[0] for call in calls if ast.unparse(call.func) == "self.get_query_argument"]
    if models:
        if {f"tuple({model}.model_fields)" for model in models} != {queries} or asked:
            yield f"declares queries={queries or ()} and reads {', '.join(sorted(models))}"
        return
    names = set(ast.literal_eval(queries)) if queries and not queries.startswith("tuple(") else {queries} - {""}
    read = {name for argument in asked for name in _names(argument, body)}
    if read != names:
        yield f"declares queries={queries or ()} and reads {', '.join(sorted(read)) or 'none'}"


def _names(argument: ast.expr, body: Function) -> set[str]:
    """The name itself, or those of the tuple that it runs through."""
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    loops = [node for node in ast.walk(body) if isinstance(node, ast.comprehension)]
    through = [loop.iter for loop in loops if ast.unparse(loop.target) == ast.unparse(argument)]
    return {name for each in through for name in ast.literal_eval(each)}
