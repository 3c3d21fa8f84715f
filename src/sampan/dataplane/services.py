"""Services and EndpointSlices to the elements of a few sets and maps: which endpoint a packet to a service meets. Pure.

`claims` reads one Service with its slices; `elements` writes one claim as elements; a `Ledger` holds what all services
claim and says what changes. There is no chain per service, because the kernel's cost of chains grows with their square
while that of elements does not: all services with the same number of endpoints share a set and a chain (`Pick`), which
draws a slot; the address asked for and the slot are the key of the endpoint.

Behaviour: Kubernetes' "Virtual IPs and Service Proxies"; k8s.io/kubernetes pkg/proxy (endpoints terminating are used
when none is ready, per policy). Topology hints and trafficDistribution are preferences, and are not acted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

Object: TypeAlias = Mapping[str, Any]

ANY: Final = "0.0.0.0"  # noqa: S104 (a key's field, not an address to bind)
"""The address of a NodePort's frontend: every address of the node."""
OUTSIDE_SLOT: Final = 1 << 16
"""Slots from here on are endpoints for traffic from outside, where that differs."""
AFFINITY_SECONDS: Final = 10800  # api: DefaultClientIPServiceAffinitySeconds

# sets of frontends, besides those of Pick and Sticky
DROPPED, LOCAL_POLICY, REJECTED, FIREWALLED = "dropped", "local-policy", "rejected", "firewalled"
MASQUERADED, MASQUERADED_LOCAL = "masqueraded", "masqueraded-local"
# (frontend, slot) to endpoint; (frontend, range); (endpoint's address twice)
ENDPOINTS, SOURCES, HAIRPINS = "endpoints", "sources", "hairpins"

_PROXY_NAME = "service.kubernetes.io/service-proxy-name"
_SERVICE_NAME = "kubernetes.io/service-name"


class Frontend(NamedTuple):
    """What a client asks for. `protocol` is TCP, UDP or SCTP."""

    address: str
    protocol: str
    port: int


class Backend(NamedTuple):
    address: str
    port: int


class Rule(NamedTuple):
    """What a frontend leads to.

    `inside` serves traffic of the cluster (pods, this node), `outside` all other; None means the same. `affinity` is
    in seconds, 0 for none. `external` traffic from elsewhere is masqueraded unless it has its own `outside`.
    `drop`: there are endpoints, but none that this policy may use. `sources` are the ranges that may ask.
    `here` are the addresses of endpoints on this node: they may meet themselves.
    """

    inside: tuple[Backend, ...] = ()
    outside: tuple[Backend, ...] | None = None
    affinity: int = 0
    external: bool = False
    drop: bool = False
    sources: tuple[str, ...] = ()
    here: tuple[str, ...] = ()


class Claim(NamedTuple):
    """One service's claim on a frontend. Of several, the lowest `rank` wins (a ClusterIP cannot be taken over by
    another's externalIPs), then the service that sorts first.
    """

    frontend: Frontend
    rule: Rule
    rank: int = 0


class Pick(NamedTuple):
    """Frontends with `size` endpoints. With the Local policy a frontend has two views (INSIDE, OUTSIDE), else ""."""

    size: int
    view: str = ""

    @property
    def name(self) -> str:
        return f"pick-{self.size}-{self.view}" if self.view else f"pick-{self.size}"


class Sticky(NamedTuple):
    """Frontends whose clients stay with an endpoint for `seconds`."""

    seconds: int

    @property
    def name(self) -> str:
        return f"sticky-{self.seconds}"


INSIDE, OUTSIDE = "inside", "outside"

Place: TypeAlias = tuple[str | Pick | Sticky, tuple[Any, ...]]
"""A set or map, and a key in it."""
Elements: TypeAlias = dict[Place, Backend | None]


class Changes(NamedTuple):
    """Places to empty, then places to fill; a place whose value changes is in both."""

    removed: tuple[Place, ...] = ()
    added: tuple[tuple[Place, Backend | None], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.removed or self.added)


class _Endpoints(NamedTuple):
    """Endpoints of one service port: those to use anywhere and on this node, and the addresses that are on this node."""

    everywhere: tuple[Backend, ...]
    on_node: tuple[Backend, ...]
    here: tuple[str, ...]


def service_of(endpoint_slice: Object) -> str:
    """The key (namespace/name) of the Service a slice belongs to; "" when it belongs to none."""
    meta = endpoint_slice["metadata"]
    name = (meta.get("labels") or {}).get(_SERVICE_NAME)
    return f"{meta.get('namespace', '')}/{name}" if name else ""


