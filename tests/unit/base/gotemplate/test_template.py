from __future__ import annotations

from typing import Any, ClassVar

import pytest

from sampan.base.gotemplate import builtins, codegen, gotypes, runtime
from sampan.base.gotemplate.errors import ExecError, ParseError
from sampan.base.gotemplate.gotypes import Func, GoError, Int64, StringMap, Struct
from sampan.base.gotemplate.template import Environment, Execution, TemplateSet


class Point(Struct):
    go_type = "main.Point"
    fields = ("X", "Y")
    methods: ClassVar[dict[str, Func]] = {"Sum": Func(lambda p, n: p.X + p.Y + n, ("int",), False, "int")}

    def __init__(self) -> None:
        self.X, self.Y = 1, 2


def refuse(message: str) -> str:
    raise GoError(message)


FUNCTIONS = {
    "upper": Func(str.upper, ("string",), False, "string"),
    "refuse": Func(refuse, ("string",), False, "string"),
    "list": Func(lambda *a: list(a), ("interface {}",), True, "[]interface {}"),
    "include": Func(
        lambda run, name, data: run.run_named(name, data), ("string", "interface {}"), False, "string", True
    ),
}
ENVIRONMENT = Environment(FUNCTIONS, frozenset({"Sum"}))


def run(text: str, data: Any = None) -> str:
    templates = TemplateSet(ENVIRONMENT, "root")
    templates.add("t", text)
    return Execution(templates).run_named("t", data)


def failure(text: str, data: Any = None) -> str:
    with pytest.raises(ExecError) as caught:
        run(text, data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("{{ .a }}{{ .missing }}", "1<no value>"),
        ("{{ range .l }}{{ . }},{{ end }}", "x,<no value>,2,"),
        ("{{ range $k, $v := .m }}{{ $k }}{{ $v }}{{ end }}", "a1b2"),
        ("{{ range .none }}x{{ else }}none{{ end }}", "none"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range .l }}{{ if . }}{{ continue }}{{ end }}{{ break }}{{ end }}ok", "ok"),
        ("{{ with .m }}{{ .a }}{{ else }}n{{ end }}{{ with .none }}{{ else with 5 }}{{ . }}{{ end }}", "15"),
        (
            "{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x = 3 }}{{ end }}{{ $x }}{{ range .l }}{{ $x = 9 }}{{ end }}{{ $x }}",
            "19",
        ),
        ('{{ define "d" }}[{{ . }}]{{ end }}{{ template "d" .a }}{{ template "d" }}', "[1][<no value>]"),
        ("{{ (.none).x.y }}|{{ $n := .none }}{{ $n.x }}", "<no value>|<no value>"),
        ("{{ and .a 0 }}{{ or 0 .a }}{{ not .a }}{{ .a | and 2 }}", "01false1"),
        ("{{ .p.X }}{{ .p.Sum 4 }}{{ 5 | .p.Sum }}", "178"),
        ("{{ .s.x }}|{{ .s.nope }}|", "y||"),
        ('{{ len "é" }}{{ len .l }}{{ index .l 0 }}{{ index .m "zz" }}', "23x<no value>"),
        ("{{ 1_000 }} {{ 0x10 }} {{ 1.0 }} {{ 'a' }} {{ 1i }}", "1000 16 1 97 (0+1i)"),
        (
            '{{ eq .a 1 }}{{ eq "a" "b" "a" }}{{ ne .none 1 }}{{ lt 1 2 }}{{ ge "b" "a" }}',
            "truetruetruetruetrue",
        ),
    ],
)
def test_execution(text: str, out: str) -> None:
    data = {
        "a": 1,
        "l": ["x", None, 2],
        "m": {"b": 2, "a": 1},
        "none": None,
        "p": Point(),
        "s": StringMap({"x": "y"}),
    }
    assert run(text, data) == out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("é\n {{ .a.b.c }}", 't:2:6: executing "t" at <.a.b.c>: nil pointer evaluating interface {}.c'),
        ("{{ .s.x }}", 't:1:5: executing "t" at <.s.x>: can\'t evaluate field x in type interface {}'),
        ("{{ (.s).x }}", 't:1:4: executing "t" at <.s>: can\'t evaluate field x in type string'),
        (
            "{{ upper .a }}",
            't:1:9: executing "t" at <.a>: wrong type for value; expected string; got map[string]interface {}',
        ),
        ("{{ upper 1 }}", 't:1:9: executing "t" at <1>: expected string; found 1'),
        ("{{ .none | upper }}", 't:1:11: executing "t" at <upper>: invalid value; expected string'),
        (
            "{{ upper .none }}",
            't:1:9: executing "t" at <.none>: wrong type for value; expected string; got interface {}',
        ),
        ("{{ upper }}", 't:1:3: executing "t" at <upper>: wrong number of args for upper: want 1 got 0'),
        ('{{ refuse "no" }}', 't:1:3: executing "t" at <refuse "no">: error calling refuse: no'),
        (
            "{{ eq 1 1.5 }}",
            't:1:3: executing "t" at <eq 1 1.5>: error calling eq: incompatible types for comparison: int and float64',
        ),
        ("{{ range .s }}{{ end }}", 't:1:9: executing "t" at <.s>: range can\'t iterate over x'),
        ("{{ nil }}", 't:1:3: executing "t" at <nil>: nil is not a command'),
        (
            '{{ template "nope" }}',
            't:1:12: executing "t" at <{{template "nope"}}>: template "nope" not defined',
        ),
        ('{{ .p.Sum "x" }}', 't:1:10: executing "t" at <"x">: expected integer; found "x"'),
        (
            "{{ .p.Nope }}",
            't:1:5: executing "t" at <.p.Nope>: can\'t evaluate field Nope in type interface {}',
        ),
        (
            "{{ 9223372036854775808 }}",
            't:1:3: executing "t" at <9223372036854775808>: 9223372036854775808 overflows int',
        ),
    ],
)
def test_failures_name_the_place(text: str, message: str) -> None:
    data = {"a": {}, "s": "x", "none": None, "p": Point()}
    assert failure(text, data) == "template: " + message


