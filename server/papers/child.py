"""The process that makes papers: `python -m server.papers.child`, one JSON line in for each, one out."""

import base64
import resource
import sys
from pathlib import Path
from typing import BinaryIO

import orjson

from server.domain.papers.filling import WrongText
from server.domain.papers.making import PapersWait, PaperToMake
from server.domain.papers.texts import PaperTexts
from server.papers.availability import PapersUnavailable
from server.papers.printing import set_paper
from server.papers.seal_folder import SealFolder
from server.papers.sealing import seal_paper

MOST_BYTES = 2 << 30  # of addresses: a paper that takes more ends this process, and not the machine


def main() -> int:
    """Make papers until nobody asks for more."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    return answer(sys.stdin.buffer, sys.stdout.buffer)


def answer(asked: BinaryIO, answers: BinaryIO) -> int:
    """The first line has the texts and the folder of seals; each other one is a paper."""
    begun = orjson.loads(asked.readline() or b"{}")
    if not begun:
        return 0
    texts, seals = PaperTexts.model_validate(begun["texts"]), SealFolder(Path(begun["seals"]))
    for line in asked:
        answers.write(orjson.dumps(_one(line, texts, seals)) + b"\n")
        answers.flush()
    return 0


def _one(line: bytes, texts: PaperTexts, seals: SealFolder) -> dict[str, str]:
    try:
        content = make_one(PaperToMake.model_validate_json(line), texts, seals)
    except (PapersWait, PapersUnavailable) as fault:
        return {"waits": str(fault)}
    except WrongText as fault:
        return {"refused": str(fault)}
    return {"pdf": base64.b64encode(content).decode("ascii")}


def make_one(paper: PaperToMake, texts: PaperTexts, seals: SealFolder) -> bytes:
    """The paper, set and sealed; raises PapersWait, PapersUnavailable, WrongText."""
    made = set_paper(paper.data, texts)
    sealer = seals.sealer(paper.authority, paper.data.frame.authority, made.seal)
    return seal_paper(made, sealer, at=paper.at)


if __name__ == "__main__":
    sys.exit(main())
