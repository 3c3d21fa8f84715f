"""What creates and updates make of objects before they are validated and stored."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.api import strategy

NOW = "2026-01-02T03:04:05Z"
API_VERSIONS = {"": "v1", "apps": "apps/v1", "batch": "batch/v1", "example.com": "example.com/v1"}


def made(group: str, kind: str, **fields: Any) -> dict[str, Any]:
    metadata = {"name": "a", "uid": "u-1", "creationTimestamp": NOW, **fields.pop("metadata", {})}
    api_version = API_VERSIONS.get(group, f"{group}/v1")
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def created(group: str, kind: str, *, status_subresource: bool = True, **fields: Any) -> dict[str, Any]:
    obj = made(group, kind, **copy.deepcopy(fields))
    strategy.prepare_create(group, kind, obj, status_subresource=status_subresource)
    return obj


def updated(
    old: dict[str, Any], new: dict[str, Any], subresource: str = "", *, status_subresource: bool = True
) -> dict[str, Any]:
    group = old["apiVersion"].rpartition("/")[0]
    obj, before = copy.deepcopy(new), copy.deepcopy(old)
    strategy.prepare_update(
        group, old["kind"], obj, old, subresource, now=NOW, status_subresource=status_subresource
    )
    assert old == before, "the old object was changed"
    return obj


@pytest.mark.parametrize(
    ("group", "kind", "status"),
    [
        ("apps", "Deployment", {}),
        ("", "Namespace", {"phase": "Active"}),
        ("", "PersistentVolumeClaim", {"phase": "Pending"}),
        ("", "Service", {"loadBalancer": {}}),
    ],
)
def test_a_create_cannot_set_the_status(group: str, kind: str, status: dict[str, Any]) -> None:
    assert created(group, kind, spec={}, status={"phase": "odd", "replicas": 3})["status"] == status


def test_a_create_may_set_the_status_of_a_node() -> None:
    assert created("", "Node", status={"phase": "x"})["status"] == {"phase": "x"}


def test_system_fields_of_the_metadata_are_dropped() -> None:
    gone = {"deletionTimestamp": NOW, "deletionGracePeriodSeconds": 1, "selfLink": "/x"}
    found = created("", "ConfigMap", metadata={**gone, "generation": 7, "labels": {"a": "b"}})
    assert found["metadata"].keys() == {"name", "uid", "creationTimestamp", "generation", "labels"}


class TestGeneration:
    old = made("apps", "Deployment", spec={"replicas": 1}, status={"replicas": 1}, metadata={"generation": 4})

    def test_starts_at_one(self) -> None:
        assert (
            created("apps", "Deployment", spec={}, metadata={"generation": 9})["metadata"]["generation"] == 1
        )
        assert "generation" not in created("", "ConfigMap", data={})["metadata"]

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"spec": {"replicas": 2}}, 5),
            ({"spec": {"replicas": 1}}, 4),
            ({"status": {"replicas": 2}}, 4),
            ({"metadata": {"annotations": {"a": "b"}}}, 5),  # of a Deployment, annotations count too
            ({"metadata": {"labels": {"a": "b"}}}, 4),
            ({"metadata": {"generation": 90}}, 4),
        ],
    )
    def test_counts_changes(self, change: dict[str, Any], expected: int) -> None:
        new = {**self.old, **change, "metadata": {**self.old["metadata"], **change.get("metadata", {})}}
        assert updated(self.old, new)["metadata"]["generation"] == expected

    def test_is_not_touched_by_status_writes(self) -> None:
        new = {**self.old, "spec": {"replicas": 9}, "status": {"replicas": 9}}
        found = updated(self.old, new, "status")
        assert found["metadata"]["generation"] == 4

    def test_of_a_network_policy_starts_although_it_has_no_status(self) -> None:
        found = created("networking.k8s.io", "NetworkPolicy", spec={})
        assert found["metadata"]["generation"] == 1
        assert "status" not in found


class TestStatus:
    old = made(
        "apps", "Deployment", spec={"replicas": 1}, status={"replicas": 1}, metadata={"labels": {"a": "b"}}
    )

    def test_a_write_of_the_object_keeps_the_status(self) -> None:
        new = {**self.old, "spec": {"replicas": 2}, "status": {}}
        found = updated(self.old, new)
        assert (found["spec"], found["status"]) == ({"replicas": 2}, {"replicas": 1})
        del new["status"]
        assert updated(self.old, new)["status"] == {"replicas": 1}

    def test_a_write_of_the_status_keeps_the_rest(self) -> None:
        new = made(
            "apps",
            "Deployment",
            spec={"replicas": 2},
            status={"replicas": 2},
            metadata={"labels": {"x": "y"}},
        )
        found = updated(self.old, new, "status")
        assert (found["spec"], found["status"]) == ({"replicas": 1}, {"replicas": 2})
        assert found["metadata"]["labels"] == {"a": "b"}

    def test_finalizing_and_approving_write_their_part_only(self) -> None:
        old = made("", "Namespace", spec={"finalizers": ["kubernetes"]}, status={"phase": "Terminating"})
        new = made("", "Namespace", spec={"finalizers": []}, status={"phase": "Active"})
        found = updated(old, new, "finalize")
        assert found["spec"] == {"finalizers": []}
        assert found["status"] == {"phase": "Terminating"}

        group = "certificates.k8s.io"
        old = made(group, "CertificateSigningRequest", spec={"request": "a"}, status={"certificate": "c"})
        new = made(
            group,
            "CertificateSigningRequest",
            spec={"request": "b"},
            status={"conditions": [{"type": "Approved"}]},
        )
        found = updated(old, new, "approval")
        assert found["spec"] == {"request": "a"}
        assert found["status"] == {"certificate": "c", "conditions": [{"type": "Approved"}]}


class TestCustomResources:
    old = made("example.com", "Thing", spec={"a": 1}, status={"b": 1}, metadata={"generation": 2})

    def test_with_a_status_of_its_own(self) -> None:
        found = created("example.com", "Thing", spec={"a": 1}, status={"b": 1})
        assert "status" not in found
        assert found["metadata"]["generation"] == 1
        found = updated(self.old, {**self.old, "spec": {"a": 2}, "status": {"b": 2}})
        assert (found["spec"], found["status"], found["metadata"]["generation"]) == ({"a": 2}, {"b": 1}, 3)
        changed = {
            **self.old,
            "spec": {"a": 2},
            "status": {"b": 2},
            "metadata": {"name": "a", "labels": {"x": "y"}},
        }
        found = updated(self.old, changed, "status")
        assert (found["spec"], found["status"]) == ({"a": 1}, {"b": 2})
        assert found["metadata"] == self.old["metadata"]

    def test_without(self) -> None:
        found = created("example.com", "Thing", status={"b": 1}, status_subresource=False)
        assert found["status"] == {"b": 1}
        found = updated(self.old, {**self.old, "status": {"b": 2}}, status_subresource=False)
        assert (found["status"], found["metadata"]["generation"]) == ({"b": 2}, 3)


def test_what_the_server_set_is_kept() -> None:
    old = made("", "ConfigMap", metadata={"deletionTimestamp": NOW, "deletionGracePeriodSeconds": 0})
    found = updated(old, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    assert found["metadata"] == old["metadata"]


class TestJobs:
    UID_LABEL = "batch.kubernetes.io/controller-uid"

    def test_select_by_their_uid(self) -> None:
        spec = created("batch", "Job", spec={"template": {"metadata": {"labels": {"app": "x"}}}})["spec"]
        assert spec["selector"] == {"matchLabels": {self.UID_LABEL: "u-1"}}
        assert spec["template"]["metadata"]["labels"] == {
            "app": "x",
            "job-name": "a",
            "batch.kubernetes.io/job-name": "a",
            "controller-uid": "u-1",
            self.UID_LABEL: "u-1",
        }

    def test_select_as_the_user_says(self) -> None:
        spec = {"manualSelector": True, "selector": {"matchLabels": {"app": "x"}}, "template": {}}
        assert created("batch", "Job", spec=spec)["spec"] == spec


class TestDaemonSets:
    ANNOTATION = "deprecated.daemonset.template.generation"

    @pytest.mark.parametrize("given", [None, "0", "x", "²", "9" * 5000])
    def test_count_their_templates(self, given: str | None) -> None:
        annotations = {} if given is None else {self.ANNOTATION: given}
        old = created("apps", "DaemonSet", spec={"template": {}}, metadata={"annotations": annotations})
        assert old["metadata"]["annotations"] == {self.ANNOTATION: "1"}
        new = {**old, "spec": {"template": {"spec": {}}}}
        assert updated(old, new)["metadata"]["annotations"] == {self.ANNOTATION: "2"}
        assert updated(old, {**old, "spec": {"template": {}, "minReadySeconds": 1}})["metadata"][
            "annotations"
        ] == {self.ANNOTATION: "1"}


ADDRESSES = {
    "clusterIP": "10.0.0.1",
    "clusterIPs": ["10.0.0.1"],
    "ipFamilies": ["IPv4"],
    "ipFamilyPolicy": "SingleStack",
}


class TestServices:
    old = made(
        "",
        "Service",
        spec={"type": "NodePort", "ports": [{"name": "a", "port": 1, "nodePort": 30001}], **ADDRESSES},
    )

    def to(self, **spec: Any) -> dict[str, Any]:
        found: dict[str, Any] = updated(self.old, {**self.old, "spec": spec})["spec"]
        return found

    def test_keep_what_was_allocated(self) -> None:
        found = self.to(type="NodePort", ports=[{"name": "a", "port": 2}])
        assert found["clusterIP"] == "10.0.0.1"
        assert found["ports"] == [{"name": "a", "port": 2, "nodePort": 30001}]

    def test_do_not_give_one_node_port_twice(self) -> None:
        ports = [{"name": "a", "port": 1}, {"name": "b", "port": 2, "nodePort": 30001}]
        assert self.to(type="NodePort", ports=ports)["ports"] == ports

    def test_lose_node_ports_with_the_type(self) -> None:
        spec = {**self.old["spec"], "type": "ClusterIP"}
        assert self.to(**spec)["ports"] == [{"name": "a", "port": 1}]
        spec["ports"] = [{"name": "a", "port": 1, "nodePort": 30002}]  # asked for: validation answers
        assert self.to(**spec)["ports"] == spec["ports"]

    def test_lose_their_addresses_with_the_type(self) -> None:
        spec = {**self.old["spec"], "type": "ExternalName", "externalName": "x.example"}
        assert self.to(**spec) == {
            "type": "ExternalName",
            "externalName": "x.example",
            "ports": [{"name": "a", "port": 1}],
        }


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([{}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"requests": {"cpu": "0"}}], "BestEffort"),
        (
            [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}],
            "Guaranteed",
        ),
        (
            [{"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "2", "memory": "1Gi"}}],
            "Guaranteed",
        ),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
        (
            [{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m", "memory": "1Gi"}}],
            "Burstable",
        ),
    ],
)
def test_pods_start_with_a_class_of_service(containers: list[dict[str, Any]], expected: str) -> None:
    listed = [{"name": str(place), "resources": each} for place, each in enumerate(containers)]
    status = created("", "Pod", spec={"containers": listed}, status={"phase": "Running"})["status"]
    assert status == {"phase": "Pending", "qosClass": expected}


def test_gated_pods_say_so() -> None:
    found = created("", "Pod", spec={"containers": [{"name": "a"}], "schedulingGates": [{"name": "x"}]})
    assert [(c["type"], c["status"], c["reason"]) for c in found["status"]["conditions"]] == [
        ("PodScheduled", "False", "SchedulingGated")
    ]


def test_a_pods_status_keeps_its_class() -> None:
    old = created("", "Pod", spec={"containers": [{"name": "a"}]})
    found = updated(old, {**old, "status": {"phase": "Running"}}, "status")
    assert found["status"] == {"phase": "Running", "qosClass": "BestEffort"}


def test_stored_versions_of_a_definition() -> None:
    versions = [{"name": "v1", "storage": True}, {"name": "v2", "storage": False}]
    old = created("apiextensions.k8s.io", "CustomResourceDefinition", spec={"versions": versions})
    assert old["status"]["storedVersions"] == ["v1"]
    swapped = [{"name": "v1", "storage": False}, {"name": "v2", "storage": True}]
    found = updated(old, {**old, "spec": {"versions": swapped}})
    assert found["status"]["storedVersions"] == ["v1", "v2"]


def test_claims_name_their_source_in_both_ways() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "b"}
    spec = created("", "PersistentVolumeClaim", spec={"dataSource": source})["spec"]
    assert spec["dataSourceRef"] == {"apiGroup": None, **source}


def test_a_phase_of_a_volume_has_its_time() -> None:
    old = made("", "PersistentVolume", spec={}, status={"phase": "Available", "lastPhaseTransitionTime": "t"})
    same = updated(old, {**old, "status": {"phase": "Available"}}, "status")
    assert same["status"]["lastPhaseTransitionTime"] == "t"
    bound = updated(old, {**old, "status": {"phase": "Bound", "lastPhaseTransitionTime": "t"}}, "status")
    assert bound["status"]["lastPhaseTransitionTime"] == NOW


def test_namespaces_end_by_their_finalizer() -> None:
    old = created("", "Namespace")
    assert old["spec"] == {"finalizers": ["kubernetes"]}
    assert updated(old, {**old, "spec": {}})["spec"] == {"finalizers": ["kubernetes"]}