def test_an_included_failure_keeps_both_places() -> None:
    text = '{{ define "d" }}{{ .x.y }}{{ end }}\n{{ include "d" . }}'
    said = failure(text, {})
    assert said.startswith(
        'template: t:2:3: executing "t" at <include "d" .>: error calling include: template: t:1:'
    )
    assert said.endswith('executing "d" at <.x.y>: nil pointer evaluating interface {}.y')


def test_a_template_action_does_not_wrap() -> None:
    said = failure('{{ define "d" }}{{ .x.y }}{{ end }}{{ template "d" . }}', {})
    assert said == 'template: t:1:21: executing "d" at <.x.y>: nil pointer evaluating interface {}.y'


def test_endless_recursion_is_an_error() -> None:
    assert "templates nest too deeply" in failure(
        '{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}'
    )


def test_a_later_definition_wins_unless_it_is_empty() -> None:
    templates = TemplateSet(ENVIRONMENT, "root")
    templates.add("a", '{{ define "x" }}1{{ end }}')
    templates.add("b", '{{ define "x" }}2{{ end }}{{ template "x" }}')
    templates.add("c", '{{ define "x" }} {{ end }}{{ template "x" }}')
    assert Execution(templates).run_named("c", None) == "2"
    copy = templates.clone()
    copy.add("d", '{{ define "x" }}3{{ end }}')
    assert Execution(templates).run_named("c", None) == "2"


def test_compiled_texts_are_taken_from_the_cache() -> None:
    cache: dict[str, bytes] = {}
    for _ in range(2):
        environment = Environment(FUNCTIONS, cache=cache)
        templates = TemplateSet(environment, "root")
        templates.add("t", "{{ upper .a }}")
        assert Execution(templates).run_named("t", {"a": "x"}) == "X"
        with pytest.raises(ExecError, match="t:1:9"):
            Execution(templates).run_named("t", {"a": 1})
    assert len(cache) == 1


def test_a_broken_cache_entry_is_compiled_again() -> None:
    cache: dict[str, bytes] = {}
    Environment(FUNCTIONS, cache=cache).templates("t", "x")
    cache.update(dict.fromkeys(cache, b"rubbish"))
    assert [t.name for t in Environment(FUNCTIONS, cache=cache).templates("t", "x")] == ["t"]


def test_unknown_names() -> None:
    templates = TemplateSet(ENVIRONMENT, "root")
    with pytest.raises(GoError, match='no template "nope" associated with template "root"'):
        Execution(templates).run_named("nope", None)
    with pytest.raises(ParseError):
        templates.add("t", "{{ nofunc }}")


def test_types_have_gos_names() -> None:
    values: list[Any] = [None, True, 1, Int64(1), 1.5, "x", [], {}, b"", 1j, Point(), StringMap()]
    assert [gotypes.type_of(v) for v in values] == [
        "<nil>", "bool", "int", "int64", "float64", "string", "[]interface {}", "map[string]interface {}", "[]uint8",
        "complex128", "main.Point", "map[string]string",
    ]  # fmt: skip
    assert gotypes.kind_of(Point()) == "struct"


def test_html_js_and_queries() -> None:
    assert builtins.html("<a b='c'>&\"") == "&lt;a b=&#39;c&#39;&gt;&amp;&#34;"
    assert builtins.js("it's <b>\n") == "it\\'s \\u003Cb\\u003E\\u000A"
    assert builtins.urlquery("a b&é") == "a+b%26%C3%A9"


def test_helpers_of_generated_code() -> None:
    assert runtime.field3({"a": {"b": {"c": 1}}}, "a", "b", "c") == 1
    assert runtime.range_two({"b": 1, "a": 2}) == [("a", 2), ("b", 1)]
    assert codegen.LITERALS["int"] == "integer"
