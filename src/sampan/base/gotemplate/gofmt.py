"""Go's fmt: Sprint, Sprintln, Sprintf over the values of `gotypes`.

Source of behaviour: Go 1.26 `fmt` (print.go, format.go).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sampan.base.gotemplate.gotypes import Duration, Struct, is_nil, kind_of, type_of
from sampan.base.gotemplate.strconv import (
    can_backquote,
    decode,
    encode,
    format_float,
    quote,
    quote_rune,
)

_LIMIT = 1_000_000  # tooLarge of fmt: no width or precision above it
_SIGNED = ("int", "int64", "int32")
_STRINGY = "vsxXq"


def text(value: Any) -> str:
    """One value as `%v` prints it: the hot path of `{{ }}`, print and toString."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return float_text(value)
    if value is None:
        return "<nil>"
    if isinstance(value, (dict, list, bytes)):
        out: list[str] = []
        _plain(value, out)
        return "".join(out)
    return _Printer().one(value, "v")


_BYTES = tuple(map(str, range(256)))


@lru_cache(maxsize=64)
def _octets(value: bytes) -> str:
    return "[" + " ".join([_BYTES[c] for c in value]) + "]"


def _plain(value: Any, out: list[str]) -> None:
    """`%v` without flags into `out`: charts print whole scopes, files included."""
    kind = type(value)
    if kind is str:
        out.append(value)
    elif isinstance(value, dict):
        mark = "map["
        for key in sorted(value):
            out.append(f"{mark}{key}:")
            _plain(value[key], out)
            mark = " "
        out.append("]" if value else "map[]")
    elif isinstance(value, list):
        mark = "["
        for item in value:
            out.append(mark)
            _plain(item, out)
            mark = " "
        out.append("]" if value else "[]")
    elif kind is bytes:
        out.append(_octets(value))
    elif isinstance(value, Struct) and type_of(value).startswith("*"):
        printer = _Printer()
        printer.value(value, "v", 1)
        out += printer.out
    else:
        out.append(text(value))


def float_text(value: float) -> str:
    """A float64 as `%v`."""
    if -1e6 < value < 1e6 and value == (whole := int(value)) and (whole or str(value)[0] != "-"):
        return str(whole)
    return format_float(value)


def sprint(args: tuple[Any, ...]) -> str:
    """`fmt.Sprint`: a space between two operands when neither is a string."""
    if len(args) == 1:
        return text(args[0])
    out: list[str] = []
    previous = True
    for arg in args:
        is_string = type(arg) is str
        if not is_string and not previous:
            out.append(" ")
        out.append(text(arg))
        previous = is_string
    return "".join(out)


def sprintln(args: tuple[Any, ...]) -> str:
    """`fmt.Sprintln`."""
    return " ".join(map(text, args)) + "\n"


_SIMPLE = re.compile(r"%([sdvq%])")


@lru_cache(maxsize=1024)
def _simple_plan(form: str) -> tuple[str, str] | None:
    """A format of plain verbs only, as a Python template and the verbs; None when it needs the full printer."""
    verbs: list[str] = []
    parts: list[str] = []
    at = 0
    for match in _SIMPLE.finditer(form):
        literal = form[at : match.start()]
        if "%" in literal:
            return None
        parts.append(literal)
        if match[1] == "%":
            parts.append("%%")
        else:
            parts.append("%s")
            verbs.append(match[1])
        at = match.end()
    tail = form[at:]
    if "%" in tail:
        return None
    return "".join((*parts, tail)), "".join(verbs)


def sprintf(form: str, args: tuple[Any, ...]) -> str:
    """`fmt.Sprintf`."""
    plan = _simple_plan(form)
    if plan is not None and len(plan[1]) == len(args):
        out: list[str] = []
        for verb, arg in zip(plan[1], args, strict=True):
            kind = type(arg)
            if kind is str:
                if verb == "d":
                    break
                out.append(quote(arg) if verb == "q" else arg)
            elif verb == "v":
                out.append(text(arg))
            elif verb == "d" and kind is int:
                out.append(str(arg))
            else:
                break
        else:
            return plan[0] % tuple(out)
    return _Printer().format(form, args)


