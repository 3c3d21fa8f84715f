"""The lexer of Go's text/template. Source of behaviour: Go 1.26 text/template/parse/lex.go."""

from __future__ import annotations

import re
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


_new = tuple.__new__  # a NamedTuple's own constructor takes twice as long
_SPACES = " \t\r\n"
_BLANK = re.compile(r"[ \t\r\n]*")
_ENDS = r"(?=[ \t\r\n.,|:)(]|\}\}|\Z)"  # what a word may be followed by
_INSIDE = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    rf"|(?P<field>\.(?![0-9])\w+){_ENDS}"
    rf"|(?P<word>(?![0-9])\w+){_ENDS}"
    r"|(?P<right>\}\})"
    r'|(?P<string>"(?:[^"\\\n]|\\[^\n])*")'
    rf"|(?P<variable>\$\w*){_ENDS}"
    r"|(?P<punct>:=|[=|()])"
    r"|(?P<number>[0-9]+)(?=[ \t\r\n)]|\}\})"
    r"|(?P<dot>\.)(?=[ \t\r\n,|:)(]|\}\})"
    r"|(?P<raw>`[^`]*`)"
    r"|(?P<char>'(?:[^'\\\n]|\\[^\n])*')"
)
_KINDS = {
    "field": FIELD, "string": STRING, "variable": VARIABLE, "number": NUMBER, "dot": DOT, "char": CHAR_CONSTANT,
    "raw": RAW_STRING,
}  # fmt: skip
_RIGHT = re.compile(r"(?:[ \t\r\n]-)?\}\}")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_WORDS = {**{word: word for word in KEYWORDS}, "true": BOOL, "false": BOOL}
_PUNCT = {":=": DECLARE, "=": ASSIGN, "|": PIPE, "(": LEFT_PAREN, ")": RIGHT_PAREN}


def is_word(char: str) -> bool:
    """A letter, a digit or an underscore, as Unicode has them."""
    return char == "_" or char.isalpha() or char.isdecimal()


def show_rune(char: str) -> str:
    """`%#U` of a character."""
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")


class Lexer:
    """The tokens of one text. An error is the last of them, and shows only if the parser comes so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Token] = []

    def line(self, pos: int) -> int:
        """The line of a position, from 1."""
        return 1 + self.text.count("\n", 0, pos)

    def tokens(self) -> list[Token]:
        text, pos, line, found = self.text, 0, 1, self.found
        while True:
            at = text.find("{{", pos)
            if at < 0:
                if pos < len(text):
                    found.append(Token(TEXT, pos, text[pos:], line))
                    line += text.count("\n", pos)
                found.append(Token(EOF, len(text), "EOF", line))
                return found
            trim = text[at + 2 : at + 3] == "-" and text[at + 3 : at + 4] in (" ", "\t", "\r", "\n")
            literal = text[pos:at]
            if trim:
                literal = literal.rstrip(_SPACES)
            if literal:
                found.append(Token(TEXT, pos, literal, line))
            line += text.count("\n", pos, at)
            after = at + (4 if trim else 2)
            if text.startswith("/*", after):
                pos = self.comment(after)
                if pos < 0:
                    return found
            else:
                found.append(Token(LEFT_DELIM, at, "{{", line))
                pos = self.inside(after, line + text.count("\n", at, after))
                if pos < 0:
                    return found
            line += text.count("\n", at, pos)

    def error(self, pos: int, message: str, line: int) -> int:
        self.found.append(Token(ERROR, pos, message, line))
        return -1

    def comment(self, start: int) -> int:
        """The position behind a comment, or -1 behind an error."""
        close = self.text.find("*/", start + 2)
        if close < 0:
            return self.error(start, "unclosed comment", self.line(start))
        right = _RIGHT.match(self.text, close + 2)
        if right is None:
            return self.error(start, "comment ends before closing delimiter", self.line(start))
        return right.end() if len(right[0]) == 2 else self.past_space(right.end())

    def past_space(self, pos: int) -> int:
        match = _BLANK.match(self.text, pos)
        return match.end() if match else pos

    def inside(self, pos: int, line: int) -> int:
        """Find the tokens of one action; the position behind its right delimiter, or -1 behind an error."""
        text, add, match_at = self.text, self.found.append, _INSIDE.match
        depth = 0
        trimmed = False
        while True:
            match = match_at(text, pos)
            kind = match.lastgroup if match else None
            if match is None or kind is None:
                token = self.rare(pos, line)
                add(token)
                if token.kind == ERROR:
                    return -1
                pos = token.pos + len(token.text)
                continue
            word = match[0]
            start, pos = pos, match.end()
            if kind == "space":
                if text.startswith("-}}", pos):
                    if len(word) > 1:
                        add(_new(Token, (SPACE, start, word[:-1], line)))
                    pos, trimmed = pos + 1, True
                else:
                    add(_new(Token, (SPACE, start, word, line)))
                line += word.count("\n")
            elif kind == "word":
                if not word.isascii() and not all(map(is_word, word)):
                    return self.error(*self.bad_word(start, line)[1:])
                add(_new(Token, (_WORDS.get(word, IDENTIFIER), start, word, line)))
            elif kind == "right":
                if depth:
                    return self.error(start, "unclosed left paren", line)
                add(_new(Token, (RIGHT_DELIM, start, "}}", line)))
                return self.past_space(pos) if trimmed else pos
            elif kind == "punct":
                if word == "(":
                    depth += 1
                elif word == ")":
                    depth -= 1
                    if depth < 0:
                        return self.error(start, "unexpected right paren", line)
                add(_new(Token, (_PUNCT[word], start, word, line)))
            else:
                add(_new(Token, (_KINDS[kind], start, word, line)))
                if kind == "raw":
                    line += word.count("\n")

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
