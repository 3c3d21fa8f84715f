"""The one error vocabulary: the Kubernetes `Status` as an exception.

Reasons and codes: k8s.io/apimachinery pkg/apis/meta/v1/types.go and pkg/api/errors/errors.go.
Callers tell errors apart by `reason` (or `code`), never by the text of a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Cause(NamedTuple):
    """One thing that is wrong: `reason` such as FieldValueInvalid, `field` a JSON path such as spec.replicas."""

    reason: str
    message: str
    field: str = ""


class ApiError(Exception):
    """A failed API request, as the wire carries it.

    `group` and `kind` go into details.group and details.kind; upstream fills kind with the plural resource name
    in most cases and with the Kind for Invalid.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        group: str = "",
        kind: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after: int = 0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.group = group
        self.kind = kind
        self.name = name
        self.causes = tuple(causes)
        self.retry_after = retry_after

    def to_status(self) -> dict[str, Any]:
        """The `v1` Status object that goes over the wire."""
        details: dict[str, Any] = {}
        if self.name:
            details["name"] = self.name
        if self.group:
            details["group"] = self.group
        if self.kind:
            details["kind"] = self.kind
        if self.causes:
            details["causes"] = [
                {"reason": c.reason, "message": c.message, **({"field": c.field} if c.field else {})}
                for c in self.causes
            ]
        if self.retry_after:
            details["retryAfterSeconds"] = self.retry_after
        status: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if details:
            status["details"] = details
        status["code"] = self.code
        return status

    @classmethod
    def from_status(cls, status: dict[str, Any], *, code: int = 500) -> ApiError:
        """The error that a server's Status object tells of; `code` stands in where the object has none."""
        details = status.get("details") or {}
        return cls(
            int(status.get("code") or code),
            str(status.get("reason") or ""),
            str(status.get("message") or ""),
            group=details.get("group", ""),
            kind=details.get("kind", ""),
            name=details.get("name", ""),
            causes=[
                Cause(c.get("reason", ""), c.get("message", ""), c.get("field", ""))
                for c in details.get("causes") or ()
            ],
            retry_after=int(details.get("retryAfterSeconds") or 0),
        )


def _qualified(group: str, resource: str) -> str:
    return f"{resource}.{group}" if group else resource


def not_found(group: str, resource: str, name: str) -> ApiError:
    text = f'{_qualified(group, resource)} "{name}" not found'
    return ApiError(404, "NotFound", text, group=group, kind=resource, name=name)


def already_exists(group: str, resource: str, name: str) -> ApiError:
    text = f'{_qualified(group, resource)} "{name}" already exists'
    return ApiError(409, "AlreadyExists", text, group=group, kind=resource, name=name)


def conflict(group: str, resource: str, name: str, why: str) -> ApiError:
    text = f'Operation cannot be fulfilled on {_qualified(group, resource)} "{name}": {why}'
    return ApiError(409, "Conflict", text, group=group, kind=resource, name=name)


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> ApiError:
    """422 with every cause at once; each cause's message is shown behind its field."""
    listed = tuple(causes)
    shown = [f"{c.field}: {c.message}" if c.field else c.message for c in listed]
    text = shown[0] if len(shown) == 1 else "[" + ", ".join(shown) + "]"
    return ApiError(
        422,
        "Invalid",
        f'{_qualified(group, kind)} "{name}" is invalid: {text}',
        group=group,
        kind=kind,
        name=name,
        causes=listed,
    )


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(group: str, resource: str, name: str, why: str) -> ApiError:
    what = " ".join(part for part in (_qualified(group, resource), f'"{name}"' if name else "") if part)
    text = f"{what} is forbidden: {why}" if group or resource else f"forbidden: {why}"
    return ApiError(403, "Forbidden", text, group=group, kind=resource, name=name)


def method_not_allowed(verb: str) -> ApiError:
    return ApiError(405, "MethodNotAllowed", f"{verb} is not supported on resources of this kind")


def not_acceptable(accepted: Iterable[str]) -> ApiError:
    listed = ", ".join(accepted)
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {listed}")


def gone(message: str) -> ApiError:
    """410 Expired: the resourceVersion is compacted or the continue token too old."""
    return ApiError(410, "Expired", message)


def too_large(message: str) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", message)


def unsupported_media_type(given: str, accepted: Iterable[str]) -> ApiError:
    text = "the body of the request was in an unknown format - accepted media types include: "
    return ApiError(
        415, "UnsupportedMediaType", text + ", ".join(accepted) + (f" (given: {given})" if given else "")
    )


def too_many_requests(message: str, *, retry_after: int = 1) -> ApiError:
    return ApiError(429, "TooManyRequests", message, retry_after=retry_after)


def internal(message: str) -> ApiError:
    return ApiError(500, "InternalError", f"Internal error occurred: {message}")


def unavailable(message: str) -> ApiError:
    return ApiError(503, "ServiceUnavailable", message)


def timeout(message: str, *, retry_after: int = 1) -> ApiError:
    return ApiError(504, "Timeout", f"Timeout: {message}", retry_after=retry_after)
