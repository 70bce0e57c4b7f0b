"""Rules about refusals and doors."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from server.domain.errors import Refusal
from tests.house.house import Breach, House, base_names, descendants, is_in, own_value

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
SERVER_CLASSES = frozenset({"RequestHandler", "WebSocketHandler", "StaticFileHandler", "ErrorHandler"})
HANDLER_FILE = "handlers/base.py"


def refusals_have_codes_of_their_own(house: House) -> Iterator[Breach]:
    """Each refusal writes its own code, as the class may be renamed and the code may not; no two write the same."""
    places = defaultdict(list)
    for source, node in descendants(house, {Refusal.__name__}):
        code = own_value(node, "code")
        if isinstance(code, ast.Constant) and SNAKE.fullmatch(str(code.value)):
            places[code.value].append((source, node))
        else:
            yield Breach(source.path, node.name, "writes no code of its own in snake_case")
    for code, same in places.items():
        for source, node in same if len(same) > 1 else ():
            yield Breach(source.path, node.name, f"is not the only refusal with the code {code}")


def refusals_say_what_they_refuse(house: House) -> Iterator[Breach]:
    """Each refusal has a zh-CN title of its own, and a docstring of one English sentence."""
    for source, node in descendants(house, {Refusal.__name__}):
        title = own_value(node, "title")
        if not isinstance(title, ast.Constant) or not CHINESE.search(str(title.value)):
            yield Breach(source.path, node.name, "has no zh-CN title of its own")
        sentence = ast.get_docstring(node) or ""
        if not sentence.endswith(".") or CHINESE.search(sentence):
            yield Breach(source.path, node.name, "has no docstring that is an English sentence")


def every_door_says_who(house: House) -> Iterator[Breach]:
    """Each class below Handler says itself who may enter."""
    for source, node in descendants(house, {"Handler"}):
        if is_in(source.module, "handlers") and own_value(node, "role") is None:
            yield Breach(source.path, node.name, "does not say who may enter")


def every_door_is_a_door(house: House) -> Iterator[Breach]:
    """Outside handlers/base.py a request handler derives from Handler, and none is handed in by Tornado itself."""
    doors = {node.name for _, node in descendants(house, {"Handler"})}
    for source in house.in_room("handlers"):
        if source.path == HANDLER_FILE:
            continue
        for node in source.classes:
            if SERVER_CLASSES.intersection(base_names(node)) and node.name not in doors:
                yield Breach(source.path, node.name, "answers requests without being a Handler")
