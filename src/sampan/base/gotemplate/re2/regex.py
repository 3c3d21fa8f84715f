"""`Regex`: the methods of Go's `regexp.Regexp` that templates reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from sampan.base.gotemplate.re2 import pike, syntax, translate
from sampan.base.gotemplate.strconv import can_backquote, quote

Span = tuple[int, ...]


class Regex:
    """A compiled pattern. Positions are characters."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        parsed = syntax.parse(pattern)
        self.names = parsed.names
        self.parsed = parsed
        self.repeats = translate.unbounded(parsed.root)
        self.fast: re.Pattern[str] | None = None
        if self.repeats is not None:
            try:
                self.fast = translate.compile_(parsed.root)
            except (re.error, OverflowError):
                self.fast = None
        self.program: pike.Program | None = None

    def match_at(self, text: str, start: int, want: bool = True) -> Span | None:
        """The positions of the match and its groups at or after `start`."""
        if (
            self.fast is not None
            and self.repeats is not None
            and translate.affordable(self.repeats, len(text))
        ):
            found = self.fast.search(text, start)
            if found is None:
                return None
            return tuple(p for i in range(len(self.names)) for p in found.span(i))
        if self.program is None:
            self.program = pike.Program(self.parsed)
        return self.program.run(text, start, want)

    def match(self, text: str) -> bool:
        return self.match_at(text, 0, False) is not None

    def find(self, text: str) -> str:
        found = self.match_at(text, 0)
        return text[found[0] : found[1]] if found else ""

    def spans(self, text: str, limit: int) -> Iterator[Span]:
        """All matches; an empty one directly behind another match does not count."""
        if limit < 0:
            limit = len(text) + 1
        at, count, previous = 0, 0, -1
        while count < limit and at <= len(text):
            found = self.match_at(text, at)
            if found is None:
                return
            accept = True
            if found[1] == at:
                accept = found[0] != previous
                at += 1
            else:
                at = found[1]
            previous = found[1]
            if accept:
                yield found
                count += 1

    def find_all(self, text: str, limit: int) -> list[str] | None:
        """None where there is no match, as Go's nil slice."""
        return [text[s[0] : s[1]] for s in self.spans(text, limit)] or None

    def replace(self, text: str, expand: Callable[[Span], str]) -> str:
        out: list[str] = []
        last = at = 0
        while at <= len(text):
            found = self.match_at(text, at)
            if found is None:
                break
            out.append(text[last : found[0]])
            if found[1] > last or found[0] == 0:
                out.append(expand(found))
            last = found[1]
            at = max(at + 1, found[1])
        out.append(text[last:])
        return "".join(out)

    def replace_template(self, text: str, template: str) -> str:
        """`ReplaceAllString`: `$1`, `${name}` and `$$` in the template."""
        if "$" not in template:
            return self.replace(text, lambda _: template)
        parts = _template(template)

        def expand(found: Span) -> str:
            return "".join(p if isinstance(p, str) else self.group(text, found, p[0]) for p in parts)

        return self.replace(text, expand)

    def group(self, text: str, found: Span, name: str) -> str:
        if name.isdecimal() and name.isascii():
            number = int(name)
            if number >= len(self.names):
                return ""
        elif name in self.names[1:]:
            number = self.names.index(name, 1)
        else:
            return ""
        low, high = found[2 * number], found[2 * number + 1]
        return text[low:high] if low >= 0 else ""

    def split(self, text: str, limit: int) -> list[str] | None:
        if limit == 0:
            return None
        if self.pattern and not text:
            return [""]
        out: list[str] = []
        begin = end = 0
        for found in self.spans(text, limit):
            if limit > 0 and len(out) == limit - 1:
                break
            end = found[0]
            if found[1] != 0:
                out.append(text[begin:end])
            begin = found[1]
        if end != len(text):
            out.append(text[begin:])
        return out


_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def _template(template: str) -> list[str | tuple[str]]:
    """A replacement as literal text and group names."""
    out: list[str | tuple[str]] = []
    at = 0
    for found in _REFERENCE.finditer(template):
        out.append(template[at : found.start()])
        out.append("$" if found[1] else (found[2] or found[3],))
        at = found.end()
    out.append(template[at:])
    return out


@lru_cache(maxsize=512)
def compile(pattern: str) -> Regex:
    """Raises syntax.RegexError."""
    return Regex(pattern)


def must_text(pattern: str, problem: syntax.RegexError) -> str:
    """What `regexp.MustCompile` panics with."""
    shown = f"`{pattern}`" if can_backquote(pattern) else quote(pattern)
    return f"regexp: Compile({shown}): {problem}"


_META = re.compile(r"[\\.+*?()|\[\]{}^$]")


def quote_meta(text: str) -> str:
    """`regexp.QuoteMeta`."""
    return _META.sub(r"\\\g<0>", text)
