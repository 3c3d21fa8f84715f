"""CNI as Python values: what a runtime asks of a network (CNI specification 1.1.0, sections 2 to 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class PortMapping(NamedTuple):
    """The portMappings capability. `protocol` is tcp, udp or sctp; `host_ip` "" means any."""

    host_port: int
    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""


class Attachment(NamedTuple):
    """One interface of one container. `netns` is the path of its network namespace; `args` become CNI_ARGS."""

    container_id: str
    netns: str
    ifname: str = "eth0"
    args: Mapping[str, str] = {}
    port_mappings: tuple[PortMapping, ...] = ()


class Interface(NamedTuple):
    name: str
    mac: str = ""
    mtu: int = 0
    sandbox: str = ""


class Address(NamedTuple):
    """`address` with its prefix length (10.42.0.5/24); `interface` is an index into the result's interfaces."""

    address: str
    gateway: str = ""
    interface: int = -1


class Route(NamedTuple):
    dst: str
    gw: str = ""


class Dns(NamedTuple):
    nameservers: tuple[str, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class Result(NamedTuple):
    interfaces: tuple[Interface, ...] = ()
    ips: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    dns: Dns = Dns()


class CniError(Exception):
    """A plug-in's error: `code` as in section 5 of the specification (11 try again later, 50 and 51 not ready)."""

    def __init__(self, code: int, msg: str, details: str = "") -> None:
        super().__init__(f"{msg}: {details}" if details else msg)
        self.code = code
        self.msg = msg
        self.details = details


class Network(Protocol):
    """What the container runtime calls. Deleting what is gone succeeds; every call may be repeated."""

    async def add(self, attachment: Attachment) -> Result: ...

    async def delete(self, attachment: Attachment) -> None: ...

    async def check(self, attachment: Attachment) -> None: ...

    async def status(self) -> None:
        """Raises CniError with code 50 or 51 while the network is not ready."""

    async def gc(self, valid: frozenset[tuple[str, str]]) -> None:
        """Releases what belongs to no (container_id, ifname) of `valid`."""
