"""The search over bundles and items, on a small catalogue."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import jieba
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.catalogue.bundles import Bundle, BundleStep
from server.domain.catalogue.catalogue import Catalogue
from server.domain.catalogue.items import Item
from server.tools.searching import SearchIndex

SAMPLE: dict[str, Any] = {"source": "tests", "status": "sample"}
ROOT = Path(__file__).parents[2]


def item(code: str, name: str, *, words: tuple[str, ...] = (), guidance: str = "") -> Item:
    times = {"legal_days": 10, "promised_days": 5}
    told = {"words": words, "guidance": guidance}
    return Item(code=code, name=name, type="service", department="d", jurisdiction="home", **times, **told, **SAMPLE)


def bundle(code: str, name: str, *items: str, words: tuple[str, ...] = (), summary: str = "一次办好") -> Bundle:
    steps = tuple(BundleStep(item=each) for each in items)
    told = {"words": words, "summary": summary}
    return Bundle(code=code, name=name, subject="person", stage="出生", lead="d", steps=steps, **told, **SAMPLE)


def catalogue(items: tuple[Item, ...], bundles: tuple[Bundle, ...] = ()) -> Catalogue:
    return Catalogue(
        version="1",
        departments={"d": "部门"},
        results={},
        fields=(),
        materials=(),
        items=items,
        bundles=bundles,
        **SAMPLE,
    )


CATALOGUE = catalogue(
    (
        item("birth_certificate", "出生医学证明"),
        item("household", "户口登记", words=("上户口",)),
        item("cremation", "火化证明", guidance="由殡仪馆出具。"),
        item("disabled_card", "残疾人证补办", words=("残疾证丢了", "ETC")),
        item("parking", "残疾人专用停车位"),
    ),
    (
        bundle("newborn", "新生儿出生", "birth_certificate", "household", words=("生孩子", "孩子出生")),
        bundle("farewell", "个人身后", "cremation", words=("老人去世",), summary="亲人去世后的事项。"),
    ),
)
INDEX = SearchIndex(CATALOGUE)


def test_of_the_dictionary_few_words_are_kept_beside_those_of_the_catalogue():
    kept = {word for word, count in INDEX._cutter.FREQ.items() if count and len(word) > 1}
    assert {"出生", "医学", "殡仪馆", "老人"} <= kept
    assert len(kept) < 100  # of 350,000


def found(text: str, index: SearchIndex = INDEX, **how: int) -> list[str]:
    return [hit.code for hit in index.find(text, **how)]


def test_a_life_event_finds_its_bundle_before_the_items_of_it() -> None:
    hits = INDEX.find("孩子出生了要办什么")
    assert (hits[0].kind, hits[0].code) == ("bundle", "newborn")
    assert "birth_certificate" in [hit.code for hit in hits[1:]]


def test_a_phrase_about_one_item_finds_that_item_and_the_bundles_it_is_part_of() -> None:
    assert found("给宝宝上户口")[0] == "household"
    assert found("户口登记")[:2] == ["household", "newborn"]


def test_what_people_call_a_thing_weighs_more_than_a_guidance_that_mentions_it() -> None:
    mentioned = item("mentions", "甲证明", guidance="补办驾驶证须到场。")
    called = item("called", "乙证明", words=("补办驾驶证",))
    assert found("补办驾驶证", SearchIndex(catalogue((mentioned, called)))) == ["called", "mentions"]


def test_a_guidance_alone_finds_its_item() -> None:
    assert found("殡仪馆") == ["cremation"]


def test_a_summary_alone_finds_its_bundle() -> None:
    index = SearchIndex(catalogue((item("one", "甲证明"),), (bundle("two", "乙事", "one", summary="老人的护理。"),)))
    assert found("护理", index) == ["two"]


def test_the_best_comes_first() -> None:
    scores = [hit.score for hit in INDEX.find("残疾人证")]
    assert len(scores) > 1
    assert scores == sorted(scores, reverse=True)
    assert all(score > 0 for score in scores)


def test_of_equals_the_first_of_the_catalogue_comes_first() -> None:
    hits = SearchIndex(catalogue(tuple(item(code, "游泳") for code in ("zebra", "ant", "horse")))).find("游泳")
    assert [hit.code for hit in hits] == ["zebra", "ant", "horse"]
    assert len({hit.score for hit in hits}) == 1


def test_a_bundle_comes_before_an_item_that_is_called_the_same() -> None:
    same = catalogue((item("one", "游泳", words=("下水",)),), (bundle("all", "游泳", "one", words=("下水",)),))
    assert found("下水", SearchIndex(same)) == ["all", "one"]


def test_no_more_than_asked_for_are_found() -> None:
    assert len(found("残疾人证")) > 1
    assert found("残疾人证", most=1) == found("残疾人证")[:1]
    assert found("残疾人证", most=0) == []


def test_two_indexes_of_one_catalogue_find_the_same() -> None:
    assert SearchIndex(CATALOGUE).find("孩子的出生证明") == INDEX.find("孩子的出生证明")


def test_the_index_of_one_catalogue_does_not_learn_from_another() -> None:
    other = SearchIndex(catalogue((item("other", "奔月通行许可"),)))
    assert found("奔月通行许可", other) == ["other"]
    assert found("奔月通行许可") == []
    assert "奔月通行许可" not in jieba.dt.FREQ


def test_capital_and_full_width_letters_are_the_same() -> None:
    assert found("etc") == found("ＥＴＣ") == found("Etc 怎么办") == ["disabled_card"]


def test_what_people_say_whatever_they_ask_for_finds_nothing() -> None:
    asking = item("asking", "甲证明", words=("失业了怎么领钱", "办理需要什么材料"))
    index = SearchIndex(catalogue((asking, item("other", "结婚登记", words=("领证",)))))
    assert found("怎么办理", index) == []
    assert found("请问我要申请结婚登记需要什么材料", index) == ["other"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\0\x1b[31m\r\n\u200b\u202e",
        "👶🏽🎉",
        "hello world",
        "\ud800",
        "，。！？",
        "的",
        "0",
        "結婚證書遺失",
        "é́" * 50,
    ],
)
def test_a_text_without_a_known_word_finds_nothing(text: str) -> None:
    assert INDEX.find(text) == ()


def test_a_text_is_cut_to_a_bound() -> None:
    assert found("火化" * 5_000) == found("火化")
    assert found("无" * 200 + "火化") == []
    assert found("ﷺ" * 10_000) == []


def test_a_word_said_twice_counts_once() -> None:
    assert INDEX.find("火化火化火化") == INDEX.find("火化")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="残疾人证户口出生a1. 怎么", max_size=300))
def test_any_text_is_searched(text: str) -> None:
    hits = INDEX.find(text)
    assert hits == INDEX.find(text)
    assert len({(hit.kind, hit.code) for hit in hits}) == len(hits)


@pytest.mark.parametrize("items", [(), (item("odd", "-"),)], ids=["empty", "wordless"])
def test_a_catalogue_without_words_finds_nothing(items: tuple[Item, ...]) -> None:
    assert SearchIndex(catalogue(items)).find("孩子出生 hello") == ()


def test_a_catalogue_without_a_word_of_the_dictionary_is_searched_by_its_names() -> None:
    index = SearchIndex(catalogue((item("latin", "Zx9 Yq8"), item("odd", "-"))))
    assert found("zx9", index) == ["latin"]
    assert found("孩子", index) == []


def test_building_leaves_no_file_and_says_nothing(tmp_path: Path) -> None:
    script = (
        "import logging; logging.basicConfig(level=logging.DEBUG)\n"
        "from tests.tools.test_searching import CATALOGUE, SearchIndex\n"
        "assert SearchIndex(CATALOGUE).find('户口')"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-W", "ignore", "-c", script],
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert (ran.stdout, ran.stderr) == (b"", b"")
    assert list(tmp_path.iterdir()) == []
