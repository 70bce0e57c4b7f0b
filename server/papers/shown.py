"""Whether a signature was put under the PDF that was shown, and changes nothing of it but the place where it stands."""

import hashlib
import io
from collections.abc import Iterable
from typing import Any

from pyhanko.pdf_utils.generic import IndirectObject
from pyhanko.pdf_utils.reader import PdfFileReader

from server.domain.papers.signing import ShownPaper

# What a signature adds to the catalogue of a PDF, none of which is seen.
ADDED = frozenset({"/Perms", "/Extensions", "/Metadata", "/Version"})
OF_PLACE = frozenset({"/V", "/AP", "/F"})
OF_INFO = frozenset({"/ModDate", "/Producer"})
OF_FORM = frozenset({"/SigFlags"})


def begins_with(pdf: bytes, shown: ShownPaper, *, revision: int) -> bool:
    """Whether the PDF begins with the bytes that were shown, and these are all before this revision."""
    before = pdf[: shown.length]
    is_it = hashlib.sha256(before).hexdigest() == shown.digest
    return is_it and PdfFileReader(io.BytesIO(before)).xrefs.total_revisions == revision


def is_only_signed(reader: PdfFileReader, field: Any, *, revision: int) -> bool:
    """Whether this revision writes or frees nothing but the place of the signature (`field`) and what nobody sees.

    pyhanko judges what comes after a signature, not what comes with it.
    """
    before, after = (reader.get_historical_resolver(each) for each in (revision - 1, revision))
    form, info = _referred(before.root, "/AcroForm"), _referred(reader.trailer, "/Info")
    allowed = {each.idnum for each in (reader.trailer["/Root"].container_ref, *form, *info, field)}
    known = _written(reader, range(revision))
    is_more_written = bool(_written(reader, range(revision, revision + 1)) & known - allowed)
    if is_more_written or not allowed <= known:
        return False
    pairs = [(before.root, after.root, ADDED), (before(field), after(field), OF_PLACE)]
    pairs += [(before(each), after(each), OF_FORM) for each in form]
    pairs += [(before(each), after(each), OF_INFO) for each in info]
    return all(_is_same(old, new, but=but) for old, new, but in pairs)


def _written(reader: PdfFileReader, revisions: Iterable[int]) -> set[int]:
    return {each.idnum for one in revisions for each in reader.xrefs.explicit_refs_in_revision(one)}


def _referred(holder: Any, name: str) -> list[Any]:
    """What a dictionary refers to by this name; nothing if it has it in itself, or not at all."""
    raw = holder.raw_get(name) if name in holder else None
    return [raw.reference] if isinstance(raw, IndirectObject) else []


def _is_same(old: Any, new: Any, *, but: frozenset[str]) -> bool:
    """Whether two dictionaries are alike but for these keys."""
    names = (old.keys() | new.keys()) - but
    return all(name in old and name in new and old.raw_get(name) == new.raw_get(name) for name in names)
