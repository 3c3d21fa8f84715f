"""JSON patch (RFC 6902), with the leniencies and error texts of the library that the API server uses.

Source: gopkg.in/evanphx/json-patch.v4 v4.13.0 and k8s.io/apiserver pkg/endpoints/handlers/patch.go. Its deviations
from the RFC are kept, for clients rely on them: `replace` of a missing member adds it, a missing member passes a
`test` for null, and negative array indices count from the end.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from sampan.api.patch.error import PatchError
from sampan.api.patch.plain import clone, same

MAX_OPERATIONS: Final = 10_000  # maxJSONPatchOperations
MAX_COPIED_BYTES: Final = (
    3 * 1024 * 1024
)  # JSONPatchMaxCopyBytes: what all `copy` operations together may add

# Upstream drops the reason and answers with this text alone; ours follows it behind a colon.
_REJECTED: Final = "the server rejected our request due to an error in our request"
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


class _FailedError(Exception):
    """An operation that cannot be done; the text is upstream's."""


def apply(doc: Any, operations: Any) -> Any:
    """The document with all operations applied in order; `doc` itself is not changed.

    Raises PatchError: 400 for a patch that is no list of operations, 413 above MAX_OPERATIONS, 422 for an operation
    that does not apply.
    """
    if not isinstance(operations, list):
        raise PatchError(
            f"error decoding patch: json: cannot unmarshal {_go_kind(operations)} into Go value of type "
            "[]handlers.jsonPatchOp",
            400,
        )
    if len(operations) > MAX_OPERATIONS:
        raise PatchError(
            "Request entity too large: "
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}",
            413,
        )
    work = _Document(clone(doc))
    try:
        for operation in operations:
            work.run(operation)
    except _FailedError as failed:
        raise PatchError(f"{_REJECTED}: {failed}", 422) from failed
    return work.root


