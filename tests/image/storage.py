"""Images and containers in a folder of their own, by buildah: no daemon, no network, gone with the folder."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.demo.processes import Child, start
from server.tools.children import child_command

POLICY = {"default": [{"type": "insecureAcceptAnything"}]}  # nothing is pulled: all images are made here
RUNS = ("--isolation", "chroot", "--network", "host")
STEP_SECONDS = 600.0
LAST_LINES = 20


class StepFailed(RuntimeError):
    """A command that should have made something ended with another code than 0, or not in time."""

    def __init__(self, command: Sequence[str], what: str, output: str) -> None:
        last = "\n".join(output.splitlines()[-LAST_LINES:])
        super().__init__(f"`{' '.join(command)[:200]}` {what}\n{last}")


async def step(*command: str, seconds: float = STEP_SECONDS) -> str:
    """What a command prints to stdout, with nothing on its input; raises StepFailed, and ends it after so long."""
    process = await asyncio.create_subprocess_exec(
        *child_command(command), stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = (each.decode(errors="replace") for each in await process.communicate())
    except TimeoutError:
        raise StepFailed(command, f"did not end in {seconds:.0f} seconds", "") from None
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        raise StepFailed(command, f"ended with code {process.returncode}", out + err)
    return out


class Contained:
    """A process inside of a container, as its parent sees it: asked by signals of its own, waited for by who runs it.

    A signal to buildah itself would kill the process, and not ask it.
    """

    def __init__(self, outside: Process) -> None:
        self._outside = outside

    @property
    def pid(self) -> int:
        """The process that was asked for, once it runs; until then one that starts it."""
        return innermost(self._outside.pid)

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._outside.returncode

    @property
    def most_mib(self) -> int:
        """How much memory it has held at most, in MiB."""
        told = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(told.partition("VmHWM:")[2].split()[0]) // 1024

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._outside.wait()


def innermost(pid: int) -> int:
    """The last of a line of processes each of which has started one other."""
    while children := [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]:
        pid = children[0]
    return pid


@dataclass(frozen=True)
class Storage:
    """Where images and containers lie, and the options by which buildah finds them."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """A command of buildah's on this storage."""
        places = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"))
        return ["buildah", *places, "--storage-driver", "vfs", *arguments]

    async def do(self, *arguments: str, seconds: float = STEP_SECONDS) -> str:
        """What such a command prints, without the blanks around it."""
        return (await step(*self.command(*arguments), seconds=seconds)).strip()

    async def build(self, context: Path, name: str, *, base: str) -> None:
        """Build the Dockerfile of a folder on another base."""
        policy = self.folder / "policy.json"
        policy.write_text(json.dumps(POLICY))
        chosen = (
            "--build-arg",
            f"BASE={base}",
            "--pull-never",
            "--format",
            "docker",
            "--signature-policy",
            str(policy),
        )
        await self.do("build", *RUNS, *chosen, "--tag", name, str(context))

    async def container(self, image: str) -> str:
        """A container of an image; its name."""
        return await self.do("from", "--pull-never", image)

    async def configuration(self, container: str) -> Mapping[str, Any]:
        """What the image says of how it is run: `Entrypoint`, `Cmd`, `User`, `Env` and the like."""
        told: Mapping[str, Any] = json.loads(await self.do("inspect", container))
        return dict(told["Docker"]["config"])

    async def written(self, container: str, user: int) -> list[str]:
        """What in the container's own files belongs to a user: what an image gave them, and what they have written."""
        root = await self.do("mount", container)
        try:
            found = await step("find", root, "-xdev", "-user", str(user), "-printf", "/%P\n")
        finally:
            await self.do("umount", container)
        return sorted(found.split())

    def run_command(
        self,
        container: str,
        line: Sequence[str],
        *,
        folder: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The command that runs a line in a container as its user; it sees one folder of ours, at the same path."""
        shared = ("--volume", f"{folder}:{folder}") if folder else ()
        variables = [part for name, text in (environ or {}).items() for part in ("--env", f"{name}={text}")]
        return self.command("run", *RUNS, *shared, *variables, container, "--", *line)

    async def start(
        self, container: str, line: Sequence[str], *, folder: Path, environ: Mapping[str, str], log: Path
    ) -> Child:
        """Start it as a child of ours."""
        command = self.run_command(container, line, folder=folder, environ=environ)
        outside = await start(" ".join(line), command, log=log)
        return Child(outside.name, Contained(outside.process), log)


@asynccontextmanager
async def storage(folder: Path) -> AsyncIterator[Storage]:
    """An empty storage in this folder; all its containers and images are gone after the block."""
    made = Storage(folder)
    try:
        yield made
    finally:
        await made.do("rm", "--all")
        await made.do("rmi", "--all", "--force")


def say(sentence: str) -> None:
    """Tell the person at the terminal how far it is."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
