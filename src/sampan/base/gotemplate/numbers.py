"""Numeric literals of templates: which types a literal fits (Go 1.26 parse.newNumber)."""

from __future__ import annotations

from sampan.base.gotemplate import lexer as lx
from sampan.base.gotemplate import nodes as nd
from sampan.base.gotemplate.strconv import (
    INT64_MAX,
    INT64_MIN,
    UINT64_MAX,
    LiteralError,
    parse_based,
    parse_float,
    quote,
    unquote_char,
)


class NumberError(ValueError):
    """The literal is no number."""


def parse_number(pos: int, text: str, kind: str) -> nd.Number:
    """A number node. Raises NumberError with Go's text."""
    node = nd.Number(pos, text)
    if kind == lx.CHAR_CONSTANT:
        return _char(node)
    if kind == lx.COMPLEX:
        return _complex(node)
    if text.endswith("i"):
        imaginary = _go_float(text[:-1])
        if imaginary is not None:
            node.as_complex = complex(0, imaginary)
            _simplify(node)
            return node
    whole = parse_based(text)
    if whole is not None:
        if 0 <= whole <= UINT64_MAX and text[0] not in "+-":
            node.as_uint = whole
        if INT64_MIN <= whole <= INT64_MAX:
            node.as_int = whole
            if whole == 0:
                node.as_uint = 0
    if node.as_int is not None:
        node.as_float = float(node.as_int)
    elif node.as_uint is not None:
        node.as_float = float(node.as_uint)
    else:
        number = _go_float(text)
        if number is not None:
            if not any(c in text for c in ".eEpP"):
                raise NumberError(f"integer overflow: {quote(text)}")
            node.as_float = number
            _whole(node, number)
    if node.as_int is None and node.as_uint is None and node.as_float is None:
        raise NumberError(f"illegal number syntax: {quote(text)}")
    return node


def _go_float(text: str) -> float | None:
    """ParseFloat does not take underscores outside base prefixes; a leading sign is fine."""
    return parse_float(text)


def _whole(node: nd.Number, number: float) -> None:
    if number == number and abs(number) < 2.0**63 and float(int(number)) == number:
        node.as_int = int(number)
    if node.as_uint is None and 0 <= number < 2.0**64 and float(int(number)) == number:
        node.as_uint = int(number)


def _char(node: nd.Number) -> nd.Number:
    text = node.text
    try:
        octets, stop = unquote_char(text, 1, "'")
    except LiteralError as problem:
        raise NumberError(str(problem)) from None
    if text[stop:] != "'":
        raise NumberError(f"malformed character constant: {text}")
    escaped_byte = text[1] == "\\" and text[2] in "x01234567"
    code = octets[0] if escaped_byte else ord(octets.decode("utf-8", "surrogateescape"))
    node.as_int = node.as_uint = code
    node.as_float = float(code)
    return node


def _complex(node: nd.Number) -> nd.Number:
    text = node.text
    split = max(text.rfind("+"), text.rfind("-"))
    if split > 0 and text[split - 1] in "eEpP":
        split = max(text.rfind("+", 0, split - 1), text.rfind("-", 0, split - 1))
    real, imaginary = _go_float(text[:split]), _go_float(text[split:-1])
    if real is None or imaginary is None:
        raise NumberError("syntax error scanning complex number")
    node.as_complex = complex(real, imaginary)
    _simplify(node)
    return node


def _simplify(node: nd.Number) -> None:
    assert node.as_complex is not None
    if node.as_complex.imag == 0:
        node.as_float = node.as_complex.real
        _whole(node, node.as_float)
