"""Each rule of the house refuses a small tree that breaks it, and lets a tidy one pass."""

from pathlib import Path

import pytest

from tests.house.house import House
from tests.house.rules import RULES, Rule

CLAIMS = """
from handlers.base import Handler

class ClaimsHandler(Handler):
    role = 1
    operations = {
        "GET": Operation(claiming.claims, "查看", gives=View, queries=("before", "after")),
        "POST": Operation(claiming.claim, "认领", takes=Claim, gives=View, status=201, is_once=True),
        "PUT": Operation(claiming.extend, "延长", gives=View, queries=tuple(Sought.model_fields)),
        "DELETE": Operation(claiming.release, "退回", status=204, is_matched=True),
    }

    async def get(self):
        asked = {name: self.get_query_argument(name, "") for name in ("before", "after")}
        self.answer(await claiming.claims(self.node, **asked))

    async def post(self):
        self.answer(await claiming.claim(self.node, self.read(Claim), key=self.key()))

    async def put(self):
        self.answer(await claiming.extend(self.node, self.query(Sought)))

    async def delete(self):
        await claiming.release(self.node, version=self.if_match())
        self.set_status(204)
"""


def claims(old: str, new: str) -> tuple[str, str]:
    """The handler of claims with one thing wrong in it."""
    assert CLAIMS.count(old) == 1
    return "handlers/claims.py", f'"""The claims."""\n{CLAIMS.replace(old, new)}'


TIDY = {
    "server/__init__.py": "",
    "server/domain/__init__.py": '"""The rules."""',
    "server/domain/errors.py": (
        "class Refusal(Exception):\n    pass\n\n"
        'class Conflict(Refusal):\n    """Not now."""\n    code = "conflict"\n    title = "现在不行"\n'
    ),
    "server/domain/case.py": "from server.domain.errors import Conflict\n\n"
    'class Closed(Conflict):\n    """It is closed."""\n    code = "closed"\n    title = "已办结"\n',
    "server/store/mongo.py": "import pymongo\nfrom server.domain.case import Closed\n",
    "loadtests/bench/carrying.py": "import pymongo\n",
    "server/node.py": "from server.store import mongo\n\nclass Node:\n    store: int\n",
    "handlers/base.py": "from tornado.web import RequestHandler\n\nclass Handler(RequestHandler):\n    pass\n",
    "handlers/cases.py": "from handlers.base import Handler\n\nclass CasesHandler(Handler):\n    role = 1\n",
    "handlers/claims.py": f'"""The claims."""\n{CLAIMS}',
}
SENTENCE = '"""It says what it is for."""\n'
REFUSAL = "from server.domain.errors import Conflict\n\n"


def lines(count: int, indent: str = "") -> str:
    return f"{indent}x = 1\n" * count


