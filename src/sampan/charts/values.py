"""The user's values: files and --set flags, merged in Helm's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sampan.base.gotemplate import gojson
from sampan.charts import strvals, yamlin
from sampan.charts.errors import ValuesError
from sampan.charts.loader import load_values, merge_maps


class Sources(NamedTuple):
    """What the flags name. `files` and `set_file` hold paths that `read` resolves."""

    files: tuple[str, ...] = ()
    set_json: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    set_string: tuple[str, ...] = ()
    set_file: tuple[str, ...] = ()
    set_literal: tuple[str, ...] = ()


def compute(sources: Sources, read: Callable[[str], bytes]) -> dict[str, Any]:
    """Merge -f, --set-json, --set, --set-string, --set-file, --set-literal, in this order.

    `read` gives the bytes of a path, URL or `-`; its OSError passes through. Raises ValuesError.
    """
    values: dict[str, Any] = {}
    for path in sources.files:
        values = merge_maps(values, parse_values(read(path), path))
    for text in sources.set_json:
        values = _json(text, values)
    _apply(sources.set, "--set", values, strvals.parse)
    _apply(sources.set_string, "--set-string", values, strvals.parse_string)

    def contents(path: str) -> str:
        return read(path).decode("utf-8", "surrogateescape")

    _apply(sources.set_file, "--set-file", values, lambda t, v: strvals.parse_file(t, v, contents))
    _apply(sources.set_literal, "--set-literal", values, strvals.parse_literal)
    return values


def parse_values(data: bytes, name: str) -> dict[str, Any]:
    """A values file. Raises ValuesError."""
    try:
        return load_values(data.decode("utf-8", "surrogateescape"))
    except yamlin.YAMLError as problem:
        raise ValuesError(f"failed to parse {name}: {problem}") from None


def _json(text: str, values: dict[str, Any]) -> dict[str, Any]:
    stripped = text.strip()
    try:
        if stripped.startswith("{"):
            return merge_maps(values, gojson.loads(stripped))
        strvals.parse_json(text, values)
    except gojson.JSONError:
        raise ValuesError(f"failed parsing --set-json data JSON: {text}") from None
    except ValuesError:
        raise ValuesError(f"failed parsing --set-json data {text}") from None
    return values


def _apply(
    texts: Iterable[str], flag: str, values: dict[str, Any], parse: Callable[[str, dict[str, Any]], None]
) -> None:
    for text in texts:
        try:
            parse(text, values)
        except ValuesError as problem:
            raise ValuesError(f"failed parsing {flag} data: {problem}") from None
