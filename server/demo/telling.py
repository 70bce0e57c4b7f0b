"""What a demo tells people: progress on stderr, the timeline as it grows, addresses and commands to try."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.cells import set_cell_size
from rich.console import Console

from server.demo.desks import DemoDesk
from server.demo.folder import FILE
from server.demo.people import SHOWN
from server.demo.provinces import Demo
from server.demo.story import Row
from server.demo.trying import commands, who_decides

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

    def close(self, *, case: str, letters: int, of_papers: int, seconds: float) -> None:
        """How the story ended."""
        closed = f"\nThe case {case} is closed, {seconds:.1f} seconds after the demo began."
        self._out.print(closed, markup=False, soft_wrap=True)
        proven = (
            f"{letters} letters went between the provinces, and {of_papers} on papers: both sides hold the same logs, "
            "all receipts are proven."
        )
        self._out.print(proven, markup=False, soft_wrap=True)

    def addresses(self, demo: Demo, folder: Path) -> None:
        """Where everything is, who sits where, who logs in with what, and commands to try."""
        self._out.print("\nAddresses", style="bold")
        for province in demo.provinces:
            where = f"{province.base_url}  (work: {province.work_url})"
            self._place(f"{province.name} {province.division}", where)
        self._place("platform (a stand-in)", demo.platform_url)
        self._place("database", demo.database)
        self._place("data, logs, keys", str(folder))
        self._place("passwords of officers", str(folder / FILE))
        self._officers(demo)
        self._out.print("\nCitizens (made up): mini-program code, name, ID number, face token", style="bold")
        for citizen in demo.citizens[:SHOWN]:
            self._place(citizen.code, f"{citizen.name}  {citizen.id_number}  {citizen.face_token}")
        self._out.print("\nThe same birth goes to others by its answers", style="bold")
        for sentence in who_decides(demo):
            self._line_of(sentence)
        self._out.print("\nTo try: from the log-in to a case", style="bold")
        for command in commands(demo):
            self._line_of(command)
        self._out.print("\nIt goes on serving; Ctrl-C stops everything.")

    def _officers(self, demo: Demo) -> None:
        """Who sits at the desks; in a strict demo also the secrets of their authenticators."""
        self._out.print("\nOfficers: who works on cases, and who is in charge (负责人)", style="bold")
        for province in demo.provinces:
            names: dict[DemoDesk, list[str]] = {}
            for officer in province.officers:
                for desk in officer.desks:
                    names.setdefault(desk, []).append(officer.name)
            for desk, its in names.items():
                self._place(f"{province.name} {province.division}", f"{desk.name}: {', '.join(its)}")
            for each in province.officers:
                if each.totp_secret:
                    self._place("authenticator", f"{province.division} {each.name}: {each.totp_secret}")

    def _place(self, name: str, where: str) -> None:
        self._out.print(f"  {set_cell_size(name, PLACE_WIDTH)} {where}", markup=False, soft_wrap=True)

    def _line_of(self, text: str) -> None:
        """One line, however long, that can be pasted."""
        self._out.print(f"  {text}", soft_wrap=True, markup=False)

    def _line(self, cells: Sequence[str], style: str = "") -> None:
        """One line of the table; its columns have fixed widths, so that it can be printed as it happens."""
        padded = [set_cell_size(cell, width) for cell, (_, width) in zip(cells[:-1], COLUMNS[:-1], strict=True)]
        self._out.print("  ".join([*padded, cells[-1]]), style=style, markup=False, soft_wrap=True)
