"""What DNS knows of the cluster: Services, EndpointSlices and Namespaces by informers, and what a change touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sampan.api import kinds
from sampan.client.cache import Informers, key_of
from sampan.client.rest import Object


def _service_of(obj: Object) -> str:
    meta = obj["metadata"]
    name = (meta.get("labels") or {}).get("kubernetes.io/service-name")
    return f"{meta.get('namespace', '')}/{name}" if name else ""


def _cluster_ips(obj: Object) -> list[str]:
    spec = obj.get("spec") or {}
    return [ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP") or ""] if ip not in ("", "None")]


def _endpoint_addresses(obj: Object) -> list[str]:
    return [a for endpoint in obj.get("endpoints") or () for a in endpoint.get("addresses") or ()]


class Cluster:
    """A `records.View` over informers. `changed` is called with what answers may rest on (see `records.Found`)."""

    def __init__(self, informers: Informers, changed: Callable[[Iterable[str]], Any]) -> None:
        self._services = informers.of(kinds.of("v1", "Service"))
        self._slices = informers.of(kinds.of("discovery.k8s.io/v1", "EndpointSlice"))
        self._namespaces = informers.of(kinds.of("v1", "Namespace"), metadata_only=True)
        self._changed = changed
        self._services.index("address", _cluster_ips)
        self._slices.index("address", _endpoint_addresses)
        self._slices.index("service", lambda obj: (_service_of(obj),))
        self._services.on_change(self._service_changed)
        self._slices.on_change(self._slice_changed)
        self._namespaces.on_change(self._namespace_changed)

    def service(self, namespace: str, name: str) -> Object | None:
        return self._services.get(f"{namespace}/{name}")

    def slices(self, namespace: str, name: str) -> list[Object]:
        return self._slices.by("service", f"{namespace}/{name}")

    def namespace(self, name: str) -> bool:
        return self._namespaces.get(name) is not None

    def services_at(self, address: str) -> list[Object]:
        return self._services.by("address", address)

    def slices_at(self, address: str) -> list[Object]:
        return self._slices.by("address", address)

    def _service_changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None:
                self._changed((key_of(obj), *_cluster_ips(obj)))

    def _slice_changed(self, old: Object | None, new: Object | None) -> None:
        for obj in (old, new):
            if obj is not None:
                self._changed((_service_of(obj), *_endpoint_addresses(obj)))

    def _namespace_changed(self, old: Object | None, new: Object | None) -> None:
        if old is None or new is None:
            self._changed((f"{(new or old or {})['metadata']['name']}:",))
