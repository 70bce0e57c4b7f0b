"""What the value of a field must mean beyond its kind, and the sentence that says what to do about one that does not.

Each check answers the code of the first rule that a text breaks, or nothing. A check changes no text: what was filled
in is what is kept, so a small `x` at the end of an ID number is refused with the advice to write `X`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from server.domain.people.persons import id_number_fault

Check = Callable[[str, date], str]

# Chinese characters: those of the basic plane, and the two planes set apart for rare ones (𬱖); no compatibility forms.
HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002f7ff\U00030000-\U0003fffd"
CHINESE_NAME = re.compile(f"[{HAN}]+(·[{HAN}]+)*")
LATIN_NAME = re.compile(r"[A-Z]+( [A-Z]+)*")
ENTERPRISE_NAME = re.compile(f"[{HAN}0-9（）]+")
HAS_HAN = re.compile(f"[{HAN}]")
OTHER_DOTS = frozenset("•・･．.‧∙⋅●。")
OTHER_BRACKETS = frozenset("()[]【】〔〕［］")

USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_SHAPE = re.compile(r"[1-9A-Z][0-9A-Z][0-9]{6}[0-9A-Z]{10}")
USCC_WRITING = re.compile(r"[0-9A-Z]{18}")

SENTENCES: Mapping[str, str] = {
    "text": "请填写一行文字，最多{longest}个字，首尾不能有空格。",
    "choice": "请从所列选项中选择。",
    "division": "请选择行政区划。",
    "date": "请按“年-月-日”填写日期，例如 2026-11-02。",
    "date_impossible": "没有这一天，请填写真实存在的日期。",
    "date_future": "日期不能晚于今天，请核对。",
    "id_number": "身份证号码应为18位：前17位是数字，末位是数字或大写字母 X，请核对位数。",
    "id_number_small_x": "请把身份证号码末位的 x 改为大写字母 X。",
    "id_number_address": "身份证号码开头两位不是任何省份的代码，请对照证件核对。",
    "id_number_birth_date": "身份证号码第7至14位不是可能的出生日期，请对照证件核对。",
    "id_number_check": "身份证号码与末位校验码不符，请对照证件逐位核对。",
    "uscc": "统一社会信用代码应为18位数字或大写字母，其中第3至8位是数字，请对照证照填写。",
    "uscc_capitals": "请把统一社会信用代码中的小写字母改为大写字母。",
    "uscc_letters": "统一社会信用代码不使用字母 I、O、S、V、Z，请核对是否应为数字1、0、5、2等。",
    "uscc_check": "统一社会信用代码与末位校验码不符，请对照证照逐位核对。",
    "mobile": "手机号码应为11位数字，请去掉 +86、空格和短横线。",
    "mobile_prefix": "手机号码应以13至19开头，请核对前两位。",
    "person_name": "请按证件填写姓名：中文姓名只用汉字，外文姓名只用大写字母，词与词之间空一格。",
    "person_name_spaces": "姓名首尾和汉字之间不能有空格，外文的词与词之间只空一格，请删去多余的空格。",
    "person_name_digits": "姓名中不能有数字，请按证件填写。",
    "person_name_dot": "姓名中的间隔号请用“·”，写在两段名字之间，每处一个，不要用“•”“・”“．”等相近的符号。",
    "person_name_length": "姓名应为2至50个字，请按证件填写全名。",
    "enterprise_name": "请按证照填写名称，只用汉字、数字和全角括号“（）”。",
    "enterprise_name_spaces": "名称中不能有空格，请删去。",
    "enterprise_name_brackets": "名称中的括号请用全角括号“（）”，并且成对填写。",
    "enterprise_name_length": "名称应为2至100个字，请按证照填写全称。",
}


def date_fault(text: str, on: date) -> str:
    """A day of the calendar, written like `2026-11-02`."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return "date"
    try:
        date.fromisoformat(text)
    except ValueError:
        return "date_impossible"
    return ""


def past_date_fault(text: str, on: date) -> str:
    """A day of the calendar that has come by the day `on`."""
    return date_fault(text, on) or ("date_future" if date.fromisoformat(text) > on else "")


def mobile_fault(text: str, on: date) -> str:
    """A mobile number of mainland China, without the code of the country."""
    if not re.fullmatch(r"[0-9]{11}", text):
        return "mobile"
    return "" if re.match(r"1[3-9]", text) else "mobile_prefix"


def uscc_check_character(first_17: str) -> str:
    """The last character of a unified social credit code (GB 32100-2015): modulo 31, weights are powers of three."""
    values = enumerate(USCC_CHARACTERS.index(character) for character in first_17)
    return USCC_CHARACTERS[-sum(value * 3**place for place, value in values) % 31]


def uscc_fault(text: str, on: date) -> str:
    """A unified social credit code (统一社会信用代码, GB 32100-2015)."""
    if USCC_WRITING.fullmatch(text) and not set(text) <= set(USCC_CHARACTERS):
        return "uscc_letters"
    if not USCC_SHAPE.fullmatch(text):
        return "uscc_capitals" if text.isascii() and USCC_SHAPE.fullmatch(text.upper()) else "uscc"
    return "" if uscc_check_character(text[:17]) == text[17] else "uscc_check"


def person_name_fault(text: str, on: date) -> str:
    """A natural person's name: Chinese characters with middle dots between parts, or Latin capitals."""
    is_chinese = bool(HAS_HAN.search(text))
    words = text.split()
    if text != (" " if not is_chinese else "").join(words):
        return "person_name_spaces"
    if any(character.isdigit() for character in text):
        return "person_name_digits"
    if is_chinese and (OTHER_DOTS & set(text) or "" in text.split("·")):
        return "person_name_dot"
    if not 2 <= len(text) <= 50:
        return "person_name_length"
    return "" if CHINESE_NAME.fullmatch(text) or LATIN_NAME.fullmatch(text) else "person_name"


def enterprise_name_fault(text: str, on: date) -> str:
    """An enterprise's name: Chinese characters, digits, and full-width brackets in pairs."""
    if any(character.isspace() for character in text):
        return "enterprise_name_spaces"
    if OTHER_BRACKETS & set(text) or not _is_paired(text):
        return "enterprise_name_brackets"
    if not 2 <= len(text) <= 100:
        return "enterprise_name_length"
    return "" if ENTERPRISE_NAME.fullmatch(text) and HAS_HAN.search(text) else "enterprise_name"


def _is_paired(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "（") - (character == "）")
        if depth < 0:
            return False
    return depth == 0


# The formats of the form's JSON Schema.
FORMATS: Mapping[str, Check] = {
    "date": date_fault,
    "date-not-after-today": past_date_fault,
    "cn-id-number": id_number_fault,
    "cn-mobile": mobile_fault,
    "cn-uscc": uscc_fault,
    "cn-person-name": person_name_fault,
    "cn-enterprise-name": enterprise_name_fault,
}
