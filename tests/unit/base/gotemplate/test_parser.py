from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.base.gotemplate import lexer, nodes, numbers
from sampan.base.gotemplate.errors import ParseError
from sampan.base.gotemplate.parser import parse


class AnyFunction:
    def __contains__(self, name: object) -> bool:
        return name != "nofunc"


def shown(text: str) -> str:
    return str(parse("t", text, AnyFunction())[-1].root)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a{{- .b -}} c", "a{{.b}}c"),
        (
            "{{ if .a }}x{{ else if .b }}y{{ else }}z{{ end }}",
            "{{if .a}}x{{else}}{{if .b}}y{{else}}z{{end}}{{end}}",
        ),
        ("{{ with .a }}x{{ else with .b }}y{{ end }}", "{{with .a}}x{{else}}{{with .b}}y{{end}}{{end}}"),
        (
            "{{ range $i, $v := .l }}{{ break }}{{ else }}n{{ end }}",
            "{{range $i, $v := .l}}{{break}}{{else}}n{{end}}",
        ),
        ('{{ $x := (f .a | g "b").c.d }}{{ $x.e }}', '{{$x := (f .a | g "b").c.d}}{{$x.e}}'),
        ('{{ template "n" . }}', '{{template "n" .}}'),
        ("a {{/* c */}} b", "a  b"),
        ("{{ f 'a' 0x1F 1e3 1i nil true . $ `r` | }}", "{{f 'a' 0x1F 1e3 1i nil true . $ `r`}}"),
    ],
)
def test_trees(text: str, tree: str) -> None:
    assert shown(text) == tree


def test_defines_and_blocks_are_trees_of_their_own() -> None:
    trees = parse("t", '{{define "a"}}1{{end}}{{block "b" .}}2{{end}}', AnyFunction())
    assert [t.name for t in trees] == ["a", "b", "t"]
    assert nodes.is_empty(parse("t", " \n{{/* c */}}", AnyFunction())[0].root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nofunc }}", 'template: t:1: function "nofunc" not defined'),
        ("\n{{ .a", "template: t:2: unclosed action"),
        ("{{ \n\n .x", "template: t:3: unclosed action started at t:1"),
        ("{{ if }}{{ end }}", "template: t:1: missing value for if"),
        ("{{ end }}", "template: t:1: unexpected {{end}}"),
        ("{{ if .a }}", "template: t:1: unexpected EOF"),
        ("{{ $x }}", 'template: t:1: undefined variable "$x"'),
        ("{{ 1 | 2 }}", "template: t:1: non executable command in pipeline stage 2"),
        ("{{ (f }}", "template: t:1: unclosed left paren"),
        ("{{ f ) }}", "template: t:1: unexpected right paren"),
        ("{{ .a@ }}", "template: t:1: bad character U+0040 '@'"),
        ("{{ 'ab' }}", "template: t:1: malformed character constant: 'ab'"),
        ('{{ "a }}', "template: t:1: unterminated quoted string"),
        ("{{ break }}", "template: t:1: {{break}} outside {{range}}"),
        ("{{ 12abc }}", 'template: t:1: bad number syntax: "12a"'),
        ("{{ 99999999999999999999 }}", 'template: t:1: integer overflow: "99999999999999999999"'),
        ("{{/* x", "template: t:1: unclosed comment"),
        ("{{/* x */ }}", "template: t:1: comment ends before closing delimiter"),
        ('{{ "x".y }}', 'template: t:1: unexpected . after term "\\"x\\""'),
        ("{{ if 1 }}a{{ else }}b{{ else }}c{{ end }}", "template: t:1: expected end; found {{else}}"),
        ("{{ . + }}", 'template: t:1: unexpected "+" in operand'),
    ],
)
def test_errors(text: str, message: str) -> None:
    if text == "{{ . + }}":
        message = 'template: t:1: illegal number syntax: "+"'
    with pytest.raises(ParseError) as caught:
        parse("t", text, AnyFunction())
    assert str(caught.value) == message


def test_two_definitions_of_one_name() -> None:
    with pytest.raises(ParseError, match='multiple definition of template "a"'):
        parse("t", '{{define "a"}}1{{end}}{{define "a"}}2{{end}}', AnyFunction())


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("1", lexer.NUMBER, (1, 1, 1.0)),
        ("-1", lexer.NUMBER, (-1, None, -1.0)),
        ("1e3", lexer.NUMBER, (1000, 1000, 1000.0)),
        ("1.5", lexer.NUMBER, (None, None, 1.5)),
        ("'a'", lexer.CHAR_CONSTANT, (97, 97, 97.0)),
        ("18446744073709551615", lexer.NUMBER, (None, 2**64 - 1, 2.0**64)),
    ],
)
def test_what_a_number_fits(
    text: str, kind: str, values: tuple[int | None, int | None, float | None]
) -> None:
    node = numbers.parse_number(0, text, kind)
    assert (node.as_int, node.as_uint, node.as_float) == values


@given(st.text(alphabet="{}-/* \n.$abif()|:=\"`'1,\\", max_size=40))
def test_any_text_is_a_template_or_a_positioned_error(text: str) -> None:
    try:
        parse("t", "{{" + text, AnyFunction())
    except ParseError as problem:
        assert str(problem).startswith("template: t:")
