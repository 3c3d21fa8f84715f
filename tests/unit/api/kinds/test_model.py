"""Paths and versions of a resource."""

from __future__ import annotations

from sampan.api import kinds


def test_path_of_a_core_object() -> None:
    pods = kinds.of("v1", "Pod")
    assert pods.path() == "/api/v1/pods"
    assert pods.path("ns") == "/api/v1/namespaces/ns/pods"
    assert pods.path("ns", "p", "log") == "/api/v1/namespaces/ns/pods/p/log"


def test_path_of_a_cluster_scoped_object_ignores_the_namespace() -> None:
    classes = kinds.of("storage.k8s.io/v1", "StorageClass")
    assert classes.path("ns", "fast") == "/apis/storage.k8s.io/v1/storageclasses/fast"


def test_group_version() -> None:
    assert kinds.GroupVersion.parse("v1") == ("", "v1")
    assert kinds.GroupVersion.parse("apps/v1") == ("apps", "v1")
    assert kinds.GroupVersion("apps", "v1").api_version == "apps/v1"
    assert kinds.GroupVersion("", "v1").api_version == "v1"
