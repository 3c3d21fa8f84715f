"""Dictionaries. Source of behaviour: sprig 3.3 dict.go, mergo 1.0, copystructure 1.2.

Go's order of `keys` and `values` is random; here it is sorted by key.
"""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate.gotypes import (
    STRING_MAP,
    GoPanic,
    Map,
    NilMap,
    Slice,
    Strings,
    Struct,
    type_of,
)
from sampan.base.gotemplate.sprig.cast import strval


def get(values: dict[str, Any], key: str) -> Any:
    return values.get(key, "")


def set_(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    values[key] = value
    return values


def unset(values: dict[str, Any], key: str) -> dict[str, Any]:
    values.pop(key, None)
    return values


def has_key(values: dict[str, Any], key: str) -> bool:
    return key in values


def pluck(key: str, *dicts: dict[str, Any]) -> list[Any]:
    return [d[key] for d in dicts if key in d]


def keys(*dicts: dict[str, Any]) -> Strings:
    return Strings([k for d in dicts for k in sorted(d)])


def values(one: dict[str, Any]) -> list[Any]:
    return [one[k] for k in sorted(one)]


def pick(one: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: one[k] for k in names if k in one}


def omit(one: dict[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in one.items() if k not in names}


def make(*pairs: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    count = len(pairs)
    for at in range(0, count, 2):
        key = pairs[at]
        out[key if type(key) is str else strval(key)] = pairs[at + 1] if at + 1 < count else ""
    return out


def merge(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    return _merge_all(target, sources, overwrite=False)


def merge_overwrite(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    return _merge_all(target, sources, overwrite=True)


def _merge_all(
    target: dict[str, Any], sources: tuple[dict[str, Any], ...], *, overwrite: bool
) -> dict[str, Any]:
    if isinstance(target, NilMap):
        target = {}
    for source in sources:
        _deep_merge(target, source, overwrite)
    return target


def _deep_merge(target: dict[str, Any], source: dict[str, Any], overwrite: bool) -> None:
    """mergo's deepMerge on maps: empty values of the target are filled, with `overwrite` all are."""
    if target is source:
        return
    for key, new in list(source.items()):
        if new is None:
            if overwrite:
                target[key] = None
            continue
        known = key in target
        old = target.get(key) if known else None
        if isinstance(new, dict):
            if isinstance(old, dict):
                _deep_merge(old, new, overwrite)
                if old:
                    continue
        elif isinstance(new, (list, bytes)):
            if overwrite:
                target[key] = new
                continue
            if old:
                continue
        if overwrite or not known or (not old and not isinstance(old, Struct)):
            target[key] = new


def deep_copy(value: Any) -> Any:
    """copystructure.Copy: maps and slices are copied with their types."""
    if isinstance(value, dict):
        copied = {k: deep_copy(v) for k, v in value.items()}
        return type(value)(copied) if isinstance(value, Map) else copied
    if isinstance(value, list):
        items = [deep_copy(v) for v in value]
        return type(value)(items) if isinstance(value, Slice) else items
    return value


def dig(*parts: Any) -> Any:
    if len(parts) < 3:
        raise GoPanic("dig needs at least three arguments")
    one, default, path = parts[-1], parts[-2], parts[:-2]
    _plain_map(one)
    for key in path:
        if type(key) is not str:
            raise GoPanic(f"interface conversion: interface {{}} is {_conversion(key)}, not string")
    for key in path[:-1]:
        if key not in one:
            return default
        one = one[key]
        _plain_map(one)
    return one.get(path[-1], default)


def _plain_map(value: Any) -> None:
    if type(value) is dict or (value is not None and type_of(value) == STRING_MAP):
        return
    raise GoPanic(f"interface conversion: interface {{}} is {_conversion(value)}, not {STRING_MAP}")


def _conversion(value: Any) -> str:
    return "nil" if value is None else type_of(value)
