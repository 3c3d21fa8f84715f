"""Names of releases."""

from __future__ import annotations

import re

import pytest

from sampan.apps.helm.cli import naming
from sampan.apps.helm.cli.commands import ROOT
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import parse


def named(*words: str, default: str = "") -> tuple[str, str]:
    return naming.name_and_chart(parse(ROOT, ["install", *words]), default=default)


@pytest.mark.parametrize(
    ("chart", "name"),
    [
        ("./web", "web-7"),
        ("charts/web/", "web-7"),
        ("web-1.2.3.tgz", "web-1-7"),
        (".", "chart-7"),
        ("a.b", "a-7"),
    ],
)
def test_generated(chart: str, name: str) -> None:
    assert naming.generated(chart, 7.9) == name


def test_given_generated_or_by_template() -> None:
    assert named("a", "./web") == ("a", "./web")
    assert named("./web", default="release-name") == ("release-name", "./web")
    name, chart = named("./web", "-g")
    assert re.fullmatch(r"web-\d{10}", name)
    assert chart == "./web"
    assert named("./web", "--name-template", 'x-{{ "Y" | lower }}') == ("x-y", "./web")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("./web",), "must either provide a name or specify --generate-name"),
        (("a", "b", "c", "d"), "expected at most two arguments, unexpected arguments: c, d"),
        (("a", "b", "-g"), "cannot set --generate-name and also specify a name"),
        (("a", "b", "--name-template", "x"), "cannot set --name-template and also specify a name"),
        (("b", "--name-template", "{{ fail 1 }}"), "expected string; found 1"),
        (("b", "--name-template", "{{"), "unclosed action"),
    ],
)
def test_refusals(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(HelmError, match=message):
        named(*words)
