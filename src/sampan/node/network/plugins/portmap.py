"""portmap: hostPorts by one nft map; a port on 127.0.0.1 works too."""

from __future__ import annotations

import errno
import struct
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from sampan.base.netlink import NetlinkError, nft
from sampan.node.network.plugins.model import Call, only
from sampan.node.network.table import HAIRPINS, HOST_PORTS, PROTOCOLS, HostPort
from sampan.spec.cni import CniError, Result


class Portmap:
    def __init__(self, netns: str, table: nft.Table) -> None:
        self._netns = netns
        self._table = table
        self._lock = threading.Lock()

    def add(self, call: Call) -> Result:
        only(call.config, "portmap", ("capabilities", "snat"))
        if call.previous is None:
            raise CniError(7, "plug-in 'portmap' must come behind one that gives the container an address")
        ports = _ports(call)
        if not ports:
            return call.previous
        pods = {port.pod for port in ports}
        try:
            with self._lock, nft.open_socket(self._netns) as socket:
                nft.commit(
                    socket,
                    [
                        *nft.elements_add(self._table, HOST_PORTS, ((p.key(), p.data()) for p in ports)),
                        *nft.elements_add(
                            self._table, HAIRPINS, ((_hairpin(pod), None) for pod in sorted(pods))
                        ),
                    ],
                )
        except NetlinkError as error:
            if error.errno != errno.EEXIST:
                raise
            shown = ", ".join(f"{p.port}/{p.protocol}" for p in ports)
            raise CniError(100, f"a host port of {shown} is taken by another container") from error
        return call.previous

    def restore(self, calls: Iterable[Call]) -> None:
        """Makes the map what these finished calls had put into it: a kill or a flush may have left it otherwise."""
        ports = [port for call in calls for port in _ports(call)]
        pods = sorted({port.pod for port in ports})
        with self._lock, nft.open_socket(self._netns) as socket:
            nft.commit(
                socket,
                [
                    nft.elements_flush(self._table, HOST_PORTS.name),
                    nft.elements_flush(self._table, HAIRPINS.name),
                    *nft.elements_add(self._table, HOST_PORTS, ((p.key(), p.data()) for p in ports)),
                    *nft.elements_add(self._table, HAIRPINS, ((_hairpin(pod), None) for pod in pods)),
                ],
            )

    def delete(self, call: Call) -> None:
        for pod in _pods(call):
            self._forget(pod)

    def check(self, call: Call) -> None:
        with nft.open_socket(self._netns) as socket:
            there = {(e.key, e.data) for e in nft.elements(socket, self._table, HOST_PORTS.name)}
        missing = [f"{p.port}/{p.protocol}" for p in _ports(call) if (p.key(), p.data()) not in there]
        if missing:
            raise CniError(100, f"host ports are not forwarded: {', '.join(missing)}")

    def gc(self, network: str, config: Mapping[str, Any], valid: frozenset[tuple[str, str]]) -> None:
        """Nothing of its own: DEL of what is not valid has run with its cached result."""

    def _forget(self, pod: str) -> None:
        """Removes every port of a pod's address; the map is small and its elements say whose they are."""
        hairpin = _hairpin(pod)
        with self._lock, nft.open_socket(self._netns) as socket:
            ports = [
                e.key
                for e in nft.elements(socket, self._table, HOST_PORTS.name)
                if isinstance(e.data, bytes) and e.data[:4] == hairpin[:4]
            ]
            if not ports:
                return
            requests = list(nft.elements_delete(self._table, HOST_PORTS, ports))
            if any(e.key == hairpin for e in nft.elements(socket, self._table, HAIRPINS.name)):
                requests += nft.elements_delete(self._table, HAIRPINS, [hairpin])
            nft.commit(socket, requests)


def _pods(call: Call) -> list[str]:
    ips = call.previous.ips if call.previous else ()
    return [a.address.split("/")[0] for a in ips if ":" not in a.address]


def _ports(call: Call) -> list[HostPort]:
    """The ports as the map has them. CniError 7 names the first that cannot be forwarded."""
    found = []
    for mapping in call.attachment.port_mappings:
        if not mapping.host_port:
            continue
        if mapping.protocol.lower() not in PROTOCOLS:
            raise CniError(
                7, f"host port {mapping.host_port}: protocol {mapping.protocol!r}, expected tcp, udp or sctp"
            )
        if ":" in mapping.host_ip:
            raise CniError(
                2, f"host port {mapping.host_port}: address {mapping.host_ip!r}, IPv6 is not supported yet"
            )
        host = "" if mapping.host_ip == "0.0.0.0" else mapping.host_ip  # noqa: S104 (compared, not bound)
        for pod in _pods(call):
            try:
                port = HostPort(
                    host, mapping.protocol.lower(), mapping.host_port, pod, mapping.container_port
                )
                port.key(), port.data()
            except (OSError, struct.error) as error:
                raise CniError(7, f"host port {mapping!r} cannot be forwarded", str(error)) from error
            found.append(port)
    return found


def _hairpin(pod: str) -> bytes:
    packed = bytes(int(part) for part in pod.split("."))
    return packed + packed
