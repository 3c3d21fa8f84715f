"""Which records a name of the cluster has: the Kubernetes DNS specification 1.1.0 as functions over a view. Pure.

Where the specification is silent this follows CoreDNS' kubernetes plug-in: endpoints without a hostname are named after
their address (10-42-0-5), every service's endpoints have such names, SRV of a service's own name lists all its ports.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from sampan.spec.dns import wire
from sampan.spec.dns.wire import Record

Object: TypeAlias = Mapping[str, Any]

VERSION: Final = "1.1.0"
_REVERSE: Final = ("in-addr", "arpa")


class View(Protocol):
    """What is known of the cluster at one moment."""

    def service(self, namespace: str, name: str) -> Object | None: ...

    def slices(self, namespace: str, name: str) -> Sequence[Object]:
        """EndpointSlices of a service."""

    def namespace(self, name: str) -> bool: ...

    def services_at(self, address: str) -> Sequence[Object]:
        """Services with that ClusterIP."""

    def slices_at(self, address: str) -> Sequence[Object]:
        """EndpointSlices with an endpoint of that address."""


class Zone(NamedTuple):
    """The cluster's domain in wire form, the address that answers for it (may be ""), TTL of its records."""

    domain: bytes
    address: str = ""
    ttl: int = 5
    pods: bool = True


class Found(NamedTuple):
    """An answer of the cluster. `depends` names what it was made from: namespace/service, namespace: or address.

    `target` is where a CNAME leads out of what is known here: the answer goes on there.
    """

    rcode: int = wire.NOERROR
    answers: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    depends: str = ""
    target: bytes = b""


class _Endpoint(NamedTuple):
    host: str
    address: str
    ports: tuple[tuple[str, str, int], ...]
    """(name, protocol, number)."""


def lookup(view: View, zone: Zone, name: bytes, kind: int) -> Found | None:
    """The answer for a lower-case wire name; None when it is not the cluster's to give."""
    if name.endswith(zone.domain) and (within := _within(name, zone.domain)) is not None:
        return _in_zone(view, zone, name, within, kind)
    if name.endswith(b"\x07in-addr\x04arpa\0"):
        return _reverse(view, zone, name, kind)
    return None


def _within(name: bytes, domain: bytes) -> list[str] | None:
    """The labels before the domain; None when the name only ends alike in bytes."""
    labels = wire.labels(name)
    outer = wire.labels(domain)
    if labels[len(labels) - len(outer) :] != outer:
        return None
    return [label.decode("latin-1") for label in labels[: len(labels) - len(outer)]]


def soa(zone: Zone) -> Record:
    """The zone's SOA; its last number is how long a negative answer is good for."""
    data = wire.soa(
        _under("ns.dns", zone.domain),
        _under("hostmaster", zone.domain),
        (1, 7200, 1800, 86400, zone.ttl),
    )
    return Record(zone.domain, wire.SOA, zone.ttl, data)


def _under(text: str, domain: bytes) -> bytes:
    return wire.name(text)[:-1] + domain


def _in_zone(view: View, zone: Zone, name: bytes, labels: list[str], kind: int) -> Found:
    if not labels:
        if kind == wire.SOA:
            return Found(answers=(soa(zone),))
        if kind == wire.NS:
            server = _under("ns.dns", zone.domain)
            return Found(answers=(Record(zone.domain, wire.NS, zone.ttl, server),))
        return Found()
    match labels:
        case ["dns-version"]:
            version = Record(name, wire.TXT, zone.ttl, wire.txt([VERSION.encode()]))
            return Found(answers=(version,) if kind == wire.TXT else ())
        case ["dns"] | ["svc"]:
            return Found()
        case ["ns", "dns"]:
            return Found(answers=_addresses(name, kind, [zone.address] if zone.address else [], zone.ttl))
        case ["pod"] if zone.pods:
            return Found()
        case [namespace, "svc"]:
            return _exists(view.namespace(namespace), f"{namespace}:")
        case [namespace, "pod"] if zone.pods:
            return _exists(view.namespace(namespace), f"{namespace}:")
        case [pod, namespace, "pod"] if zone.pods:
            return _pod(view, zone, name, pod, namespace, kind)
        case [*rest, service, namespace, "svc"] if len(rest) <= 2:
            return _service(view, zone, name, rest, service, namespace, kind)
    return Found(wire.NXDOMAIN)


