"""Whole lives of workloads, played by our controllers and scheduler with nodes that pretend."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from conformance.controllers.nodes import Nodes
from sampan import client
from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio.tasks import Tasks
from sampan.client.config import Config
from sampan.client.rest import Client
from sampan.control_plane.controllers import run as controllers
from sampan.control_plane.scheduler import run as scheduler

pytestmark = pytest.mark.peer

Object = dict[str, Any]

NAMESPACES = kinds.of("v1", "Namespace")
PODS = kinds.of("v1", "Pod")
SERVICES = kinds.of("v1", "Service")
DEPLOYMENTS = kinds.of("apps/v1", "Deployment")
REPLICASETS = kinds.of("apps/v1", "ReplicaSet")
STATEFULSETS = kinds.of("apps/v1", "StatefulSet")
DAEMONSETS = kinds.of("apps/v1", "DaemonSet")
JOBS = kinds.of("batch/v1", "Job")
SLICES = kinds.of("discovery.k8s.io/v1", "EndpointSlice")
ENDPOINTS = kinds.of("v1", "Endpoints")
CRDS = kinds.of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
PATIENCE = 30.0  # seconds


class World:
    """An API server with our control plane on it, and a namespace for one test."""

    def __init__(self, api: Client, nodes: Nodes, namespace: str) -> None:
        self.api = api
        self.nodes = nodes
        self.namespace = namespace

    async def until(self, look: Callable[[], Awaitable[bool]], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not await look():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"not within {PATIENCE:g} s: {what}")

    async def get(self, resource: Any, name: str) -> Object:
        return await self.api.get(resource, name, self.namespace)

    async def names(self, resource: Any) -> list[str]:
        listed = await self.api.list(resource, self.namespace)
        return sorted(item["metadata"]["name"] for item in listed["items"])

    async def create(self, resource: Any, name: str, spec: Object) -> Object:
        return await self.api.create(resource, {"metadata": {"name": name}, "spec": spec}, self.namespace)

    async def status(self, resource: Any, name: str, **wanted: Any) -> None:
        async def look() -> bool:
            found = (await self.get(resource, name)).get("status") or {}
            return all(found.get(key, 0) == value for key, value in wanted.items())

        await self.until(look, f"{resource.plural} {name} has {wanted}")

    async def gone(self, resource: Any) -> None:
        async def look() -> bool:
            return not await self.names(resource)

        await self.until(look, f"no {resource.plural}")


def play(config: Config, test: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        namespace = f"t-{os.urandom(4).hex()}"
        async with client.connect(config) as api, Tasks("world") as tasks:
            nodes = Nodes(api, ("n1", "n2"))
            await nodes.register()
            started = [asyncio.Event(), asyncio.Event()]
            given = controllers.Config(ca="PEM", service_lb=True)
            tasks.spawn("nodes", nodes.run())
            tasks.spawn("controllers", controllers.run(api, given, started[0].set))
            tasks.spawn("scheduler", scheduler.run(api, scheduler.Config(), started[1].set))
            async with asyncio.timeout(PATIENCE):
                for each in started:
                    await each.wait()
            await api.create(NAMESPACES, {"metadata": {"name": namespace}})
            world = World(api, nodes, namespace)

            async def account() -> bool:
                return "default" in await world.names(kinds.of("v1", "ServiceAccount"))

            await world.until(account, "the default service account")
            await test(world)
            await api.delete(NAMESPACES, namespace)

            async def gone() -> bool:
                try:
                    await api.get(NAMESPACES, namespace)
                except ApiError as error:
                    return error.code == 404
                return False

            await world.until(gone, "the namespace is gone")

    asyncio.run(main())


def template(app: str, image: str = "one", **spec: Any) -> Object:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": image}], **spec},
    }


def workload(app: str, replicas: int | None, **more: Any) -> Object:
    made = {"selector": {"matchLabels": {"app": app}}, "template": template(app), **more}
    return made if replicas is None else made | {"replicas": replicas}


def image(name: str) -> Object:
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": name}]}}}}


def test_a_deployment_rolls_out_back_and_away(server: Config) -> None:
    async def test(w: World) -> None:
        await w.create(DEPLOYMENTS, "web", workload("web", 3))
        await w.status(DEPLOYMENTS, "web", availableReplicas=3, observedGeneration=1)
        await w.api.patch(DEPLOYMENTS, "web", image("two"), w.namespace)
        await w.status(
            DEPLOYMENTS, "web", updatedReplicas=3, replicas=3, availableReplicas=3, observedGeneration=2
        )
        held = await w.get(DEPLOYMENTS, "web")
        assert held["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
        assert held["status"]["conditions"][-1]["reason"] == "NewReplicaSetAvailable"
        await w.api.patch(DEPLOYMENTS, "web", image("one"), w.namespace)
        await w.status(
            DEPLOYMENTS, "web", updatedReplicas=3, replicas=3, availableReplicas=3, observedGeneration=3
        )
        assert len(await w.names(REPLICASETS)) == 2
        await w.api.delete(DEPLOYMENTS, "web", w.namespace, propagation="Foreground")
        await w.gone(DEPLOYMENTS)
        assert await w.names(PODS) == []

    play(server, test)


def test_a_broken_rollout_keeps_what_works(server: Config) -> None:
    async def test(w: World) -> None:
        w.nodes.broken.add("bad")
        await w.create(DEPLOYMENTS, "web", workload("web", 4))
        await w.status(DEPLOYMENTS, "web", availableReplicas=4)
        await w.api.patch(DEPLOYMENTS, "web", image("bad"), w.namespace)
        await w.status(DEPLOYMENTS, "web", updatedReplicas=2, availableReplicas=3, observedGeneration=2)
        await w.api.delete(DEPLOYMENTS, "web", w.namespace)
        await w.gone(PODS)

    play(server, test)


def test_orphans_stay_and_are_adopted(server: Config) -> None:
    async def test(w: World) -> None:
        await w.create(REPLICASETS, "rs", workload("rs", 2))
        await w.status(REPLICASETS, "rs", availableReplicas=2)
        before = await w.names(PODS)
        await w.api.delete(REPLICASETS, "rs", w.namespace, propagation="Orphan")
        await w.gone(REPLICASETS)
        assert await w.names(PODS) == before
        await w.create(REPLICASETS, "rs", workload("rs", 2))
        await w.status(REPLICASETS, "rs", availableReplicas=2)
        assert await w.names(PODS) == before

    play(server, test)


def test_a_stateful_set(server: Config) -> None:
    async def test(w: World) -> None:
        await w.create(STATEFULSETS, "db", workload("db", 3, serviceName="db"))
        await w.status(STATEFULSETS, "db", availableReplicas=3, updatedReplicas=3)
        assert await w.names(PODS) == ["db-0", "db-1", "db-2"]
        await w.api.patch(STATEFULSETS, "db", image("two"), w.namespace)
        await w.status(
            STATEFULSETS,
            "db",
            updatedReplicas=3,
            availableReplicas=3,
            observedGeneration=2,
            currentReplicas=3,
        )
        held = (await w.get(STATEFULSETS, "db"))["status"]
        assert held["currentRevision"] == held["updateRevision"]
        await w.api.patch(STATEFULSETS, "db", {"spec": {"replicas": 1}}, w.namespace)
        await w.status(STATEFULSETS, "db", replicas=1)
        assert await w.names(PODS) == ["db-0"]

    play(server, test)


def test_a_daemon_set(server: Config) -> None:
    async def test(w: World) -> None:
        await w.create(DAEMONSETS, "ds", workload("ds", None))
        await w.status(DAEMONSETS, "ds", numberAvailable=2, desiredNumberScheduled=2)
        await w.api.patch(DAEMONSETS, "ds", image("two"), w.namespace)
        await w.status(DAEMONSETS, "ds", updatedNumberScheduled=2, numberAvailable=2, observedGeneration=2)

    play(server, test)


def test_jobs(server: Config) -> None:
    def job(command: str, **spec: Any) -> Object:
        body = template("job", restartPolicy="Never")
        body["spec"]["containers"][0]["command"] = [command]
        return {"template": body, **spec}

    async def test(w: World) -> None:
        await w.create(JOBS, "good", job("true", completions=5, parallelism=2))
        await w.create(JOBS, "each", job("true", completions=4, parallelism=4, completionMode="Indexed"))
        await w.create(JOBS, "bad", job("false", backoffLimit=0))
        await w.status(JOBS, "good", succeeded=5, active=0)
        await w.status(JOBS, "each", completedIndexes="0-3")
        await w.status(JOBS, "bad", failed=1, active=0)

        async def over() -> bool:
            kinds_of = [
                {c["type"] for c in (await w.get(JOBS, name))["status"].get("conditions") or ()}
                for name in ("good", "each", "bad")
            ]
            return "Complete" in kinds_of[0] and "Complete" in kinds_of[1] and "Failed" in kinds_of[2]

        await w.until(over, "all jobs are over")
        pods = (await w.api.list(PODS, w.namespace))["items"]
        assert not any(pod["metadata"].get("finalizers") for pod in pods)

    play(server, test)


def test_services_find_their_pods(server: Config) -> None:
    async def test(w: World) -> None:
        await w.create(DEPLOYMENTS, "web", workload("web", 2))
        spec = {"selector": {"app": "web"}, "ports": [{"port": 80}], "type": "LoadBalancer"}
        await w.create(SERVICES, "web", spec)

        async def found() -> bool:
            slices = (await w.api.list(SLICES, w.namespace))["items"]
            ready = [e for s in slices for e in s.get("endpoints") or () if e["conditions"]["ready"]]
            return len(ready) == 2

        await w.until(found, "two ready endpoints")
        subsets = (await w.get(ENDPOINTS, "web"))["subsets"]
        assert len(subsets[0]["addresses"]) == 2
        ingress = (await w.get(SERVICES, "web"))["status"]["loadBalancer"]["ingress"]
        assert [entry["ip"] for entry in ingress] == ["192.0.2.1", "192.0.2.2"]
        await w.api.delete(SERVICES, "web", w.namespace)
        await w.gone(SLICES)

    play(server, test)


def test_custom_resources_are_collected_with_their_owner_and_namespace(server: Config) -> None:
    async def test(w: World) -> None:
        group = f"{w.namespace}.example"
        schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "boats", "singular": "boat", "kind": "Boat", "listKind": "BoatList"}
        spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
        await w.api.create(CRDS, {"metadata": {"name": f"boats.{group}"}, "spec": spec})
        try:

            async def served() -> bool:
                try:
                    await w.api.resource_for(f"{group}/v1", "Boat")
                except ApiError:
                    return False
                return True

            await w.until(served, "the custom kind is served")
            boats = await w.api.resource_for(f"{group}/v1", "Boat")
            boat = await w.api.create(
                boats,
                {"apiVersion": f"{group}/v1", "kind": "Boat", "metadata": {"name": "owner"}},
                w.namespace,
            )
            ref = {
                "apiVersion": f"{group}/v1",
                "kind": "Boat",
                "name": "owner",
                "uid": boat["metadata"]["uid"],
            }
            meta = {"name": "cargo", "ownerReferences": [ref]}
            config_maps = kinds.of("v1", "ConfigMap")
            await w.api.create(config_maps, {"metadata": meta}, w.namespace)
            await asyncio.sleep(0.5)
            assert "cargo" in await w.names(config_maps)
            await w.api.delete(boats, "owner", w.namespace)

            async def collected() -> bool:
                return "cargo" not in await w.names(config_maps)

            await w.until(collected, "what the boat owned is gone")
        finally:
            await w.api.delete(CRDS, f"boats.{group}")

    play(server, test)
