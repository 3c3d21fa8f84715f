"""The parser of RE2's syntax: a pattern becomes a tree. Errors carry Go's texts.

Source of behaviour: Go 1.26 regexp/syntax/parse.go with the Perl flags.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from sampan.base.gotemplate.gotypes import GoError
from sampan.base.gotemplate.re2 import classes as cc

MAX_REPEAT = 1000
MAX_NESTING = 1000
MAX_SIZE = 100_000  # instructions that repeats may unfold to


class RegexError(GoError):
    """`error parsing regexp: ...`"""

    def __init__(self, what: str, expression: str) -> None:
        super().__init__(f"error parsing regexp: {what}: `{expression}`")


class Node:
    """Base of the tree."""

    __slots__ = ()


class Chars(Node):
    """One character out of a set."""

    __slots__ = ("ranges",)

    def __init__(self, ranges: cc.Ranges) -> None:
        self.ranges = ranges


class Empty(Node):
    """Matches nothing at a place: `^ $ \\A \\z \\b \\B (?m)^ (?m)$`, or always when `kind` is empty."""

    __slots__ = ("kind",)

    def __init__(self, kind: str = "") -> None:
        self.kind = kind


class Group(Node):
    __slots__ = ("body", "number")

    def __init__(self, number: int, body: Node) -> None:
        self.number, self.body = number, body


class Sequence(Node):
    __slots__ = ("parts",)

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts


class Choice(Node):
    __slots__ = ("parts",)

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts


class Repeat(Node):
    """`most` is None for no limit."""

    __slots__ = ("body", "greedy", "least", "most")

    def __init__(self, body: Node, least: int, most: int | None, greedy: bool) -> None:
        self.body, self.least, self.most, self.greedy = body, least, most, greedy


class Pattern(NamedTuple):
    """A parsed expression. `names[i]` is the name of group i, or empty."""

    root: Node
    names: list[str]


class _Flags(NamedTuple):
    fold: bool = False
    multi: bool = False
    dot_all: bool = False
    ungreedy: bool = False


_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.flags = _Flags()
        self.names = [""]
        self.depth = 0

    def fail(self, what: str, expression: str) -> NoReturn:
        raise RegexError(what, expression)

    def peek(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def parse(self) -> Pattern:
        root = self.choice()
        if self.at < len(self.text):
            self.fail("unexpected )", self.text)
        if _size(root) > MAX_SIZE:
            self.fail("expression too large", self.text)
        return Pattern(root, self.names)

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.fail("expression nests too deeply", self.text)
        outer = self.flags
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        self.flags = outer
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Choice(parts)

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.at < len(self.text) and self.peek() not in "|)":
            start = self.at
            quoted = self.literal_run()
            if quoted is not None:
                parts += quoted
                if not quoted or self.peek() not in ("*", "+", "?", "{"):
                    continue
                node: Node | None = parts.pop()
            else:
                if self.peek() in "*+?":
                    self.fail("missing argument to repetition operator", self.peek())
                node = self.repeat_only(start) or self.atom()
            if node is not None:
                parts.append(self.repeats(node))
        return parts[0] if len(parts) == 1 else Sequence(parts)

    def repeat_only(self, start: int) -> Node | None:
        """A `{` where nothing can be repeated: a literal, unless it reads as a repeat."""
        if self.peek() == "{" and self.bounds() is not None:
            self.fail("missing argument to repetition operator", self.text[start : self.at])
        return None

    def literal_run(self) -> list[Node] | None:
        """`\\Q...\\E`"""
        if self.peek(2) != "\\Q":
            return None
        stop = self.text.find("\\E", self.at)
        body = self.text[self.at + 2 : stop if stop >= 0 else None]
        self.at = stop + 2 if stop >= 0 else len(self.text)
        return [self.char(ord(c)) for c in body]

    def char(self, code: int) -> Chars:
        ranges: cc.Ranges = ((code, code),)
        return Chars(cc.fold(ranges) if self.flags.fold else ranges)

    def repeats(self, node: Node) -> Node:
        last = ""
        while self.at < len(self.text):
            start = self.at
            char = self.peek()
            if char in "*+?":
                self.at += 1
                least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[char]
            elif char == "{":
                found = self.bounds()
                if found is None:
                    return node
                least, most = found
                if least > MAX_REPEAT or (most or 0) > MAX_REPEAT or (most is not None and most < least):
                    self.fail("invalid repeat count", self.text[start : self.at])
            else:
                return node
            greedy = not self.flags.ungreedy
            if self.peek() == "?":
                self.at += 1
                greedy = not greedy
            if last:
                self.fail("invalid nested repetition operator", last + self.text[start : self.at])
            last = self.text[start : self.at]
            if _repeat_depth(node) * max(least, most or 0, 1) > MAX_REPEAT:
                self.fail("invalid repeat count", last)
            node = Repeat(node, least, most, greedy)
        return node

    def bounds(self) -> tuple[int, int | None] | None:
        """`{n}`, `{n,}`, `{n,m}`; None (and no move) when it is literal text."""
        stop = self.text.find("}", self.at)
        body = self.text[self.at + 1 : stop] if stop >= 0 else ""
        low, comma, high = body.partition(",")
        if not low.isdecimal() or not low.isascii() or (high and not (high.isdecimal() and high.isascii())):
            return None
        if (len(low) > 1 and low[0] == "0") or (len(high) > 1 and high[0] == "0"):
            return None
        self.at = stop + 1
        least = int(low) if len(low) < 9 else MAX_REPEAT + 1
        most = least if not comma else None if not high else int(high) if len(high) < 9 else MAX_REPEAT + 1
        return least, most

    def atom(self) -> Node | None:
        char = self.peek()
        if char == "(":
            return self.group()
        if char == "[":
            return Chars(self.bracket())
        if char == ".":
            self.at += 1
            return Chars(cc.ANY if self.flags.dot_all else cc.NOT_NEWLINE)
        if char == "^":
            self.at += 1
            return Empty("bol" if self.flags.multi else "begin")
        if char == "$":
            self.at += 1
            return Empty("eol" if self.flags.multi else "end")
        if char == "\\":
            return self.escape()
        self.at += 1
        return self.char(ord(char))

    def group(self) -> Node | None:
        start = self.at
        if self.peek(2) == "(?":
            if self.peek(4) == "(?P<" or (self.peek(3) == "(?<" and self.peek(4) not in ("(?<=", "(?<!")):
                return self.named(start)
            return self.flag_group(start)
        self.at += 1
        return self.capture("", start)

    def named(self, start: int) -> Node:
        stop = self.text.find(">", self.at)
        if stop < 0:
            self.fail("invalid named capture", self.text[start:])
        name = self.text[self.text.index("<", start) + 1 : stop]
        whole = self.text[start : stop + 1]
        if not name or not all(c == "_" or (c.isascii() and c.isalnum()) for c in name):
            self.fail("invalid named capture", whole)
        if name in self.names:
            self.fail("duplicate capture group name", name)
        self.at = stop + 1
        return self.capture(name, start)

    def capture(self, name: str, start: int) -> Node:
        number = len(self.names)
        self.names.append(name)
        body = self.choice()
        self.close()
        return Group(number, body)

    def close(self) -> None:
        if self.peek() != ")":
            self.fail("missing closing )", self.text)
        self.at += 1

    def flag_group(self, start: int) -> Node | None:  # noqa: RET503  (fail never returns)
        self.at += 2
        flags, on, some = self.flags, True, False
        while self.at < len(self.text):
            char = self.peek()
            self.at += 1
            if char in "imsU":
                field = {"i": "fold", "m": "multi", "s": "dot_all", "U": "ungreedy"}[char]
                flags = flags._replace(**{field: on})
                some = True
            elif char == "-" and on:
                on, some = False, False
            elif char in ":)" and (on or some):
                if char == ")":
                    self.flags = flags
                    return None
                outer, self.flags = self.flags, flags
                body = self.choice()
                self.flags = outer
                self.close()
                return body
            else:
                break
        else:
            self.fail("missing closing )", self.text)
        self.fail("invalid or unsupported Perl syntax", self.text[start : self.at])

    def escape(self) -> Node:
        start = self.at
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            self.fail("trailing backslash at end of expression", "")
        if following in "AzbB":
            self.at += 2
            return Empty({"A": "begin", "z": "end", "b": "word", "B": "not word"}[following])
        ranges = self.class_escape()
        if ranges is not None:
            return Chars(ranges)
        self.at = start
        return self.char(self.char_escape())

    def class_escape(self) -> cc.Ranges | None:
        r"""`\d`, `\pL` and their kin at the current place; None when it is another escape."""
        start, kind = self.at, self.text[self.at + 1 : self.at + 2]
        if kind.lower() in cc.PERL and kind:
            self.at += 2
            ranges = cc.PERL[kind.lower()]
            if self.flags.fold:
                ranges = cc.fold(ranges)
            return cc.negate(ranges) if kind.isupper() else ranges
        if kind not in ("p", "P"):
            return None
        negative = kind == "P"
        self.at += 2
        if self.peek() == "{":
            stop = self.text.find("}", self.at)
            if stop < 0:
                self.fail("invalid character class range", self.text[start:])
            name = self.text[self.at + 1 : stop]
            self.at = stop + 1
        else:
            name = self.peek()
            self.at += 1
        if name.startswith("^"):
            negative, name = not negative, name[1:]
        found = cc.unicode_class(name)
        if found is None:
            self.fail("invalid character class range", self.text[start : self.at])
        if self.flags.fold:
            found = cc.fold(found)
        return cc.negate(found) if negative else found

    def char_escape(self) -> int:  # noqa: RET503  (fail never returns)
        """The code point of an escape at the current place."""
        start = self.at
        char = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char and char in "01234567":
            if char != "0" and self.peek() not in tuple("01234567"):
                self.fail("invalid escape sequence", self.text[start : self.at])
            digits = char
            while len(digits) < 3 and self.peek() in tuple("01234567"):
                digits += self.peek()
                self.at += 1
            return int(digits, 8)
        if char == "x":
            return self.hex_escape(start)
        if not char:
            self.fail("trailing backslash at end of expression", "")
        if char < "\x80" and not char.isalnum():
            return ord(char)
        self.fail("invalid escape sequence", self.text[start : self.at])

    def hex_escape(self, start: int) -> int:
        if self.peek() == "{":
            stop = self.text.find("}", self.at)
            digits = self.text[self.at + 1 : stop] if stop >= 0 else ""
            self.at = stop + 1 if stop >= 0 else len(self.text)
        else:
            digits = self.peek(2)
            self.at += 2
            if len(digits) < 2:
                digits = ""
        if not digits or any(c not in "0123456789abcdefABCDEF" for c in digits) or int(digits, 16) > cc.MAX:
            self.fail("invalid escape sequence", self.text[start : self.at])
        return int(digits, 16)

    def bracket(self) -> cc.Ranges:
        start = self.at
        self.at += 1
        negative = self.peek() == "^"
        if negative:
            self.at += 1
        found: list[tuple[int, int]] = []
        first = True
        while self.peek() != "]" or first:
            if self.at >= len(self.text):
                self.fail("missing closing ]", self.text[start:])
            first = False
            if self.peek(2) == "[:":
                stop = self.text.find(":]", self.at + 2)
                if stop >= 0:
                    found += self.posix(stop)
                    continue
            if self.peek() == "\\":
                ranges = self.class_escape()
                if ranges is not None:
                    found += ranges
                    continue
            found += self.span(start)
        self.at += 1
        ranges = cc.normal(found)
        return cc.negate(ranges) if negative else ranges

    def posix(self, stop: int) -> cc.Ranges:
        whole = self.text[self.at : stop + 2]
        name = self.text[self.at + 2 : stop]
        negative = name.startswith("^")
        known = cc.POSIX.get(name.removeprefix("^"))
        if known is None:
            self.fail("invalid character class range", whole)
        self.at = stop + 2
        if self.flags.fold:
            known = cc.fold(known)
        return cc.negate(known) if negative else known

    def span(self, start: int) -> list[tuple[int, int]]:
        place = self.at
        low = high = self.class_char(start)
        if self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self.class_char(start)
            if high < low:
                self.fail("invalid character class range", self.text[place : self.at])
        ranges: cc.Ranges = ((low, high),)
        return list(cc.fold(ranges) if self.flags.fold else ranges)

    def class_char(self, start: int) -> int:
        if self.at >= len(self.text):
            self.fail("missing closing ]", self.text[start:])
        if self.peek() == "\\":
            return self.char_escape()
        code = ord(self.peek())
        self.at += 1
        return code


def _repeat_depth(node: Node) -> int:
    """How often nested bounded repeats unfold."""
    if isinstance(node, Repeat):
        return _repeat_depth(node.body) * max(node.least, node.most or 0, 1)
    if isinstance(node, Group):
        return _repeat_depth(node.body)
    if isinstance(node, (Sequence, Choice)):
        return max(map(_repeat_depth, node.parts), default=1)
    return 1


def _size(node: Node) -> int:
    if isinstance(node, Repeat):
        return _size(node.body) * max(node.least, node.most or 0, 1) + 2
    if isinstance(node, Group):
        return _size(node.body) + 2
    if isinstance(node, (Sequence, Choice)):
        return sum(map(_size, node.parts)) + len(node.parts)
    return 1


def parse(text: str) -> Pattern:
    """Parse a pattern. Raises RegexError."""
    return _Parser(text).parse()
