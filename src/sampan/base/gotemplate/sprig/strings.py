"""Strings: cutting, padding, casing, quoting. Source of behaviour: sprig 3.3 strings.go, goutils, xstrings 1.5."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate.gofmt import text
from sampan.base.gotemplate.gotypes import GoPanic, StringMap, Strings, kind_of
from sampan.base.gotemplate.sprig.cast import strval
from sampan.base.gotemplate.strconv import byte_len, byte_slice, decode, encode, parse_int, quote

_LIMIT = 1 << 30  # a repeat beyond it exhausts Go's memory as well


def is_space(char: str) -> bool:
    """`unicode.IsSpace`."""
    return char in "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" or "\u2000" <= char <= "\u200a"


_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def trim(value: str) -> str:
    return value.strip(_SPACES)


def trunc(count: int, value: str) -> str:
    size = byte_len(value)
    if count < 0 and size + count > 0:
        return byte_slice(value, size + count, None)
    if 0 <= count < size:
        return byte_slice(value, None, count)
    return value


def substr(start: int, end: int, value: str) -> str:
    size = byte_len(value)
    if start < 0:
        if not 0 <= end <= size:
            raise _bounds(f":{end}", size, end < 0)
        return byte_slice(value, None, end)
    if end < 0 or end > size:
        if start > size:
            raise GoPanic(f"runtime error: slice bounds out of range [{start}:{size}]")
        return byte_slice(value, start, None)
    if start > end:
        raise GoPanic(f"runtime error: slice bounds out of range [{start}:{end}]")
    return byte_slice(value, start, end)


def _bounds(part: str, size: int, negative: bool) -> GoPanic:
    tail = "" if negative else f" with length {size}"
    return GoPanic(f"runtime error: slice bounds out of range [{part}]{tail}")


def repeat(count: int, value: str) -> str:
    if count < 0:
        raise GoPanic("strings: negative Repeat count")
    if byte_len(value) * count > _LIMIT:
        raise GoPanic("strings: Repeat output length overflow")
    return value * count


def title(value: str) -> str:
    """`strings.Title`: a letter after what is no letter, digit, underscore or mark is upper-cased."""
    out, previous = [], " "
    for char in value:
        out.append(char if not _separator(previous) else _title(char))
        previous = char
    return "".join(out)


def _separator(char: str) -> bool:
    if char < "\x80":
        return not (char.isalnum() or char == "_")
    if char.isalpha() or char.isdecimal():
        return False
    return is_space(char)


def _title(char: str) -> str:
    titled = char.title()
    return titled if len(titled) == 1 else char


def _upper(char: str) -> str:
    changed = char.upper()
    return changed if len(changed) == 1 else char


def _lower(char: str) -> str:
    changed = char.lower()
    return changed if len(changed) == 1 else char


def upper(value: str) -> str:
    return value.upper() if value.isascii() else "".join(map(_upper, value))


def lower(value: str) -> str:
    return value.lower() if value.isascii() else "".join(map(_lower, value))


def untitle(value: str) -> str:
    out, start = [], True
    for char in value:
        if is_space(char):
            start = True
        elif start:
            char, start = _lower(char), False
        out.append(char)
    return "".join(out)


def swapcase(value: str) -> str:
    out, whitespace = [], True
    for char in value:
        if char.isupper() or char.istitle():
            char, whitespace = _lower(char), False
        elif char.islower():
            char, whitespace = (_title(char) if whitespace else _upper(char)), False
        else:
            whitespace = is_space(char)
        out.append(char)
    return "".join(out)


def _octets(value: str) -> str:
    """goutils walks bytes as if they were characters."""
    return encode(value).decode("latin-1")


def nospace(value: str) -> str:
    kept = "".join(c for c in _octets(value) if not is_space(c))
    return value if len(kept) == byte_len(value) else kept


def initials(value: str) -> str:
    out, gap = [], True
    for char in _octets(value):
        if is_space(char):
            gap = True
        elif gap:
            out.append(char)
            gap = False
    return "".join(out)


def abbrev(width: int, value: str) -> str:
    return value if width < 4 else _abbreviate(value, 0, width)


def abbrevboth(left: int, right: int, value: str) -> str:
    if right < 4 or (left > 0 and right < 7):
        return value
    return _abbreviate(value, left, right)


def _abbreviate(value: str, offset: int, width: int) -> str:
    size = byte_len(value)
    if not value or width < 4:
        return ""
    if size <= width:
        return value
    offset = min(offset, size)
    if size - offset < width - 3:
        offset = size - (width - 3)
    if offset <= 4:
        return byte_slice(value, 0, width - 3) + "..."
    if width < 7:
        return ""
    if offset + width - 3 < size:
        return "..." + _abbreviate(byte_slice(value, offset, None), 0, width - 3)
    return "..." + byte_slice(value, size - (width - 3), None)


def wrap(width: int, value: str) -> str:
    return _wrap(value, width, "", False)


def wrap_with(width: int, separator: str, value: str) -> str:
    return _wrap(value, width, separator, True)


def _wrap(value: str, width: int, separator: str, long_words: bool) -> str:
    data, width = encode(value), max(width, 1)
    line_end = encode(separator or "\n")
    out: list[bytes] = []
    at = 0
    while len(data) - at > width:
        if data[at : at + 1] == b" ":
            at += 1
            continue
        space = data.rfind(b" ", at, at + width + 1)
        if space >= at:
            out += (data[at:space], line_end)
            at = space + 1
        elif long_words:
            out += (data[at : at + width], line_end)
            at += width
        else:
            space = data.find(b" ", at + width)
            if space < 0:
                out.append(data[at:])
                at = len(data)
            else:
                out += (data[at:space], line_end)
                at = space + 1
    out.append(data[at:])
    return decode(b"".join(out))


def quote_all(*values: Any) -> str:
    if len(values) == 1:
        value = values[0]
        return "" if value is None else quote(value if type(value) is str else strval(value))
    return " ".join(quote(strval(v)) for v in values if v is not None)


def squote(*values: Any) -> str:
    return " ".join(f"'{text(v)}'" for v in values if v is not None)


def cat(*values: Any) -> str:
    return " ".join(text(v) for v in values if v is not None)


def indent(spaces: int, value: str) -> str:
    if spaces < 0:
        raise GoPanic("strings: negative Repeat count")
    pad = " " * spaces
    return pad + value.replace("\n", "\n" + pad)


def nindent(spaces: int, value: str) -> str:
    return "\n" + indent(spaces, value)


def replace(old: str, new: str, value: str) -> str:
    return value.replace(old, new)


def plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


def contains(part: str, value: str) -> bool:
    return part in value


def strslice(value: Any) -> Strings:
    """Anything as []string."""
    if isinstance(value, list):
        if type(value) is Strings:
            return value
        return Strings([v if type(v) is str else strval(v) for v in value if v is not None])
    if isinstance(value, bytes):
        return Strings([str(c) for c in value])
    if value is None:
        return Strings()
    return Strings([strval(value)])


def join(separator: str, value: Any) -> str:
    return separator.join(strslice(value))


def _go_split(value: str, separator: str, count: int = -1) -> list[str]:
    """strings.SplitN."""
    if count == 0:
        return []
    if separator == "":
        chars = list(value)
        if 0 < count < len(chars):
            chars = [*chars[: count - 1], "".join(chars[count - 1 :])]
        return chars
    return value.split(separator) if count < 0 else value.split(separator, count - 1)


def split_list(separator: str, value: str) -> Strings:
    return Strings(_go_split(value, separator))


def split(separator: str, value: str) -> StringMap:
    return StringMap({f"_{i}": v for i, v in enumerate(_go_split(value, separator))})


def splitn(separator: str, count: int, value: str) -> StringMap:
    return StringMap({f"_{i}": v for i, v in enumerate(_go_split(value, separator, count))})


def sort_alpha(value: Any) -> Strings:
    if kind_of(value) == "slice":
        return Strings(sorted(strslice(value)))
    return Strings([strval(value)])


def atoi(value: str) -> int:
    return parse_int(value, 10) or 0


# ---------------------------------------------------------------- encodings and sums


def b64enc(value: str) -> str:
    return base64.b64encode(encode(value)).decode()


_B64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_B32 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def b64dec(value: str) -> str:
    try:
        return decode(decode_base64(value))
    except ValueError as problem:
        return str(problem)


def decode_base64(value: str) -> bytes:
    """`base64.StdEncoding.DecodeString`: line ends are skipped; raises ValueError with Go's text."""
    return _decode(encode(value), _B64, 4, base64.b64decode, "illegal base64 data at input byte")


