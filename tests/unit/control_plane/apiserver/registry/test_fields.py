from __future__ import annotations

import pytest

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.cache.record import Record, encode
from sampan.control_plane.apiserver.cache.watcher import Filter
from sampan.control_plane.apiserver.registry import fields

PODS = ("", "pods")


def selection(text: str, namespace: str = "", labels: str = "", key: tuple[str, str] = PODS) -> Filter:
    return fields.selection(namespace, labels, text, key, fields.readers(key[0], key))


def record(**spec: object) -> Record:
    obj = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "p"},
        "spec": spec,
        "status": {"podIPs": [{"ip": "10.0.0.1"}]},
    }
    made = Record("/core/pods/a/p", "a", "p", encode(obj), 2, 2)
    made.index = fields.pod_node(obj)
    return made


def test_what_an_index_answers_is_taken_out() -> None:
    found = selection("metadata.name=p,metadata.namespace=a,spec.nodeName=n1")
    assert (found.namespace, found.name, found.indexed, found.fields) == ("a", "p", "n1", None)
    assert not selection("").selective


def test_what_no_index_answers_is_read() -> None:
    assert selection("spec.nodeName!=n2,status.podIP=10.0.0.1").matches(record(nodeName="n1"))
    assert not selection("spec.nodeName!=n1").matches(record(nodeName="n1"))
    assert selection("spec.nodeName=").matches(record())
    assert selection("spec.hostNetwork=false").matches(record())
    assert selection("spec.hostNetwork=true").matches(record(hostNetwork=True))
    assert selection("metadata.name!=q").matches(record())


def test_contradictions_match_nothing() -> None:
    assert not selection("metadata.name=p,metadata.name=q").matches(record())
    assert not selection("metadata.namespace=b", namespace="a").matches(record())


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("spec.nope=1", PODS, "field label not supported: spec.nope"),
        (
            "data.x=1",
            ("", "configmaps"),
            '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        ("a", PODS, "invalid selector"),
    ],
)
def test_what_cannot_be_selected(text: str, key: tuple[str, str], says: str) -> None:
    with pytest.raises(ApiError) as caught:
        selection(text, key=key)
    assert caught.value.code == 400
    assert says in caught.value.message


def test_bad_labels() -> None:
    with pytest.raises(ApiError, match="found '=', expected: identifier"):
        selection("", labels="a===b")


def test_events_have_the_names_of_their_version() -> None:
    event = {"involvedObject": {"name": "p"}, "source": {"component": "kubelet"}, "reason": "R"}
    old = fields.readers("", ("", "events"))
    new = fields.readers("events.k8s.io", ("", "events"))
    assert old["involvedObject.name"](event) == new["regarding.name"](event) == "p"
    assert old["source"](event) == "kubelet"
    assert "involvedObject.name" not in new
