"""The doors as OpenAPI 3.1, made from the doors themselves and the shapes they take and give."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from handlers.base import AUDIENCES, JSON, Handler, Operation, Role
from handlers.problems import PROBLEM
from server.domain.errors import MOST_FAULTS, FieldFault
from server.domain.values import Value

REF = "#/components/schemas/{model}"
Refs = dict[tuple[Any, str], Any]
TITLE = "通办（Tongban）接口"
DESCRIPTION = (
    "群众端、工作人员端和节点之间的全部接口。请求与答复均为 JSON（UTF-8）；"
    "被拒绝的请求以 application/problem+json 答复，其中 code 不变，errors 逐项指明有误的内容。"
)
DONE, EMPTY, REFUSED = "成功。", "成功，没有内容。", "请求被拒绝，原因见 code 和 errors。"
HEADERS: Mapping[str, str] = {
    "Idempotency-Key": "请求标识，1 至 200 个可打印的 ASCII 字符；以同一标识重复同一请求，只办理一次。",
    "If-Match": "所依据的版本（ETag）；已有新的版本时不予办理。",
    "Waiting-Ticket": "排队号；在集中办理时段内提交相应事项时必须提供，见 /api/v1/peaks。",
}


class Problem(Value):
    """A refusal (RFC 9457) with its stable code."""

    type: str
    code: str
    title: str
    status: int
    detail: str = ""
    errors: Annotated[tuple[FieldFault, ...], Field(max_length=MOST_FAULTS)] = ()


def document(doors: Sequence[type[Handler]], version: str) -> dict[str, Any]:
    """The whole description; schemas are shared below `components`."""
    each_operation = [
        (door, method, path, declared)
        for door in doors
        for method, operation in door.operations.items()
        for path, declared in operation.by_path(door.path).items()
    ]
    refs, schemas = _schemas([declared for *_, declared in each_operation])
    paths: dict[str, dict[str, Any]] = {}
    for door, method, path, declared in each_operation:
        paths.setdefault(path, {})[method.lower()] = _operation(door, method, path, declared=declared, refs=refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version, "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _schemas(declared: Sequence[Operation]) -> tuple[Refs, dict[str, Any]]:
    taken = {(each.takes, "validation") for each in declared if each.takes}
    given = {(each.gives, "serialization") for each in declared if each.gives} | {(Problem, "serialization")}
    wanted: Any = sorted(taken | given, key=lambda pair: (pair[0].__name__, pair[1]))
    refs, definitions = models_json_schema(wanted, ref_template=REF)
    return {(model, mode): ref for (model, mode), ref in refs.items()}, definitions["$defs"]


def _operation(door: type[Handler], method: str, path: str, *, declared: Operation, refs: Refs) -> dict[str, Any]:
    name = declared.function.__name__ if path == door.path else path.rpartition("/")[2].replace("-", "_")
    operation: dict[str, Any] = {
        "summary": declared.summary,
        "operationId": f"{door.__module__.rpartition('.')[2]}.{name}",
        "x-who": door.role.name.lower(),
        "parameters": _parameters(path, declared),
        "responses": {
            str(declared.status): {"description": EMPTY if declared.status == 204 else DONE}
            | _content(JSON, declared.gives, refs, mode="serialization"),
            "default": {"description": REFUSED} | _content(PROBLEM, Problem, refs, mode="serialization"),
        },
    }
    if door.role in AUDIENCES:
        operation["security"] = [{"bearer": []}]
    if declared.takes:
        operation["requestBody"] = {"required": True} | _content(
            door.takes_type, declared.takes, refs, mode="validation"
        )
    elif door.role is Role.PEER and method == "POST":
        operation["requestBody"] = {"required": True, "content": {"application/jose": {"schema": {"type": "string"}}}}
    return operation


def _parameters(path: str, declared: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]
    if declared.is_once:
        parameters.append(_header("Idempotency-Key", is_required=True))
    if declared.is_matched:
        parameters.append(_header("If-Match", is_required=False))
    if declared.is_queued:
        parameters.append(_header("Waiting-Ticket", is_required=False))
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in declared.queries]
    return parameters


def _header(name: str, *, is_required: bool) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "header", "required": is_required, "description": HEADERS[name], "schema": schema}


def _content(kind: str, model: type[BaseModel] | None, refs: Refs, *, mode: str) -> dict[str, Any]:
    return {"content": {kind: {"schema": refs[(model, mode)]}}} if model else {}