# rule -> places that must be refused, each by the file that is written into a tidy tree
BITES: dict[str, dict[str, tuple[str, str]]] = {
    "arrows_point_down": {
        "upward": ("server/domain/a.py", "from server.node import Node"),
        "of a whole module": ("server/domain/a.py", "import server.node"),
        "by its parent": ("server/domain/a.py", "from server import node"),
        "relative": ("server/domain/a.py", "from ..node import Node"),
        "inside a function": ("regions/a.py", "def f():\n    from server.store.mongo import Closed"),
        "under TYPE_CHECKING": (
            "handlers/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from server.store import mongo",
        ),
        "desk to store": ("server/desk/a.py", "from server.store import mongo"),
        "desk to crypto": ("server/desk/a.py", "import server.crypto.fields"),
        "desk to tools": ("server/desk/a.py", "import server.tools.logs"),
        "tools to crypto": ("server/tools/a.py", "import server.crypto.fields"),
        "crypto to tools": ("server/crypto/a.py", "import server.tools.logs"),
        "demo to domain": ("server/demo/a.py", "from server.domain.case import Closed"),
        "cli to store": ("server/cli.py", "from server.store import mongo"),
        "regions to handlers": ("regions/a.py", "from handlers.base import Handler"),
        "handlers to main": ("handlers/a.py", "import server.main"),
        "load tests to ours": ("loadtests/a.py", "from server.domain.case import Closed"),
        "to the tests": ("handlers/a.py", "import tests.world"),
        "late, upward": (
            "server/cli.py",
            'from importlib import import_module\n\n\ndef f():\n    import_module("server.store.mongo")',
        ),
        "in no room": ("server/attic.py", ""),
    },
    "sub_rooms_point_down": {
        "ground to a sub-room": ("server/domain/a.py", "from server.domain.people.persons import Person"),
        "upward": ("server/domain/people/a.py", "from server.domain.rules import lifecycle"),
        "sideways": ("server/domain/exchange/a.py", "import server.domain.people.persons"),
        "more than the one file": ("server/domain/time/a.py", "from server.domain.catalogue.bundles import Bundle"),
        "a citizen's to an officer's": ("server/desk/citizen/a.py", "from server.desk.officer.claiming import claim"),
        "in no sub-room": ("server/domain/attic/a.py", ""),
    },
    "imports_stand_on_top": {
        "in a function": ("handlers/a.py", "def f():\n    import json"),
        "under TYPE_CHECKING": (
            "handlers/a.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import json",
        ),
        "in a try": ("handlers/a.py", "try:\n    import json\nexcept ImportError:\n    json = None"),
        "by a call": ("handlers/a.py", 'import importlib\nimportlib.import_module("server.main")'),
        "late, and another": (
            "server/tools/searching.py",
            'from importlib import import_module\nimport_module("aiohttp")',
        ),
        "late, by a name that cannot be read": (
            "server/tools/searching.py",
            "from importlib import import_module\n\n\ndef f(name):\n    import_module(name)",
        ),
    },
    "no_circles": {
        "of two": ("server/domain/errors.py", "from server.domain import case\n\nConflict = case"),
        "with itself": ("server/domain/case.py", "from server.domain import case\n\nClosed = case"),
    },
    "names_come_from_their_real_place": {
        "second hand": ("handlers/a.py", "from server.domain.case import Conflict"),
        "an __init__ with an import": ("server/domain/__init__.py", "from server.domain.case import Closed"),
        "an __init__ with a value": ("server/domain/__init__.py", '"""Rules."""\n\nVERSION = 1'),
        "everything": ("handlers/a.py", "from server.domain.case import *"),
        "from nowhere": ("handlers/a.py", "from server.desk.nothing import x"),
    },
    "one_driver_import": {
        "pymongo": ("server/store/other.py", "from pymongo.errors import PyMongoError"),
        "motor": ("server/main.py", "import motor.motor_asyncio"),
        "bson": ("server/domain/a.py", "def f():\n    from bson import ObjectId"),
        "another measurement": ("loadtests/a.py", "import pymongo"),
    },
    "a_pure_domain": {
        **{
            module: ("server/domain/a.py", f"import {module}")
            for module in (
                *("os", "time", "random", "secrets", "asyncio", "logging", "socket", "pathlib", "uuid", "structlog"),
                *("threading", "subprocess", "aiohttp", "tornado.web"),
            )
        },
        "in a function": ("server/domain/a.py", "def f():\n    from os import environ"),
        "the present": ("server/domain/a.py", "import datetime\n\ndef f():\n    return datetime.datetime.now()"),
        "today": ("server/domain/a.py", "from datetime import date\n\ndef f():\n    return date.today()"),
        "a file": ("server/domain/a.py", "def f():\n    return open('x')"),
        "waiting": ("server/domain/a.py", "async def f():\n    return 1"),
    },
    "modules_are_small": {"too long": ("handlers/a.py", lines(401))},
    "classes_are_small": {"too long": ("handlers/a.py", f"class A:\n{lines(150, '    ')}")},
    "functions_are_small": {
        "too long": ("handlers/a.py", f"def f():\n{lines(40, '    ')}"),
        "a method": ("handlers/a.py", f"class A:\n    async def f(self):\n{lines(40, '        ')}"),
        "inside another": ("handlers/a.py", f"def f():\n    def g():\n{lines(40, '        ')}"),
    },
    "parameters_are_few": {
        "six": ("handlers/a.py", "def f(a, b, *, c, d, e, g):\n    pass"),
        "a fourth by position": ("handlers/a.py", "def f(a, b, c, d):\n    pass"),
        "a method": ("handlers/a.py", "class A:\n    async def f(self, a, b, c, d):\n        pass"),
        "a static method": ("handlers/a.py", "class A:\n    @staticmethod\n    def f(a, b, c, d):\n        pass"),
        "a constructor": ("handlers/a.py", "class A:\n    def __init__(self, a, b, c, d):\n        pass"),
    },
    "the_node_stays_small": {
        "thirteen": ("server/node.py", "class Node:\n" + "".join(f"    f{n}: int\n" for n in range(13))),
    },
    "modules_open_with_a_sentence": {
        "nothing": ("regions/a.py", "#"),
        "no sentence": ("regions/a.py", '"""Things"""'),
    },
    "names_say_something": {
        "a module": ("handlers/utils.py", ""),
        "a folder": ("regions/common/a.py", ""),
        "a part of a name": ("regions/case_helpers.py", ""),
        "a class": ("handlers/a.py", "class CaseManager:\n    pass"),
        "a class in two capitals": ("handlers/a.py", "class HTTPService:\n    pass"),
    },
    "classes_have_names_of_their_own": {
        "twice": ("handlers/a.py", "class Closed:\n    pass"),
        "in one file": ("handlers/a.py", "class A:\n    pass\n\nclass A:\n    pass"),
    },
    "refusals_have_codes_of_their_own": {
        "no code": ("handlers/a.py", f"{REFUSAL}class Late(Conflict):\n    pass"),
        "a computed code": ("handlers/a.py", f"{REFUSAL}class Late(Conflict):\n    code = str(1)"),
        "no snake case": ("handlers/a.py", f'{REFUSAL}class Late(Conflict):\n    code = "Late"'),
        "the same code": ("handlers/a.py", f'{REFUSAL}class Late(Conflict):\n    code = "closed"'),
        "of a grandchild": (
            "handlers/a.py",
            f'{REFUSAL}class Other(Conflict):\n    code = "other"\n\nclass Late(Other):\n    code = "closed"',
        ),
    },
    "refusals_say_what_they_refuse": {
        "no title": ("handlers/a.py", f'{REFUSAL}class Late(Conflict):\n    """It is late."""'),
        "an English title": (
            "handlers/a.py",
            f'{REFUSAL}class Late(Conflict):\n    """It is late."""\n    title = "No"',
        ),
        "no docstring": ("handlers/a.py", f'{REFUSAL}class Late(Conflict):\n    title = "晚了"'),
        "a Chinese docstring": (
            "handlers/a.py",
            f'{REFUSAL}class Late(Conflict):\n    """晚了."""\n    title = "晚了"',
        ),
    },
    "every_door_says_who": {
        "no role": ("handlers/a.py", "from handlers.base import Handler\n\nclass A(Handler):\n    pass"),
        "an inherited role": (
            "handlers/a.py",
            "from handlers.cases import CasesHandler\n\nclass A(CasesHandler):\n    pass",
        ),
    },
    "every_door_is_a_door": {
        "a bare handler": ("handlers/a.py", "import tornado.web\n\nclass A(tornado.web.RequestHandler):\n    pass"),
        "a bare socket": (
            "handlers/a.py",
            "from tornado.websocket import WebSocketHandler\n\nclass A(WebSocketHandler):\n    pass",
        ),
    },
    "a_door_does_what_it_declares": {
        "another's function": claims("await claiming.release(", "await claiming.claim("),
        "a function that nobody declares": claims("await claiming.release(", "await claiming.forget("),
        "another's function as well": claims("self.set_status(204)", "await claiming.claim(self.node)"),
        "another body": claims("self.read(Claim)", "self.read(Release)"),
        "a body that is not read": claims("self.read(Claim)", "None"),
        "a body that is not declared": claims("takes=Claim, ", ""),
        "a key that is not asked for": claims("self.key()", "str()"),
        "a key that is not declared": claims(", is_once=True", ""),
        "a version that is not asked for": claims("self.if_match()", "None"),
        "a version that is not declared": claims(", is_matched=True", ""),
        "a ticket that is declared and not asked for": claims(", is_matched=True", ", is_matched=True, is_queued=True"),
        "another status": claims("self.set_status(204)", "self.set_status(200)"),
        "a query that is not declared": claims('queries=("before", "after")', 'queries=("before",)'),
        "no query declared": claims(', queries=("before", "after")', ""),
        "a query that is not read": claims('queries=("before", "after")', 'queries=("before", "after", "of")'),
        "queries of another model": claims("self.query(Sought)", "self.query(Found)"),
        "queries of a model that is not declared": claims(", queries=tuple(Sought.model_fields)", ""),
        "a method that is not there": claims("async def put", "async def putting"),
        "a method that is not declared": claims("async def put(self)", "async def patch(self)"),
    },
}
CASES = [
    pytest.param(rule, path, text, id=f"{rule.__name__}-{name}")
    for rule in RULES
    for name, (path, text) in BITES.get(rule.__name__, {}).items()
]


