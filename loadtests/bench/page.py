"""The tables of the measurement for people, and their place on a page."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- made by `make bench`: begin -->", "<!-- made by `make bench`: end -->"
LABELS = {
    "tongban": "Tongban, the full submission",
    "bare_tornado": "bare Tornado, Motor",
    "fast_api": "FastAPI, uvicorn, pymongo",
    "bare_aiohttp": "bare aiohttp, pymongo",
}
HEADS = {
    "rps": "requests/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "app_cpu_us": "app µs",
    "db_cpu_us": "database µs",
}
COMPARED = {"app_cpu_us": "app CPU", "db_cpu_us": "database CPU", "rps": "requests/s"}
COLUMNS = 120
AT_REST = {"work_ms": "`work`", "serve_ms": "`serve`", "database_ms": "database"}


class NoPlaceOnPage(ValueError):
    """The page does not have the two marks, in their order, between which the tables stand."""


def text_of(result: Mapping[str, Any]) -> str:
    """What a result says, as Markdown: of which run it is, a table for each section, and how to read them."""
    parts = [_run_of(result)]
    if result["servers"]:
        parts.append(_rows_of(result["servers"], "server"))
        parts.append(_compared(result["ratios"]["submission"]))
    if result["reads"]:
        parts.append(_rows_of(result["reads"], "read", ratios=result["ratios"]["reads"]))
    parts += [told for told in (_idle_of(result), _start_of(result)) if told]
    return "\n\n".join(parts) + "\n"


def put_on_page(page: Path, text: str) -> None:
    """Write the text between the marks of a page, and change nothing else; raises NoPlaceOnPage."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlaceOnPage(f"{page} has no place for the tables: {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def _run_of(result: Mapping[str, Any]) -> str:
    machine = result["machine"]
    told = [
        f"{result['at']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}, {machine['database']}; load average before the run {machine['load_average']}."
    ]
    if result["servers"]:
        told.append(
            f"Each server was sent {result['requests']} submissions of {result['body_bytes']:,} bytes in a round."
        )
    if result["servers"] or result["reads"]:
        bound = "**it was the limit in some rows**" if result["loader_bound"] else "it was not the limit"
        told.append(
            f"{result['rounds']} rounds, {result['connections']} connections, {result['failed']} requests failed."
        )
        told.append(f"The loader used up to {result['loader_busy']:.0%} of a core: {bound}.")
    text = textwrap.fill(" ".join(told), COLUMNS, break_on_hyphens=False)
    return f"{text}\n\n```console\n$ {result['command']}\n```"


def _rows_of(rows: Mapping[str, Any], head: str, *, ratios: Mapping[str, Any] | None = None) -> str:
    more = [] if ratios is None else ["app CPU beside what it is compared with"]
    lines = [[head, *HEADS.values(), *more], ["---"] * (1 + len(HEADS) + len(more))]
    for name, figures in rows.items():
        cells = [_told(figures, figure) for figure in HEADS]
        if ratios is not None:
            cells.append(_told(ratios[name], "app_cpu_us") if name in ratios else "")
        lines.append([LABELS.get(name, name), *cells])
    return _table(lines)


def _compared(ratios: Mapping[str, Any]) -> str:
    lines = [["Tongban beside", *COMPARED.values()], ["---"] * (1 + len(COMPARED))]
    for name, told in ratios.items():
        lines.append([LABELS.get(name, name), *(_told(told, figure) if figure in told else "" for figure in COMPARED)])
    return _table(lines)


def _idle_of(result: Mapping[str, Any]) -> str:
    if not (idle := result["idle"]):
        return ""
    told = [[f"{label}, ms of CPU a second at rest", _told(idle, name)] for name, label in AT_REST.items()]
    return _table([["process", "median (least to most)"], ["---"] * 2, *told])


def _start_of(result: Mapping[str, Any]) -> str:
    if not (start := result["start"]):
        return ""
    told = [["CPU seconds of a `serve` until it is ready", _told(start, "cpu_seconds")]]
    told.append(["seconds until it is ready", _told(start, "wall_seconds")])
    told += [[f"resident memory of a `{role}` after the run, MB", f"{mb}"] for role, mb in result["memory"].items()]
    return _table([["start and memory", "median (least to most)"], ["---"] * 2, *told])


def _told(figures: Mapping[str, Any], figure: str) -> str:
    least, most = figures["spread"][figure]
    return f"{_number(figures[figure])} ({_number(least)} to {_number(most)})"


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" if figure >= 10 else f"{figure:.2f}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
