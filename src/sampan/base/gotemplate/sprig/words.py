"""camelcase, snakecase, kebabcase: words as xstrings 1.5 finds them."""

from __future__ import annotations

import unicodedata

from sampan.base.gotemplate.sprig.strings import is_space

_NUMBER, _UPPER, _ALPHA, _CONNECTOR, _PUNCT, _OTHER, _NONE = range(7)


def _connector(char: str) -> bool:
    return char in "-_" or is_space(char)


def _upper(char: str) -> bool:
    return unicodedata.category(char) == "Lu"


def _alphabet(char: str) -> bool:
    """A letter outside the CJK blocks."""
    return char < "\u3400" and unicodedata.category(char)[0] == "L"


def _number(char: str) -> bool:
    return unicodedata.category(char)[0] == "N"


def _punct(char: str) -> bool:
    return unicodedata.category(char)[0] == "P"


def _one(text: str) -> str:
    return text if len(text) == 1 else text[:1]


def pascal_case(value: str) -> str:
    """`xstrings.ToPascalCase`."""
    head = len(value) - len(value.lstrip("".join(c for c in set(value) if _connector(c)) or "\0"))
    out, rest = [value[:head]], value[head:]
    if not rest:
        return value
    first_upper = _upper(rest[0])
    current = _one(rest[0].upper())
    for following in rest[1:]:
        previous, current = current, following
        if _connector(current) and _connector(previous):
            out.append(previous)
            continue
        if _connector(previous):
            first_upper = _upper(current)
            current = _one(current.upper())
        else:
            if first_upper:
                if _upper(current):
                    current = _one(current.lower())
                else:
                    first_upper = False
            out.append(previous)
    out.append(current)
    return "".join(out)


def snake_case(value: str) -> str:
    return _lower_case(value, "_")


def kebab_case(value: str) -> str:
    return _lower_case(value, "-")


def _lower_case(value: str, connector: str) -> str:
    words = _words(value)
    if not words:
        return ""
    out: list[str] = []
    words.append((_NONE, ""))
    at = 0
    kind, word = words[0]

    def following() -> tuple[int, str]:
        nonlocal at
        at = min(at + 1, len(words) - 1)
        return words[at]

    def absorb() -> None:
        nonlocal kind, word
        while kind in (_ALPHA, _NUMBER):
            out.append(_lowered(kind, word, connector))
            kind, word = following()
        if kind not in (_NONE, _PUNCT, _CONNECTOR):
            out.append(connector)

    while at < len(words) - 2:
        if kind != _CONNECTOR:
            out.append(_lowered(kind, word, connector))
        previous, last = kind, word
        kind, word = following()
        if previous == _NUMBER:
            absorb()
        elif previous == _CONNECTOR:
            out.append(_lowered(previous, last, connector))
        elif previous != _PUNCT:
            if kind != _NUMBER:
                if kind not in (_CONNECTOR, _PUNCT):
                    out.append(connector)
                continue
            if at == len(words) - 2:
                continue
            last = word
            kind, word = following()
            if kind != _ALPHA:
                out.append(_lowered(_NUMBER, last, connector))
                if kind not in (_CONNECTOR, _PUNCT):
                    out.append(connector)
                continue
            out.append(connector)
            out.append(_lowered(_NUMBER, last, connector))
            absorb()
    out.append(_lowered(kind, word, connector))
    return "".join(out)


def _lowered(kind: int, word: str, connector: str) -> str:
    if kind == _UPPER:
        return "".join(_one(c.lower()) if _upper(c) else c for c in word)
    return connector * len(word) if kind == _CONNECTOR else word


def _words(value: str) -> list[tuple[int, str]]:
    words: list[tuple[int, str]] = []
    at = 0
    while at < len(value):
        kind, end = _word(value, at)
        words.append((kind, value[at:end]))
        at = end
    return words


def _word(value: str, at: int) -> tuple[int, int]:
    char, end = value[at], at + 1
    size = len(value)
    if _connector(char):
        while end < size and _connector(value[end]):
            end += 1
        return _CONNECTOR, end
    if _punct(char):
        while end < size and _punct(value[end]):
            end += 1
        return _PUNCT, end
    if _upper(char):
        if end < size and _upper(value[end]):
            while end < size and _upper(value[end]):
                end += 1
            if end < size and _alphabet(value[end]):
                end -= 1
        elif end < size and _alphabet(value[end]):
            while end < size and _alphabet(value[end]) and not _upper(value[end]):
                end += 1
        return _UPPER, end
    if _alphabet(char):
        while end < size and _alphabet(value[end]) and not _upper(value[end]):
            end += 1
        return _ALPHA, end
    if _number(char):
        while end < size and _number(value[end]):
            end += 1
        return _NUMBER, end
    while end < size and not (
        _connector(value[end]) or _alphabet(value[end]) or _number(value[end]) or _punct(value[end])
    ):
        end += 1
    return _OTHER, end
