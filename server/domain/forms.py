"""The form as JSON Schema (draft 2020-12), and what a filled one gets wrong, in words a citizen understands."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import jsonschema_rs

from server.domain.canonical import canonical
from server.domain.catalogue import Field
from server.domain.divisions import CODE
from server.domain.errors import FieldFault, Invalid
from server.domain.merging import MergedField
from server.domain.names import Value
from server.domain.persons import is_id_number
from server.domain.plan import pointer

MOBILE = r"^1[3-9]\d{9}$"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class FormFaulty(Invalid):
    """The form, or what was handed in with it, has faults; each is named by its JSON pointer."""

    title = "表单填写有误"


class Shape(Value):
    """How values of a field type look, as JSON Schema, and what to say of one that does not.

    `{longest}` in `detail` stands for the most characters of the field.
    """

    schema_part: Mapping[str, Any]
    detail: str


SHAPES: Mapping[str, Shape] = {
    "text": Shape(
        schema_part={"minLength": 1, "pattern": r"^\S(.*\S)?$"},
        detail="请填写一行文字，最多{longest}个字，首尾不能有空格。",
    ),
    "date": Shape(schema_part={"format": "date"}, detail="请填写真实存在的日期，例如 2026-11-02。"),
    "id_number": Shape(schema_part={"format": "cn-id-number"}, detail="身份证号码不正确，请核对18位号码。"),
    "mobile": Shape(schema_part={"pattern": MOBILE}, detail="手机号码应为11位数字。"),
    "choice": Shape(schema_part={}, detail="请从所列选项中选择。"),
    "division": Shape(schema_part={"pattern": CODE.pattern}, detail="请选择行政区划。"),
}


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


FORMATS: Mapping[str, Callable[[str], bool]] = {"date": _is_date, "cn-id-number": is_id_number}


def schema_of(fields: Sequence[MergedField]) -> dict[str, Any]:
    """The JSON Schema of the form; `x-group`, `x-sensitive` and `x-needed-by` are ours."""
    return {
        "$schema": DIALECT,
        "type": "object",
        "properties": {each.field.code: _property(each) for each in fields},
        "required": [each.field.code for each in fields if each.is_required],
        "additionalProperties": False,
    }


def _property(merged: MergedField) -> dict[str, Any]:
    field = merged.field
    shown: dict[str, Any] = {"title": field.name, "type": "string", **SHAPES[field.type].schema_part}
    if field.type == "text":
        shown["maxLength"] = field.longest
    if field.choices:
        shown["enum"] = list(field.choices)
        shown["x-choices"] = dict(field.choices)
    if field.hint:
        shown["description"] = field.hint
    if field.example:
        shown["examples"] = [field.example]
    return shown | {"x-group": field.group, "x-sensitive": field.is_sensitive, "x-needed-by": list(merged.needed_by)}


def form_faults(fields: Sequence[MergedField], values: Mapping[str, Any]) -> list[FieldFault]:
    """Every fault of the filled form, by JSON pointer below `/form`; empty when it is right."""
    by_code = {each.field.code: each.field for each in fields}
    validator = _validator(canonical(schema_of(fields)))
    faults = [fault for error in validator.iter_errors(dict(values)) for fault in _faults_of(error, by_code)]
    return sorted(dict.fromkeys(faults), key=lambda fault: fault.pointer)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    return jsonschema_rs.Draft202012Validator(schema.decode(), formats=dict(FORMATS), validate_formats=True)


def _faults_of(error: jsonschema_rs.ValidationError, fields: Mapping[str, Field]) -> list[FieldFault]:
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [_fault(str(kind.property), "required", detail="请填写：" + fields[str(kind.property)].name)]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [_fault(name, "unknown", detail="表单中没有这一项。") for name in kind.unexpected]
    field = fields[str(error.instance_path[0])]
    detail = SHAPES[field.type].detail.format(longest=field.longest)
    return [_fault(field.code, field.type, detail=f"{field.name}：{detail}")]


def _fault(code: str, rule: str, *, detail: str) -> FieldFault:
    return FieldFault(pointer=pointer("form", code), code=rule, detail=detail)
