"""Finds the bundles and items of a catalogue by what people call them.

Words are those of jieba's dictionary and of the catalogue; what has them is ranked by BM25. Of the dictionary only
words that may stand in the catalogue are kept: no other could find anything, and all of them take 55 MB.
"""

import importlib
import io
import logging
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

from server.domain.catalogue.bundles import Bundle
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Item
from server.domain.values import Value

Kind = Literal["bundle", "item"]
Weighed = list[tuple[str, int]]  # texts, and how often each of them counts
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
    """The bundles and items of one catalogue, ready to be searched; building it takes a fifth of a second of CPU."""

    def __init__(self, catalogue: Catalogue) -> None:
        cutting, ranking = _libraries()
        names = {item.code: item.name for item in catalogue.items}
        texts: dict[tuple[Kind, str], Weighed] = {
            ("bundle", bundle.code): _of_bundle(bundle, names) for bundle in catalogue.bundles
        }
        texts |= {("item", item.code): _of_item(item) for item in catalogue.items}
        called = [word for bundle in catalogue.bundles for word in (bundle.name, *bundle.words)]
        called += [word for item in catalogue.items for word in (item.name, *item.words)]
        self._cutter = _filled(cutting.Tokenizer(), (text for each in texts.values() for text, _ in each), called)
        numbers: dict[str, int] = {}
        words = [
            [
                number
                for text, weight in each
                for number in [numbers.setdefault(word, len(numbers)) for word in self._words(text)] * weight
            ]
            for each in texts.values()
        ]
        self._entries = tuple(texts) if numbers else ()
        self._weights = [BUNDLE_WEIGHT if kind == "bundle" else 1.0 for kind, _ in texts]
        self._ranking = ranking.BM25(k1=1.5, b=0.2)
        if self._entries:
            self._ranking.index((words, numbers), show_progress=False)

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


def _of_bundle(bundle: Bundle, names: Mapping[str, str]) -> Weighed:
    steps = [names[step.item] for step in bundle.steps]
    words = [(word, WORDS_WEIGHT) for word in bundle.words]
    return [*words, (bundle.name, NAME_WEIGHT), (bundle.summary, 1), *((step, 1) for step in steps)]


def _of_item(item: Item) -> Weighed:
    return [*((word, WORDS_WEIGHT) for word in item.words), (item.name, NAME_WEIGHT), (item.guidance, 1)]


def _filled(cutter: Any, texts: Iterable[str], called: Iterable[str]) -> Any:
    """The cutter, one of our own (jieba's common one is everybody's), without jieba's cache file in the temp folder."""
    pairs = {pair for text in map(_plain, set(texts)) for pair in pairwise(text)}
    with cutter.get_dict_file() as dictionary:
        known = [line for line in dictionary if _may_stand(line.split(b" ", 1)[0].decode(), pairs)]
    cutter.FREQ, cutter.total = cutter.gen_pfdict(io.BytesIO(b"".join(known)))
    cutter.initialized = True
    for name in called:
        for word in _plain(name).split():
            cutter.add_word(word, 1)
    return cutter


def _may_stand(word: str, pairs: set[tuple[str, str]]) -> bool:
    """Whether texts with these pairs of neighbours may have the word."""
    return 1 < len(word) <= LONGEST_WORD and pairs.issuperset(pairwise(word))


def _plain(text: str) -> str:
    """The text in plain and small letters, without what people say whatever they ask for."""
    return ASKING.sub(" ", unicodedata.normalize("NFKC", text).casefold())
