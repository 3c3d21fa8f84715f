"""`.Files`: a chart's files as templates reach them. Source: helm 4.3 pkg/engine/files.go, gobwas/glob 0.2."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from typing import Any, ClassVar

from sampan.base.gotemplate.gotypes import Func, Map, Strings
from sampan.base.gotemplate.sprig.urls import base
from sampan.base.gotemplate.strconv import decode
from sampan.charts import yamlout
from sampan.charts.model import File


class Files(Map):
    """`map[string][]byte` with methods."""

    go_type = "engine.files"
    element = "[]uint8"
    methods: ClassVar[dict[str, Func]] = {}

    def get(self, key: str, default: Any = b"") -> Any:
        return super().get(key, b"" if default is None else default)


def make(files: list[File]) -> Files:
    return Files({f.name: f.data for f in files})


def read(files: Files, name: str) -> str:
    return decode(files[name]) if name in files else ""


def lines(files: Files, name: str) -> Strings:
    data = files.get(name)
    if not data:
        return Strings()
    return Strings(decode(data).removesuffix("\n").split("\n"))


def glob(files: Files, pattern: str) -> Files:
    try:
        test = compile_glob(pattern)
    except ValueError:
        test = compile_glob("**")
    return Files({name: data for name, data in files.items() if test.match(name)})


def as_config(files: Files) -> str:
    return _yaml({base(n): decode(d) for n, d in files.items()})


def as_secrets(files: Files) -> str:
    return _yaml({base(n): base64.b64encode(d).decode() for n, d in files.items()})


def _yaml(values: dict[str, str]) -> str:
    try:
        return yamlout.dump(values).removesuffix("\n")
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """A gobwas pattern with `/` as separator. Raises ValueError for one that is broken."""
    out: list[str] = []
    at, depth = 0, 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if pattern[at : at + 1] == "*":
                while pattern[at : at + 1] == "*":
                    at += 1
                out.append(".*")
            else:
                out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "[":
            piece, at = _range(pattern, at)
            out.append(piece)
        elif char == "{":
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        elif char == "\\":
            if at >= len(pattern):
                raise ValueError("syntax error in pattern")
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    if depth:
        raise ValueError("syntax error in pattern")
    return re.compile("".join(out) + r"\Z", re.DOTALL)


def _range(pattern: str, at: int) -> tuple[str, int]:
    stop = pattern.find("]", at + 1)
    if stop < 0:
        raise ValueError("syntax error in pattern")
    body = pattern[at:stop]
    negated = body.startswith("!")
    body = body.removeprefix("!")
    if not body:
        raise ValueError("syntax error in pattern")
    if len(body) == 3 and body[1] == "-":
        inner = f"{re.escape(body[0])}-{re.escape(body[2])}"
    else:
        inner = "".join(re.escape(c) for c in body.replace("\\", ""))
    return f"[{'^' if negated else ''}{inner}]", stop + 1


Files.methods.update(
    {
        "Get": Func(read, ("string",), False, "string"),
        "GetBytes": Func(lambda f, n: f.get(n), ("string",), False, "[]uint8"),
        "Glob": Func(glob, ("string",), False, "engine.files"),
        "AsConfig": Func(as_config, (), False, "string"),
        "AsSecrets": Func(as_secrets, (), False, "string"),
        "Lines": Func(lines, ("string",), False, "[]string"),
    }
)
