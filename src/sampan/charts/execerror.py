"""Helm's rewriting of template errors: several lines in Helm 4. Source: helm 4.3 pkg/engine/engine.go."""

from __future__ import annotations

import re
from typing import NamedTuple

from sampan.base.gotemplate.errors import ExecError, ParseError
from sampan.base.gotemplate.gotypes import GoError
from sampan.charts.errors import RenderError
from sampan.charts.funcs import WARN_END, WARN_START

_WARNING = re.compile(f"{WARN_START}(.*){WARN_END}", re.DOTALL)
_LINE = re.compile(r":(\d+)(?::\d+)?\Z")


class _Frame(NamedTuple):
    location: str
    function: str
    message: str

    def text(self) -> str:
        out = f"{self.location}\n  " if self.location else ""
        out += f"{self.function}\n    " if self.function else ""
        return out + (f"{self.message}\n" if self.message else "")


def explain_parse(name: str, problem: ParseError) -> RenderError:
    """A text that is no template."""
    tokens = str(problem).split(": ")
    if len(tokens) == 1:
        return RenderError(f"parse error in ({name}): {problem}", name)
    return RenderError(f"parse error at ({tokens[1]}): {tokens[-1]}", name, _line(tokens[1]))


def _line(location: str) -> int:
    match = _LINE.search(location)
    return int(match[1]) if match else 0


def explain_execution(name: str, problem: ExecError) -> RenderError:
    """A template that failed while it ran."""
    tokens = str(problem).split(": ", 2)
    if len(tokens) != 3:
        return RenderError(f"execution error in ({name}): {problem}", name)
    location = tokens[1]
    warning = _WARNING.search(tokens[2])
    if warning is not None:
        return RenderError(f"execution error at ({location}): {warning[1]}", name, _line(location))
    frames: list[_Frame] = []
    current: GoError | None = problem
    while current is not None:
        frame = _frame(str(current))
        if frame is None:
            return RenderError(str(problem), name, problem.line)
        if not frames or frames[-1] != frame:
            frames.append(frame)
        current = current.cause
    return RenderError("".join(f.text() for f in frames).strip(), name, problem.line)


def _frame(text: str) -> _Frame | None:
    """One level of text/template's message."""
    if not text.startswith("template: "):
        return None
    rest = text.removeprefix("template: ")
    if rest.startswith("no template "):
        return _Frame("", "", text)
    location, found, after = rest.partition(": executing ")
    if found and after.startswith('"'):
        end = after.find('"', 1)
        if end > 0 and after[end + 1 :].startswith(" at <"):
            node, closed, message = after[end + 6 :].partition(">: ")
            if closed:
                message = message.partition(" template:")[0] if " template:" in message else message
                return _Frame(location, f"executing {after[: end + 1]} at <{node}>:", message)
    head, sep, message = rest.rpartition(": ")
    if sep:
        return _Frame(head, "", message.partition(" template:")[0])
    return None
