"""The regex functions. Source of behaviour: sprig 3.3 regex.go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.base.gotemplate.gotypes import GoPanic, NilStrings, Strings
from sampan.base.gotemplate.re2 import regex
from sampan.base.gotemplate.re2.syntax import RegexError


def match(pattern: str, text: str) -> bool:
    try:
        return regex.compile(pattern).match(text)
    except RegexError:
        return False


def must_match(pattern: str, text: str) -> bool:
    return regex.compile(pattern).match(text)


def must_find(pattern: str, text: str) -> str:
    return regex.compile(pattern).find(text)


def must_find_all(pattern: str, text: str, limit: int) -> Strings:
    found = regex.compile(pattern).find_all(text, limit)
    return NilStrings() if found is None else Strings(found)


def must_replace(pattern: str, text: str, template: str) -> str:
    return regex.compile(pattern).replace_template(text, template)


def must_replace_literal(pattern: str, text: str, literal: str) -> str:
    return regex.compile(pattern).replace(text, lambda _: literal)


def must_split(pattern: str, text: str, limit: int) -> Strings:
    found = regex.compile(pattern).split(text, limit)
    return NilStrings() if found is None else Strings(found)


def _panics(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(pattern: str, *args: Any) -> Any:
        try:
            return function(pattern, *args)
        except RegexError as problem:
            raise GoPanic(regex.must_text(pattern, problem)) from None

    return called


find = _panics(must_find)
find_all = _panics(must_find_all)
replace = _panics(must_replace)
replace_literal = _panics(must_replace_literal)
split = _panics(must_split)


def quote_meta(text: str) -> str:
    return regex.quote_meta(text)
