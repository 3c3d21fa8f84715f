from __future__ import annotations

import logging
from typing import Any

import pytest

from sampan.charts import capabilities, execerror, files, funcs
from sampan.charts.capabilities import Versions, parse_kube_version
from sampan.charts.errors import ChartError, ManifestError, RenderError
from sampan.charts.manifests import INSTALL_ORDER, UNINSTALL_ORDER, head_of, sort, split
from sampan.charts.model import File
from sampan.charts.render import Options, Release, render, use_cache
from unit.charts.made import chart, child


def rendered(template: str, values: dict[str, Any] | None = None, options: Options | None = None) -> str:
    found = render(chart({"templates/t.yaml": template}), values or {}, Release("r"), None, options)
    return "".join(m.content for m in found.manifests)


def test_manifests_hooks_and_notes() -> None:
    made = chart(
        {
            "templates/b.yaml": "kind: Deployment\n---\n# nothing\n---\nkind: Zebra\n---\nkind: Apple\n",
            "templates/a.yaml": "kind: Service\n---\nkind: ConfigMap\n",
            "templates/hook.yaml": (
                "kind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: 'post-install, TEST-success', "
                "helm.sh/hook-weight: '-5', helm.sh/hook-delete-policy: 'hook-succeeded,Hook-Failed'}}\n"
            ),
            "templates/unknown.yaml": "kind: X\nmetadata: {annotations: {helm.sh/hook: crd-install}}\n",
            "templates/_helpers.tpl": '{{ define "n" }}notes{{ end }}',
            "templates/NOTES.txt": '{{ include "n" . }} of {{ .Release.Name }}',
            **child("kid", {"templates/NOTES.txt": "kid's", "templates/x.yaml": "kind: Namespace"}),
        }
    )
    found = render(made, {}, Release("r"))
    kinds = [m.head.kind for m in found.manifests]
    assert kinds == ["Namespace", "ConfigMap", "Service", "Deployment", "", "Apple", "Zebra"]
    assert found.notes == "notes of r"
    [hook] = found.hooks
    assert (hook.name, hook.events, hook.weight) == ("j", ("post-install", "test"), -5)
    assert hook.delete_policies == ("hook-succeeded", "hook-failed")
    assert found.manifest().startswith("---\n# Source: c/charts/kid/templates/x.yaml\nkind: Namespace\n")
    assert render(made, {}, Release("r"), None, Options(sub_notes=True)).notes == "kid's\nnotes of r"


def test_scopes_of_charts_inside() -> None:
    made = chart(
        {
            "templates/t.yaml": "a: {{ .Subcharts.kid.Values.x }} {{ .Values.kid.x }} {{ .Chart.IsRoot }}\n",
            **child(
                "kid",
                {"values.yaml": "x: 1", "templates/t.yaml": "b: {{ .Values.x }} {{ .Template.Name }}\n"},
            ),
        }
    )
    texts = [m.content for m in render(made, {"kid": {"x": 2}}).manifests]
    assert texts == ["b: 2 c/charts/kid/templates/t.yaml\n", "a: 2 2 true\n"]


def test_a_parents_template_wins() -> None:
    made = chart(
        {
            "templates/_a.tpl": '{{ define "x" }}parent{{ end }}',
            "templates/_b.tpl": '{{ define "x" }}second{{ end }}',
            "templates/t.yaml": 'a: {{ include "x" . }}',
            **child("kid", {"templates/_a.tpl": '{{ define "x" }}kid{{ end }}'}),
        }
    )
    assert render(made, {}).manifests[0].content == "a: parent"


def test_a_library_lends_only_its_partials() -> None:
    made = chart(
        {
            "templates/t.yaml": 'a: {{ include "l" . }}',
            "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n",
            "charts/lib/templates/_l.tpl": '{{ define "l" }}lent{{ end }}',
            "charts/lib/templates/real.yaml": "kind: Never",
        }
    )
    assert [m.content for m in render(made, {}).manifests] == ["a: lent"]


def test_functions_of_a_cluster() -> None:
    asked: list[tuple[str, ...]] = []

    def lookup(*args: str) -> dict[str, Any]:
        asked.append(args)
        return {"found": True}

    text = 'a: {{ (lookup "v1" "Pod" "ns" "n").found }}'
    assert rendered(text, options=Options(lookup=lookup)) == "a: true"
    assert asked == [("v1", "Pod", "ns", "n")]
    assert rendered(text) == "a: "


