"""The lexer of Go's text/template. Source of behaviour: Go 1.26 text/template/parse/lex.go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sampan.base.gotemplate.strconv import quote

ERROR, BOOL, CHAR, CHAR_CONSTANT, COMPLEX = "error", "bool", "char", "char constant", "complex"
ASSIGN, DECLARE, EOF, FIELD, IDENTIFIER = "assign", "declare", "eof", "field", "identifier"
LEFT_DELIM, RIGHT_DELIM, LEFT_PAREN, RIGHT_PAREN = "left delim", "right delim", "(", ")"
NUMBER, PIPE, RAW_STRING, SPACE, STRING, TEXT = "number", "pipe", "raw string", "space", "string", "text"
VARIABLE, DOT, NIL = "variable", "dot", "nil"
KEYWORDS = frozenset(
    ("block", "break", "continue", "define", "else", "end", "if", "range", "template", "with", "nil")
)


class Token(NamedTuple):
    kind: str
    pos: int
    text: str
    line: int

    def show(self) -> str:
        """The token as error texts name it."""
        if self.kind == EOF:
            return "EOF"
        if self.kind == ERROR:
            return self.text
        if self.kind in KEYWORDS or self.kind == DOT:
            return f"<{self.text}>"
        if len(self.text.encode("utf-8", "surrogateescape")) > 10:
            return quote(self.text[:10]) + "..."
        return quote(self.text)


_SPACES = " \t\r\n"
_BLANK = re.compile(r"[ \t\r\n]*")
_INSIDE = re.compile(
    r"(?P<right>(?:[ \t\r\n]-)?\}\})"
    r"|(?P<space>[ \t\r\n]+)"
    r'|(?P<string>"(?:[^"\\\n]|\\[^\n])*")'
    r"|(?P<raw>`[^`]*`)"
    r"|(?P<field>\.\w+)(?=[ \t\r\n.,|:)(]|\}\}|\Z)"
    r"|(?P<variable>\$\w*)(?=[ \t\r\n.,|:)(]|\}\}|\Z)"
    r"|(?P<word>[^\W\d]\w*)(?=[ \t\r\n.,|:)(]|\}\}|\Z)"
    r"|(?P<punct>:=|[=|()])"
    r"|(?P<char>'(?:[^'\\\n]|\\[^\n])*')"
)
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_PUNCT = {":=": DECLARE, "=": ASSIGN, "|": PIPE, "(": LEFT_PAREN, ")": RIGHT_PAREN}


def is_word(char: str) -> bool:
    """A letter, a digit or an underscore, as Unicode has them."""
    return char == "_" or char.isalpha() or char.isdecimal()


def show_rune(char: str) -> str:
    """`%#U` of a character."""
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")


class Lexer:
    """Tokens of one text, lazily: an error behind the place where the parser stops never shows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0

    def line(self, pos: int) -> int:
        """The line of a position, from 1."""
        return 1 + self.text.count("\n", 0, pos)

    def error(self, pos: int, message: str) -> Token:
        return Token(ERROR, pos, message, self.line(pos))

    def tokens(self) -> Iterator[Token]:
        text, pos, line = self.text, 0, 1
        while True:
            at = text.find("{{", pos)
            if at < 0:
                if pos < len(text):
                    yield Token(TEXT, pos, text[pos:], line)
                    line += text.count("\n", pos)
                yield Token(EOF, len(text), "EOF", line)
                return
            trim = text[at + 2 : at + 3] == "-" and text[at + 3 : at + 4] in (" ", "\t", "\r", "\n")
            literal = text[pos:at]
            if trim:
                literal = literal.rstrip(_SPACES)
            if literal:
                yield Token(TEXT, pos, literal, line)
            line += text.count("\n", pos, at)
            after = at + (4 if trim else 2)
            if text.startswith("/*", after):
                start = after
                close = text.find("*/", start + 2)
                if close < 0:
                    yield self.error(start, "unclosed comment")
                    return
                right = _INSIDE.match(text, close + 2)
                if right is None or right.lastgroup != "right":
                    yield self.error(start, "comment ends before closing delimiter")
                    return
                pos = self.skip(right)
                line += text.count("\n", at, pos)
                continue
            yield Token(LEFT_DELIM, at, "{{", line)
            line += text.count("\n", at, after)
            self.depth = 0
            token = Token(LEFT_DELIM, after, "", line)
            for token in self.inside(after, line):
                yield token
            if token.kind == ERROR:
                return
            pos = token.pos + 2
            if self.trimmed:
                pos = self.past_space(pos)
            line = token.line + text.count("\n", token.pos, pos)

    trimmed = False

    def skip(self, right: re.Match[str]) -> int:
        """The position behind a right delimiter and the space that its marker trims."""
        return right.end() if right.end() - right.start() == 2 else self.past_space(right.end())

    def past_space(self, pos: int) -> int:
        match = _BLANK.match(self.text, pos)
        return match.end() if match else pos

    def inside(self, pos: int, line: int) -> Iterator[Token]:
        """The tokens of one action up to and with its right delimiter, or an error token."""
        text = self.text
        while True:
            match = _INSIDE.match(text, pos)
            kind = match.lastgroup if match else None
            if match is None or kind is None:
                token = self.rare(pos, line)
                yield token
                if token.kind == ERROR:
                    return
                pos = token.pos + len(token.text)
                continue
            word = match[0]
            start, pos = pos, match.end()
            if kind == "right":
                if self.depth:
                    yield Token(ERROR, start, "unclosed left paren", line)
                    return
                self.trimmed = len(word) > 2
                if self.trimmed:
                    line += word.count("\n")
                yield Token(RIGHT_DELIM, pos - 2, "}}", line)
                return
            if kind == "space":
                if text.startswith("-}}", pos) and len(word) > 1:
                    word, pos = word[:-1], pos - 1
                yield Token(SPACE, start, word, line)
                line += word.count("\n")
            elif kind == "word":
                if not word.isascii() and not all(map(is_word, word)):
                    yield self.bad_word(start, line)
                    return
                yield Token(
                    word if word in KEYWORDS else BOOL if word in ("true", "false") else IDENTIFIER,
                    start,
                    word,
                    line,
                )
            elif kind == "field":
                if "0" <= word[1] <= "9":
                    token = self.rare(start, line)
                    yield token
                    if token.kind == ERROR:
                        return
                    pos = token.pos + len(token.text)
                    continue
                yield Token(FIELD, start, word, line)
            elif kind == "punct":
                if word == "(":
                    self.depth += 1
                elif word == ")":
                    self.depth -= 1
                    if self.depth < 0:
                        yield Token(ERROR, start, "unexpected right paren", line)
                        return
                yield Token(_PUNCT[word], start, word, line)
            elif kind == "raw":
                yield Token(RAW_STRING, start, word, line)
                line += word.count("\n")
            else:
                yield Token(
                    {"string": STRING, "variable": VARIABLE, "char": CHAR_CONSTANT}[kind], start, word, line
                )

    def bad_word(self, pos: int, line: int) -> Token:
        """A word, field or variable that is followed by what may not follow it."""
        at = pos + (1 if self.text[pos] in ".$" else 0)
        while at < len(self.text) and is_word(self.text[at]):
            at += 1
        return Token(ERROR, pos, f"bad character {show_rune(self.text[at])}", line)

    def rare(self, pos: int, line: int) -> Token:
        """What the table does not hold: numbers, a lone dot, other characters, errors."""
        text = self.text
        if pos >= len(text):
            return Token(ERROR, pos, "unclosed action", line)
        char = text[pos]
        if char == '"':
            return Token(ERROR, pos, "unterminated quoted string", line)
        if char == "`":
            return Token(ERROR, pos, "unterminated raw quoted string", line)
        if char == "'":
            return Token(ERROR, pos, "unterminated character constant", line)
        if char == ":":
            return Token(ERROR, pos, "expected :=", line)
        following = text[pos + 1 : pos + 2]
        if char == "." and following and not "0" <= following <= "9":
            if following in " \t\r\n.,|:)(" or text.startswith("}}", pos + 1):
                return Token(DOT, pos, ".", line)
            return self.bad_word(pos, line)
        if char in "+-." or "0" <= char <= "9":
            return self.number(pos, line)
        if char == "$" or is_word(char):
            return self.bad_word(pos, line)
        if char.isascii() and char.isprintable():
            return Token(CHAR, pos, char, line)
        return Token(ERROR, pos, f"unrecognized character in action: {show_rune(char)}", line)

    def number(self, pos: int, line: int) -> Token:
        end, good = self.scan_number(pos)
        if good and self.text[end : end + 1] in ("+", "-"):
            end, good = self.scan_number(end)
            if good and self.text[end - 1] == "i":
                return Token(COMPLEX, pos, self.text[pos:end], line)
            good = False
        if not good:
            return Token(ERROR, pos, f"bad number syntax: {quote(self.text[pos:end])}", line)
        return Token(NUMBER, pos, self.text[pos:end], line)

    def scan_number(self, pos: int) -> tuple[int, bool]:
        match = _NUMBER.match(self.text, pos)
        end = match.end() if match else pos
        if end < len(self.text) and is_word(self.text[end]):
            return end + 1, False
        return end, True
