"""Responses: objects, Status errors, warnings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson

from sampan.api.status import ApiError
from sampan.base.http.model import Response

JSON: Final = "application/json"
# kube-apiserver sets it on everything that needs authentication
NO_CACHE: Final = ("Cache-Control", "no-cache, private")
_REASONS: Final = {
    400: "BadRequest",
    408: "Timeout",
    413: "RequestEntityTooLarge",
    431: "BadRequest",
    500: "InternalError",
    503: "ServiceUnavailable",
}


def body(data: bytes, status: int = 200, warnings: Iterable[str] = ()) -> Response:
    return Response(status, data, JSON, (NO_CACHE, *warning_headers(warnings)))


def json(obj: Any, status: int = 200, warnings: Iterable[str] = ()) -> Response:
    return body(orjson.dumps(obj), status, warnings)


def error(failure: ApiError, warnings: Iterable[str] = ()) -> Response:
    headers: list[tuple[str, str]] = [NO_CACHE, *warning_headers(warnings)]
    if failure.retry_after:
        headers.append(("Retry-After", str(failure.retry_after)))
    if failure.code == 401:
        headers.append(("Www-Authenticate", 'Bearer realm="kubernetes"'))
    status = failure.to_status()
    if not failure.reason:
        del status["reason"]
    return Response(failure.code, orjson.dumps(status), JSON, headers)


def below_handler(status: int, message: str) -> Response:
    """What the HTTP server refuses by itself: malformed, too large, too late."""
    if status == 413:
        message = f"Request entity too large: {message}"
    response = error(ApiError(status, _REASONS.get(status, "InternalError"), message))
    response.close = True
    return response


def text(content: str, status: int = 200) -> Response:
    return Response(
        status,
        content.encode(),
        "text/plain; charset=utf-8",
        (NO_CACHE, ("X-Content-Type-Options", "nosniff")),
    )


def warning_headers(warnings: Iterable[str]) -> list[tuple[str, str]]:
    """RFC 7234 section 5.5, as k8s.io/apimachinery pkg/util/net NewWarningHeader writes it."""
    headers: list[tuple[str, str]] = []
    for warning in dict.fromkeys(warnings):
        clean = "".join(c for c in warning if c.isprintable()).replace("\\", "\\\\").replace('"', '\\"')
        headers.append(("Warning", f'299 - "{clean}"'))
    return headers


def success(details: dict[str, Any]) -> dict[str, Any]:
    """The Status of something that was done."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
