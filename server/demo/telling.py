"""What a demo tells people: progress on stderr, the timeline as it grows, addresses and commands to try."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.cells import set_cell_size
from rich.console import Console

from server.demo.folder import FILE
from server.demo.plots import ANSWERS, BUNDLE, DIVISION
from server.demo.provinces import APP_ID, Demo
from server.demo.story import Row

COLUMNS = (("time", 12), ("node", 6), ("step", 22), ("act", 8), ("who", 32))
PLACE_WIDTH = 22


class Voice:
    """Speaks to the person at the terminal; a silent one does not."""

    def __init__(self, *, is_silent: bool) -> None:
        self._out = Console(quiet=is_silent, highlight=False)
        self._progress = Console(quiet=is_silent, highlight=False, stderr=True)
        self._has_head = False

    def say(self, sentence: str) -> None:
        """What is waited for."""
        self._progress.print(sentence, style="dim", markup=False, soft_wrap=True)

    def tell(self, part: Row | str) -> None:
        """A part of the story; a row goes into the table."""
        if isinstance(part, str):
            self._out.print(part, markup=False, soft_wrap=True)
            return
        if not self._has_head:
            self._has_head = True
            self._line([name for name, _ in COLUMNS], style="bold")
        at = f"{datetime.fromisoformat(part.at):%H:%M:%S.%f}"[:12]
        self._line([at, part.node_name, part.step_name or "—", part.act_name, part.by])

    def close(self, *, case: str, letters: int, seconds: float) -> None:
        """How the story ended."""
        closed = f"\nThe case {case} is closed, {seconds:.1f} seconds after the demo began."
        self._out.print(closed, markup=False, soft_wrap=True)
        proven = (
            f"{letters} letters went between the provinces: both sides hold the same logs, all receipts are proven."
        )
        self._out.print(proven, markup=False, soft_wrap=True)

    def addresses(self, demo: Demo, folder: Path) -> None:
        """Where everything is, and three commands to try."""
        home = demo.provinces[0]
        officer = home.officers[0]
        self._out.print("\nAddresses", style="bold")
        for province in demo.provinces:
            where = f"{province.base_url}  (work: {province.work_url})"
            self._place(f"{province.name} {province.division}", where)
        self._place("platform (a stand-in)", demo.platform_url)
        self._place("database", demo.database)
        self._place("data, logs, keys", str(folder))
        self._place("passwords of officers", str(folder / FILE))
        for province in demo.provinces:
            for each in province.officers:
                if each.totp_secret:
                    self._place("authenticator", f"{province.division} {each.name}: {each.totp_secret}")
        self._out.print("\nTo try", style="bold")
        self._curl(f"{home.base_url}/api/v1/bundles/{BUNDLE}/guide", {"division": DIVISION, "answers": ANSWERS})
        self._curl(f"{home.base_url}/api/v1/sessions", {"app_id": APP_ID, "code": demo.citizens[1].code})
        self._curl(f"{home.base_url}/desk/v1/sessions", officer.proof(datetime.now(UTC)))
        self._out.print("\nIt goes on serving; Ctrl-C stops everything.")

    def _place(self, name: str, where: str) -> None:
        self._out.print(f"  {set_cell_size(name, PLACE_WIDTH)} {where}", markup=False, soft_wrap=True)

    def _curl(self, url: str, body: Mapping[str, object]) -> None:
        line = f"  curl -s {url} -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
        self._out.print(line, soft_wrap=True, markup=False)

    def _line(self, cells: Sequence[str], style: str = "") -> None:
        """One line of the table; its columns have fixed widths, so that it can be printed as it happens."""
        padded = [set_cell_size(cell, width) for cell, (_, width) in zip(cells[:-1], COLUMNS[:-1], strict=True)]
        self._out.print("  ".join([*padded, cells[-1]]), style=style, markup=False, soft_wrap=True)
