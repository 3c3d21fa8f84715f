"""The node under kubectl: labels, taints, cordon, drain, and how long a heart may be silent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.cluster.shell import Shell, pod, workload

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]


@pytest.fixture
def node(k: Shell) -> Iterator[str]:
    """The shared cluster's node, given back as it was."""
    name = k.path("nodes", ".items[0].metadata.name")
    yield name
    k("uncordon", name)
    k("taint", "node", name, "storm-", code=None)
    k("label", "node", name, "deck-")


def waits(k: Shell, name: str, why: str) -> None:
    told = k.until(lambda: "FailedScheduling" in (text := k("describe", "pod", name)) and text)
    assert why in told


def test_labels_and_selectors(k: Shell, node: str) -> None:
    k.apply(pod("upper", nodeSelector={"deck": "upper"}))
    waits(k, "upper", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
    k("label", "node", node, "deck=upper")
    k("wait", "pod/upper", "--for=condition=Ready", "--timeout=60s")
    assert node in k("get", "nodes", "-l", "deck=upper", "-o", "name")


def test_taints_keep_away_and_drive_out(k: Shell, node: str) -> None:
    stay = [{"key": "storm", "operator": "Exists"}]
    k.apply(pod("sailor", tolerations=stay), pod("guest"))
    k("wait", "pod/sailor", "pod/guest", "--for=condition=Ready", "--timeout=60s")
    k("taint", "node", node, "storm=1:NoExecute")
    k("wait", "pod/guest", "--for=delete", "--timeout=60s")
    assert k.path("pod/sailor", ".status.phase") == "Running"
    k.apply(pod("late"))
    waits(k, "late", "0/1 nodes are available: 1 node(s) had untolerated taint(s).")
    k("taint", "node", node, "storm-")
    k("wait", "pod/late", "--for=condition=Ready", "--timeout=60s")


def test_cordon_drain_and_disruption_budgets(k: Shell, node: str) -> None:
    k.apply(workload("Deployment", "web"), workload("DaemonSet", "watch"), pod("lone"))
    k("rollout", "status", "deploy/web", "--timeout=60s")
    k("rollout", "status", "ds/watch", "--timeout=60s")
    k("cordon", node)
    assert "SchedulingDisabled" in k("get", "node", node)
    ours = f"--pod-selector=app in (web,watch,lone),app!=other,in-{k.namespace}!=no"
    refusal = k.refused("drain", node, ours)
    assert "DaemonSet-managed Pods" in refusal and "cannot delete Pods that declare no controller" in refusal
    k("create", "poddisruptionbudget", "keep", "--selector=app=web", "--min-available=1")
    k.until(lambda: k.path("pdb/keep", ".status.currentHealthy") == "1")
    words = ("drain", node, ours, "--ignore-daemonsets", "--force", "--timeout=3s")
    assert "would violate the pod's disruption budget" in k.refused(*words)
    k("delete", "pdb", "keep")
    k("drain", node, ours, "--ignore-daemonsets", "--force", "--timeout=60s")
    assert not k.exists("pod/lone")
    waits_pending = k("get", "pods", "-l", "app=web", "--field-selector=status.phase=Pending", "-o", "name")
    assert waits_pending.startswith("pod/web-")
    k("uncordon", node)
    k("rollout", "status", "deploy/web", "--timeout=60s")


def test_a_node_reports_itself(k: Shell, node: str) -> None:
    seen = k.get("node", node)
    ready = next(c for c in seen["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "KubeletReady")
    assert seen["status"]["nodeInfo"]["kubeletVersion"].startswith("v1.37.")
    assert {"cpu", "memory", "pods", "ephemeral-storage"} <= set(seen["status"]["allocatable"])
    assert seen["spec"]["podCIDR"] and seen["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    assert "Renewed" not in k("get", "leases", "-n", "kube-node-lease") and node in k(
        "get", "leases", "-n", "kube-node-lease"
    )
    assert "ok" in k("get", "--raw", f"/api/v1/nodes/{node}/proxy/healthz")