def claims(service: Object, slices: Iterable[Object], node_name: str) -> tuple[Claim, ...]:
    """What a Service claims on this node, IPv4. Empty for headless and ExternalName ones and those of another proxy."""
    spec = service.get("spec") or {}
    labels = service["metadata"].get("labels")
    addresses = [a for a in spec.get("clusterIPs") or (spec.get("clusterIP") or "",) if "." in a]
    if spec.get("type") == "ExternalName" or not addresses or (labels and _PROXY_NAME in labels):
        return ()
    known = [s for s in slices if s.get("addressType") == "IPv4"]
    affinity = _affinity(spec)
    outwards = "externalIPs" in spec or spec.get("type") not in (None, "ClusterIP")
    internal_local = spec.get("internalTrafficPolicy") == "Local"
    found: list[Claim] = []
    for port in spec.get("ports") or ():
        protocol = port.get("protocol") or "TCP"
        everywhere, on_node, here = _endpoints(known, port.get("name") or "", protocol, node_name)
        internal = on_node if internal_local else everywhere
        rule = Rule(internal, None, affinity, False, bool(everywhere) and not internal, (), here)
        for address in addresses:
            found.append(Claim(Frontend(address, protocol, port["port"]), rule))  # noqa: PERF401 (half the time)
        if outwards:
            outside = on_node if spec.get("externalTrafficPolicy") == "Local" and everywhere else None
            external = Rule(everywhere, outside, affinity, external=True, here=here)
            found += _external(service, port, protocol, external)
    return tuple(found)


def _external(service: Object, port: Object, protocol: str, rule: Rule) -> Iterable[Claim]:
    spec = service["spec"]
    if port.get("nodePort"):
        yield Claim(Frontend(ANY, protocol, port["nodePort"]), rule, 1)
    for address in spec.get("externalIPs") or ():
        if _is_v4(address):
            yield Claim(Frontend(address, protocol, port["port"]), rule, 1)
    if spec.get("type") != "LoadBalancer":
        return
    sources = tuple(sorted(r.strip() for r in spec.get("loadBalancerSourceRanges") or () if ":" not in r))
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    for ingress in balancer.get("ingress") or ():
        if _is_v4(ingress.get("ip") or "") and ingress.get("ipMode") != "Proxy":
            yield Claim(Frontend(ingress["ip"], protocol, port["port"]), rule._replace(sources=sources), 1)


def _is_v4(address: str) -> bool:
    return "." in address


def _affinity(spec: Object) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
    return int(config.get("timeoutSeconds") or AFFINITY_SECONDS)


def _endpoints(slices: Sequence[Object], name: str, protocol: str, node_name: str) -> _Endpoints:
    """A port of a slice without a number means all ports, which no service port is."""
    ready: list[Backend] = []
    fallback: list[Backend] = []
    here: list[tuple[Backend, bool]] = []
    for one in slices:
        for port in one.get("ports") or ():
            number = port.get("port")
            if (
                number is None
                or (port.get("name") or "") != name
                or (port.get("protocol") or "TCP") != protocol
            ):
                continue
            for endpoint in one.get("endpoints") or ():
                backend = Backend(endpoint["addresses"][0], number)
                conditions = endpoint.get("conditions")
                is_ready = not conditions or conditions.get("ready") is not False
                if is_ready:
                    ready.append(backend)
                elif conditions.get("terminating") and conditions.get("serving") is not False:
                    fallback.append(backend)
                else:
                    continue
                if endpoint.get("nodeName") == node_name:
                    here.append((backend, is_ready))
    everywhere = _unique(ready or fallback)
    if not here:
        return _Endpoints(everywhere, (), ())
    on_node = _unique([b for b, is_ready in here if is_ready] or [b for b, _ in here])
    return _Endpoints(everywhere, on_node, tuple(sorted({b.address for b, _ in here})))


def _unique(backends: list[Backend]) -> tuple[Backend, ...]:
    return tuple(sorted(set(backends))) if len(backends) > 1 else tuple(backends)


def elements(claim: Claim) -> Elements:
    """One claim as elements."""
    frontend, rule = claim.frontend, claim.rule
    made: Elements = {(HAIRPINS, (address, address)): None for address in rule.here}
    if rule.drop:
        made[DROPPED, frontend] = None
        return made
    if not rule.inside:
        made[REJECTED, frontend] = None
        return made
    for slot, backend in enumerate(rule.inside):
        made[ENDPOINTS, (frontend, slot)] = backend
    if rule.outside is None:
        made[Pick(len(rule.inside)), frontend] = None
    else:
        made[LOCAL_POLICY, frontend] = None
        made[Pick(len(rule.inside), INSIDE), frontend] = None
        if rule.outside:
            made[Pick(len(rule.outside), OUTSIDE), frontend] = None
            for slot, backend in enumerate(rule.outside, OUTSIDE_SLOT):
                made[ENDPOINTS, (frontend, slot)] = backend
    if rule.affinity:
        made[Sticky(rule.affinity), frontend] = None
    if rule.external:
        made[MASQUERADED if rule.outside is None else MASQUERADED_LOCAL, frontend] = None
    if rule.sources:
        made[FIREWALLED, frontend] = None
        for source in rule.sources:
            made[SOURCES, (frontend, source)] = None
    return made


