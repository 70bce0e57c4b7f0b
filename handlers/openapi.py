"""The doors as OpenAPI 3.1, made from the doors themselves and the shapes they take and give."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from handlers.base import JSON, Handler, Operation, Role
from handlers.problems import PROBLEM
from server.domain.errors import MOST_FAULTS, FieldFault
from server.domain.values import Value

REF = "#/components/schemas/{model}"
Refs = dict[tuple[Any, str], Any]
TITLE = "Tongban (通办)"


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
    refs, schemas = _schemas([each for door in doors for each in door.operations.values()])
    paths = {
        door.path: {method.lower(): _operation(door, method, refs) for method in door.operations} for door in doors
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": version},
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


def _operation(door: type[Handler], method: str, refs: Refs) -> dict[str, Any]:
    declared = door.operations[method]
    operation: dict[str, Any] = {
        "summary": (door.__doc__ or "").strip().splitlines()[0],
        "operationId": f"{door.__module__.rpartition('.')[2]}.{declared.function.__name__}",
        "x-who": door.role.name.lower(),
        "parameters": _parameters(door, declared),
        "responses": {
            str(declared.status): {"description": "Done."} | _content(JSON, declared.gives, refs, mode="serialization"),
            "default": {"description": "A refusal."} | _content(PROBLEM, Problem, refs, mode="serialization"),
        },
    }
    if door.role not in (Role.ANYONE, Role.PEER):
        operation["security"] = [{"bearer": []}]
    if declared.takes:
        operation["requestBody"] = {"required": True} | _content(
            door.takes_type, declared.takes, refs, mode="validation"
        )
    elif door.role is Role.PEER and method == "POST":
        operation["requestBody"] = {"required": True, "content": {"application/jose": {"schema": {"type": "string"}}}}
    return operation


def _parameters(door: type[Handler], declared: Operation) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", door.path)
    ]
    if declared.is_once:
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string"}})
    if declared.is_matched:
        parameters.append({"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}})
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in declared.queries]
    return parameters


def _content(kind: str, model: type[BaseModel] | None, refs: Refs, *, mode: str) -> dict[str, Any]:
    return {"content": {kind: {"schema": refs[(model, mode)]}}} if model else {}