def b32enc(value: str) -> str:
    return base64.b32encode(encode(value)).decode()


def b32dec(value: str) -> str:
    try:
        return decode(_decode(encode(value), _B32, 8, base64.b32decode, "illegal base32 data at input byte"))
    except ValueError as problem:
        return str(problem)


def _decode(
    data: bytes, alphabet: frozenset[int], group: int, decoder: Callable[[bytes], bytes], word: str
) -> bytes:
    clean = data.replace(b"\n", b"").replace(b"\r", b"")
    body = clean.rstrip(b"=")
    places = [i for i, c in enumerate(data) if c not in b"\r\n"]
    for at, octet in enumerate(body):
        if octet not in alphabet:
            raise ValueError(f"{word} {places[at]}")
    tail = len(body) % group
    needs = (group - tail) % group
    pads = len(clean) - len(body)
    valid = (0, 2, 3) if group == 4 else (0, 2, 4, 5, 7)
    if pads < needs or tail not in valid:
        at = len(clean) if pads < needs and tail in valid else len(body)
        if group == 4 and pads == 0:
            at = len(clean) - tail
        raise ValueError(f"{word} {places[at] if at < len(places) else len(data)}")
    if pads > needs:
        raise ValueError(f"{word} {places[len(body) + needs]}")
    try:
        return decoder(clean)
    except binascii.Error:
        raise ValueError(f"{word} {len(data)}") from None


def sha1sum(value: str) -> str:
    return hashlib.sha1(encode(value), usedforsecurity=False).hexdigest()


def sha256sum(value: str) -> str:
    return hashlib.sha256(encode(value)).hexdigest()


def sha512sum(value: str) -> str:
    return hashlib.sha512(encode(value)).hexdigest()


def adler32sum(value: str) -> str:
    return str(zlib.adler32(encode(value)))
