"""The form as JSON Schema (draft 2020-12), and what a filled one gets wrong, in words a citizen understands."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from server.domain.catalogue.answers import pointer
from server.domain.catalogue.divisions import CODE
from server.domain.catalogue.formats import FORMATS, SENTENCES, Check
from server.domain.catalogue.items import Field
from server.domain.catalogue.merging import MergedField, When
from server.domain.errors import FieldFault, Invalid
from server.domain.remembering import Keyed, itself
from server.domain.sentences import sentences

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class FormFaulty(Invalid):
    """The form, or what was handed in with it, has faults; each is named by its JSON pointer."""

    code = "form_faulty"
    title = "表单填写有误"


# How values of a field type look, as JSON Schema; what they must mean is checked under `format`.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"minLength": 1, "pattern": r"^\S(.*\S)?$"},
    "date": {"format": "date"},
    "id_number": {"pattern": "^[1-9][0-9]{16}[0-9X]$", "format": "cn-id-number"},
    "mobile": {"pattern": "^1[3-9][0-9]{9}$", "format": "cn-mobile"},
    "uscc": {"minLength": 18, "maxLength": 18, "format": "cn-uscc"},
    "person_name": {"minLength": 2, "maxLength": 50, "format": "cn-person-name"},
    "enterprise_name": {"minLength": 2, "maxLength": 100, "format": "cn-enterprise-name"},
    "choice": {},
    "division": {"pattern": CODE.pattern},
}
NOT_AFTER_TODAY = "date-not-after-today"


def schema_of(fields: Sequence[MergedField]) -> dict[str, Any]:
    """The JSON Schema of the form; what begins with `x-` is ours: groups in order, choices, masking, needs."""
    groups: dict[str, list[str]] = {}
    for each in fields:
        groups.setdefault(each.field.group, []).append(each.field.code)
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "type": "object",
        "properties": {code: _property(each) for code, each in _grouped(fields, groups)},
        "required": [each.field.code for each in fields if each.is_required and not each.asked_if],
        "additionalProperties": False,
        "x-groups": [{"name": name, "fields": codes} for name, codes in groups.items()],
    }
    rules = [rule for each in fields for rule in _rules(each)]
    return schema | ({"allOf": rules} if rules else {})


def _grouped(fields: Sequence[MergedField], groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, MergedField]]:
    by_code = {each.field.code: each for each in fields}
    yield from ((code, by_code[code]) for codes in groups.values() for code in codes)


def _rules(merged: MergedField) -> Iterator[dict[str, Any]]:
    """When a field must be filled in, and when it must be left out."""
    code = merged.field.code
    must = {"required": [code]}
    if merged.asked_if:
        leave_out = {"else": {"properties": {code: False}}}
        yield {"if": _any_of(merged.asked_if)} | ({"then": must} if merged.is_required else {}) | leave_out
    if merged.required_if:
        yield {"if": _any_of(merged.required_if), "then": must}


def _any_of(conditions: Sequence[When]) -> dict[str, Any]:
    parts = [
        {"properties": {code: {"enum": list(allowed)} for code, allowed in when.items()}, "required": list(when)}
        for when in conditions
    ]
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _property(merged: MergedField) -> dict[str, Any]:
    field = merged.field
    shown: dict[str, Any] = {"title": field.name, "type": "string", **SHAPES[field.type]}
    if field.type == "text":
        shown["maxLength"] = field.longest
    if field.pattern:
        shown["pattern"] = field.pattern
    if field.not_after_today:
        shown["allOf"] = [{"format": NOT_AFTER_TODAY}]
    if field.choices:
        shown["enum"] = list(field.choices)
        shown["x-choices"] = dict(field.choices)
    if field.hint:
        shown["description"] = field.hint
    if field.example:
        shown["examples"] = [field.example]
    return shown | {"x-group": field.group, "x-sensitive": field.is_sensitive, "x-needed-by": list(merged.needed_by)}


def form_faults(fields: Sequence[MergedField], values: Mapping[str, Any], *, on: date) -> list[FieldFault]:
    """Every fault of the form as filled in on this day, by JSON pointer below `/form`; empty when it is right."""
    faults = []
    for error in _validator(itself(fields), on).iter_errors(dict(values)):
        by_code = {each.field.code: each.field for each in fields}
        faults += _faults_of(error, by_code, on=on)
    return sorted(dict.fromkeys(faults), key=lambda fault: fault.pointer)


@lru_cache(maxsize=256)
def _validator(of_fields: Keyed[Sequence[MergedField]], on: date) -> Any:
    schema = orjson.dumps(schema_of(of_fields.value)).decode()
    formats = {name: _format(check, on) for name, check in FORMATS.items()}
    return jsonschema_rs.Draft202012Validator(schema, formats=formats, validate_formats=True)


def _format(check: Check, on: date) -> Callable[[str], bool]:
    return lambda text: not check(text, on)


def _faults_of(error: jsonschema_rs.ValidationError, fields: Mapping[str, Field], *, on: date) -> list[FieldFault]:
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [_fault(str(kind.property), "required", detail=sentences(f"请填写：{fields[str(kind.property)].name}"))]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return [_fault(name, "unknown", detail="表单中没有这一项。") for name in kind.unexpected]
    field = fields[str(error.instance_path[0])]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.FalseSchema):
        return [_fault(field.code, "not_asked", detail=f"{field.name}：按您的填写不需要这一项，请删去。")]
    if field.pattern:
        return [_fault(field.code, "pattern", detail=sentences(f"{field.name}：{field.hint}"))]
    rule = _broken_rule(field, error.instance, on=on)
    return [_fault(field.code, rule, detail=f"{field.name}：{SENTENCES[rule].format(longest=field.longest)}")]


def _broken_rule(field: Field, value: object, *, on: date) -> str:
    """The first rule that a value breaks which the schema does not take; its type's own if no check knows better."""
    check = FORMATS.get(NOT_AFTER_TODAY if field.not_after_today else SHAPES[field.type].get("format", ""))
    return (check(value, on) if check and isinstance(value, str) else "") or field.type


def _fault(code: str, rule: str, *, detail: str) -> FieldFault:
    return FieldFault(pointer=pointer("form", code), code=rule, detail=detail)
