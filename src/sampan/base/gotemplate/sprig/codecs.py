"""JSON as sprig offers it. Source of behaviour: sprig 3.3 defaults.go."""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate import gojson
from sampan.base.gotemplate.gotypes import GoPanic


def from_json(text: str) -> Any:
    try:
        return gojson.loads(text)
    except gojson.JSONError:
        return None


def must_from_json(text: str) -> Any:
    return gojson.loads(text)


def to_json(value: Any) -> str:
    try:
        return gojson.dumps(value)
    except gojson.JSONError:
        return ""


def must_to_json(value: Any) -> str:
    return gojson.dumps(value)


def to_pretty_json(value: Any) -> str:
    try:
        return gojson.indent(gojson.dumps(value))
    except gojson.JSONError:
        return ""


def must_to_pretty_json(value: Any) -> str:
    return gojson.indent(gojson.dumps(value))


def must_to_raw_json(value: Any) -> str:
    return gojson.dumps(value, html=False)


def to_raw_json(value: Any) -> str:
    try:
        return gojson.dumps(value, html=False)
    except gojson.JSONError as problem:
        raise GoPanic(str(problem)) from None
