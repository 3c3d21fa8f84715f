from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.gotemplate.re2 import classes, pike, regex, syntax, translate


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("(a|ab)(c|bcd)(d*)", "abcd", ["abcd"]),
        ("a*", "baaac", ["", "aaa", ""]),
        ("", "ab", ["", "", ""]),
        ("(?i)HeLLo", "say hello", ["hello"]),
        (r"\w+", "a b-c é", ["a", "b", "c"]),
        ("[[:alpha:]]+", "12ab", ["ab"]),
        ("(?s)a.c", "a\nc", ["a\nc"]),
        ("(?m)^b$", "a\nb\nc", ["b"]),
        ("(?U)a+", "aaa", ["a", "a", "a"]),
        ("a{2,3}?", "aaaa", ["aa", "aa"]),
        (r"\bfoo\b", "foo food", ["foo"]),
        (r"\p{L}+", "é1ß", ["é", "ß"]),
        (r"[^a-z\d]+", "ab-C9", ["-C"]),
        (r"\Qa.b\E+", "a.bbb", ["a.bbb"]),
        ("(a*)*", "aab", ["aa", ""]),
        (r"x{0}y", "y", ["y"]),
        ("[a-]+", "a-a", ["a-a"]),
        (r"\x41\x{42}\103", "ABC", ["ABC"]),
        ("(?i)k", "\u212a", ["\u212a"]),
        ("a{,2}", "a{,2}", ["a{,2}"]),
    ],
)
def test_matches(pattern: str, text: str, found: list[str]) -> None:
    assert regex.compile(pattern).find_all(text, -1) == found


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        (r"\1", "invalid escape sequence: `\\1`"),
        ("x{1001}", "invalid repeat count: `{1001}`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("*a", "missing argument to repetition operator: `*`"),
        ("\\", "trailing backslash at end of expression: ``"),
        (r"\pX", "invalid character class range: `\\pX`"),
        ("(?P<n>a)(?P<n>b)", "duplicate capture group name: `n`"),
        ("((a{100}){100}){100}", "invalid repeat count: `{100}`"),
    ],
)
def test_errors(pattern: str, message: str) -> None:
    with pytest.raises(syntax.RegexError) as caught:
        regex.compile(pattern)
    assert str(caught.value) == f"error parsing regexp: {message}"


def test_replacement() -> None:
    one = regex.compile("a(x*)b(?P<n>c)?")
    assert one.replace_template("-ab-axxb-", "${1}W") == "-W-xxW-"
    assert one.replace_template("-ab-axxb-", "$1W$$") == "-$-$-"
    assert one.replace_template("axbc", "[${n}]") == "[c]"
    assert regex.compile("").replace_template("ab", "-") == "-a-b-"
    assert one.replace("axb", lambda _: "$1") == "$1"


def test_splitting() -> None:
    assert regex.compile("z+").split("pizza", -1) == ["pi", "a"]
    assert regex.compile("a").split("banana", 2) == ["b", "nana"]
    assert regex.compile("").split("abc", -1) == ["a", "b", "c"]
    assert regex.compile("x").split("", -1) == [""]
    assert regex.compile("x").split("axb", 0) is None


def test_quoting_meta_characters() -> None:
    assert regex.quote_meta("1.2*[3]") == r"1\.2\*\[3\]"
    assert (
        regex.must_text("(", syntax.RegexError("x", "("))
        == "regexp: Compile(`(`): error parsing regexp: x: `(`"
    )


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$", "((a?)*)*b"])
def test_what_explodes_elsewhere_runs_in_linear_time(pattern: str) -> None:
    one = regex.compile(pattern)
    assert one.fast is None
    assert not one.match("a" * 3000 + "c")


def test_a_long_text_leaves_the_backtracker() -> None:
    one = regex.compile("a*a*a*b")
    assert one.repeats == 3
    assert not translate.affordable(3, 3000)
    assert not one.match("a" * 300)


_PIECES = st.sampled_from(
    ["a", "b", "[ab]", ".", "a|b", "(a)", "(?:ab)", "a?", "b*", "(a|b)*", "a+?", "^", "$", "c{1,2}"]
)


@given(st.lists(_PIECES, min_size=1, max_size=5), st.text(alphabet="abc", max_size=12))
def test_both_engines_agree_with_python(pieces: list[str], text: str) -> None:
    pattern = "".join(pieces)
    parsed = syntax.parse(pattern)
    machine = pike.Program(parsed).run(text, 0, True)
    if "(a|b)*" in pattern:  # a group that repeats keeps other captures in Python's engine for empty rounds
        return
    expected = re.search(pattern.replace("$", r"\Z"), text)
    assert (machine is None) == (expected is None)
    if machine is not None and expected is not None:
        assert machine[:2] == expected.span()


def test_sets_of_characters() -> None:
    assert classes.negate(((0, 64), (66, classes.MAX))) == ((65, 65),)
    assert classes.normal([(5, 6), (1, 2), (3, 4)]) == ((1, 6),)
    assert classes.fold(((ord("k"), ord("k")),)) == ((75, 75), (107, 107), (0x212A, 0x212A))
    assert classes.unicode_class("Greek") is not None
    assert classes.unicode_class("Nope") is None
