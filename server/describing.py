"""The commands that tell what this program is: routes, errors, graph."""

import argparse
import json
from collections.abc import Callable

from handlers import routes
from server import adopting, inspecting, keeping, keying, operating, staffing
from server.domain.licence import decide, granting
from server.domain.papers import signing
from server.domain.rules.diagram import mermaid

# Loaded, for they too refuse; no door leads to licences and signatures yet.
LOADED = (adopting, inspecting, keeping, keying, operating, staffing, decide, granting, signing)


def add_arguments(command: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands `routes`, `errors` and `graph`."""
    listed = command("routes", _routes, "Print the doors: method, path, who comes in, handler, function, summary.")
    listed.add_argument("--json", action="store_true", help="print them as a JSON list")
    command("errors", _errors, "Print the refusals as a Markdown table: code, HTTP status, title, meaning.")
    command("graph", _graph, "Print the states of a step as a Mermaid diagram.")


def _routes(chosen: argparse.Namespace) -> int:
    rows = list(routes.rows())
    if chosen.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    widths = [max(len(row[column]) for row in rows) for column in rows[0]]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row.values(), widths, strict=True)).rstrip())
    return 0


def _errors(_: argparse.Namespace) -> int:
    print("| code | status | title | meaning |\n| --- | --- | --- | --- |")
    for row in routes.refusals():
        print(f"| `{row['code']}` | {row['status']} | {row['title']} | {row['meaning']} |")
    return 0


def _graph(_: argparse.Namespace) -> int:
    print(mermaid())
    return 0