def _go_kind(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "number" if value is not None else "null"


class _Document:
    """A document under work: each operation changes `root` in place."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._copied = 0

    def run(self, operation: Any) -> None:
        if not isinstance(operation, dict):
            raise PatchError(
                f"error decoding patch: json: cannot unmarshal {_go_kind(operation)} into Go value of type "
                "handlers.jsonPatchOp",
                400,
            )
        kind = operation.get("op")
        match kind:
            case "add":
                self._add(operation)
            case "remove":
                self._remove(operation)
            case "replace":
                self._replace(operation)
            case "move":
                self._move(operation)
            case "test":
                self._test(operation)
            case "copy":
                self._copy(operation)
            case _:
                raise _FailedError(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")

    def _add(self, operation: dict[str, Any]) -> None:
        path = _pointer(operation, "path", "add operation failed to decode path: missing value")
        parent, key = self._find(path)
        if parent is None:
            raise _FailedError(f'add operation does not apply: doc is missing path: "{path}": missing value')
        try:
            _insert(parent, key, clone(operation.get("value")))
        except _FailedError as failed:
            raise _FailedError(f"error in add for path: '{path}': {failed}") from failed

    def _remove(self, operation: dict[str, Any]) -> None:
        path = _pointer(operation, "path", "remove operation failed to decode path: missing value")
        parent, key = self._find(path)
        if parent is None:
            raise _FailedError(
                f'remove operation does not apply: doc is missing path: "{path}": missing value'
            )
        try:
            _delete(parent, key)
        except _FailedError as failed:
            raise _FailedError(f"error in remove for path: '{path}': {failed}") from failed

    def _replace(self, operation: dict[str, Any]) -> None:
        path = _pointer(
            operation,
            "path",
            "replace operation failed to decode path: operation missing path field: missing value",
        )
        value = clone(operation.get("value"))
        if path == "":
            if not isinstance(value, (dict, list)):
                raise _FailedError("replace operation value must be object or array")
            self.root = value
            return
        parent, key = self._find(path)
        if parent is None:
            raise _FailedError(
                f"replace operation does not apply: doc is missing path: {path}: missing value"
            )
        if isinstance(parent, dict):
            parent[key] = value
            return
        try:
            parent[_position(parent, key)] = value
        except _FailedError as failed:
            raise _FailedError(
                f"replace operation does not apply: doc is missing key: {path}: missing value"
            ) from failed

    def _move(self, operation: dict[str, Any]) -> None:
        source = _pointer(
            operation,
            "from",
            "move operation failed to decode from: operation, missing from field: missing value",
        )
        parent, key = self._find(source)
        if parent is None:
            raise _FailedError(
                f"move operation does not apply: doc is missing from path: {source}: missing value"
            )
        try:
            value = _get(parent, key)
            _delete(parent, key)
        except _FailedError as failed:
            raise _FailedError(f"error in move for path: '{key}': {failed}") from failed
        path = _pointer(
            operation,
            "path",
            "move operation failed to decode path: operation missing path field: missing value",
        )
        parent, key = self._find(path)
        if parent is None:
            raise _FailedError(
                f"move operation does not apply: doc is missing destination path: {path}: missing value"
            )
        try:
            _insert(parent, key, value)
        except _FailedError as failed:
            raise _FailedError(f"error in move for path: '{path}': {failed}") from failed

    def _test(self, operation: dict[str, Any]) -> None:
        path = _pointer(
            operation,
            "path",
            "test operation failed to decode path: operation missing path field: missing value",
        )
        expected = operation.get("value")
        if path == "":
            found = self.root
        else:
            parent, key = self._find(path)
            if parent is None:
                raise _FailedError(f"test operation does not apply: is missing path: {path}: missing value")
            try:
                found = _get(parent, key)
            except _FailedError as failed:
                raise _FailedError(f"error in test for path: '{path}': {failed}") from failed
        if not same(found, expected):
            raise _FailedError(f"testing value {path} failed: test failed")

    def _copy(self, operation: dict[str, Any]) -> None:
        source = _pointer(
            operation,
            "from",
            "copy operation failed to decode from: operation, missing from field: missing value",
        )
        parent, key = self._find(source)
        if parent is None:
            raise _FailedError(
                f"copy operation does not apply: doc is missing from path: {source}: missing value"
            )
        try:
            value = _get(parent, key)
        except _FailedError as failed:
            raise _FailedError(f"error in copy for from: '{source}': {failed}") from failed
        path = _pointer(operation, "path", "copy operation failed to decode path: missing value")
        parent, key = self._find(path)
        if parent is None:
            raise _FailedError(
                f"copy operation does not apply: doc is missing destination path: {path}: missing value"
            )
        encoded = orjson.dumps(value)
        self._copied += len(encoded)
        if self._copied > MAX_COPIED_BYTES:
            raise _FailedError(
                "Unable to complete the copy, the accumulated size increase of copy is "
                f"{self._copied}, exceeding the limit {MAX_COPIED_BYTES}"
            )
        try:
            _insert(parent, key, orjson.loads(encoded))
        except _FailedError as failed:
            raise _FailedError(f"error while adding value during copy: {failed}") from failed

    def _find(self, pointer: str) -> tuple[dict[str, Any] | list[Any] | None, str]:
        """The container that the pointer's last token lies in, or None where the way there is broken."""
        tokens = pointer.split("/")
        if len(tokens) < 2:
            return None, ""
        node = self.root
        for token in tokens[1:-1]:
            if not isinstance(node, (dict, list)):
                return None, ""
            try:
                node = _get(node, _decode(token))
            except _FailedError:
                return None, ""
        if not isinstance(node, (dict, list)):
            return None, ""
        return node, _decode(tokens[-1])


def _decode(token: str) -> str:
    """A reference token of RFC 6901, unescaped."""
    return token.replace("~1", "/").replace("~0", "~") if "~" in token else token


def _pointer(operation: dict[str, Any], field: str, missing: str) -> str:
    value = operation.get(field)
    if value is None:
        raise _FailedError(missing)
    if not isinstance(value, str):
        raise PatchError(
            f"error decoding patch: json: cannot unmarshal {_go_kind(value)} into Go struct field "
            f"jsonPatchOp.{field} of type string",
            400,
        )
    return value


def _index(key: str) -> int:
    if _INTEGER.fullmatch(key) is None:
        raise _FailedError(f'strconv.Atoi: parsing "{key}": invalid syntax')
    return int(key)


def _position(array: list[Any], key: str, *, room: int = 0) -> int:
    """The index that `key` names, from 0 to len(array) - 1 + room; negative ones count from the end."""
    index = _index(key)
    size = len(array) + room
    if index >= size or index < -size:
        raise _FailedError(f"Unable to access invalid index: {index}: invalid index referenced")
    return index + size if index < 0 else index


def _get(container: dict[str, Any] | list[Any], key: str) -> Any:
    return container.get(key) if isinstance(container, dict) else container[_position(container, key)]


def _insert(container: dict[str, Any] | list[Any], key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        try:
            _index(key)
        except _FailedError as failed:
            raise _FailedError(f"value was not a proper array index: '{key}': {failed}") from failed
        container.insert(_position(container, key, room=1), value)


def _delete(container: dict[str, Any] | list[Any], key: str) -> None:
    if isinstance(container, list):
        del container[_position(container, key)]
    elif key in container:
        del container[key]
    else:
        raise _FailedError(f"Unable to remove nonexistent key: {key}: missing value")
