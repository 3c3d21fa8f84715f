"""The functions that Helm adds to sprig. Source: helm 4.3 pkg/engine/{engine,funcs}.go.

`include` and `tpl` work on the running execution; its `shared` is a `State`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate import gojson, gotime
from sampan.base.gotemplate.errors import ParseError
from sampan.base.gotemplate.gotypes import Duration, Func, GoError, GoPanic, Int64, NilList, NilMap, type_of
from sampan.base.gotemplate.sprig import FUNCTIONS
from sampan.base.gotemplate.sprig.table import func
from sampan.base.gotemplate.sprig.table import host_by_name as resolve_host
from sampan.base.gotemplate.strconv import parse_float, quote
from sampan.base.gotemplate.template import Execution, TemplateSet
from sampan.charts import toml, yamlin, yamlout, yamlpretty

log = logging.getLogger(__name__)

MAX_NESTING = 1000  # include of one name within itself
WARN_START, WARN_END = "HELM_ERR_START", "HELM_ERR_END"
NO_VALUE = "<no value>"

Lookup = Callable[[str, str, str, str], dict[str, Any]]


class State:
    """What one rendering shares between its templates."""

    __slots__ = ("dns", "lint", "lookup", "names")

    def __init__(self, lookup: Lookup | None = None, *, lint: bool = False, dns: bool = False) -> None:
        self.lookup = lookup
        self.lint = lint
        self.dns = dns
        self.names: dict[str, int] = {}


# ---------------------------------------------------------------- templates


def include(run: Execution, name: str, data: Any) -> str:
    names = run.shared.names
    count = names.get(name, 0)
    if count > MAX_NESTING:
        cause = GoError("unable to execute template")
        raise GoError(f"rendering template has a nested reference name: {name}: {cause}", cause)
    names[name] = count + 1
    try:
        return run.run_named(name, data)
    finally:
        names[name] -= 1


def tpl(run: Execution, text: str, data: Any) -> str:
    if "{{" not in text:
        return text.replace(NO_VALUE, "") if NO_VALUE in text else text
    parent: TemplateSet = run.set
    try:
        compiled = parent.environment.templates(parent.root, text)
    except ParseError as problem:
        raise GoError(f"cannot parse template {quote(text)}: {problem}", problem) from None
    inner = run
    if len(compiled) > 1:
        templates = parent.clone()
        for template in compiled:
            known = templates.templates.get(template.name)
            if known is None or not template.empty:
                templates.templates[template.name] = template
        inner = run.derive(templates)
    own = next(t for t in compiled if t.name == parent.root)
    try:
        out = inner.run(own, data)
    except GoError as problem:
        raise GoError(f"error during tpl function execution for {quote(text)}: {problem}", problem) from None
    return out.replace(NO_VALUE, "")


def required(run: Execution, warning: str, value: Any) -> Any:
    if value is None or (type(value) is str and not value):
        if run.shared.lint:
            log.warning("missing required value message=%s", warning)
            return ""
        raise GoError(WARN_START + warning + WARN_END)
    return value


def fail(run: Execution, message: str) -> str:
    if run.shared.lint:
        log.info("fail message=%s", message)
        return ""
    raise GoError(WARN_START + message + WARN_END)


def lookup(run: Execution, version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
    state: State = run.shared
    if state.lint or state.lookup is None:
        return {}
    return state.lookup(version, kind, namespace, name)


def host_by_name(run: Execution, name: str) -> str:
    return resolve_host(name) if run.shared.dns else ""


# ---------------------------------------------------------------- codecs


def to_yaml(value: Any) -> str:
    try:
        return yamlout.dump(value)[:-1]
    except (gojson.JSONError, RecursionError):
        return ""


def must_to_yaml(value: Any) -> str:
    try:
        return yamlout.dump(value)[:-1]
    except gojson.JSONError as problem:
        raise GoPanic(f"error marshaling into JSON: {problem}", problem) from None


def to_yaml_pretty(value: Any) -> str:
    try:
        return yamlpretty.dump(value).removesuffix("\n")
    except (gojson.JSONError, RecursionError):
        return ""


_INTO = {"map": "map[string]interface {}", "list": "[]interface {}"}


def _wrong(value: Any, target: str, prefix: str = "") -> str:
    kind = {str: "string", float: "number", bool: "bool", list: "array", dict: "object"}[type(value)]
    return f"{prefix}json: cannot unmarshal {kind} into Go value of type {_INTO[target]}"


_DECODING = "error unmarshaling JSON: while decoding JSON: "


def from_yaml(text: str) -> dict[str, Any]:
    try:
        found = yamlin.load(text)
    except yamlin.YAMLError as problem:
        return {"Error": f"error converting YAML to JSON: {problem}"}
    if found is None:
        return {}
    return found if isinstance(found, dict) else {"Error": _wrong(found, "map", _DECODING)}


def from_yaml_array(text: str) -> list[Any]:
    try:
        found = yamlin.load(text)
    except yamlin.YAMLError as problem:
        return [f"error converting YAML to JSON: {problem}"]
    if found is None:
        return []
    return found if isinstance(found, list) else [_wrong(found, "list", _DECODING)]


def to_json(value: Any) -> str:
    try:
        return gojson.dumps(value)
    except gojson.JSONError:
        return ""


def must_to_json(value: Any) -> str:
    try:
        return gojson.dumps(value)
    except gojson.JSONError as problem:
        raise GoPanic(str(problem)) from None


def from_json(text: str) -> dict[str, Any]:
    try:
        found = gojson.loads(text)
    except gojson.JSONError as problem:
        return {"Error": str(problem)}
    if found is None:
        return NilMap()
    return found if isinstance(found, dict) else {"Error": _wrong(found, "map")}


def from_json_array(text: str) -> list[Any]:
    try:
        found = gojson.loads(text)
    except gojson.JSONError as problem:
        return [str(problem)]
    if found is None:
        return NilList()
    return found if isinstance(found, list) else [_wrong(found, "list")]


def to_toml(value: Any) -> str:
    try:
        return toml.dump(value)
    except toml.TOMLError as problem:
        return str(problem)


def must_to_toml(value: Any) -> str:
    try:
        return toml.dump(value)
    except toml.TOMLError as problem:
        raise GoPanic(str(problem)) from None


def from_toml(text: str) -> dict[str, Any]:
    try:
        return toml.load(text)
    except toml.TOMLError as problem:
        return {"Error": str(problem)}


# ---------------------------------------------------------------- durations

_MAX_SECONDS = ((1 << 63) - 1) // gotime.SECOND


def as_duration(value: Any) -> Duration:
    """A duration, a text of one, or seconds. Raises GoError."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            raise GoError("empty duration")
        try:
            return gotime.parse_duration(text)
        except GoError:
            number = parse_float(text)
            if number is None:
                raise GoError(f"could not parse duration {quote(value)}") from None
            return _from_seconds(number)
    if value is None:
        raise GoError("invalid duration")
    if isinstance(value, int) and not isinstance(value, bool):
        if not -_MAX_SECONDS <= value <= _MAX_SECONDS:
            raise GoError(f"duration seconds overflow: {int(value)}")
        return Duration(int(value) * gotime.SECOND)
    if isinstance(value, float):
        return _from_seconds(value)
    raise GoError(f"unsupported duration type {type_of(value)}")