def test_lint_lets_required_pass(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert (
            rendered('a: {{ required "need" .Values.x }}{{ fail "no" }}', options=Options(lint=True)) == "a: "
        )
    assert "need" in caplog.text
    assert "no" in caplog.text


@pytest.mark.parametrize(
    ("template", "message", "line"),
    [
        ("\na: {{ nofunc }}", 'parse error at (c/templates/t.yaml:2): function "nofunc" not defined', 2),
        (
            "a: {{ .Values.x.y }}",
            'c/templates/t.yaml:1:13\n  executing "c/templates/t.yaml" at <.Values.x.y>:\n'
            "    nil pointer evaluating interface {}.y",
            1,
        ),
        (
            '\n\na: {{ required "need it" .Values.x }}',
            "execution error at (c/templates/t.yaml:3:6): need it",
            3,
        ),
        (
            "a: {{ div 1 0 }}",
            'template: c/templates/t.yaml:1:6: executing "c/templates/t.yaml" at <div 1 0>: error calling div: '
            "runtime error: integer divide by zero",
            1,
        ),
    ],
)
def test_errors_of_templates(template: str, message: str, line: int) -> None:
    with pytest.raises(RenderError) as caught:
        rendered(template)
    assert str(caught.value) == message
    assert (caught.value.file, caught.value.line) == ("c/templates/t.yaml", line)


def test_endless_include_ends() -> None:
    with pytest.raises(RenderError, match="rendering template has a nested reference name: r"):
        rendered('{{ define "r" }}{{ include "r" . }}{{ end }}{{ include "r" . }}')


def test_text_that_is_no_manifest() -> None:
    with pytest.raises(ManifestError) as caught:
        rendered("a: b: c")
    assert str(caught.value).startswith(
        "YAML parse error on c/templates/t.yaml: error converting YAML to JSON: yaml:"
    )
    assert caught.value.files == {"c/templates/t.yaml": "a: b: c"}


def test_kubernetes_that_is_too_old() -> None:
    made = chart({}, more='kubeVersion: ">=1.99"\n')
    with pytest.raises(
        ChartError, match=r"requires kubeVersion: >=1.99 which is incompatible with Kubernetes v1.37.0"
    ):
        render(made, {})
    assert render(made, {}, None, Versions("v1.99.1-gke.5")).manifests == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [("1.30", ("v1.30", "v1.30.0")), ("v1.33.4-gke.1", ("v1.33.4-gke.1", "v1.33.4"))],
)
def test_versions_of_kubernetes(text: str, seen: tuple[str, str]) -> None:
    version = parse_kube_version(text)
    assert (version.Version, version.shown()) == seen


@pytest.mark.parametrize("text", ["", "x", "1", "1.08"])
def test_versions_that_are_none(text: str) -> None:
    with pytest.raises(ChartError):
        parse_kube_version(text)
    assert len(capabilities.DEFAULT_API_VERSIONS) == 57


def test_files_by_pattern() -> None:
    made = files.make([File("a/x.txt", b"1\n2\n"), File("a/b/y.txt", b"3"), File("z.bin", b"\xff")])
    assert sorted(files.glob(made, "a/*.txt")) == ["a/x.txt"]
    assert sorted(files.glob(made, "a/**")) == ["a/b/y.txt", "a/x.txt"]
    assert sorted(files.glob(made, "{a,z}*")) == ["z.bin"]
    assert sorted(files.glob(made, "[!a]*")) == ["z.bin"]
    assert sorted(files.glob(made, "{bad")) == ["a/b/y.txt", "a/x.txt", "z.bin"]
    assert files.lines(made, "a/x.txt") == ["1", "2"]
    assert files.as_config(files.glob(made, "a/*")) == "x.txt: |\n  1\n  2"
    assert files.as_secrets(files.glob(made, "z*")) == "z.bin: /w=="


def test_splitting_streams() -> None:
    assert split("\n---\na: 1\n---   \nb: 2\n\n--- c: 3") == ["a: 1\n", "b: 2\n\n", "c: 3"]
    assert split("x: |\n  ---\n") == ["x: |\n  ---\n"]
    assert set(INSTALL_ORDER) == set(UNINSTALL_ORDER)


def test_heads() -> None:
    head = head_of("apiVersion: v1\nKIND: X\nmetadata: {name: 5, annotations: {a: true}}")
    assert (head.api_version, head.kind, head.name, head.annotations) == ("v1", "X", "5", {"a": "true"})
    assert [m.path for m in sort({"b": "kind: Service", "a": "kind: Service", "_p": "x"}).manifests] == [
        "a",
        "b",
    ]


def test_durations_of_helm() -> None:
    assert funcs.as_duration("90") == 90 * 10**9
    assert execerror.explain_parse("n", funcs.ParseError("odd")).file == "n"


def test_compiled_templates_survive_in_a_cache() -> None:
    cache: dict[str, bytes] = {}
    use_cache(cache)
    try:
        assert rendered("cached: {{ .Release.Name }}") == "cached: r"
    finally:
        use_cache(None)
    assert cache
