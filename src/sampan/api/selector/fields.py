"""Field selectors: `metadata.name=web,status.phase!=Running`.

Source: k8s.io/apimachinery pkg/fields/selector.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from sampan.api.selector.error import SelectorError

_OPERATORS: Final = ("!=", "==", "=")


class FieldRequirement(NamedTuple):
    """`op` is = or !=."""

    field: str
    op: str
    value: str


class FieldSelector(NamedTuple):
    requirements: tuple[FieldRequirement, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.requirements

    def matches(self, fields: Mapping[str, str] | Callable[[str], str]) -> bool:
        """`fields`: what each selectable field holds, as a mapping or a function; an absent field holds ""."""
        get = fields if callable(fields) else _getter(fields)
        return all((get(field) == value) == (op == "=") for field, op, value in self.requirements)

    def requires(self, field: str) -> str | None:
        """The value that `field` must have, where there is exactly one."""
        return next(
            (item.value for item in self.requirements if item.field == field and item.op == "="), None
        )

    def __str__(self) -> str:
        return ",".join(f"{field}{op}{escape(value)}" for field, op, value in self.requirements)


def _getter(fields: Mapping[str, str]) -> Callable[[str], str]:
    return lambda field: fields.get(field, "")


def escape(value: str) -> str:
    r"""A literal value as a selector's text writes it: \ , = get a backslash."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


@lru_cache(maxsize=1024)
def parse(text: str) -> FieldSelector:
    """The selector that a text tells; the empty text selects everything.

    Raises SelectorError with upstream's text.
    """
    found: list[FieldRequirement] = []
    for term in sorted(_terms(text)):
        if not term:
            continue
        for at in range(len(term)):
            op = next((op for op in _OPERATORS if term.startswith(op, at)), "")
            if op:
                value = _unescaped(term[at + len(op) :])
                if at or value:  # a term without field and value says nothing
                    found.append(FieldRequirement(term[:at], "!=" if op == "!=" else "=", value))
                break
        else:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{term}'")
    return FieldSelector(tuple(found))


def _terms(text: str) -> list[str]:
    """The parts between commas; a comma behind a backslash is data."""
    terms: list[str] = []
    start = 0
    escaped = False
    for at, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == ",":
            terms.append(text[start:at])
            start = at + 1
    return [*terms, text[start:]]


def _unescaped(value: str) -> str:
    out: list[str] = []
    escaped = False
    for letter in value:
        if escaped:
            if letter not in "\\,=":
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{letter}")
            out.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in ",=":
            raise SelectorError(f"invalid field selector: unescaped character in value: {ord(letter)}")
        else:
            out.append(letter)
    if escaped:
        raise SelectorError("invalid field selector: invalid escape sequence: \\")
    return "".join(out)
