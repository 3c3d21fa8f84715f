"""What a schema's validator says: problems as a tree, and values in them.

Source of behaviour: santhosh-tekuri/jsonschema 6.0 kind/kind.go and output.go.
"""

from __future__ import annotations

from typing import Any

from sampan.base.gotemplate.gofmt import text as go_text
from sampan.base.gotemplate.strconv import format_float, quote


class Problem:
    """One failed keyword, with what caused it. `hidden` ones (a $ref with a single cause) do not show."""

    __slots__ = ("causes", "group", "hidden", "message", "path")

    def __init__(self, path: tuple[str, ...], message: str, causes: list[Problem] | None = None) -> None:
        self.path, self.message, self.causes = path, message, causes or []
        self.hidden = self.group = False

    def show(self, indent: int) -> str:
        out = ""
        if not (self.hidden and len(self.causes) == 1):
            where = "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in self.path)
            out = "\n" + "  " * indent + f"- at {quoted(where)}: {self.message}"
            indent += 1
        return out + "".join(c.show(indent) for c in self.causes)


def quoted(value: str) -> str:
    return "'" + quote(value)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def display(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return "value" if isinstance(value, (list, dict)) else go_text(value)


_SUPERSCRIPT = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


def number_text(number: float) -> str:
    """A number as golang.org/x/text prints it for English: groups of thousands, powers of ten from a million on."""
    text = format_float(number)
    mantissa, mark, exponent = text.partition("e")
    if mark:
        return f"{mantissa}\u00d710{exponent.removeprefix('+').translate(_SUPERSCRIPT)}"
    whole, point, fraction = text.partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return sign + f"{int(digits):,}" + (point + fraction if fraction else "")


def grouped(found: list[Problem], path: tuple[str, ...], *more: str) -> list[Problem]:
    """Several problems of one subschema stand under a heading."""
    if len(found) < 2:
        return found
    problem = Problem(path + more, "validation failed", found)
    problem.group = True
    return [problem]


def ungrouped(found: list[Problem]) -> list[Problem]:
    """What a lone heading stands over."""
    return found[0].causes if len(found) == 1 and found[0].group else found
