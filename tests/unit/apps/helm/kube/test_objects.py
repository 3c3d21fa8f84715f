"""From manifests to targets."""

from __future__ import annotations

import pytest

from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import objects
from unit.apps.helm.fakes import FakeCluster, config_map, run


def build(text: str) -> list[objects.Target]:
    return run(objects.build(FakeCluster(), text, "space"))  # type: ignore[arg-type]


def test_where_objects_go() -> None:
    text = "---\n".join([config_map("a"), config_map("b", "  namespace: other\n")])
    text += "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n"
    a, b, c = build(text)
    assert [(one.namespace, one.name) for one in (a, b, c)] == [("space", "a"), ("other", "b"), ("", "c")]
    assert a.obj["metadata"]["namespace"] == "space"
    assert (a.shown, a.full) == ("ConfigMap/space/a", "space/a /v1, Kind=ConfigMap")


def test_comments_and_empty_documents_are_nothing() -> None:
    assert build("# nothing\n---\n---\n") == []


def test_text_that_is_no_yaml() -> None:
    with pytest.raises(HelmError, match="error parsing manifest: "):
        build("a: [\n")


def test_all_missing_kinds_are_named() -> None:
    text = "apiVersion: x/v1\nkind: A\nmetadata: {name: a}\n---\napiVersion: x/v1\nkind: B\nmetadata: {name: b}\n"
    with pytest.raises(HelmError) as caught:
        build(text)
    assert str(caught.value).startswith('[resource mapping not found for name: "a"')
    assert str(caught.value).endswith("]")
    assert str(caught.value).count("ensure CRDs are installed first") == 2
