"""Sentences: what several people wrote stands together, and each sentence ends once."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.catalogue.terms import APPEAL
from server.domain.sentences import CLOSERS, ENDS, clause, sentences

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
TEXTS = st.text(st.sampled_from("材料不实，；：见《办法》“”（）。！？…!?. \n"), max_size=12)


@pytest.mark.parametrize(
    ("texts", "together"),
    [
        (("不符合条件", APPEAL), f"不符合条件。{APPEAL}"),
        (("不符合条件。", APPEAL), f"不符合条件。{APPEAL}"),
        (("不符合条件 \n", "请向民政局申请"), "不符合条件。请向民政局申请。"),
        (("是否为本人？", "不能确认！", "待查……"), "是否为本人？不能确认！待查……"),
        (("见《条例》", "（详见附件。）", "他说“不办了。”"), "见《条例》。（详见附件。）他说“不办了。”"),
        (("Not eligible.", ""), "Not eligible."),
        (("", " "), ""),
        ((), ""),
    ],
)
def test_each_text_ends_once(texts: tuple[str, ...], together: str) -> None:
    assert sentences(*texts) == together


@given(st.lists(TEXTS, max_size=4))
def test_whatever_is_written_each_text_is_kept_and_ends(texts: list[str]) -> None:
    together = sentences(*texts)
    rest = together
    for text in filter(None, map(str.strip, texts)):
        assert rest.startswith(text)
        rest = rest.removeprefix(text)
        is_ended = text.rstrip(CLOSERS)[-1:] in tuple(ENDS)
        assert rest.startswith("。") or is_ended
        rest = rest if is_ended else rest.removeprefix("。")
    assert rest == ""
    assert sentences(together) == together


@pytest.mark.parametrize(
    ("text", "part"),
    [("照片不清楚。", "照片不清楚"), ("照片不清楚", "照片不清楚"), (" 是本人吗？", "是本人吗？"), ("", "")],
)
def test_a_part_of_a_longer_sentence_has_no_full_stop(text: str, part: str) -> None:
    assert clause(text) == part


def said_in_refusals() -> Iterator[tuple[str, str]]:
    """Each Chinese text that a refusal or a fault of a field is made with, as its last written part, and where."""
    for path in (path for room in ("server", "handlers", "regions") for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise)]
        texts = [call.args[0] for call in raised if isinstance(call, ast.Call) and call.args]
        keywords = [word for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords]
        texts += [word.value for word in keywords if word.arg == "detail"]
        for text in texts:
            last = text.values[-1] if isinstance(text, ast.JoinedStr) else text
            if CHINESE.search(ast.unparse(text)) and isinstance(text, ast.Constant | ast.JoinedStr):
                end = str(last.value) if isinstance(last, ast.Constant) else "{}"
                yield f"{path.relative_to(ROOT)}:{text.lineno}", end


@pytest.mark.no_cover
def test_what_a_refusal_says_is_a_sentence() -> None:
    said = list(said_in_refusals())
    assert len(said) > 100
    assert [(place, end) for place, end in said if not end.endswith(("。", "！", "？"))] == []
