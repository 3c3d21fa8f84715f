"""Writes through a pod's subresources: only their part changes, and only as it may."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sampan.api import defaults, strategy, validation

Change = Callable[[dict[str, Any]], object]


def pod() -> dict[str, Any]:
    made: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "d", "uid": "u", "creationTimestamp": "2026-01-02T03:04:05Z"},
        "spec": {
            "containers": [
                {"name": "c", "image": "i", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}
            ],
            "initContainers": [{"name": "i", "image": "i", "resources": {"requests": {"cpu": "50m"}}}],
        },
    }
    defaults.apply("", "v1", "Pod", made)
    strategy.prepare_create("", "Pod", made)
    made["spec"]["ephemeralContainers"] = [
        {
            "name": "e",
            "image": "i",
            "imagePullPolicy": "Always",
            "resources": {},
            "terminationMessagePolicy": "File",
        }
    ]
    return made


def written(subresource: str, change: Change) -> tuple[dict[str, Any], list[str]]:
    old, new = pod(), pod()
    change(new)
    strategy.prepare_update("", "Pod", new, old, subresource)
    causes = validation.validate("", "v1", "Pod", new, old, subresource)
    return new, [f"{cause.field}: {cause.message.strip()}" for cause in causes]


def container(change: Change, kind: str = "containers") -> Change:
    return lambda obj: change(obj["spec"][kind][0])


def meddle(obj: dict[str, Any]) -> None:
    obj["metadata"].update(labels={"a": "b"}, annotations={"a": "b"}, finalizers=["a.b/c"])
    obj["spec"].update(hostNetwork=True)
    obj["spec"]["containers"][0].update(image="theirs", securityContext={"privileged": True})
    obj["status"] = {"phase": "Running"}


@pytest.mark.parametrize("subresource", ["ephemeralcontainers", "resize"])
def test_nothing_else_is_written(subresource: str) -> None:
    new, wrong = written(subresource, meddle)
    assert wrong == []
    assert new == pod()


def test_ephemeral_containers_are_added() -> None:
    added = {**pod()["spec"]["ephemeralContainers"][0], "name": "f"}
    new, wrong = written("ephemeralcontainers", lambda obj: obj["spec"]["ephemeralContainers"].append(added))
    assert wrong == []
    assert [each["name"] for each in new["spec"]["ephemeralContainers"]] == ["e", "f"]
    assert new["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda obj: obj["spec"].pop("ephemeralContainers"), "removed"),
        (container(lambda c: c.update(image="x"), "ephemeralContainers"), "changed"),
    ],
)
def test_ephemeral_containers_stay(change: Change, message: str) -> None:
    _, wrong = written("ephemeralcontainers", change)
    assert wrong == [
        f'spec.ephemeralContainers: Forbidden: existing ephemeral containers "e" may not be {message}'
    ]


def test_resources_are_written() -> None:
    new, wrong = written("resize", container(lambda c: c["resources"].update(requests={"cpu": "1500m"})))
    assert wrong == []
    assert new["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "1500m"}, "limits": {"cpu": "2"}}
    assert new["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (
            container(lambda c: c["resources"].pop("limits")),
            ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"],
        ),
        (
            container(lambda c: c["resources"]["limits"].update({"ephemeral-storage": "1Gi"})),
            ["spec: Forbidden: only cpu and memory resources are mutable"],
        ),
        (
            container(
                lambda c: c.update(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "NotRequired"}])
            ),
            ["spec: Forbidden: only cpu and memory resources are mutable"],
        ),
        (
            container(lambda c: c.update(name="other")),
            ["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"],
        ),
        (
            lambda obj: obj["spec"].update(initContainers=[]),
            ["spec.initContainers: Forbidden: initContainers may not be added or removed on resize"],
        ),
    ],
)
def test_only_amounts_change(change: Change, wrong: list[str]) -> None:
    assert written("resize", change)[1] == wrong


def test_a_running_container_whose_resources_are_not_told_cannot_be_resized() -> None:
    old = pod()
    old["status"]["containerStatuses"] = [{"name": "c", "state": {"running": {}}}]
    causes = validation.validate("", "v1", "Pod", copy.deepcopy(old), old, "resize")
    assert [cause.message for cause in causes] == [
        "Forbidden: Pod running on node without support for resize"
    ]


def test_the_class_of_service_stays() -> None:
    old = pod()
    new = {**old, "status": {**old["status"], "qosClass": "Guaranteed"}}
    assert [cause.field for cause in validation.validate("", "v1", "Pod", new, old, "status")] == [
        "status.qosClass"
    ]
