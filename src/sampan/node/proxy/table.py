"""The service table in nf_tables' terms: its sets and maps, elements packed, and the transactions that fill it. Pure."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Collection, Iterable
from typing import Any, Final

from sampan.base.netlink import nft
from sampan.base.netlink.wire import Request
from sampan.dataplane import ruleset, services
from sampan.dataplane.services import Backend, Changes, Elements, Pick, Place, Sticky
from sampan.node.proxy import rules
from sampan.node.proxy.model import Config

_FRONTEND = ("ipv4_addr", "inet_proto", "inet_service")
_BACKEND = ("ipv4_addr", "inet_service")

SETS: Final = {
    **{
        name: nft.Set(name, _FRONTEND)
        for name in (
            services.DROPPED,
            services.LOCAL_POLICY,
            services.REJECTED,
            services.FIREWALLED,
            services.MASQUERADED,
            services.MASQUERADED_LOCAL,
        )
    },
    services.ENDPOINTS: nft.Set(services.ENDPOINTS, (*_FRONTEND, "mark"), _BACKEND),
    services.SOURCES: nft.Set(services.SOURCES, (*_FRONTEND, "ipv4_addr"), interval=True),
    services.HAIRPINS: nft.Set(services.HAIRPINS, ("ipv4_addr", "ipv4_addr")),
}
AFFINITY: Final = nft.Set(rules.AFFINITY, ("ipv4_addr", *_FRONTEND), _BACKEND, dynamic=True, size=1 << 17)
"""(client, frontend) to the endpoint it stays with; written by packets, so it outlives a new table of rules."""
RANGES: Final = tuple(
    nft.Set(name, ("ipv4_addr",), interval=True) for name in (rules.POD_RANGES, rules.SERVICE_RANGES)
)

_PROTOCOL: Final = {"TCP": b"\x06\0\0\0", "UDP": b"\x11\0\0\0", "SCTP": b"\x84\0\0\0"}
_PORT: Final = struct.Struct(">H2x")
_SLOT: Final = struct.Struct("=I")


def of(config: Config) -> nft.Table:
    return nft.Table(ruleset.table(config.cluster, "services"))


def shared_of(places: Iterable[Place]) -> set[Pick | Sticky]:
    """The sets that elements need besides the fixed ones."""
    return {head for head, _ in places if not isinstance(head, str)}


def replace(
    config: Config, wanted: Elements, chains: Collection[str], sets: Collection[str]
) -> list[Request]:
    """One transaction that makes the table what it should be, whatever is in it; affinities stay.

    `chains` and `sets` are what the table has now; of those, what nobody needs goes.
    """
    table = of(config)
    shared = sorted(shared_of(wanted), key=lambda s: s.name)
    filled = [*SETS.values(), *RANGES, *(_set(s) for s in shared)]
    requests = [nft.table_add(table), *(nft.set_add(table, s) for s in (*filled, AFFINITY))]
    requests += [nft.elements_flush(table, s.name) for s in filled]
    requests += rules.frame(table)
    for name in sorted(set(chains) - rules.chains(shared)):
        requests += [nft.chain_flush(table, name), nft.chain_delete(table, name)]
    needed = {s.name for s in (*filled, AFFINITY)}
    requests += [nft.set_delete(table, name) for name in sorted(set(sets) - needed)]
    requests += rules.fixed(table, loopback=bool(config.bridge))
    requests += rules.shared(table, shared)
    for which, cidrs in zip(RANGES, (config.pod_cidrs, config.service_cidrs), strict=True):
        requests += nft.ranges_add(table, which, [_ends(cidr) for cidr in cidrs])
    return requests + _add(table, wanted.items())


def change(config: Config, changes: Changes, known: Collection[Pick | Sticky]) -> list[Request]:
    """One transaction for some changes; sets and chains that are not `known` yet are made."""
    table = of(config)
    requests: list[Request] = []
    if fresh := shared_of(place for place, _ in changes.added).difference(known):
        requests += [nft.set_add(table, _set(s)) for s in sorted(fresh, key=lambda s: s.name)]
        requests += rules.shared(table, sorted(fresh.union(known), key=lambda s: s.name))
    by_set: dict[str | Pick | Sticky, list[tuple[Any, ...]]] = {}
    for head, key in changes.removed:
        by_set.setdefault(head, []).append(key)
    packed = _Packed()
    for head, keys in by_set.items():
        which = _set(head)
        if which.interval:
            requests += nft.ranges_delete(table, which, [packed.range(key) for key in keys])
        else:
            requests += nft.elements_delete(table, which, [packed.key(key) for key in keys])
    return requests + _add(table, changes.added)


def _set(head: str | Pick | Sticky) -> nft.Set:
    return SETS[head] if isinstance(head, str) else nft.Set(head.name, _FRONTEND)


def _add(table: nft.Table, items: Iterable[tuple[Place, Backend | None]]) -> list[Request]:
    by_set: dict[str | Pick | Sticky, list[tuple[tuple[Any, ...], Backend | None]]] = {}
    for (head, key), value in items:
        by_set.setdefault(head, []).append((key, value))
    requests: list[Request] = []
    packed = _Packed()
    for head, filled in by_set.items():
        which = _set(head)
        if which.interval:
            requests += nft.ranges_add(table, which, [packed.range(key) for key, _ in filled])
        elif which.data:
            # (frontend, slot) to endpoint: two thirds of everything there is
            pairs = [(packed.frontend(key[0]) + _slot(key[1]), _backend(v)) for key, v in filled if v]
            requests += nft.elements_add(table, which, pairs)
        else:
            requests += nft.elements_add(table, which, [(packed.key(key), None) for key, _ in filled])
    return requests


class _Packed:
    """Keys packed; each frontend once, as it is in several sets."""

    def __init__(self) -> None:
        self._frontends: dict[tuple[Any, ...], bytes] = {}

    def frontend(self, key: tuple[Any, ...]) -> bytes:
        known = self._frontends.get(key)
        if known is None:
            known = self._frontends[key] = socket.inet_aton(key[0]) + _PROTOCOL[key[1]] + _PORT.pack(key[2])
        return known

    def key(self, key: tuple[Any, ...]) -> bytes:
        """A frontend, a frontend with a slot, or two addresses."""
        if len(key) == 3:
            return self.frontend(key)
        if isinstance(key[0], str):
            return socket.inet_aton(key[0]) + socket.inet_aton(key[1])
        return self.frontend(key[0]) + _slot(key[1])

    def range(self, key: tuple[Any, ...]) -> tuple[bytes, bytes]:
        frontend = self.frontend(key[0])
        first, last = _ends(key[1])
        return frontend + first, frontend + last


def _backend(value: Backend) -> bytes:
    return socket.inet_aton(value[0]) + _PORT.pack(value[1])


_slot = _SLOT.pack


def _ends(cidr: str) -> tuple[bytes, bytes]:
    network = ipaddress.ip_network(cidr, strict=False)
    return network.network_address.packed, network.broadcast_address.packed


def read_affinity(element: nft.Element) -> tuple[services.Frontend, Backend]:
    """What an element of the affinity map remembers, without the client."""
    key = element.key
    protocols = {packed[0]: name for name, packed in _PROTOCOL.items()}
    frontend = services.Frontend(
        socket.inet_ntoa(key[4:8]), protocols[key[8]], int.from_bytes(key[12:14], "big")
    )
    data = element.data if isinstance(element.data, bytes) else bytes(8)
    return frontend, Backend(socket.inet_ntoa(data[:4]), int.from_bytes(data[4:6], "big"))
