"""The Service kube-system/kube-dns and the EndpointSlice that leads to us, for a server that runs outside of pods."""

from __future__ import annotations

from sampan.api import kinds
from sampan.client.rest import Client, Object

NAMESPACE, NAME = "kube-system", "kube-dns"
MANAGER = "sampan-dns"


def service(address: str) -> Object:
    """Without a selector: its endpoints are ours to write. Labels are those that tools look for."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {
                "k8s-app": "kube-dns",
                "kubernetes.io/cluster-service": "true",
                "kubernetes.io/name": "CoreDNS",
            },
        },
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "type": "ClusterIP",
            "ports": [
                {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
                {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
            ],
        },
    }


def endpoints(address: str, port: int) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{NAME}-sampan",
            "namespace": NAMESPACE,
            "labels": {
                "kubernetes.io/service-name": NAME,
                "endpointslice.kubernetes.io/managed-by": MANAGER,
            },
        },
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [
            {"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False}}
        ],
        "ports": [
            {"name": "dns", "port": port, "protocol": "UDP"},
            {"name": "dns-tcp", "port": port, "protocol": "TCP"},
        ],
    }


async def publish(client: Client, address: str, listening: tuple[str, int]) -> None:
    """Applies both; raises ApiError where the API does not take them."""
    for obj in (service(address), endpoints(*listening)):
        resource = kinds.of(obj["apiVersion"], obj["kind"])
        await client.apply(resource, obj, field_manager=MANAGER, force=True)
