"""How a refusal becomes an answer: the one dictionary of HTTP statuses, and the problem (RFC 9457) that is sent."""

from collections.abc import Mapping
from typing import Any

from server.domain import errors
from server.domain.errors import Refusal

PROBLEM = "application/problem+json"
STATUS: Mapping[type[Refusal], int] = {
    errors.Malformed: 400,
    errors.Unproven: 401,
    errors.Forbidden: 403,
    errors.Missing: 404,
    errors.TooSlow: 408,
    errors.Conflict: 409,
    errors.Outdated: 412,
    errors.TooLarge: 413,
    errors.Unsupported: 415,
    errors.OutOfRange: 416,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
    Refusal: 500,
}
OF_TORNADO: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "请求格式不正确"),
    404: ("no_such_door", "没有这个接口"),
    405: ("method_not_allowed", "该接口不支持此方法"),
}
SOON = {"Retry-After": "2"}
WITH_STATUS: Mapping[int, Mapping[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: SOON}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, by the nearest of its kinds in the one dictionary."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def headers_with(status: int, problem: Mapping[str, Any]) -> Mapping[str, str]:
    """The headers that go with a problem."""
    if "retry_after_seconds" in problem:
        return {"Retry-After": str(problem["retry_after_seconds"])}
    return WITH_STATUS.get(status, {})


def answer_to(fault: errors.NotAuthentic | errors.WrittenByNewer) -> Refusal:
    """What somebody is answered who asks for what cannot be read."""
    if isinstance(fault, errors.NotAuthentic):
        return errors.StoredBroken("系统已通知管理员核查，请稍后再来查看。")
    return errors.BeingUpgraded()


def problem_of(fault: BaseException | None, status: int) -> tuple[int, dict[str, Any]]:
    """The status and the RFC 9457 problem of a refusal, of Tornado's own errors, or of a fault of ours."""
    if isinstance(fault, errors.NotAuthentic | errors.WrittenByNewer):
        fault = answer_to(fault)
    if isinstance(fault, Refusal):
        status = status_of(fault)
        problem: dict[str, Any] = {"code": fault.code, "title": fault.title, "status": status}
        problem |= {"detail": fault.detail} if fault.detail else {}
        problem |= {"errors": [each.model_dump() for each in fault.errors]} if fault.errors else {}
        return status, {"type": f"/problems/{fault.code}"} | problem | fault.more
    code, title = OF_TORNADO.get(status, ("internal", "系统内部错误，请稍后重试"))
    return status, {"type": f"/problems/{code}", "code": code, "title": title, "status": status}
