"""Free address ranges and ports. Pure: what is taken is passed in."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network

# k3s' ranges first, as people know them; then pairs that VPNs and home routers seldom use.
CANDIDATES = tuple(
    (f"10.{second}.0.0/16", f"10.{second + 1}.0.0/16") for second in (42, 142, 182, 202, 212, 222, 232, 242)
) + tuple((f"172.{second}.0.0/16", f"172.{second + 1}.0.0/16") for second in (20, 24, 28))


class NoRange(Exception):
    """No free range or port: says what was tried."""


def parse(text: str, flag: str) -> IPv4Network:
    """An IPv4 range that is large enough for a cluster. Raises ValueError worded for the user."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{flag} {text!r}: {error}, expected a range such as 10.42.0.0/16") from None
    if not isinstance(network, IPv4Network):
        raise ValueError(f"{flag} {text!r}: IPv6 ranges are not supported yet, expected an IPv4 range")
    if network.prefixlen > 24:
        raise ValueError(f"{flag} {text!r}: too small, expected a /24 or larger")
    return network


def overlaps(network: IPv4Network, taken: Iterable[IPv4Network]) -> IPv4Network | None:
    """The first taken range that shares an address with `network`."""
    for other in taken:
        if network.overlaps(other):
            return other
    return None


def pick(taken: Iterable[IPv4Network]) -> tuple[str, str]:
    """A pod range and a service range that nothing taken overlaps."""
    used = list(taken)
    for pods, services in CANDIDATES:
        if not overlaps(IPv4Network(pods), used) and not overlaps(IPv4Network(services), used):
            return pods, services
    tried = ", ".join(pods for pods, _ in CANDIDATES)
    raise NoRange(f"no free address range (tried {tried}): name one with --pod-cidr and --service-cidr")


def node_cidr(pod_cidr: str) -> str:
    """The first node's part of the pod range: a /24, or the range itself when it is a /24."""
    network = IPv4Network(pod_cidr)
    return str(next(iter(network.subnets(new_prefix=24))) if network.prefixlen < 24 else network)


def nth(cidr: str, index: int) -> str:
    """The index-th address of a range: 1 is the gateway of a node's range, 10 the DNS of a service range."""
    return str(IPv4Network(cidr)[index])
