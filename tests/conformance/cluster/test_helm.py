"""The real helm 4.3 on our cluster: a chart as people write them, from install to uninstall."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from conformance.cluster.releases import CHART, SMALL, Helm, record
from conformance.cluster.shell import Shell

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]


def page(k: Shell, service: str) -> dict[str, Any]:
    """What the harbour page answers by its node port."""
    address = k.path("nodes", ".items[0].status.addresses[?(@.type=='InternalIP')].address")
    port = k.path(f"service/{service}", ".spec.ports[0].nodePort")
    with urllib.request.urlopen(f"http://{address}:{port}/api", timeout=10) as answer:
        return dict(json.load(answer))


def test_a_release_from_install_to_uninstall(k: Shell, helm: Helm) -> None:
    installed = helm("install", "web", CHART, "--wait", "--timeout", "60s", *SMALL)
    assert "STATUS: deployed" in installed and "The harbour web-harbour is open in namespace" in installed
    assert page(k, "web-harbour")["greeting"] == "Welcome to the harbour"
    assert not k.exists("job/web-harbour-opening")  # the hook has succeeded and its Job was taken away

    status = helm.json("status", "web")
    assert (status["info"]["status"], status["version"]) == ("deployed", 1)
    listed = helm.json("list")
    assert [(one["name"], one["revision"], one["chart"]) for one in listed] == [("web", "1", "harbour-0.1.0")]
    assert "kind: Deployment" in helm("get", "manifest", "web")
    assert "post-install" in helm("get", "hooks", "web")
    assert helm.json("get", "values", "web")["replicaCount"] == 1
    assert helm.json("get", "values", "web", "--all")["greeting"] == "Welcome to the harbour"
    tested = helm("test", "web", "--logs")
    assert "Phase:          Succeeded" in tested and "ships: junk, sampan, lorcha" in tested

    again = ("upgrade", "web", CHART, "--wait", "--timeout", "60s", *SMALL)
    assert "REVISION: 2" in helm(*again, "--set", "greeting=Ahoy")
    assert page(k, "web-harbour")["greeting"] == "Ahoy"
    helm("rollback", "web", "1", "--wait", "--timeout", "60s")
    assert page(k, "web-harbour")["greeting"] == "Welcome to the harbour"
    history = [(one["status"], one["description"]) for one in helm.json("history", "web")]
    assert history == [
        ("superseded", "Install complete"),
        ("superseded", "Upgrade complete"),
        ("deployed", "Rollback to 1"),
    ]
    secret, _ = record(k, "web", 3)
    assert secret["type"] == "helm.sh/release.v1" and secret["metadata"]["labels"]["status"] == "deployed"
    everything = helm("get", "all", "web")
    assert "REVISION: 3" in everything and "COMPUTED VALUES:" in everything

    assert helm("uninstall", "web", "--wait", "--timeout", "60s") == 'release "web" uninstalled\n'
    assert "release: not found" in helm.refused("status", "web")
    left = k("get", "deploy,svc,cm,secret,role,rolebinding,sa,job", "-o", "name").split()
    assert left == ["configmap/kube-root-ca.crt", "serviceaccount/default"]


def test_an_upgrade_that_fails_is_rolled_back(k: Shell, helm: Helm) -> None:
    helm("install", "web", CHART, "--wait", "--timeout", "60s", *SMALL)
    words = ("--rollback-on-failure", "--timeout", "4s", "--set", "image.repository=127.0.0.1:1/none")
    refusal = helm.refused("upgrade", "web", CHART, *SMALL, *words)
    assert "release web failed, and has been rolled back due to rollback-on-failure being set" in refusal
    assert [one["status"] for one in helm.json("history", "web")] == ["superseded", "failed", "deployed"]
    assert page(k, "web-harbour")["greeting"] == "Welcome to the harbour"


def test_refusals_reach_the_user(k: Shell, helm: Helm) -> None:
    assert "password must be set" in helm.refused("install", "web", CHART, "--set", "password=")
    helm("install", "web", CHART, *SMALL, "--no-hooks")
    assert "cannot reuse a name that is still in use" in helm.refused("install", "web", CHART, *SMALL)
    other = ("--set", "fullnameOverride=web-harbour", "--no-hooks", *SMALL)
    assert "cannot be imported into the current release" in helm.refused("install", "other", CHART, *other)
    assert '"none" has no deployed releases' in helm.refused("upgrade", "none", CHART)


def test_harbour_by_kubectl_apply(k: Shell, helm: Helm) -> None:
    manifest = helm("template", "web", CHART, "--no-hooks", *SMALL)
    assert "deployment.apps/web-harbour created" in k("apply", "-f", "-", stdin=manifest)
    k("rollout", "status", "deploy/web-harbour", "--timeout=60s")
    k("rollout", "status", "deploy/web-quay", "--timeout=60s")
    seen = k.until(lambda: page(k, "web-harbour"))
    assert seen["ships"] == ["junk", "sampan", "lorcha"] and seen["configMaps"] == 3
    k("diff", "-f", "-", stdin=manifest)  # exit code 0: defaults are no differences
    assert "unchanged" in k("apply", "-f", "-", stdin=manifest)
    assert "created" not in k("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    k("delete", "-f", "-", stdin=manifest)
    assert not k.exists("deploy/web-harbour")