def _from_seconds(value: float) -> Duration:
    from sampan.base.gotemplate.gofmt import text

    if math.isnan(value) or math.isinf(value):
        raise GoError(f"invalid duration seconds: {text(value)}")
    if abs(value) > ((1 << 63) - 1) / gotime.SECOND:
        raise GoError(f"duration seconds overflow: {text(value)}")
    nanos = value * gotime.SECOND
    return Duration(int(min(nanos, float((1 << 63) - 1024))))


def must_to_duration(value: Any) -> Duration:
    try:
        return as_duration(value)
    except GoError as problem:
        raise GoPanic(str(problem)) from None


def _measured(unit: float, zero: Any, convert: Callable[[float], Any]) -> Callable[[Any], Any]:
    def measure(value: Any) -> Any:
        try:
            return convert(as_duration(value) / unit)
        except GoError:
            return zero

    return measure


def _whole(unit: int) -> Callable[[Any], Int64]:
    def measure(value: Any) -> Int64:
        try:
            size = int(as_duration(value))
        except GoError:
            return Int64(0)
        return Int64(-(-size // unit) if size < 0 else size // unit)

    return measure


def _stepped(change: Callable[[int, int], Duration]) -> Callable[[Any, Any], Duration]:
    def apply(value: Any, step: Any) -> Duration:
        try:
            span = as_duration(value)
        except GoError:
            return Duration(0)
        try:
            return change(span, as_duration(step))
        except GoError:
            return span

    return apply


HELM: dict[str, Func] = {
    "include": func(include, "string, any -> string", stateful=True),
    "tpl": func(tpl, "string, any -> string", stateful=True),
    "required": func(required, "string, any -> any", stateful=True),
    "fail": func(fail, "string -> string", stateful=True),
    "lookup": func(lookup, "string, string, string, string -> map", stateful=True),
    "getHostByName": func(host_by_name, "string -> string", stateful=True),
    "toYaml": func(to_yaml, "any -> string"),
    "mustToYaml": func(must_to_yaml, "any -> string"),
    "toYamlPretty": func(to_yaml_pretty, "any -> string"),
    "fromYaml": func(from_yaml, "string -> map"),
    "fromYamlArray": func(from_yaml_array, "string -> list"),
    "toJson": func(to_json, "any -> string"),
    "mustToJson": func(must_to_json, "any -> string"),
    "fromJson": func(from_json, "string -> map"),
    "fromJsonArray": func(from_json_array, "string -> list"),
    "toToml": func(to_toml, "any -> string"),
    "mustToToml": func(must_to_toml, "any -> string"),
    "fromToml": func(from_toml, "string -> map"),
    "mustToDuration": func(must_to_duration, "any -> time.Duration"),
    "durationSeconds": func(_measured(gotime.SECOND, 0.0, float), "any -> float64"),
    "durationMinutes": func(_measured(gotime.MINUTE, 0.0, float), "any -> float64"),
    "durationHours": func(_measured(gotime.HOUR, 0.0, float), "any -> float64"),
    "durationDays": func(_measured(24 * gotime.HOUR, 0.0, float), "any -> float64"),
    "durationWeeks": func(_measured(168 * gotime.HOUR, 0.0, float), "any -> float64"),
    "durationMilliseconds": func(_whole(gotime.MILLI), "any -> int64"),
    "durationMicroseconds": func(_whole(gotime.MICRO), "any -> int64"),
    "durationNanoseconds": func(_whole(gotime.NANO), "any -> int64"),
    "durationRoundTo": func(_stepped(gotime.duration_round), "any, any -> time.Duration"),
    "durationTruncateTo": func(_stepped(gotime.duration_truncate), "any, any -> time.Duration"),
}

TEMPLATE_FUNCTIONS: dict[str, Func] = {**FUNCTIONS, **HELM}
