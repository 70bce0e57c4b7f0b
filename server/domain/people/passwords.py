"""Passwords of officers: which ones are too short or too easy to guess.

There is no list of leaked passwords here. Instead everything that guessing programs try first is struck out: the name,
words that many passwords are made of, years, keys that lie side by side, characters that follow each other or come
again. What is left must be long enough by itself.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from server.domain.errors import FieldFault, Forbidden, Invalid

MOST_CHARACTERS = 200
FEWEST_OF_ITS_OWN = 6
SHORTEST_NAME = 3  # a shorter one is found in passwords by chance
WINDOW = 3
# Words that passwords are often made of, in English and pinyin; put together for this program.
OFTEN_USED = """
password passwd passw0rd welcome letmein admin administrator root login user guest secret hello default changeme temp
iloveyou monkey dragon master superman batman football baseball sunshine princess
system oracle computer internet windows huawei
woaini wodemima mima zhengwu zhengfu gongan tongban yijianshi xiaoming zhangsan
zhongguo china beijing shanghai jiangsu zhejiang guangdong nanjing hangzhou guangzhou
5201314 1314520 520 1314 147258369 147258 159357 a1b2c3
"""
WORDS = tuple(OFTEN_USED.split())
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol", "!@#$%^&*()")
ROWS_BOTH_WAYS = (*ROWS, *(row[::-1] for row in ROWS))
SAME_LOOK = str.maketrans("0134578@$!", "oieastbasi")
YEAR = re.compile(r"(?:19|20)\d\d(?:[01]\d[0-3]\d)?")


class PasswordTooEasy(Invalid):
    """The new password breaks the rules for passwords; each broken rule is named."""

    code = "password_too_easy"
    title = "密码不符合要求"


class PasswordUsedBefore(Invalid):
    """The new password is one of the last five."""

    code = "password_used_before"
    title = "密码近期使用过"


class PasswordChangeNeeded(Forbidden):
    """The password was given by an administrator, for one use: nothing is granted until it is changed."""

    code = "password_change_needed"
    title = "请先修改初始密码"


def check_password(password: str, *, name: str, fewest: int, at: str) -> None:
    """Raises PasswordTooEasy with each rule that the password of this officer breaks; `at` is the pointer to it."""
    faults = [FieldFault(pointer=at, code=code, detail=detail) for code, detail in _faults(password, name, fewest)]
    if faults:
        raise PasswordTooEasy("".join(fault.detail for fault in faults), errors=faults)


def _faults(password: str, name: str, fewest: int) -> Iterator[tuple[str, str]]:
    if len(password) < fewest:
        yield "password_short", f"密码至少 {fewest} 个字符，可用几个互不相关的词语。"
    if len(password) > MOST_CHARACTERS:
        yield "password_long", f"密码最多 {MOST_CHARACTERS} 个字符。"
        return
    text, own_name = _plain(password), _plain(name)
    if len(own_name) >= SHORTEST_NAME and own_name in text:
        yield "password_has_name", "密码中不能含有用户名。"
    if len(text) - len(_foreseen(text, own_name)) < FEWEST_OF_ITS_OWN:
        detail = "密码容易猜中：常用词、年份、相邻的键、连续或重复的字符不计在内，其余部分至少"
        yield "password_guessable", f"{detail} {FEWEST_OF_ITS_OWN} 个字符。"


def _foreseen(text: str, name: str) -> set[int]:
    """The places of a plain text that hold what is tried first."""
    found: set[int] = set()
    words = [*WORDS, name] if len(name) >= SHORTEST_NAME else WORDS
    for spelling in (text, text.translate(SAME_LOOK)):
        for word in words:
            found.update(place for each in re.finditer(re.escape(word), spelling) for place in range(*each.span()))
    found.update(place for each in YEAR.finditer(text) for place in range(*each.span()))
    for start in range(len(text) - WINDOW + 1):
        window = text[start : start + WINDOW]
        if _is_row(window) or window in text[: start + WINDOW - 1]:
            found.update(range(start, start + WINDOW))
    return found


def _is_row(window: str) -> bool:
    """Whether the characters are the same, follow each other, or lie side by side on a keyboard."""
    steps = {ord(after) - ord(before) for before, after in pairwise(window)}
    return steps in ({0}, {1}, {-1}) or any(window in row for row in ROWS_BOTH_WAYS)


def _plain(text: str) -> str:
    """Without differences of width and case."""
    return unicodedata.normalize("NFKC", text).casefold()
