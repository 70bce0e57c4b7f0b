"""The CPU time of a process and of the whole machine, from /proc."""

import os
import resource
import time
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class CpuClock:
    """What a process (this one by default) uses from one look to the next."""

    def __init__(self, pid: int | str = "self") -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._used, self._at = self._seconds(), time.monotonic()

    def share(self) -> float:
        """The share of a core since the last look: 1.0 is all of one."""
        used, at = self._seconds(), time.monotonic()
        share = (used - self._used) / max(at - self._at, 1e-6)
        self._used, self._at = used, at
        return round(share, 3)

    def _seconds(self) -> float:
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def machine_seconds() -> float:
    """The CPU time that was used on this machine since it was started, or taken from it by its host."""
    user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(rest)) / TICKS_A_SECOND


def ended_children_seconds() -> float:
    """The CPU time of the children of this process that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
