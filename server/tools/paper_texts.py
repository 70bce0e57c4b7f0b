"""Reads the texts of papers."""

from pathlib import Path

from server.domain.papers.bodies import BODIES
from server.domain.papers.texts import PaperText, PaperTexts, RemedyText, remedy_faults, text_faults
from server.tools.datafiles import Reading

REMEDIES = "remedies.toml"


def load_paper_texts(folder: Path) -> PaperTexts:
    """The texts of the folder, one file for each kind of paper, named after its code, and remedies.toml.

    Raises BrokenData with every fault, also for a kind of paper without a file.
    """
    reading = Reading()
    paths = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.name != REMEDIES}
    papers = {name: text for name, path in paths.items() if (text := reading.whole(path, PaperText)) is not None}
    remedies = reading.tables(folder / REMEDIES, RemedyText, table="remedy")
    for name, text in papers.items():
        if text.code != name:
            reading.refuse(paths[name], f"code: the file is not called {text.code}.toml", table="")
        for fault in text_faults(text):
            reading.refuse(paths[name], fault, table="", what_to_do="correct the text")
    for absent in sorted(BODIES.keys() - paths.keys()):
        reading.refuse(folder / f"{absent}.toml", f"absent: there is no text for papers of the kind {absent}", table="")
    kinds = [text.kind for text in remedies]
    for remedy in remedies:
        faults = [*remedy_faults(remedy), *(["duplicate: a kind has one text"] if kinds.count(remedy.kind) > 1 else [])]
        for fault in faults:
            reading.refuse(folder / REMEDIES, f"{remedy.kind}: {fault}", table="remedy", what_to_do="correct the text")
    reading.finish()
    return PaperTexts(papers=tuple(papers.values()), remedies=tuple(remedies))
