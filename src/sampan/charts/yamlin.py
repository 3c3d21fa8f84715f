"""YAML as charts read it: sigs.k8s.io/yaml into untyped values, every number a float64, errors in go-yaml's words."""

from __future__ import annotations

from typing import Any

from sampan.api.codec import DecodeError
from sampan.api.codec import yaml as codec


class YAMLError(ValueError):
    """The text cannot be read. The message is what go-yaml says, such as `yaml: line 2: ...`."""


def load(text: str) -> Any:
    """The first document as JSON has it, numbers as floats. Raises YAMLError (`yaml: line N: what`)."""
    return floats(load_raw(text))


def load_raw(text: str) -> Any:
    """The first document, integers kept as such. Raises YAMLError."""
    try:
        return codec.load(text)
    except DecodeError as problem:
        raise YAMLError(_explain(text) or str(problem)) from None


def floats(value: Any) -> Any:
    """JSON's view of numbers: all are float64. Containers are changed in place."""
    kind = type(value)
    if kind is int:
        return float(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) is not str:
                value[key] = floats(item)
    elif kind is list:
        for place, item in enumerate(value):
            if type(item) is not str:
                value[place] = floats(item)
    return value


def _explain(text: str) -> str | None:
    """libyaml's error as go-yaml v2 words it; None when libyaml has no complaint."""
    import yaml

    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        while parser.check_event():
            parser.get_event()
    except yaml.reader.ReaderError as problem:
        reason = str(problem.reason)
        return f"yaml: {reason}"
    except yaml.MarkedYAMLError as problem:
        line = 0
        if problem.problem_mark is not None and problem.problem_mark.line:
            line = problem.problem_mark.line + (1 if isinstance(problem, yaml.scanner.ScannerError) else 0)
        elif problem.context_mark is not None:
            line = problem.context_mark.line
        where = f"line {line}: " if line else ""
        return f"yaml: {where}{problem.problem}"
    finally:
        parser.dispose()
    return None


def documents(text: str) -> list[str]:
    """The documents of a stream as apimachinery's YAMLReader splits them. Raises YAMLError."""
    out: list[str] = []
    current: list[str] = []
    for line in text.split("\n"):
        if line.startswith("---"):
            rest = line[3:].strip()
            if rest and not rest.startswith("#"):
                raise YAMLError(f"invalid Yaml document separator: {rest}")
            if current:
                out.append("\n".join(current) + "\n")
                current = []
                continue
        current.append(line)
    if any(current):
        out.append("\n".join(current))
    return out
