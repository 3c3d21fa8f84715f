"""JSON: orjson, with errors of our own and a reader that sees duplicate fields."""

from __future__ import annotations

import json as stdlib
from typing import Any, Final

import orjson

from sampan.api.codec.errors import DecodeError, EncodeError

# Below the depth at which orjson gives up on writing (254), so that what was read can be written again.
MAX_DEPTH: Final = 250


def loads(data: bytes | bytearray | memoryview | str) -> Any:
    """The document's value. Duplicate fields: the last one wins. Raises DecodeError."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"invalid JSON: {error}") from None


def dumps(value: Any) -> bytes:
    """Compact JSON. Raises EncodeError for what JSON cannot say."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise EncodeError(f"no JSON form: {error}") from None


class _Marked(dict[str, Any]):
    """An object some of whose fields were given more than once."""

    twice: tuple[str, ...] = ()


def loads_strict(data: bytes | str) -> tuple[Any, list[str]]:
    """The value and the paths of all duplicate fields (spec.replicas, spec.containers[0].name), in document order.

    Slower than `loads` by about five times: for requests with fieldValidation Strict or Warn. Raises DecodeError.
    """
    seen = False

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal seen
        made = dict(found)
        if len(made) == len(found):
            return made
        seen = True
        marked = _Marked(found)
        counted: set[str] = set()
        twice: list[str] = []
        for key, _ in found:
            if key in counted:
                twice.append(key)
            counted.add(key)
        marked.twice = tuple(twice)
        return marked

    value = loads(data)  # also refuses what the stdlib lets pass: NaN, lone surrogates, bad UTF-8
    try:
        checked = stdlib.loads(data, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as error:
        raise DecodeError(f"invalid JSON: {error}") from None
    return value, _duplicates(checked) if seen else []


def _duplicates(value: Any) -> list[str]:
    found: list[str] = []
    todo = [(value, "")]
    while todo:
        node, path = todo.pop()
        if isinstance(node, dict):
            if isinstance(node, _Marked):
                found += [f"{path}.{key}" if path else key for key in dict.fromkeys(node.twice)]
            todo += [(child, f"{path}.{key}" if path else key) for key, child in reversed(node.items())]
        elif isinstance(node, list):
            todo += [(child, f"{path}[{index}]") for index, child in reversed(list(enumerate(node)))]
    return found
