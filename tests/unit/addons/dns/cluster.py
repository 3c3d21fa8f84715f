"""A small cluster for DNS: Services and EndpointSlices as plain objects, and a view over them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def service(
    name: str, ip: str = "", *ports: tuple[str, int], namespace: str = "default", **spec: Any
) -> Object:
    listed = [{"name": n, "port": p, "protocol": "TCP"} for n, p in ports or (("http", 80),)]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterIP": ip or "None", "ports": listed, **spec},
    }


def endpoints(
    service: str, *addresses: str | Object, name: str = "", namespace: str = "default", port: int = 8080
) -> Object:
    return {
        "metadata": {
            "name": name or f"{service}-1",
            "namespace": namespace,
            "labels": {"kubernetes.io/service-name": service},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
        "endpoints": [a if isinstance(a, dict) else {"addresses": [a]} for a in addresses],
    }


class Small:
    """A `records.View` over lists."""

    def __init__(
        self, services: list[Object], slices: list[Object], namespaces: tuple[str, ...] = ("default",)
    ) -> None:
        self._services = {(s["metadata"]["namespace"], s["metadata"]["name"]): s for s in services}
        self._slices = slices
        self._namespaces = namespaces

    def service(self, namespace: str, name: str) -> Object | None:
        return self._services.get((namespace, name))

    def slices(self, namespace: str, name: str) -> list[Object]:
        return [
            s
            for s in self._slices
            if s["metadata"]["namespace"] == namespace
            and s["metadata"]["labels"]["kubernetes.io/service-name"] == name
        ]

    def namespace(self, name: str) -> bool:
        return name in self._namespaces

    def services_at(self, address: str) -> list[Object]:
        return [s for s in self._services.values() if s["spec"].get("clusterIP") == address]

    def slices_at(self, address: str) -> list[Object]:
        return [s for s in self._slices if any(address in e["addresses"] for e in s["endpoints"])]