def diff(old: Mapping[Place, Backend | None], new: Mapping[Place, Backend | None]) -> Changes:
    """What leads from one set of elements to the other."""
    if not old:
        return Changes((), tuple(new.items()))
    missing = object()
    removed = tuple(place for place, value in old.items() if new.get(place, missing) != value)
    added = tuple((place, value) for place, value in new.items() if old.get(place, missing) != value)
    return Changes(removed, added)


class Ledger:
    """What every service claims, and the elements that follow. No I/O."""

    def __init__(self) -> None:
        self._claims: dict[str, tuple[Claim, ...]] = {}
        self._claimants: dict[Frontend, dict[str, Claim]] = {}
        self._hairpins: dict[Place, int] = {}

    def put(self, batch: Mapping[str, tuple[Claim, ...]]) -> Changes:
        """Takes the claims of some services (none for one that is gone) and says what changes."""
        batch = {key: new for key, new in batch.items() if self._claims.get(key, ()) != new}
        touched = {
            claim.frontend: None for key, new in batch.items() for claim in (*self._claims.get(key, ()), *new)
        }
        old = self._effective(touched)
        self._take(batch)
        return self._count_hairpins(old, self._effective(touched))

    def fill(self, batch: Mapping[str, tuple[Claim, ...]]) -> None:
        """As `put`, for one who takes `all` afterwards and asks for no changes: a third of the work."""
        self._take(batch)
        self._hairpins = {}
        for held in self._claimants.values():
            for address in _winner(held).rule.here:
                place: Place = (HAIRPINS, (address, address))
                self._hairpins[place] = self._hairpins.get(place, 0) + 1

    def _take(self, batch: Mapping[str, tuple[Claim, ...]]) -> None:
        for key, new in batch.items():
            for claim in self._claims.pop(key, ()):
                # a service may claim a frontend twice (an externalIP that is its balancer's address too)
                held = self._claimants.get(claim.frontend, {})
                held.pop(key, None)
                if not held:
                    self._claimants.pop(claim.frontend, None)
            if new:
                self._claims[key] = new
                for claim in new:
                    self._claimants.setdefault(claim.frontend, {})[key] = claim

    def all(self) -> Elements:
        """Every element there should be."""
        made: Elements = {}
        for held in self._claimants.values():
            made.update(elements(_winner(held)))
        return made

    def backends(self, frontend: Frontend) -> frozenset[Backend]:
        """The endpoints that a frontend leads to."""
        held = self._claimants.get(frontend)
        if not held:
            return frozenset()
        rule = _winner(held).rule
        return frozenset((*rule.inside, *(rule.outside or ())))

    def sticky(self, frontend: Frontend) -> frozenset[Backend]:
        """The endpoints that a client of the frontend may stay with; none when it has no affinity."""
        held = self._claimants.get(frontend)
        return self.backends(frontend) if held and _winner(held).rule.affinity else frozenset()

    def _effective(self, frontends: Iterable[Frontend]) -> list[Elements]:
        return [elements(_winner(held)) for f in frontends if (held := self._claimants.get(f))]

    def _count_hairpins(self, old: list[Elements], new: list[Elements]) -> Changes:
        """Services share endpoints: a hairpin goes when its last frontend does; all else belongs to one frontend."""
        before: Elements = {}
        after: Elements = {}
        counts = self._hairpins
        for sign, many, into in ((-1, old, before), (1, new, after)):
            for one in many:
                for place, value in one.items():
                    if place[0] != HAIRPINS:
                        into[place] = value
                        continue
                    held = counts.get(place, 0)
                    if sign < 0:
                        before[place] = None
                    elif held == 0 and place not in before:
                        after[place] = None
                    counts[place] = held + sign
        for place in [p for p in before if p[0] == HAIRPINS]:
            if counts[place]:
                after[place] = None
        for place in [p for p, count in counts.items() if count == 0]:
            del counts[place]
        return diff(before, after)


def _winner(held: Mapping[str, Claim]) -> Claim:
    if len(held) == 1:
        return next(iter(held.values()))
    return min(held.items(), key=lambda item: (item[1].rank, item[0]))[1]