class _Printer:
    """One call of Sprintf: flags of the verb at hand and what is written so far."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.erroring = False
        self.reordered = False
        self.good_index = True
        self.clear()

    def clear(self) -> None:
        self.sharp = self.zero = self.plus = self.minus = self.space = False
        self.sharp_v = self.plus_v = False
        self.width: int | None = None
        self.precision: int | None = None

    def one(self, value: Any, verb: str) -> str:
        self.arg(value, verb)
        return "".join(self.out)

    # ------------------------------------------------------------ padding

    def pad(self, piece: str, *, zero: bool | None = None) -> None:
        if self.width:
            missing = self.width - len(piece)
            if missing > 0:
                if self.minus:
                    piece += " " * missing
                else:
                    use_zero = self.zero if zero is None else zero
                    piece = ("0" if use_zero else " ") * missing + piece
        self.out.append(piece)

    # ------------------------------------------------------------ values

    def bad_verb(self, verb: str, value: Any) -> None:
        self.erroring = True
        self.out.append(f"%!{verb}(")
        if value is None:
            self.out.append("<nil>")
        else:
            self.out.append(type_of(value) + "=")
            self.value(value, "v", 0)
        self.out.append(")")
        self.erroring = False

    def arg(self, value: Any, verb: str) -> None:
        if value is None:
            if verb in "Tv":
                self.pad("<nil>")
            else:
                self.bad_verb(verb, value)
        elif verb == "T":
            self.string(type_of(value), "s", value)
        elif verb == "p":
            self.bad_verb(verb, value)
        elif isinstance(value, bytes):
            self.octets(value, verb, "[]byte")
        else:
            self.value(value, verb, 0)

    def value(self, value: Any, verb: str, depth: int) -> None:
        if value is None:
            self.out.append("interface {}(nil)" if self.sharp_v else "<nil>")
            return
        if isinstance(value, (Struct, Duration)) and self.stringer(value, verb):
            return
        kind = kind_of(value)
        if kind == "string":
            self.string(value, verb, value)
        elif kind == "bool":
            if verb in "tv":
                self.pad("true" if value else "false")
            else:
                self.bad_verb(verb, value)
        elif isinstance(value, int):
            self.integer(int(value), verb, value, signed=kind in _SIGNED)
        elif kind == "float64":
            self.real(value, verb, value)
        elif kind == "complex128":
            self.imaginary(value, verb)
        elif kind == "map":
            self.map(value, verb, depth)
        elif isinstance(value, bytes):
            self.bytes_value(value, verb, depth)
        elif kind == "slice":
            self.slice(value, verb, depth)
        else:
            self.struct(value, verb, depth)

    def stringer(self, value: Any, verb: str) -> bool:
        if self.erroring or self.sharp_v:
            return False
        if verb == "w":
            self.bad_verb(verb, value)
            return True
        if verb not in _STRINGY:
            return False
        if isinstance(value, Duration):
            from sampan.base.gotemplate.gotime import duration_text

            said: str | None = duration_text(value)
        else:
            said = value.go_string()
        if said is None:
            return False
        self.string(said, verb, value)
        return True

    def map(self, value: dict[Any, Any], verb: str, depth: int) -> None:
        if self.sharp_v:
            self.out.append(type_of(value))
            if is_nil(value):
                self.out.append("(nil)")
                return
        self.out.append("{" if self.sharp_v else "map[")
        for place, key in enumerate(sorted(value)):
            if place:
                self.out.append(", " if self.sharp_v else " ")
            self.value(key, verb, depth + 1)
            self.out.append(":")
            self.value(value[key], verb, depth + 1)
        self.out.append("}" if self.sharp_v else "]")

    def slice(self, value: list[Any], verb: str, depth: int) -> None:
        if self.sharp_v:
            self.out.append(type_of(value))
            if is_nil(value):
                self.out.append("(nil)")
                return
        self.out.append("{" if self.sharp_v else "[")
        for place, item in enumerate(value):
            if place:
                self.out.append(", " if self.sharp_v else " ")
            self.value(item, verb, depth + 1)
        self.out.append("}" if self.sharp_v else "]")

    def struct(self, value: Any, verb: str, depth: int) -> None:
        name = type_of(value)
        if name.startswith("*") and depth > 0:
            self.out.append("0xc000000000")  # an address: Go prints one, and no chart can rely on it
            return
        if name.startswith("*"):
            self.out.append("&")
            name = name[1:]
        self.out.append((name if self.sharp_v else "") + "{")
        for place, field in enumerate(value.printed or value.fields):
            if place:
                self.out.append(", " if self.sharp_v else " ")
            if self.sharp_v or self.plus_v:
                self.out.append(field + ":")
            self.value(getattr(value, field), verb, depth + 1)
        self.out.append("}")

    # ------------------------------------------------------------ strings

    def string(self, value: str, verb: str, whole: Any) -> None:
        if verb == "s" or (verb == "v" and not self.sharp_v):
            self.pad(value if self.precision is None else value[: self.precision])
        elif verb in "qv":
            self.quoted(value)
        elif verb in "xX":
            self.hexadecimal(encode(value), verb)
        else:
            self.bad_verb(verb, whole)

    def quoted(self, value: str) -> None:
        if self.precision is not None:
            value = value[: self.precision]
        if self.sharp and can_backquote(value):
            self.pad(f"`{value}`")
        else:
            self.pad(quote(value, ascii_only=self.plus))

    def hexadecimal(self, data: bytes, verb: str) -> None:
        if self.precision is not None:
            data = data[: self.precision]
        if not data:
            self.pad("")
            return
        lead = ("0x" if verb == "x" else "0X") if self.sharp else ""
        form = "%02x" if verb == "x" else "%02X"
        if self.space:
            piece = " ".join(lead + form % c for c in data)
        else:
            piece = lead + "".join(form % c for c in data)
        self.pad(piece)

    def octets(self, value: bytes, verb: str, name: str) -> None:
        if verb in "vd":
            if self.sharp_v:
                self.out.append(name + "{" + ", ".join(f"{c:#x}" for c in value) + "}")
                return
            self.out.append("[")
            for place, octet in enumerate(value):
                if place:
                    self.out.append(" ")
                self.number(octet, 10, verb)
            self.out.append("]")
        elif verb == "s":
            self.pad(decode(value) if self.precision is None else decode(value)[: self.precision])
        elif verb in "xX":
            self.hexadecimal(value, verb)
        elif verb == "q":
            self.quoted(decode(value))
        else:
            self.bytes_value(value, verb, 0)

    def bytes_value(self, value: bytes, verb: str, depth: int) -> None:
        if verb in "sqxX":
            self.octets(value, verb, "[]uint8")
        elif self.sharp_v:
            self.octets(value, "v", "[]uint8")
        else:
            from sampan.base.gotemplate.gotypes import Uint8

            self.slice([Uint8(c) for c in value], verb, depth)

    # ------------------------------------------------------------ numbers

    def integer(self, value: int, verb: str, whole: Any, *, signed: bool) -> None:
        if verb == "v" and self.sharp_v and not signed:
            self.sharp = True
            self.number(value, 16, "v")
            self.sharp = False
        elif verb in "vd":
            self.number(value, 10, verb)
        elif verb == "b":
            self.number(value, 2, verb)
        elif verb in "oO":
            self.number(value, 8, verb)
        elif verb in "xX":
            self.number(value, 16, verb)
        elif verb == "c":
            code = value if 0 <= value <= 0x10FFFF and not 0xD800 <= value <= 0xDFFF else 0xFFFD
            self.pad(chr(code))
        elif verb == "q":
            self.pad(quote_rune(value, ascii_only=self.plus))
        elif verb == "U":
            self.unicode(value)
        else:
            self.bad_verb(verb, whole)

    def number(self, value: int, base: int, verb: str) -> None:
        negative, size = value < 0, abs(value)
        least = 0
        if self.precision is not None:
            least = self.precision
            if least == 0 and size == 0:
                self.out.append(" " * (self.width or 0))
                return
        elif self.zero and not self.minus and self.width is not None:
            least = self.width - (1 if negative or self.plus or self.space else 0)
        digits = f"{size:{ {2: 'b', 8: 'o', 10: 'd', 16: 'X' if verb == 'X' else 'x'}[base] }}".rjust(
            least, "0"
        )
        if self.sharp:
            if base == 2:
                digits = "0b" + digits
            elif base == 8 and not digits.startswith("0"):
                digits = "0" + digits
            elif base == 16:
                digits = ("0X" if verb == "X" else "0x") + digits
        if verb == "O":
            digits = "0o" + digits
        sign = "-" if negative else "+" if self.plus else " " if self.space else ""
        self.pad(sign + digits, zero=False)

    def unicode(self, value: int) -> None:
        value &= (1 << 64) - 1
        piece = "U+" + f"{value:X}".rjust(max(4, self.precision or 0), "0")
        if self.sharp and value <= 0x10FFFF and chr(value).isprintable():
            piece += f" '{chr(value)}'"
        self.pad(piece, zero=False)

    def real(self, value: float, verb: str, whole: Any) -> None:
        if verb == "v":
            self.floating(value, "g", -1)
        elif verb in "bgGxX":
            self.floating(value, verb, -1)
        elif verb in "feE":
            self.floating(value, verb, 6)
        elif verb == "F":
            self.floating(value, "f", 6)
        else:
            self.bad_verb(verb, whole)

    def floating(self, value: float, verb: str, precision: int) -> None:
        if self.precision is not None:
            precision = self.precision
        number = format_float(value, verb, precision)
        if number[0] not in "+-":
            number = "+" + number
        if self.space and number[0] == "+" and not self.plus:
            number = " " + number[1:]
        if number[1] in "IN":
            if number[1] == "N" and not self.space and not self.plus:
                number = number[1:]
            self.pad(number, zero=False)
            return
        if self.sharp and verb != "b":
            number = self.with_point(number, verb, precision)
        if self.plus or number[0] != "+":
            if self.zero and not self.minus and self.width is not None and self.width > len(number):
                self.out.append(number[0] + "0" * (self.width - len(number)) + number[1:])
                return
            self.pad(number)
            return
        self.pad(number[1:])

    @staticmethod
    def with_point(number: str, verb: str, precision: int) -> str:
        """`%#g`: the point is kept, and so are trailing zeros."""
        digits = 0
        if verb in "vgGx":
            digits = 6 if precision == -1 else precision
        tail = ""
        for mark in "pP" if verb in "xX" else "eE":
            head, sep, rest = number.partition(mark)
            if sep:
                number, tail = head, mark + rest
        has_point = "." in number
        body = number[1:].replace(".", "").removeprefix("0x").removeprefix("0X")
        digits -= len(body.lstrip("0"))
        if not has_point:
            if number[1:] == "0":
                digits -= 1
            number += "."
        return number + "0" * max(0, digits) + tail

    def imaginary(self, value: complex, verb: str) -> None:
        if verb not in "vbgGxXfFeE":
            self.bad_verb(verb, value)
            return
        plus = self.plus
        self.out.append("(")
        self.real(value.real, verb, value)
        self.plus = True
        self.real(value.imag, verb, value)
        self.out.append("i)")
        self.plus = plus

    # ------------------------------------------------------------ formats

    def format(self, form: str, args: tuple[Any, ...]) -> str:
        index, at, end = 0, 0, len(form)
        while at < end:
            self.good_index = True
            mark = form.find("%", at)
            if mark < 0:
                self.out.append(form[at:])
                break
            self.out.append(form[at:mark])
            at, index = self.verb(form, mark + 1, args, index)
        if not self.reordered and index < len(args):
            self.leftover(args[index:])
        return "".join(self.out)

    def leftover(self, args: tuple[Any, ...]) -> None:
        self.clear()
        self.out.append("%!(EXTRA ")
        for place, arg in enumerate(args):
            if place:
                self.out.append(", ")
            if arg is None:
                self.out.append("<nil>")
            else:
                self.out.append(type_of(arg) + "=")
                self.arg(arg, "v")
        self.out.append(")")

    def verb(self, form: str, at: int, args: tuple[Any, ...], index: int) -> tuple[int, int]:
        end = len(form)
        self.clear()
        while at < end and form[at] in "#0+- ":
            setattr(
                self, {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}[form[at]], True
            )
            at += 1
        index, at, after = self.index(index, form, at, len(args))
        at, index, after = self.read_width(form, at, args, index, after)
        at, index, after = self.read_precision(form, at, args, index, after)
        if not after:
            index, at, after = self.index(index, form, at, len(args))
        if at >= end:
            self.out.append("%!(NOVERB)")
            return at, index
        verb = form[at]
        at += 1
        if verb == "%":
            self.out.append("%")
        elif not self.good_index:
            self.out.append(f"%!{verb}(BADINDEX)")
        elif index >= len(args):
            self.out.append(f"%!{verb}(MISSING)")
        else:
            if verb in "vw":
                self.sharp_v, self.sharp = self.sharp, False
                self.plus_v, self.plus = self.plus, False
            self.arg(args[index], verb)
            index += 1
        return at, index

    def read_width(
        self, form: str, at: int, args: tuple[Any, ...], index: int, after: bool
    ) -> tuple[int, int, bool]:
        if form[at : at + 1] == "*":
            self.width, index = self.int_arg(args, index)
            if self.width is None:
                self.out.append("%!(BADWIDTH)")
            elif self.width < 0:
                self.width, self.minus, self.zero = -self.width, True, False
            return at + 1, index, False
        self.width, at = _number(form, at)
        if after and self.width is not None:
            self.good_index = False
        return at, index, after

    def read_precision(
        self, form: str, at: int, args: tuple[Any, ...], index: int, after: bool
    ) -> tuple[int, int, bool]:
        if at + 1 >= len(form) or form[at] != ".":
            return at, index, after
        at += 1
        if after:
            self.good_index = False
        index, at, after = self.index(index, form, at, len(args))
        if form[at : at + 1] == "*":
            self.precision, index = self.int_arg(args, index)
            if self.precision is not None and self.precision < 0:
                self.precision = None
            if self.precision is None:
                self.out.append("%!(BADPREC)")
            return at + 1, index, False
        precision, at = _number(form, at)
        self.precision = precision or 0
        return at, index, after

    @staticmethod
    def int_arg(args: tuple[Any, ...], index: int) -> tuple[int | None, int]:
        if index >= len(args):
            return None, index
        value = args[index]
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LIMIT:
            return None, index + 1
        return int(value), index + 1

    def index(self, index: int, form: str, at: int, count: int) -> tuple[int, int, bool]:
        """An explicit argument index, `[n]`."""
        if form[at : at + 1] != "[":
            return index, at, False
        self.reordered = True
        close = form.find("]", at)
        if close < 0 or len(form) - at < 3:
            self.good_index = False
            return index, at + 1, False
        number, stop = _number(form, at + 1)
        if number is None or stop != close:
            self.good_index = False
            return index, close + 1, False
        if 1 <= number <= count:
            return number - 1, close + 1, True
        self.good_index = False
        return index, close + 1, True


def _number(form: str, at: int) -> tuple[int | None, int]:
    start = at
    while at < len(form) and "0" <= form[at] <= "9":
        at += 1
    if at == start:
        return None, at
    value = int(form[start:at])
    return (None, len(form)) if value > _LIMIT else (value, at)