def _exists(there: bool, depends: str) -> Found:
    return Found(wire.NOERROR if there else wire.NXDOMAIN, depends=depends)


def _pod(view: View, zone: Zone, name: bytes, pod: str, namespace: str, kind: int) -> Found:
    """10-42-0-5.default.pod.DOMAIN is 10.42.0.5 in any namespace that exists: nothing else is verified."""
    depends = f"{namespace}:"
    if not view.namespace(namespace):
        return Found(wire.NXDOMAIN, depends=depends)
    for separator in (".", ":"):
        try:
            address = str(ipaddress.ip_address(pod.replace("-", separator)))
        except ValueError:
            continue
        return Found(answers=_addresses(name, kind, [address], zone.ttl), depends=depends)
    return Found(wire.NXDOMAIN, depends=depends)


def _service(
    view: View, zone: Zone, name: bytes, rest: list[str], service: str, namespace: str, kind: int
) -> Found:
    depends = f"{namespace}/{service}"
    obj = view.service(namespace, service)
    if obj is None:
        return Found(wire.NXDOMAIN, depends=depends)
    spec = obj.get("spec") or {}
    own = _under(f"{service}.{namespace}.svc", zone.domain)
    if spec.get("type") == "ExternalName":
        return _external(zone, name, rest, str(spec.get("externalName") or ""), depends)
    if len(rest) == 2 and not (rest[0].startswith("_") and rest[1].startswith("_")):
        return Found(wire.NXDOMAIN, depends=depends)
    cluster_ips = [
        ip for ip in spec.get("clusterIPs") or [spec.get("clusterIP") or ""] if ip not in ("", "None")
    ]
    wanted = (rest[0][1:], rest[1][1:].upper()) if len(rest) == 2 else None
    if not cluster_ips or (len(rest) == 1 and not rest[0].startswith("_")):
        endpoints = _endpoints(view.slices(namespace, service))
        if len(rest) == 1 and not rest[0].startswith("_"):
            endpoints = [e for e in endpoints if e.host == rest[0]]
        return _of_endpoints(zone, name, own, endpoints, wanted, rest, kind, depends)
    ports = [(p.get("name") or "", p.get("protocol") or "TCP", p["port"]) for p in spec.get("ports") or ()]
    if len(rest) == 1:
        return _exists(_has_protocol(ports, rest[0]), depends)
    matching = [p for p in ports if wanted is None or (p[0] == wanted[0] and p[1] == wanted[1])]
    if wanted is not None and not matching:
        return Found(wire.NXDOMAIN, depends=depends)
    if kind == wire.SRV:
        weight = max(1, 100 // len(matching)) if matching else 0
        answers = tuple(
            Record(name, wire.SRV, zone.ttl, wire.srv(p[2], own, weight=weight)) for p in matching
        )
        glue = _addresses(own, wire.A, cluster_ips, zone.ttl) + _addresses(
            own, wire.AAAA, cluster_ips, zone.ttl
        )
        return Found(answers=answers, additional=glue, depends=depends)
    # SRV's names have addresses too, as CoreDNS has it
    return Found(answers=_addresses(name, kind, cluster_ips, zone.ttl), depends=depends)


def _external(zone: Zone, name: bytes, rest: list[str], external: str, depends: str) -> Found:
    if rest:
        return Found(wire.NXDOMAIN, depends=depends)
    try:
        target = wire.name(external)
    except wire.WireError:
        return Found(wire.SERVFAIL, depends=depends)
    return Found(answers=(Record(name, wire.CNAME, zone.ttl, target),), depends=depends, target=target)


def _of_endpoints(
    zone: Zone,
    name: bytes,
    own: bytes,
    endpoints: Sequence[_Endpoint],
    wanted: tuple[str, str] | None,
    rest: list[str],
    kind: int,
    depends: str,
) -> Found:
    """A headless service or one endpoint: NXDOMAIN when no endpoint is ready (specification 2.4)."""
    if len(rest) == 1 and rest[0].startswith("_"):
        return _exists(any(_has_protocol(e.ports, rest[0]) for e in endpoints), depends)
    if wanted is not None:
        endpoints = [e._replace(ports=tuple(p for p in e.ports if p[:2] == wanted)) for e in endpoints]
        endpoints = [e for e in endpoints if e.ports]
    if not endpoints:
        return Found(wire.NXDOMAIN, depends=depends)
    if kind != wire.SRV:
        addresses = list(dict.fromkeys(e.address for e in endpoints))
        return Found(answers=_addresses(name, kind, addresses, zone.ttl), depends=depends)
    pairs = [(_host(e.host, own), e, port) for e in endpoints for port in e.ports]
    weight = max(1, 100 // len(pairs)) if pairs else 0
    answers = tuple(
        Record(name, wire.SRV, zone.ttl, wire.srv(port[2], target, weight=weight))
        for target, _, port in pairs
    )
    glue: dict[Record, None] = {}
    for target, endpoint, _ in pairs:
        for family in (wire.A, wire.AAAA):
            glue.update(dict.fromkeys(_addresses(target, family, [endpoint.address], zone.ttl)))
    return Found(answers=answers, additional=tuple(glue), depends=depends)


def _host(host: str, own: bytes) -> bytes:
    return bytes((len(host),)) + host.encode() + own


def _has_protocol(ports: Iterable[tuple[str, str, int]], label: str) -> bool:
    return any(name and protocol == label[1:].upper() for name, protocol, _ in ports)


def _endpoints(slices: Iterable[Object]) -> list[_Endpoint]:
    """Ready endpoints by address; slices of one service may name an endpoint twice."""
    found: dict[tuple[str, str], dict[tuple[str, str, int], None]] = {}
    for one in slices:
        if one.get("addressType") not in ("IPv4", "IPv6"):
            continue
        ports = [
            (p.get("name") or "", p.get("protocol") or "TCP", p.get("port") or 0)
            for p in one.get("ports") or ()
        ]
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready") is False:
                continue
            for address in endpoint.get("addresses") or ():
                host = endpoint.get("hostname") or _dashed(address)
                found.setdefault((host, address), {}).update(dict.fromkeys(ports))
    return [_Endpoint(host, address, tuple(ports)) for (host, address), ports in sorted(found.items())]


def _dashed(address: str) -> str:
    return address.replace(".", "-").replace(":", "-")


def _addresses(name: bytes, kind: int, addresses: Iterable[str], ttl: int) -> tuple[Record, ...]:
    """A or AAAA records; of any other type none."""
    version = {wire.A: 4, wire.AAAA: 6}.get(kind)
    if version is None:
        return ()
    parsed = (ipaddress.ip_address(a) for a in addresses)
    return tuple(Record(name, kind, ttl, a.packed) for a in parsed if a.version == version)


def _reverse(view: View, zone: Zone, name: bytes, kind: int) -> Found | None:
    """PTR of a ClusterIP or an endpoint; other addresses are others' to know."""
    labels = [label.decode("latin-1") for label in wire.labels(name)]
    if len(labels) != 6:
        return None
    address = ".".join(reversed(labels[:4]))
    names = [
        _under(f"{s['metadata']['name']}.{s['metadata']['namespace']}.svc", zone.domain)
        for s in view.services_at(address)
    ] or sorted(_endpoint_names(view, zone, address))
    if not names:
        return None
    answers = tuple(Record(name, wire.PTR, zone.ttl, target) for target in names)
    return Found(answers=answers if kind == wire.PTR else (), depends=address)


def _endpoint_names(view: View, zone: Zone, address: str) -> set[bytes]:
    found = set()
    for one in view.slices_at(address):
        service = (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        own = _under(f"{service}.{one['metadata']['namespace']}.svc", zone.domain)
        found |= {_host(e.host, own) for e in _endpoints([one]) if e.address == address} if service else set()
    return found
