"""The process that makes papers: `python -m server.papers.child`, one JSON line in for each job, one out."""

import base64
import resource
import sys
from pathlib import Path
from typing import BinaryIO

import orjson

from server.domain.papers.filling import WrongText
from server.domain.papers.making import PapersWait
from server.domain.papers.signing import SignatureUnproven
from server.domain.papers.texts import PaperTexts
from server.papers.availability import PapersUnavailable
from server.papers.seal_folder import SealFolder
from server.papers.workshop import JOBS, Workshop

MOST_BYTES = 2 << 30  # of addresses: a paper that takes more ends this process, and not the machine


def main() -> int:
    """Make papers until nobody asks for more."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    return answer(sys.stdin.buffer, sys.stdout.buffer)


def answer(asked: BinaryIO, answers: BinaryIO) -> int:
    """The first line has texts, the folder of seals and the roots of people; each other one is a job by its name."""
    begun = orjson.loads(asked.readline() or b"{}")
    if not begun:
        return 0
    people = [base64.b64decode(each) for each in begun["people"]]
    seals = SealFolder(Path(begun["seals"]))
    workshop = Workshop(PaperTexts.model_validate(begun["texts"]), seals, people)
    for line in asked:
        answers.write(orjson.dumps(_one(line, workshop)) + b"\n")
        answers.flush()
    return 0


def _one(line: bytes, workshop: Workshop) -> dict[str, str]:
    told = orjson.loads(line)
    shape, work = JOBS[told["job"]]
    try:
        done = work(workshop, shape.model_validate_json(orjson.dumps(told["asked"])))
    except (PapersWait, PapersUnavailable) as fault:
        return {"waits": str(fault)}
    except WrongText as fault:
        return {"refused": str(fault)}
    except SignatureUnproven as fault:
        return {"unproven": str(fault)}
    if isinstance(done, bytes):
        return {"pdf": base64.b64encode(done).decode("ascii")}
    return {"value": done.model_dump_json()}


if __name__ == "__main__":
    sys.exit(main())
