"""Each function of sprig by what it gives: `name | arguments | result` (meanings of sprig's own tables)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sampan.base.gotemplate.gotypes import GoError, Int64, NilMap, Strings
from sampan.base.gotemplate.sprig import (
    FUNCTIONS,
    bcrypt,
    cast,
    crypto,
    dates,
    dicts,
    lists,
    maths,
    strings,
    urls,
    words,
)
from sampan.base.gotemplate.sprig.table import func


def call(name: str, *args: Any) -> Any:
    return FUNCTIONS[name].call(*args)


CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("abbrev", (7, "hello world"), "hell..."),
    ("abbrevboth", (5, 10, "1234 5678 9123"), "...5678..."),
    ("trunc", (-3, "hello"), "llo"),
    ("trunc", (2, "日本"), "\udce6\udc97"),
    ("substr", (-1, 2, "hello"), "he"),
    ("title", ("hello o'neil a_b",), "Hello O'Neil A_b"),
    ("untitle", ("Hello World",), "hello world"),
    ("swapcase", ("aBc dEf",), "AbC DeF"),
    ("nospace", ("a b\tc",), "abc"),
    ("initials", ("Foo bar Baz",), "FbB"),
    ("wrap", (10, "the quick brown fox"), "the quick\nbrown fox"),
    ("wrapWith", (5, "-", "Hello longwordhere"), "Hello-longw-ordhe-re"),
    ("quote", ("a", None, 1, 'b"'), '"a" "1" "b\\""'),
    ("squote", ("a'b", None), "'a'b'"),
    ("cat", ("a", None, 1), "a 1"),
    ("indent", (2, "a\n\nb"), "  a\n  \n  b"),
    ("nindent", (1, "a"), "\n a"),
    ("plural", ("one", "many", 2), "many"),
    ("trimAll", ("$", "$x$"), "x"),
    ("trimSuffix", ("-", "a--"), "a-"),
    ("join", (",", [1, None, "a"]), "1,a"),
    ("splitList", ("", "ab"), ["a", "b"]),
    ("split", ("$", "a$b"), {"_0": "a", "_1": "b"}),
    ("splitn", ("$", 2, "a$b$c"), {"_0": "a", "_1": "b$c"}),
    ("sortAlpha", (["b", 3, "a"],), ["3", "a", "b"]),
    ("toStrings", ([1, None],), ["1"]),
    ("b64dec", ("a!c=",), "illegal base64 data at input byte 1"),
    ("b64enc", ("é",), "w6k="),
    ("b32dec", ("MFRGG===",), "abc"),
    ("sha256sum", ("a",), hashlib.sha256(b"a").hexdigest()),
    ("adler32sum", ("abc",), "38600999"),
    ("int", ("0x1f",), 31),
    ("int", ("08",), 0),
    ("int", ("12.0",), 12),
    ("int64", ("1.9",), 0),
    ("int", (1.2e19,), -(1 << 63)),
    ("float64", ("1.5",), 1.5),
    ("atoi", ("12x",), 0),
    ("toDecimal", (755,), 493),
    ("add", ("5", 1.9, 2), 8),
    ("div", (-7, 2), -3),
    ("mod", (-7, 3), -1),
    ("max", (1, 5, 3), 5),
    ("minf", (1.5, 1), 1.0),
    ("addf", (1.1, 2.2), 3.3),
    ("divf", (1, 3), 0.3333333333333333),
    ("round", (1.2345, 2), 1.23),
    ("round", (2.5, 0), 3.0),
    ("round", (123.5555, 3, 0.6), 123.555),
    ("floor", (-1.5,), -2.0),
    ("until", (-3,), [0, -1, -2]),
    ("untilStep", (1, 10, 3), [1, 4, 7]),
    ("seq", (5, -2, 1), "5 3 1"),
    ("seq", (2, 4), "2 3 4"),
    ("default", ("d", 0), "d"),
    ("default", ("d", "x"), "x"),
    ("coalesce", (None, 0, "x"), "x"),
    ("ternary", (1, 2, False), 2),
    ("empty", ([],), True),
    ("all", (1, ""), False),
    ("any", (0, "x"), True),
    ("typeOf", ([],), "[]interface {}"),
    ("kindOf", (None,), "invalid"),
    ("typeIsLike", ("semver.Version", FUNCTIONS["semver"].call("1.0.0")), True),
    ("deepEqual", (1, 1.0), False),
    ("dict", ("a", 1, "odd"), {"a": 1, "odd": ""}),
    ("get", ({"a": None}, "a"), None),
    ("get", ({}, "a"), ""),
    ("pick", ({"a": 1, "b": 2}, "b", "z"), {"b": 2}),
    ("omit", ({"a": 1, "b": 2}, "b"), {"a": 1}),
    ("pluck", ("a", {"a": 1}, {}, {"a": 3}), [1, 3]),
    ("keys", ({"b": 1, "a": 2},), ["a", "b"]),
    ("values", ({"b": 1, "a": 2},), [2, 1]),
    ("dig", ("a", "b", "def", {"a": {"b": 5}}), 5),
    ("dig", ("a", "z", "def", {"a": {}}), "def"),
    ("first", ([],), None),
    ("rest", ([1, 2],), [2]),
    ("initial", ([1, 2],), [1]),
    ("append", ([1], 2), [1, 2]),
    ("prepend", ([1], 0), [0, 1]),
    ("concat", ([1], Strings(["a"])), [1, "a"]),
    ("uniq", ([1, 1, 1.0],), [1, 1.0]),
    ("without", ([1, 2], 2), [1]),
    ("has", (5, [5.0]), False),
    ("compact", ([0, "a", None],), ["a"]),
    ("slice", ([1, 2, 3], 1), [2, 3]),
    ("chunk", (2, [1, 2, 3]), [[1, 2], [3]]),
    ("regexReplaceAll", ("a(x*)b", "-axxb-", "${1}W"), "-xxW-"),
    ("regexFindAll", ("[0-9]", "1a2", -1), ["1", "2"]),
    ("regexMatch", ("(", "x"), False),
    ("regexSplit", ("z", "azb", -1), ["a", "b"]),
    ("semverCompare", ("^1.2", "1.9.0"), True),
    ("toPrettyJson", ({"a": [1]},), '{\n  "a": [\n    1\n  ]\n}'),
    ("toRawJson", ("<",), '"<"'),
    ("fromJson", ("{bad",), None),
    ("urlJoin", ({"scheme": "http", "host": "h", "path": "/a b"},), "http://h/a%20b"),
    ("base", ("/a/b.c",), "b.c"),
    ("dir", ("/a/b",), "/a"),
    ("clean", ("/a/../b/./c//",), "/b/c"),
    ("ext", ("x.tar.gz",), ".gz"),
    ("camelcase", ("http_server",), "HttpServer"),
    ("snakecase", ("HTTP20xOK",), "http_20x_ok"),
    ("kebabcase", ("Bld4Floor3rd",), "bld4-floor-3rd"),
    ("duration", ("95",), "1m35s"),
    ("duration", (95,), "0s"),
    ("durationRound", ("2400h10m5s",), "3mo"),
    ("derivePassword", (1, "long", "password", "user", "example.com"), "ZedaFaxcZaso9*"),
    ("htpasswd", ("a:b", "c"), "invalid username: a:b"),
]


@pytest.mark.parametrize(("name", "args", "result"), CASES)
def test_functions(name: str, args: tuple[Any, ...], result: Any) -> None:
    assert call(name, *args) == result


def test_there_are_all_functions() -> None:
    assert len(FUNCTIONS) == 209


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("div", (1, 0), "runtime error: integer divide by zero"),
        ("first", ("abc",), "Cannot find first on type string"),
        ("append", (None, 1), "runtime error: invalid memory address or nil pointer dereference"),
        ("concat", ("a",), "Cannot concat type string as list"),
        ("slice", ([1], 0, 5), "reflect.Value.Slice: slice index out of bounds"),
        ("dig", ("a", {}), "dig needs at least three arguments"),
        ("regexFind", ("(", "x"), "regexp: Compile(`(`): error parsing regexp: missing closing ): `(`"),
        ("repeat", (-1, "x"), "strings: negative Repeat count"),
        ("set", (NilMap(), "a", 1), "assignment to entry in nil map"),
        ("urlParse", ("http://[::1",), "unable to parse url: parse \"http://[::1\": missing ']' in host"),
        ("mustFromJson", ("{x",), "invalid character 'x' looking for beginning of object key string"),
        ("semverCompare", (">=a", "1"), 'improper constraint: ">=a"'),
    ],
)
def test_errors(name: str, args: tuple[Any, ...], message: str) -> None:
    with pytest.raises(GoError) as caught:
        call(name, *args)
    assert str(caught.value) == message


def test_merge_fills_what_is_empty() -> None:
    target = {"x": 1, "n": {"a": 1, "z": 0}, "e": "", "l": [], "f": False}
    source = {"x": 2, "n": {"a": 5, "b": 6, "z": 7}, "e": "full", "l": [1], "f": True, "new": None}
    assert dicts.merge(target, source) is target
    assert target == {"x": 1, "n": {"a": 1, "b": 6, "z": 7}, "e": "full", "l": [1], "f": True}


def test_merge_overwrite_takes_even_what_is_empty() -> None:
    target = {"x": 1, "n": {"a": 1}, "l": [1], "s": "t"}
    dicts.merge_overwrite(target, {"x": 0, "n": {"a": None, "b": 2}, "l": [], "s": "", "q": None})
    assert target == {"x": 0, "n": {"a": None, "b": 2}, "l": [], "s": "", "q": None}


def test_copies_are_deep_and_keep_their_types() -> None:
    inner = Strings(["a"])
    copied = dicts.deep_copy({"l": inner})
    assert type(copied["l"]) is Strings
    assert copied["l"] is not inner


def test_numbers_are_of_64_bits() -> None:
    assert maths.add((1 << 63) - 1, 1) == -(1 << 63)
    assert type(maths.add(1)) is Int64
    assert cast.to_int(True) == 1
    assert cast.strval(b"x") == "x"


def test_random_values_have_their_form() -> None:
    assert len(call("randAlphaNum", 9)) == 9
    assert call("randNumeric", 4).isdecimal()
    assert 3 <= call("randInt", 3, 5) < 5
    assert len(call("uuidv4")) == 36
    assert sorted(call("shuffle", "abc")) == ["a", "b", "c"]


def test_aes_goes_both_ways() -> None:
    assert crypto.decrypt_aes("key", crypto.encrypt_aes("key", "text")) == "text"


def test_bcrypt_known_answers() -> None:
    salt = bytes.fromhex("10410410410410410410410410410410")
    assert bcrypt.hash_password(b"U*U", salt, 4).startswith("$2a$04$CCCCCCCCCCCCCCCCCCCCC.")
    assert (
        bcrypt.hash_password(b"U*U", salt, 5)
        == "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    )
    with pytest.raises(ValueError, match="72 bytes"):
        bcrypt.hash_password(b"x" * 73, salt, 4)


@pytest.mark.parametrize("password", [b"", b"a", b"x" * 72, b"\xff\xff\xa3345", b"\xff\xa3" * 20])
def test_bcrypt_of_the_system_is_ours(password: bytes) -> None:
    salt = bytes(range(16))
    by_system = bcrypt.by_system(password, bcrypt.hash_password(b"", salt, 4)[4:29])
    assert by_system in (None, bcrypt.by_hand(password, salt, 4))
    assert bcrypt.by_system(password + b"\0", "04$......................") is None


def test_certificates() -> None:
    ca = crypto.gen_ca("ca", 1)
    cert = crypto.gen_signed("cn", ["127.0.0.1"], ["a.example"], 1, ca)
    assert "BEGIN CERTIFICATE" in cert.Cert
    assert "BEGIN RSA PRIVATE KEY" in cert.Key
    again = crypto.build_custom_cert(strings.b64enc(cert.Cert), strings.b64enc(cert.Key))
    assert again.Cert == cert.Cert
    with pytest.raises(GoError, match="error parsing ip: x"):
        crypto.gen_self_signed("cn", ["x"], [], 1)


def test_urls_read_back() -> None:
    parts = urls.url_parse("https://u:p@h.com:80/a%20b?x=1#f")
    assert (parts["host"], parts["hostname"], parts["path"], parts["userinfo"]) == (
        "h.com:80",
        "h.com",
        "/a b",
        "u:p",
    )
    assert urls.url_join(parts) == "https://u:p@h.com:80/a%20b?x=1#f"


def test_dates_of_numbers() -> None:
    assert dates.date_in_zone("2006-01-02 15:04", 0, "UTC") == "1970-01-01 00:00"
    assert dates.unix_epoch(dates.to_date("2006-01-02 MST", "2020-01-01 UTC")) == "1577836800"


def test_words_and_lists() -> None:
    assert words.snake_case("FirstName") == "first_name"
    assert lists.reverse([1, 2]) == [2, 1]


def test_signatures() -> None:
    one = func(len, "string, ...any -> int")
    assert (one.params, one.variadic, one.result) == (("string", "interface {}"), True, "int")
