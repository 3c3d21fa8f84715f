"""What must be there before anybody is served: the first namespaces, the default roles, the `kubernetes` Service.

k8s.io/kubernetes pkg/controlplane/controller/{systemnamespaces,kubernetesservice}, pkg/controlplane/reconcilers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any, Final

from sampan.api.status import ApiError
from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS, component_user
from sampan.control_plane.apiserver.authz import reconcile
from sampan.control_plane.apiserver.registry.call import Call
from sampan.control_plane.apiserver.registry.removal import Removal
from sampan.control_plane.apiserver.registry.resources import Resources, Served
from sampan.control_plane.apiserver.registry.store import Store
from sampan.control_plane.apiserver.view import View

log = logging.getLogger(__name__)

Object = dict[str, Any]

NAMESPACES: Final = ("default", "kube-system", "kube-public", "kube-node-lease")
# k8s.io/kubernetes pkg/apis/scheduling/v1/helpers.go: system priority classes
PRIORITIES: Final = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
RBAC: Final = "rbac.authorization.k8s.io"
SELF: Final = component_user("system:apiserver", SYSTEM_MASTERS)
MANAGER: Final = "kube-apiserver"
SERVICE: Final = "kubernetes"
PORT_NAME: Final = "https"


class Bootstrap:
    def __init__(self, resources: Resources, store: Store, removal: Removal, view: View) -> None:
        self._resources = resources
        self._store = store
        self._removal = removal
        self._view = view

    async def run(self, advertise: str, port: int, cluster_ip: str, service_port: int) -> None:
        for name in NAMESPACES:
            await self._ensure(
                "", "v1", "namespaces", {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}}
            )
        for name, value in PRIORITIES.items():
            await self._ensure("scheduling.k8s.io", "v1", "priorityclasses", _priority_class(name, value))
        await self._roles()
        await self._service(cluster_ip, service_port, port)
        if ipaddress.ip_address(advertise).is_loopback:
            log.info("the kubernetes service gets no endpoints: %s is this machine's own address", advertise)
        else:
            await self._endpoints(advertise, port)

    def _served(self, group: str, version: str, plural: str) -> Served:
        served = self._resources.find(group, version, plural)
        if served is None:
            raise LookupError(f"resource {plural!r} of {group!r} {version!r} is not served")
        return served

    async def _ensure(self, group: str, version: str, plural: str, obj: Object, namespace: str = "") -> None:
        served = self._served(group, version, plural)
        if served.table.get(namespace, obj["metadata"]["name"]) is None:
            try:
                await self._create(served, namespace, obj)
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise

    async def _create(self, served: Served, namespace: str, obj: Object) -> None:
        call = Call(served, SELF, namespace, obj["metadata"]["name"], manager=MANAGER)
        await self._store.create(call, self._store.rules.default(call, self._store.rules.copy(obj)))

    async def _replace(self, served: Served, namespace: str, obj: Object) -> None:
        """Writes the object's content over what is there."""
        call = Call(served, SELF, namespace, obj["metadata"]["name"], manager=MANAGER)

        async def wanted(old: Object | None) -> Object:
            new = self._store.rules.copy(obj)
            if old is not None:
                new["metadata"] = {**old["metadata"], **new["metadata"]}
                new["metadata"].pop("resourceVersion", None)
            new = self._store.rules.default(call, new)
            return self._store.rules.manage(call, old, new)

        await self._store.update(call, wanted, create=True)

    async def _roles(self) -> None:
        # All at once: the store commits what comes together together, and no role needs another one to be there.
        await asyncio.gather(*(self._write(write) for write in reconcile.plan(self._view)))

    async def _write(self, write: reconcile.Write) -> None:
        served = self._served(RBAC, "v1", write.plural)
        if write.recreate:
            await self._removal.delete(Call(served, SELF, write.namespace, write.name), {})
        if write.old is None or write.recreate:
            await self._create(served, write.namespace, write.object)
        else:
            await self._replace(served, write.namespace, write.object)

    async def _service(self, cluster_ip: str, service_port: int, port: int) -> None:
        served = self._served("", "v1", "services")
        ports = [{"name": PORT_NAME, "protocol": "TCP", "port": service_port, "targetPort": port}]
        labels = {"component": "apiserver", "provider": "kubernetes"}
        spec = {"clusterIP": cluster_ip, "ports": ports, "sessionAffinity": "None", "type": "ClusterIP"}
        record = served.table.get("default", SERVICE)
        if record is None:
            metadata = {"name": SERVICE, "namespace": "default", "labels": labels}
            obj = {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec}
            await self._create(served, "default", obj)
            return
        current = record.object["spec"]
        if current.get("ports") != ports:
            if current.get("clusterIP") != cluster_ip:
                log.warning("the kubernetes service keeps its address %s", current.get("clusterIP"))
            await self._replace(
                served,
                "default",
                {**record.object, "spec": {**current, "ports": ports}},
            )

    async def _endpoints(self, advertise: str, port: int) -> None:
        labels = {"endpointslice.kubernetes.io/skip-mirror": "true"}
        endpoints = {
            "kind": "Endpoints",
            "apiVersion": "v1",
            "metadata": {"name": SERVICE, "namespace": "default", "labels": labels},
            "subsets": [
                {
                    "addresses": [{"ip": advertise}],
                    "ports": [{"name": PORT_NAME, "port": port, "protocol": "TCP"}],
                }
            ],
        }
        await self._replace(self._served("", "v1", "endpoints"), "default", endpoints)
        family = "IPv6" if ipaddress.ip_address(advertise).version == 6 else "IPv4"
        slice_ = {
            "kind": "EndpointSlice",
            "apiVersion": "discovery.k8s.io/v1",
            "metadata": {
                "name": SERVICE,
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": SERVICE},
            },
            "addressType": family,
            "endpoints": [{"addresses": [advertise], "conditions": {"ready": True}}],
            "ports": [{"name": PORT_NAME, "port": port, "protocol": "TCP"}],
        }
        await self._replace(self._served("discovery.k8s.io", "v1", "endpointslices"), "default", slice_)


def _priority_class(name: str, value: int) -> Object:
    return {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name},
        "value": value,
        "description": f"Used for system critical pods: {name.split('-')[1]} components.",
    }