def built(root: Path, *more: tuple[str, str]) -> House:
    for path, text in (*TIDY.items(), *more):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        is_whole = text.startswith(('"""', "#"))
        file.write_text(text if is_whole else SENTENCE + text, encoding="utf-8")
    return House(root)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_tidy_house_keeps(rule: Rule, tmp_path: Path) -> None:
    assert [str(breach) for breach in rule(built(tmp_path))] == []


@pytest.mark.parametrize(("rule", "path", "text"), CASES)
def test_a_breach_is_found_in_its_file(rule: Rule, path: str, text: str, tmp_path: Path) -> None:
    found = list(rule(built(tmp_path, (path, text))))
    assert path in [breach.path for breach in found]
    assert all(breach.what for breach in found)


def test_every_rule_is_shown_to_bite() -> None:
    assert set(BITES) == {rule.__name__ for rule in RULES}


def test_what_a_library_dictates_does_not_count_as_a_parameter(tmp_path: Path) -> None:
    text = "def f(_logger, _method, event):\n    pass\n\nclass A:\n    def __exit__(self, a, b, c):\n        pass\n"
    rule = next(rule for rule in RULES if rule.__name__ == "parameters_are_few")
    assert list(rule(built(tmp_path, ("handlers/a.py", text)))) == []


def test_docstrings_and_blank_lines_do_not_count_as_lines_of_a_module(tmp_path: Path) -> None:
    spoken = '    """It says\n\n    much.\n    """\n\n\n'
    text = lines(300) + "".join(f"class A{number}:\n{spoken}" for number in range(100))
    rule = next(rule for rule in RULES if rule.__name__ == "modules_are_small")
    assert list(rule(built(tmp_path, ("handlers/a.py", text)))) == []
