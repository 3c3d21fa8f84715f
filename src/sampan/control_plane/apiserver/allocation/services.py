"""What a Service needs of addresses and ports, and the hook that gives it to it on the way to the store.

k8s.io/kubernetes pkg/registry/core/service/storage/{alloc,storage}.go.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sampan.api.status import ApiError, Cause, internal, invalid
from sampan.control_plane.apiserver.allocation.pool import Exhausted, Pool
from sampan.control_plane.apiserver.cache.cache import Cache
from sampan.control_plane.apiserver.cache.record import Record
from sampan.control_plane.apiserver.cache.watcher import Filter

Object = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NONE: Final = "None"
WITH_ADDRESS: Final = ("ClusterIP", "NodePort", "LoadBalancer")
WITH_PORTS: Final = ("NodePort", "LoadBalancer")


class Range(NamedTuple):
    """One family's addresses: `family` is IPv4 or IPv6."""

    family: str
    network: Network
    pool: Pool


def _range(cidr: str) -> Range:
    network = ipaddress.ip_network(cidr)
    size = min(network.num_addresses, 1 << 20)
    first, last = 1, size - (2 if network.version == 4 else 1)
    # the lower part of a range is for addresses that people choose: min(max(16, size/16), 256)
    reserved = min(max(16, size // 16), 256) if size > 32 else 0
    return Range(f"IPv{network.version}", network, Pool(first, last, reserved))


class Claim(NamedTuple):
    """What one Service holds: (range index, place) pairs, and ports by protocol."""

    addresses: frozenset[tuple[int, int]] = frozenset()
    ports: frozenset[tuple[str, int]] = frozenset()


class Services:
    """The registry's Hook for Services. Follows the watch cache, so it also knows what others wrote."""

    def __init__(self, cidrs: Sequence[str], ports: tuple[int, int], cache: Cache) -> None:
        self._ranges = [_range(cidr) for cidr in cidrs]
        self._first_port, self._last_port = ports
        self._ports: dict[str, Pool] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        for record in cache.table("", "services").select(Filter()):
            self._note(record, gone=False)
        cache.on_change(self._changed)

    # -- what is held

    def _changed(self, group: str, plural: str, record: Record, deleted: bool) -> None:
        if (group, plural) == ("", "services"):
            self._note(record, gone=deleted)

    def _note(self, record: Record, *, gone: bool) -> None:
        place = (record.namespace, record.name)
        new = Claim() if gone else self._claim(record.object)
        self._hold(new)
        self._release(self._claims.pop(place, Claim()))
        if not gone:
            self._claims[place] = new

    def _claim(self, service: Mapping[str, Any]) -> Claim:
        spec = service.get("spec") or {}
        addresses = {found for ip in _ips(spec) if (found := self._place(ip)) is not None}
        return Claim(frozenset(addresses), frozenset(_ports(spec)))

    def _hold(self, claim: Claim) -> None:
        for index, place in claim.addresses:
            self._ranges[index].pool.hold(place)
        for protocol, port in claim.ports:
            self._port_pool(protocol).hold(port)

    def _release(self, claim: Claim) -> None:
        for index, place in claim.addresses:
            self._ranges[index].pool.release(place)
        for protocol, port in claim.ports:
            self._port_pool(protocol).release(port)

    def _port_pool(self, protocol: str) -> Pool:
        pool = self._ports.get(protocol)
        if pool is None:
            size = self._last_port - self._first_port + 1
            reserved = min(max(16, size // 32), 128) if size > 32 else 0
            pool = self._ports[protocol] = Pool(self._first_port, self._last_port, reserved)
        return pool

    def _place(self, ip: str) -> tuple[int, int] | None:
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return None
        for index, (_, network, _) in enumerate(self._ranges):
            if address in network:
                return index, int(address) - int(network.network_address)
        return None

    # -- Hook

    def begin(self, obj: Object, old: Mapping[str, Any] | None) -> Callable[[], None]:
        """Completes the Service. What it takes is held until the function given back is called.

        By then the stored Service holds it by itself, through the cache; or it was not stored, and all is free again.
        """
        spec = obj.get("spec")
        if not isinstance(spec, dict):
            return _nothing
        had = self._claim(old) if old is not None else Claim()
        taken: list[Claim] = []
        try:
            self._addresses(obj, spec, (old or {}).get("spec") or {}, had, taken)
            self._node_ports(obj, spec, had, taken)
        except BaseException:
            for claim in taken:
                self._release(claim)
            raise

        def release() -> None:
            while taken:
                self._release(taken.pop())

        return release

    # -- addresses

    def _addresses(
        self, obj: Object, spec: Object, old: Mapping[str, Any], had: Claim, taken: list[Claim]
    ) -> None:
        kind = spec.get("type") or "ClusterIP"
        if kind not in WITH_ADDRESS:
            return
        wanted = _ips(spec, all_=True)
        if wanted and wanted[0] == NONE and not spec.get("selector"):
            _headless_families(spec, [one.family for one in self._ranges])
        families = self._families(obj, spec, old)
        spec["ipFamilies"] = families
        spec.setdefault("ipFamilyPolicy", "SingleStack")
        if wanted and wanted[0] == NONE:
            spec["clusterIP"], spec["clusterIPs"] = NONE, [NONE]
            return
        given: list[str] = []
        for number, family in enumerate(families):
            asked = wanted[number] if number < len(wanted) else ""
            given.append(self._address(obj, family, asked, f"spec.clusterIPs[{number}]", had, taken))
        spec["clusterIP"], spec["clusterIPs"] = given[0], given

    def _families(self, obj: Object, spec: Object, old: Mapping[str, Any]) -> list[str]:
        """The families of a Service, as many as its policy asks for and the cluster has."""
        available = [one.family for one in self._ranges]
        families = [family for family in spec.get("ipFamilies") or [] if family]
        for number, ip in enumerate(_ips(spec)):
            place = self._place(ip)
            if place is not None and number >= len(families):
                families.append(self._ranges[place[0]].family)
        if not families:
            families = [family for family in old.get("ipFamilies") or [] if family] or available[:1]
        policy = spec.get("ipFamilyPolicy") or "SingleStack"
        headless_without_selector = (spec.get("clusterIP") == NONE) and not spec.get("selector")
        missing = [family for family in families if family not in available]
        if missing and not headless_without_selector:
            cause = Cause(
                "FieldValueInvalid",
                f'Invalid value: "{missing[0]}": not configured on this cluster',
                "spec.ipFamilies[0]",
            )
            raise _invalid(obj, [cause])
        if policy == "RequireDualStack" and len(available) < 2 and not headless_without_selector:
            cause = Cause(
                "FieldValueInvalid",
                'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
                "spec.ipFamilyPolicy",
            )
            raise _invalid(obj, [cause])
        if headless_without_selector:
            return families
        if policy == "SingleStack":
            return families[:1]
        return [*families, *(family for family in available if family not in families)][:2]

    def _address(
        self, obj: Object, family: str, asked: str, path: str, had: Claim, taken: list[Claim]
    ) -> str:
        index = next(i for i, one in enumerate(self._ranges) if one.family == family)
        network, pool = self._ranges[index].network, self._ranges[index].pool
        if asked:
            _check_address(obj, asked, path)
            place = self._place(asked)
            if place is None or place[0] != index or place[1] not in pool:
                why = f"failed to allocate IP {asked}: the provided network does not match the current range"
                raise _invalid(obj, [_bad_address(path, asked, why)])
            if place not in had.addresses:
                if not pool.is_free(place[1]):
                    why = f"failed to allocate IP {asked}: provided IP is already allocated"
                    raise _invalid(obj, [_bad_address(path, asked, why)])
                pool.hold(place[1])
                taken.append(Claim(frozenset({place})))
            return asked
        try:
            number = pool.next()
        except Exhausted:
            raise internal("failed to allocate a serviceIP: range is full") from None
        taken.append(Claim(frozenset({(index, number)})))
        return str(network[number])

    # -- ports

    def _node_ports(self, obj: Object, spec: Object, had: Claim, taken: list[Claim]) -> None:
        kind = spec.get("type") or "ClusterIP"
        declined = kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False
        needs_all = kind in WITH_PORTS and not declined
        given: dict[tuple[str, int], None] = {}
        for number, port in enumerate(spec.get("ports") or []):
            protocol = port.get("protocol") or "TCP"
            asked = port.get("nodePort") or 0
            if asked and kind in WITH_PORTS:
                self._ask_port(obj, protocol, asked, f"spec.ports[{number}].nodePort", had, given, taken)
                given[protocol, asked] = None
            elif needs_all:
                port["nodePort"] = self._same_port(port, spec, given, protocol, taken)
                given[protocol, port["nodePort"]] = None
        if kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local":
            self._health_port(obj, spec, had, taken)

    def _same_port(
        self,
        port: Object,
        spec: Object,
        given: Mapping[tuple[str, int], None],
        protocol: str,
        taken: list[Claim],
    ) -> int:
        """A port of another protocol with the same number gets the same node port where that is free."""
        for other in spec.get("ports") or []:
            number = other.get("nodePort")
            if other is port or not number or other.get("port") != port.get("port"):
                continue
            pool = self._port_pool(protocol)
            if (protocol, number) not in given and pool.is_free(number):
                pool.hold(number)
                taken.append(Claim(ports=frozenset({(protocol, number)})))
                return int(number)
        return self._next_port(protocol, taken)

    def _next_port(self, protocol: str, taken: list[Claim]) -> int:
        try:
            number = self._port_pool(protocol).next()
        except Exhausted:
            raise internal("failed to allocate a nodePort: range is full") from None
        taken.append(Claim(ports=frozenset({(protocol, number)})))
        return number

    def _ask_port(
        self,
        obj: Object,
        protocol: str,
        asked: int,
        path: str,
        had: Claim,
        given: Mapping[tuple[str, int], None],
        taken: list[Claim],
    ) -> None:
        if (protocol, asked) in had.ports or (protocol, asked) in given:
            return
        pool = self._port_pool(protocol)
        why = ""
        if asked not in pool:
            why = (
                "provided port is not in the valid range. "
                f"The range of valid ports is {self._first_port}-{self._last_port}"
            )
        elif not pool.is_free(asked):
            why = "provided port is already allocated"
        if why:
            raise _invalid(obj, [Cause("FieldValueInvalid", f"Invalid value: {asked}: {why}", path)])
        pool.hold(asked)
        taken.append(Claim(ports=frozenset({(protocol, asked)})))

    def _health_port(self, obj: Object, spec: Object, had: Claim, taken: list[Claim]) -> None:
        asked = spec.get("healthCheckNodePort") or 0
        if asked:
            self._ask_port(obj, "TCP", asked, "spec.healthCheckNodePort", had, {}, taken)
        else:
            spec["healthCheckNodePort"] = self._next_port("TCP", taken)


def _nothing() -> None:
    return None


def _invalid(obj: Object, causes: list[Cause]) -> ApiError:
    return invalid("", "Service", str(obj["metadata"].get("name") or ""), causes)


def _headless_families(spec: Object, available: list[str]) -> None:
    """A headless service without a selector may hold endpoints of either family, whatever the cluster has."""
    if spec.get("ipFamilies") or spec.get("ipFamilyPolicy"):
        return
    first = available[0]
    spec["ipFamilies"] = [first, "IPv6" if first == "IPv4" else "IPv4"]
    spec["ipFamilyPolicy"] = "RequireDualStack"


def _check_address(obj: Object, asked: str, path: str) -> None:
    try:
        ipaddress.ip_address(asked)
    except ValueError:
        text = f'Invalid value: "{asked}": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
        raise _invalid(obj, [Cause("FieldValueInvalid", text, path)]) from None


def _bad_address(path: str, value: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f'Invalid value: ["{value}"]: {why}', path.partition("[")[0])


def _ips(spec: Mapping[str, Any], *, all_: bool = False) -> list[str]:
    """The addresses in a spec; with `all_` also the word None."""
    if (spec.get("type") or "ClusterIP") not in WITH_ADDRESS:
        return []
    listed = [ip for ip in spec.get("clusterIPs") or [] if ip]
    if not listed and spec.get("clusterIP"):
        listed = [spec["clusterIP"]]
    return listed if all_ else [ip for ip in listed if ip != NONE]


def _ports(spec: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    if spec.get("type") not in WITH_PORTS:
        return
    for port in spec.get("ports") or []:
        if port.get("nodePort"):
            yield port.get("protocol") or "TCP", int(port["nodePort"])
    if spec.get("healthCheckNodePort"):
        yield "TCP", int(spec["healthCheckNodePort"])
