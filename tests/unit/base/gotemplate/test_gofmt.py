from __future__ import annotations

from typing import Any

import pytest

from sampan.base.gotemplate.gofmt import sprint, sprintf, sprintln, text
from sampan.base.gotemplate.gotypes import Duration, Int64, NilList, NilMap, Strings, Uint8


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "<nil>"),
        (True, "true"),
        (1.0, "1"),
        (1e6, "1e+06"),
        (Int64(5), "5"),
        ("x", "x"),
        ([1, None, "a", [2.5]], "[1 <nil> a [2.5]]"),
        ({"b": 1, "a": {"c": None}}, "map[a:map[c:<nil>] b:1]"),
        (b"ab", "[97 98]"),
        (NilList(), "[]"),
        (NilMap(), "map[]"),
        (Duration(90 * 10**9), "1m30s"),
        (2 + 3j, "(2+3i)"),
    ],
)
def test_values_as_text(value: Any, shown: str) -> None:
    assert text(value) == shown


def test_print_puts_spaces_between_what_is_no_string() -> None:
    assert sprint((1, 2, "a", "b", 3, None, True)) == "1 2a b3 <nil> true".replace("a b", "ab")
    assert sprintln((1, "a")) == "1 a\n"


@pytest.mark.parametrize(
    ("form", "args", "out"),
    [
        ("%s-%d-%v-%q", ("a", 1, None, "b"), 'a-1-<nil>-"b"'),
        ("%5d|%-5d|%05d|%+d", (42, 42, 42, 42), "   42|42   |00042|+42"),
        ("%x %X %#x %o %b %c %U", (255, 255, 255, 8, 5, 65, 65), "ff FF 0xff 10 101 A U+0041"),
        ("%8.3f|%-8.1f|%08.2f|%e", (3.14159, 2.0, -1.5, 1e6), "   3.142|2.0     |-0001.50|1.000000e+06"),
        ("%.2s|%5.1s|%x|% x|%#q", ("abc", "xyz", "hi", "hi", "r"), "ab|    x|6869|68 69|`r`"),
        ("%T %T %T", (1, Int64(1), Strings()), "int int64 []string"),
        (
            "%#v",
            ({"a": [1, "x", None]},),
            'map[string]interface {}{"a":[]interface {}{1, "x", interface {}(nil)}}',
        ),
        ("%d", (1.5,), "%!d(float64=1.5)"),
        ("%s", (None,), "%!s(<nil>)"),
        ("%z", (1,), "%!z(int=1)"),
        ("%d %d", (1,), "1 %!d(MISSING)"),
        ("%d", (1, "x", None), "1%!(EXTRA string=x, <nil>)"),
        ("%!", (), "%!!(MISSING)"),
        ("%", (), "%!(NOVERB)"),
        ("%[2]d %[1]d", (1, 2), "2 1"),
        ("%[3]d", (1,), "%!d(BADINDEX)"),
        ("%*d|%-*d|%.*f", (5, 42, 5, 42, 2, 3.14159), "   42|42   |3.14"),
        ("%*d", ("x", 1), "%!(BADWIDTH)1"),
        ("%d", (["a"],), "[%!d(string=a)]"),
        ("100%%", (), "100%"),
        ("%t", (1,), "%!t(int=1)"),
        ("%v", (Uint8(7),), "7"),
    ],
)
def test_printf(form: str, args: tuple[Any, ...], out: str) -> None:
    assert sprintf(form, args) == out
