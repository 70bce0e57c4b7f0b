"""What a measurement says of the machine that it ran on."""

import os
import platform
import shutil
from pathlib import Path
from typing import Any

CPU_LINE = "model name"


def described_machine() -> dict[str, Any]:
    """Processor, cores we may use, memory in GB of a billion bytes, system, Python, database, load average."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu(Path("/proc/cpuinfo").read_text()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "database": "mongod" if shutil.which("mongod") else "the embedded database",  # as a demo chooses
        "load_average": round(os.getloadavg()[0], 2),
    }


def _cpu(told: str) -> str:
    """The name of the first processor; that of the architecture where the kernel tells none."""
    lines = (line.partition(":") for line in told.splitlines())
    return next((name.strip() for key, _, name in lines if key.strip() == CPU_LINE), platform.machine())
