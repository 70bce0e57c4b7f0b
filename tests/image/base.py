"""A base to build on where the official one cannot be fetched: Debian with Python, made from its packages."""

from pathlib import Path

from tests.image.storage import Storage, step

PACKAGES = ("python3", "python3-venv", "python-is-python3", "ca-certificates")
TRUST, PIP = Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pip.conf")
MIRRORS = (
    "apt-get",
    "indextargets",
    "--format",
    "$(REPO_URI) $(CODENAME) $(COMPONENT) $(LABEL)",
    "Created-By: Packages",
)


class NoMirror(RuntimeError):
    """This machine's apt knows no mirror of a release of Debian."""


async def make_base(storage: Storage, name: str) -> str:
    """Make the stand-in as an image of this name; answers the version of Python in it. Raises NoMirror, StepFailed."""
    mirror, release = await _mirror()
    container = await storage.container("scratch")
    root = Path(await storage.do("mount", container))
    packages = ",".join(PACKAGES)
    await step("debootstrap", "--variant=minbase", f"--include={packages}", release, str(root), mirror)
    for file in (TRUST, PIP):
        if file.exists():  # the build trusts whom this machine trusts, and finds packages where it does
            _copy(file, root)
    python = await step("chroot", str(root), "python", "-c", "import platform; print(platform.python_version())")
    await storage.do("umount", container)
    await storage.do("commit", "--rm", container, name)
    return python.strip()


def mirror_of(told: str) -> tuple[str, str]:
    """The address of the first release of Debian's in what apt tells of its sources, and its name; raises NoMirror."""
    for line in told.splitlines():
        address, release, component, label = (*line.split(" ", 3), "", "", "")[:4]
        if (component, label) == ("main", "Debian") and "-" not in release:
            return address, release
    raise NoMirror("apt-get knows no mirror of Debian: apt-get update, or other entries in its sources")


async def _mirror() -> tuple[str, str]:
    return mirror_of(await step(*MIRRORS))


def _copy(file: Path, root: Path) -> None:
    (root / file.relative_to("/")).write_bytes(file.read_bytes())
