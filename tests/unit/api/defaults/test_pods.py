from __future__ import annotations

from typing import Any

import pytest

from sampan.api.defaults import pods, setting, workloads


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry:5000/nginx", "Always"),
        ("registry:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:" + "a" * 64, "IfNotPresent"),
        ("nginx:latest@sha256:" + "a" * 64, "Always"),
        ("sampan.local/host", "Always"),
        ("Not A Name", "IfNotPresent"),
        ("", "IfNotPresent"),
    ],
)
def test_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert pods.pull_policy(image) == policy


def test_the_two_names_of_the_service_account_agree() -> None:
    spec: dict[str, Any] = {"serviceAccount": "old"}
    pods.pod_spec(spec)
    assert spec["serviceAccountName"] == "old"
    spec = {"serviceAccount": "old", "serviceAccountName": "new"}
    pods.pod_spec(spec)
    assert spec["serviceAccount"] == "new"


def test_a_volume_without_source_is_an_empty_dir() -> None:
    volume: dict[str, Any] = {"name": "scratch"}
    pods.volume(volume)
    assert volume == {"name": "scratch", "emptyDir": {}}


def test_requests_come_from_limits_in_pods_only() -> None:
    def spec() -> dict[str, Any]:
        container = {"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1"}}}
        return {"spec": {"containers": [container]}}

    pod = spec()
    workloads.pod(pod)
    assert pod["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1"}
    template: dict[str, Any] = {"template": spec()}
    workloads.pod_template(template)
    assert "requests" not in template["template"]["spec"]["containers"][0]["resources"]


def test_host_network_gives_host_ports() -> None:
    pod: dict[str, Any] = {
        "spec": {"hostNetwork": True, "containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}
    }
    workloads.pod(pod)
    assert pod["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]


def test_amounts_finer_than_a_thousandth_are_rounded_up() -> None:
    listed = {"cpu": "1.0001", "memory": "nonsense"}
    setting.resource_list(listed)
    assert listed == {"cpu": "1001m", "memory": "nonsense"}
