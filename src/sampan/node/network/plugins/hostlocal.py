"""host-local: addresses from ranges on this node, one lease file per address.

Files are those of the reference plug-in (DATADIR/NETWORK/ADDRESS holding container and interface, and
last_reserved_ip.0), so either can go on where the other stopped. A lease is made by an exclusive create: two
processes never get one address. One folder belongs to one node.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sampan.node.network.plugins.model import only
from sampan.spec.cni import Address, CniError

DATA_DIR = "/var/lib/cni/networks"


class Range(NamedTuple):
    """Addresses `first` to `last` (as numbers) of `subnet`, without the gateway."""

    subnet: ipaddress.IPv4Network
    first: int
    last: int
    gateway: int

    def after(self, last: int) -> Iterator[int]:
        """Every address once, beginning behind `last`."""
        start = last + 1 if self.first <= last < self.last else self.first
        for number in (*range(start, self.last + 1), *range(self.first, start)):
            if number != self.gateway:
                yield number


class Lease(NamedTuple):
    address: str
    container_id: str
    ifname: str


def parse_range(data: Mapping[str, Any]) -> Range:
    """A range of `ipam.ranges`. Raises CniError 7 for one that cannot be used."""
    unknown = sorted(set(data) - {"subnet", "rangeStart", "rangeEnd", "gateway"})
    if unknown:
        raise CniError(2, f"plug-in 'host-local' does not support {', '.join(map(repr, unknown))} in a range")
    try:
        subnet = ipaddress.ip_network(str(data["subnet"]))
        if not isinstance(subnet, ipaddress.IPv4Network):
            raise CniError(2, f"range {data['subnet']!r}: IPv6 is not supported yet, expected an IPv4 range")
        if subnet.prefixlen > 30:
            raise CniError(7, f"range {data['subnet']!r}: too small, expected a /30 or larger")
        base = int(subnet.network_address)
        first = int(ipaddress.IPv4Address(data.get("rangeStart") or base + 1))
        last = int(ipaddress.IPv4Address(data.get("rangeEnd") or int(subnet.broadcast_address) - 1))
        gateway = int(ipaddress.IPv4Address(data.get("gateway") or base + 1))
    except (KeyError, ValueError) as error:
        raise CniError(7, f"range {dict(data)!r} cannot be used", str(error)) from error
    if not base < first <= last < int(subnet.broadcast_address):
        raise CniError(
            7, f"range {dict(data)!r}: rangeStart and rangeEnd must lie in the subnet in this order"
        )
    return Range(subnet, first, last, gateway)


class Store:
    """The leases of one network. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._leases = {lease.address: lease for lease in self._read()}
        self._last = self._read_last()

    def _read(self) -> Iterator[Lease]:
        for path in self._folder.iterdir():
            try:
                ipaddress.ip_address(path.name)
            except ValueError:
                continue
            owner = (path.read_text() + "\n\n").splitlines()
            yield Lease(path.name, owner[0].strip(), owner[1].strip())

    def reserve(self, within: Range, container_id: str, ifname: str) -> str:
        """A free address; the one that the interface holds already when it holds one. CniError 11 when all are taken."""
        with self._lock:
            for lease in self._leases.values():
                if (lease.container_id, lease.ifname) == (container_id, ifname):
                    return lease.address
            for number in within.after(self._last):
                address = str(ipaddress.IPv4Address(number))
                if address in self._leases or not self._create(address, container_id, ifname):
                    continue
                self._leases[address] = Lease(address, container_id, ifname)
                self._last = number
                (self._folder / "last_reserved_ip.0").write_text(address)
                return address
        raise CniError(11, f"no address is free in range {within.subnet}", f"{len(self._leases)} are leased")

    def _create(self, address: str, container_id: str, ifname: str) -> bool:
        try:
            with (self._folder / address).open("x") as file:
                file.write(f"{container_id}\r\n{ifname}")
        except FileExistsError:
            return False
        return True

    def _read_last(self) -> int:
        try:
            return int(ipaddress.IPv4Address((self._folder / "last_reserved_ip.0").read_text().strip()))
        except (OSError, ValueError):
            return 0

    def leases(self) -> list[Lease]:
        with self._lock:
            return list(self._leases.values())

    def release(self, container_id: str, ifname: str) -> None:
        with self._lock:
            for lease in list(self._leases.values()):
                if (lease.container_id, lease.ifname) == (container_id, ifname):
                    self._drop(lease)

    def keep_only(self, valid: frozenset[tuple[str, str]]) -> list[Lease]:
        """Releases every lease of nobody in `valid`; returns those released."""
        with self._lock:
            gone = [
                lease for lease in self._leases.values() if (lease.container_id, lease.ifname) not in valid
            ]
            for lease in gone:
                self._drop(lease)
        return gone

    def _drop(self, lease: Lease) -> None:
        (self._folder / lease.address).unlink(missing_ok=True)
        del self._leases[lease.address]


class HostLocal:
    """Reserves for the plug-in that delegates to it; stores are kept open by folder."""

    def __init__(self) -> None:
        self._stores: dict[Path, Store] = {}

    def store(self, network: str, ipam: Mapping[str, Any]) -> Store:
        folder = Path(ipam.get("dataDir") or DATA_DIR) / network
        if folder not in self._stores:
            self._stores[folder] = Store(folder)
        return self._stores[folder]

    def reserve(self, network: str, ipam: Mapping[str, Any], container_id: str, ifname: str) -> Address:
        """One address of the first range set with its gateway."""
        within = self.range(ipam)
        address = self.store(network, ipam).reserve(within, container_id, ifname)
        return Address(f"{address}/{within.subnet.prefixlen}", str(ipaddress.IPv4Address(within.gateway)))

    def range(self, ipam: Mapping[str, Any]) -> Range:
        only(ipam, "host-local", ("ranges", "dataDir", "routes"))
        sets: Any = ipam.get("ranges") or ()
        if len(sets) != 1 or len(sets[0]) != 1:
            raise CniError(2, f"plug-in 'host-local' takes one range of one family, got {sets!r}")
        return parse_range(sets[0][0])
