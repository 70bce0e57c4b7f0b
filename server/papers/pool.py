"""Processes that make papers: a few at most, begun when there is work, ended when there is none or they have grown."""

import asyncio
import base64
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from server.domain.papers.making import PapersWait, PaperToMake
from server.domain.papers.signing import ProvenSignature, SignatureUnproven
from server.domain.papers.signing_jobs import (
    ContractToSeal,
    HalfSigned,
    SignatureToFinish,
    SignatureToPrepare,
    SignedToProve,
)
from server.domain.papers.texts import PaperTexts
from server.domain.values import Value
from server.papers.availability import missing

MOST_SECONDS = 60.0  # for one paper; the first of a process loads its libraries
IDLE_SECONDS = 30.0
MOST_PAPERS = 200  # of one process: it takes a little more memory with each
LONGEST_LINE = 32 << 20


class PaperNotMade(RuntimeError):
    """A paper could not be made: its text is wrong, or the process that made it ended."""


@dataclass
class _Child:
    """A process, and the folder for what it writes: one that is killed removes nothing itself."""

    process: Process
    folder: TemporaryDirectory[str]
    made: int = 0

    async def ask(self, line: bytes) -> dict[str, str]:
        """The answer to one line; raises what a broken pipe raises, and EOFError if there is none."""
        told, answers = self.process.stdin, self.process.stdout
        if told is None or answers is None:
            raise EOFError
        told.write(line + b"\n")
        await told.drain()
        answer: dict[str, str] = orjson.loads(await answers.readline() or b"null") or {}
        if not answer:
            raise EOFError
        return answer


class PaperPool:
    """Up to `at_once` processes; to be closed by who made it. `people` are the roots (DER) above those who sign."""

    def __init__(self, texts: PaperTexts, seals: Path, *, people: Sequence[bytes] = (), at_once: int = 1) -> None:
        roots = [base64.b64encode(each).decode("ascii") for each in people]
        told = {"texts": texts.model_dump(mode="json"), "seals": str(seals.resolve()), "people": roots}
        self._begin = orjson.dumps(told)
        self._has_people = bool(roots)
        self._at_once = at_once
        self._idle: list[_Child] = []
        self._turns = asyncio.Semaphore(at_once)
        self._ending: asyncio.TimerHandle | None = None

    @property
    def at_once(self) -> int:
        """How many papers are made at the same time."""
        return self._at_once

    def missing(self) -> Sequence[str]:
        """What this machine lacks to make papers, one sentence each."""
        return missing()

    @property
    def may_sign(self) -> bool:
        """Whether roots above certificates of people are trusted: without them no signature could ever count."""
        return self._has_people

    async def make(self, paper: PaperToMake) -> bytes:
        """The sealed file; raises PapersWait, and PaperNotMade."""
        return base64.b64decode((await self._do("make", paper))["pdf"])

    async def prepare(self, asked: SignatureToPrepare) -> HalfSigned:
        """The file made ready to be signed; raises SignatureUnproven, and PapersWait, also if its process ended."""
        return HalfSigned.model_validate_json((await self._sign("prepare", asked))["value"])

    async def finish(self, asked: SignatureToFinish) -> bytes:
        """The signed file; raises as `prepare`."""
        return base64.b64decode((await self._sign("finish", asked))["pdf"])

    async def prove(self, asked: SignedToProve) -> ProvenSignature:
        """What the signed file proves; raises as `prepare`."""
        return ProvenSignature.model_validate_json((await self._sign("prove", asked))["value"])

    async def seal(self, asked: ContractToSeal) -> bytes:
        """The contract, sealed; raises as `make`, and SignatureUnproven."""
        return base64.b64decode((await self._do("seal", asked))["pdf"])

    async def _sign(self, job: str, asked: Value) -> dict[str, str]:
        try:
            return await self._do(job, asked)
        except PaperNotMade as fault:
            raise PapersWait(str(fault)) from fault

    async def _do(self, job: str, asked: Value) -> dict[str, str]:
        if lacking := missing():
            raise PapersWait("; ".join(lacking))
        line = orjson.dumps({"job": job, "asked": orjson.Fragment(asked.model_dump_json())})
        async with self._turns:
            child = self._idle.pop() if self._idle else await self._start()
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    answer = await child.ask(line)
            except (TimeoutError, EOFError, ConnectionError) as fault:
                await _end(child)
                raise PaperNotMade(f"its process ended: {type(fault).__name__}") from fault
            except BaseException:
                await _end(child)
                raise
            await self._give_back(child)
        if "waits" in answer:
            raise PapersWait(answer["waits"])
        if "unproven" in answer:
            raise SignatureUnproven(answer["unproven"])
        if "refused" in answer:
            raise PaperNotMade(answer["refused"])
        return answer

    async def close(self) -> None:
        """End all processes."""
        if self._ending:
            self._ending.cancel()
        while self._idle:
            await _end(self._idle.pop())

    async def _start(self) -> _Child:
        command = [sys.executable, "-m", "server.papers.child"]
        folder = TemporaryDirectory(prefix="tongban-papers-")
        pipes: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "limit": LONGEST_LINE}
        process = await asyncio.create_subprocess_exec(*command, **pipes, env={**os.environ, "TMPDIR": folder.name})
        child = _Child(process, folder)
        if process.stdin:
            process.stdin.write(self._begin + b"\n")
        return child

    async def _give_back(self, child: _Child) -> None:
        child.made += 1
        if child.made >= MOST_PAPERS:
            await _end(child)
            return
        self._idle.append(child)
        if self._ending:
            self._ending.cancel()
        self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """Those at rest end by themselves once nobody can ask them any more."""
        for child in self._idle:
            if child.process.stdin:
                child.process.stdin.close()
            child.folder.cleanup()
        self._idle.clear()


async def _end(child: _Child) -> None:
    if child.process.returncode is None:
        child.process.kill()
    await child.process.wait()
    child.folder.cleanup()
