"""What this machine lacks to build and run an image, each with the way to get it."""

import os
import shutil
from collections.abc import Callable, Mapping

PACKAGES: Mapping[str, str] = {"buildah": "buildah", "debootstrap": "debootstrap", "apt-get": "apt"}
LACKING = 3  # the exit code of a command that finds something missing
NOT_ROOT = "root, who alone may make devices and mount folders (try it on a machine that may be thrown away)"
Find = Callable[[str], str | None]


def missing(*, find: Find = shutil.which, user: int | None = None) -> list[str]:
    """A plain sentence for each thing that is not there; none if an image can be built and run."""
    lacking = [
        f"`{program}` (on Debian and Ubuntu: apt-get install {package})"
        for program, package in PACKAGES.items()
        if find(program) is None
    ]
    if (os.geteuid() if user is None else user) != 0:
        lacking.append(NOT_ROOT)
    return lacking
