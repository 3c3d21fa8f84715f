"""The query parameters of the verbs, read and checked.

k8s.io/apimachinery pkg/apis/meta/v1/types.go (ListOptions ...) and pkg/apis/meta/{v1,internalversion}/validation.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from sampan.api.status import ApiError, Cause, bad_request, invalid
from sampan.base.http.model import Request

META: Final = "meta.k8s.io"
MANAGER_LIMIT: Final = 128
NOT_OLDER: Final = "NotOlderThan"
EXACT: Final = "Exact"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_INT64: Final = 1 << 63
VALIDATIONS: Final = ("Ignore", "Warn", "Strict")


class ListOptions(NamedTuple):
    labels: str = ""
    fields: str = ""
    limit: int = 0
    resume: str = ""  # the continue token
    revision: str = ""
    match: str = ""
    timeout: float = 0.0
    bookmarks: bool = False
    initial_events: bool | None = None


def is_true(request: Request, name: str) -> bool:
    """As Go's conversion of a query value to bool: "", "0" and "false" are false, and so is its absence."""
    values = request.arguments.get(name)
    return bool(values) and values[0].lower() not in ("", "0", "false")  # type: ignore[index]


def listing(request: Request) -> ListOptions:
    """Raises ApiError 400, 422."""
    if not request.query:
        return ListOptions()
    get = request.argument
    initial = is_true(request, "sendInitialEvents") if "sendInitialEvents" in request.arguments else None
    options = ListOptions(
        get("labelSelector"),
        get("fieldSelector"),
        _number(request, "limit"),
        get("continue"),
        get("resourceVersion"),
        get("resourceVersionMatch"),
        float(_number(request, "timeoutSeconds")),
        is_true(request, "allowWatchBookmarks"),
        initial,
    )
    if options.revision and not is_revision(options.revision):
        raise bad_revision(options.revision)
    if options.limit < 0:
        options = options._replace(limit=0)
    return options


def is_revision(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:21]) < 1 << 64


def bad_revision(text: str) -> ApiError:
    """Where upstream answers watch and get with 500, this is the client's fault all the same."""
    why = "value out of range" if text.isascii() and text.isdigit() else "invalid syntax"
    shown = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {why}'
    return bad_request(f"invalid resource version: {shown}")


def check_list(options: ListOptions) -> None:
    """k8s.io/apimachinery pkg/apis/meta/internalversion/validation."""
    causes: list[Cause] = []
    if options.initial_events is not None:
        causes.append(_forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if options.match:
        if options.resume:
            causes.append(
                _forbidden(
                    "resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"
                )
            )
        if not options.revision:
            causes.append(
                _forbidden(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden unless resourceVersion is provided",
                )
            )
        if options.match not in (EXACT, NOT_OLDER):
            causes.append(_unsupported("resourceVersionMatch", options.match, (EXACT, NOT_OLDER, "")))
        if options.match == EXACT and options.revision == "0":
            causes.append(
                _forbidden(
                    "resourceVersionMatch",
                    'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
                )
            )
    _raise("ListOptions", causes)


def check_watch(options: ListOptions) -> None:
    causes: list[Cause] = []
    if options.initial_events is not None and options.match != NOT_OLDER:
        causes.append(
            _forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            )
        )
    if options.initial_events is not None and options.match not in ("", NOT_OLDER):
        causes.append(_unsupported("resourceVersionMatch", options.match, (NOT_OLDER,)))
    if options.initial_events is None and options.match:
        causes.append(
            _forbidden(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            )
        )
    _raise("ListOptions", causes)


class WriteOptions(NamedTuple):
    dry_run: bool = False
    manager: str = ""
    field_validation: str = "Warn"
    force: bool = False

    def to_object(self, kind: str) -> dict[str, Any]:
        """The CreateOptions, UpdateOptions or PatchOptions that admission sees."""
        options: dict[str, Any] = {"kind": kind, "apiVersion": f"{META}/v1"}
        if self.dry_run:
            options["dryRun"] = ["All"]
        if self.manager:
            options["fieldManager"] = self.manager
        options["fieldValidation"] = self.field_validation
        if self.force:
            options["force"] = True
        return options


def writing(request: Request, kind: str) -> WriteOptions:
    """The options of create, update and patch. Raises ApiError 422."""
    if not request.query:
        return WriteOptions()
    causes: list[Cause] = []
    dry_run = request.arguments.get("dryRun", [])
    if any(value != "All" for value in dry_run):
        shown = ", ".join(f'"{value}"' for value in dry_run)
        text = f'Unsupported value: [{shown}]: supported values: "All"'
        causes.append(Cause("FieldValueNotSupported", text, "dryRun"))
    manager = request.argument("fieldManager")
    if len(manager) > MANAGER_LIMIT:
        causes.append(
            Cause(
                "FieldValueTooLong", f"Too long: may not be more than {MANAGER_LIMIT} bytes", "fieldManager"
            )
        )
    bad = next((place for place, c in enumerate(manager) if not c.isprintable()), None)
    if bad is not None:
        shown = json.dumps(manager, ensure_ascii=False)
        text = f"Invalid value: {shown}: invalid character U+{ord(manager[bad]):04X} (at position {bad})"
        causes.append(Cause("FieldValueInvalid", text, "fieldManager"))
    validation = request.argument("fieldValidation") or "Warn"
    if validation not in VALIDATIONS:
        causes.append(_unsupported("fieldValidation", validation, ("", *sorted(VALIDATIONS))))
    _raise(kind, causes)
    return WriteOptions(bool(dry_run), manager, validation, is_true(request, "force"))


def deletion(request: Request) -> dict[str, Any]:
    """DeleteOptions from the query, for a DELETE without a body."""
    options: dict[str, Any] = {}
    if "gracePeriodSeconds" in request.arguments:
        options["gracePeriodSeconds"] = _number(request, "gracePeriodSeconds")
    if request.argument("propagationPolicy"):
        options["propagationPolicy"] = request.argument("propagationPolicy")
    if "orphanDependents" in request.arguments:
        options["orphanDependents"] = is_true(request, "orphanDependents")
    if "dryRun" in request.arguments:
        options["dryRun"] = request.arguments["dryRun"]
    return options


def _number(request: Request, name: str) -> int:
    text = request.argument(name)
    if not text:
        return 0
    if not _NUMBER.fullmatch(text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    # more digits than 64 bits hold are not worth a conversion
    number = int(text) if len(text) <= 20 else _INT64
    if not -_INT64 <= number < _INT64:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
    return number


def _forbidden(field: str, text: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {text}", field)


def _unsupported(field: str, value: str, supported: tuple[str, ...]) -> Cause:
    listed = ", ".join(f'"{word}"' for word in supported)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}', field)


def _raise(kind: str, causes: list[Cause]) -> None:
    if causes:
        error: ApiError = invalid(META, kind, "", causes)
        raise error
