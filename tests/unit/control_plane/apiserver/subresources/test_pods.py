from __future__ import annotations

from typing import Any

from sampan.control_plane.apiserver.subresources import pods, scale
from unit.control_plane.apiserver.running import Running, serve

PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
MERGE = "application/merge-patch+json"


async def prepare(server: Running, *names: str, phase: str = "Running") -> None:
    await server.ok("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    for name in names:
        spec = {"containers": [{"name": "c", "image": "i"}]}
        await server.ok("POST", PODS, {"metadata": {"name": name, "labels": {"app": "a"}}, "spec": spec})
        conditions = [{"type": "Ready", "status": "True"}]
        status = {"status": {"phase": phase, "conditions": conditions}}
        await server.ok("PATCH", f"{PODS}/{name}/status", status, content_type=MERGE)


async def budget(server: Running, name: str, **status: Any) -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}
    await server.ok("POST", BUDGETS, {"metadata": {"name": name}, "spec": spec})
    whole = {"observedGeneration": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2, **status}
    await server.ok("PATCH", f"{BUDGETS}/{name}/status", {"status": whole}, content_type=MERGE)


def eviction(name: str) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}


def test_a_budget_is_spent_and_then_refuses() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p", "q")
        await budget(server, "b", disruptionsAllowed=1)
        await server.ok("POST", f"{PODS}/p/eviction", eviction("p"))
        spent = (await server.ok("GET", f"{BUDGETS}/b"))["status"]
        assert spent["disruptionsAllowed"] == 0
        assert "p" in spent["disruptedPods"]
        refused = await server.ask("POST", f"{PODS}/q/eviction", eviction("q"))
        assert (refused.status, refused.json["reason"]) == (429, "TooManyRequests")
        cause = refused.json["details"]["causes"][0]
        assert cause == {
            "reason": "DisruptionBudget",
            "message": "The disruption budget b needs 1 healthy pods and has 2 currently",
        }
        assert (await server.ask("GET", f"{PODS}/q")).status == 200

    serve(check)


def test_a_budget_nobody_has_looked_at_yet() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p")
        await budget(server, "b", disruptionsAllowed=1, observedGeneration=0)
        refused = await server.ask("POST", f"{PODS}/p/eviction", eviction("p"))
        assert refused.status == 429
        assert refused.headers["retry-after"] == "10"

    serve(check)


def test_two_budgets_are_one_too_many() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p")
        await budget(server, "a", disruptionsAllowed=1)
        await budget(server, "b", disruptionsAllowed=1)
        refused = await server.ask("POST", f"{PODS}/p/eviction", eviction("p"))
        assert refused.status == 500
        assert "more than one PodDisruptionBudget" in refused.json["message"]

    serve(check)


def test_pods_that_do_not_run_count_for_no_budget() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p", phase="Succeeded")
        await budget(server, "b", disruptionsAllowed=0)
        await server.ok("POST", f"{PODS}/p/eviction", eviction("p"))
        assert (await server.ask("GET", f"{PODS}/p")).status == 404

    serve(check)


def test_a_dry_eviction_changes_nothing() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p")
        await budget(server, "b", disruptionsAllowed=1)
        await server.ok("POST", f"{PODS}/p/eviction?dryRun=All", eviction("p"))
        assert (await server.ok("GET", f"{BUDGETS}/b"))["status"]["disruptionsAllowed"] == 1
        assert (await server.ask("GET", f"{PODS}/p")).status == 200

    serve(check)


def test_bindings_by_either_path() -> None:
    async def check(server: Running) -> None:
        await prepare(server, "p", "q", phase="Pending")
        binding = {
            "metadata": {"name": "p", "annotations": {"by": "me"}},
            "target": {"kind": "Node", "name": "n"},
        }
        await server.ok("POST", f"{PODS}/p/binding", binding)
        bound = await server.ok("GET", f"{PODS}/p")
        assert (bound["spec"]["nodeName"], bound["metadata"]["annotations"]) == ("n", {"by": "me"})
        assert bound["status"]["conditions"][-1]["type"] == "PodScheduled"
        binding = {"metadata": {"name": "q"}, "target": {"kind": "Node", "name": "n"}}
        await server.ok("POST", "/api/v1/namespaces/default/bindings", binding)
        assert (await server.ok("GET", f"{PODS}/q"))["spec"]["nodeName"] == "n"
        wrong = await server.ask(
            "POST", f"{PODS}/q/binding", {"metadata": {"name": "q"}, "target": {"kind": "Pod", "name": "n"}}
        )
        assert wrong.status == 422

    serve(check)


def test_unready_pods_and_healthy_budgets() -> None:
    healthy = {"status": {"currentHealthy": 2, "desiredHealthy": 2}}
    assert pods._always_allows(healthy)
    assert not pods._always_allows({"status": {"currentHealthy": 1, "desiredHealthy": 2}})
    assert pods._always_allows({"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}})


def test_a_scale_of_any_shape() -> None:
    rc = {
        "metadata": {"name": "r"},
        "spec": {"replicas": 2, "selector": {"a": "b"}},
        "status": {"replicas": 1},
    }
    assert scale.scale_of(rc, scale.DEFAULT)["status"] == {"replicas": 1, "selector": "a=b"}
    custom = scale.Paths(("spec", "deep", "count"), ("status", "n"), ("status", "sel"))
    obj = {"metadata": {"name": "c"}, "spec": {}, "status": {"n": 4, "sel": "x in (1)"}}
    assert scale.scale_of(obj, custom)["status"] == {"replicas": 4, "selector": "x in (1)"}
    assert scale.with_value(obj, custom.replicas, 3)["spec"] == {"deep": {"count": 3}}
    assert obj["spec"] == {}
