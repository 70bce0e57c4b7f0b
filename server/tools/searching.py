"""Finds the bundles and items of a catalogue by what people call them.

Words are those of jieba's dictionary and of the catalogue; what has them is ranked by BM25. Of the dictionary only
the words that stand in the catalogue are kept: no other could find anything, and all of them take 55 MB.
"""

import importlib
import io
import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Item
from server.domain.values import Value

Kind = Literal["bundle", "item"]
LONGEST_TEXT = 200
LONGEST_WORD = 12
WORDS_WEIGHT, NAME_WEIGHT, BUNDLE_WEIGHT = 5, 3, 1.1
# What people say whatever they ask for: it must not find the one entry whose words happen to say it too.
ASKING = re.compile(
    "请问|怎么样?|怎样|如何|什么样?|哪些|哪里|哪儿|多少|时候|开始|[能可]不[能可]|可以|需要|我要|我想|想要|我们|我的|一下|一起"
    "|要办|办理|申请|手续|材料|事项|业务|流程"
)


def _libraries() -> tuple[Any, Any]:
    """jieba and bm25s: loaded where the first index is made, for only a process that searches needs them and numpy."""
    cutting: Any = importlib.import_module("jieba")
    ranking: Any = importlib.import_module("bm25s")
    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it tells of its progress
    return cutting, ranking


class Hit(Value):
    """What a search found; the score compares hits of one search only."""

    kind: Kind
    code: str
    score: float


class SearchIndex:
    """The bundles and items of one catalogue, ready to be searched; building it takes a third of a second of CPU."""

    def __init__(self, catalogue: Catalogue) -> None:
        cutting, ranking = _libraries()
        names = {item.code: item.name for item in catalogue.items}
        texts: dict[tuple[Kind, str], list[str]] = {
            ("bundle", bundle.code): _of_bundle(bundle, names) for bundle in catalogue.bundles
        }
        texts |= {("item", item.code): _of_item(item) for item in catalogue.items}
        called = [word for bundle in catalogue.bundles for word in (bundle.name, *bundle.words)]
        called += [word for item in catalogue.items for word in (item.name, *item.words)]
        self._cutter = _filled(cutting.Tokenizer(), [text for each in texts.values() for text in each], called)
        words = [[word for text in each for word in self._words(text)] for each in texts.values()]
        self._entries = tuple(texts) if any(words) else ()
        self._weights = [BUNDLE_WEIGHT if kind == "bundle" else 1.0 for kind, _ in texts]
        self._ranking = ranking.BM25(k1=1.5, b=0.2)
        if self._entries:
            self._ranking.index(words, show_progress=False)

    def find(self, text: str, *, most: int = 20) -> tuple[Hit, ...]:
        """What this text may mean, best first; of equals bundles first, then the order of the catalogue."""
        words = list(dict.fromkeys(self._words(text[:LONGEST_TEXT])))
        if not words or not self._entries:
            return ()
        scores = self._ranking.get_scores(words, weight_mask=self._weights).tolist()
        scored = zip(self._entries, scores, strict=True)
        hits = [Hit(kind=kind, code=code, score=round(score, 3)) for (kind, code), score in scored if score > 0]
        return tuple(sorted(hits, key=lambda hit: -hit.score)[:most])

    def _words(self, text: str) -> Iterator[str]:
        """Every word that stands in the text, overlapping ones too."""
        return (word for word in self._cutter.cut(_plain(text), cut_all=True) if len(word) > 1 and word.isalnum())


def _of_bundle(bundle: Bundle, names: Mapping[str, str]) -> list[str]:
    steps = [names[step.item] for step in bundle.steps]
    return [*bundle.words * WORDS_WEIGHT, *[bundle.name] * NAME_WEIGHT, bundle.summary, *steps]


def _of_item(item: Item) -> list[str]:
    return [*item.words * WORDS_WEIGHT, *[item.name] * NAME_WEIGHT, item.guidance]


def _filled(cutter: Any, texts: Iterable[str], called: Iterable[str]) -> Any:
    """The cutter, one of our own (jieba's common one is everybody's), without jieba's cache file in the temp folder."""
    parts = {
        text[start : start + length]
        for text in map(_plain, set(texts))
        for start in range(len(text))
        for length in range(2, LONGEST_WORD + 1)
    }
    with cutter.get_dict_file() as dictionary:
        known = [line for line in dictionary if line.split(b" ", 1)[0].decode() in parts]
    cutter.FREQ, cutter.total = cutter.gen_pfdict(io.BytesIO(b"".join(known)))
    cutter.initialized = True
    for name in called:
        for word in _plain(name).split():
            cutter.add_word(word, 1)
    return cutter


def _plain(text: str) -> str:
    """The text in plain and small letters, without what people say whatever they ask for."""
    return ASKING.sub(" ", unicodedata.normalize("NFKC", text).casefold())
