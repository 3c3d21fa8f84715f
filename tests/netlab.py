"""A node, its pods and a neighbour as network namespaces, and calls between them ("what would this call meet?").

Nothing leaves the namespaces. Sockets are made in a namespace and used from the test's own process, so no program runs.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import selectors
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from sampan.base.netlink import Socket, netns, rtnl
from sampan.base.netlink.socket import ROUTE
from sampan.node import network
from sampan.spec.cni import Attachment, PortMapping, Result

FOLDER = Path("/run/sampan-netlab")
NODE, OUTSIDE = "192.0.2.1", "192.0.2.2"
POD_CIDR, NODE_CIDR, SERVICE_CIDR = "10.42.0.0/16", "10.42.0.0/24", "10.43.0.0/16"
GATEWAY = "10.42.0.1"


def sweep() -> None:
    """Takes away what a killed test run left: its process is gone, or it is this one."""
    for path in FOLDER.glob("*/*") if FOLDER.is_dir() else ():
        owner = path.parent.name
        if owner != str(os.getpid()) and Path(f"/proc/{owner}").exists():
            continue
        netns.remove(str(path))
    for folder in FOLDER.glob("*") if FOLDER.is_dir() else ():
        if not any(folder.iterdir()):
            folder.rmdir()


class Lab:
    """Use as a context. `net` is the node's CNI network; pods are made by `pod`."""

    def __init__(self, state: Path, cluster: str = "lab") -> None:
        self.state = state
        self.config = network.Config(
            cluster, "sampanlab0", state, (POD_CIDR,), (NODE_CIDR,), (SERVICE_CIDR,), netns=self._path("node")
        )
        self.node, self.outside = self._path("node"), self._path("outside")
        self.made: list[str] = []
        self.pods: dict[str, Attachment] = {}
        self.servers = Servers()

    def _path(self, name: str) -> str:
        return str(FOLDER / str(os.getpid()) / name)

    def namespace(self, name: str) -> str:
        path = self._path(name)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        netns.remove(path)
        netns.create(path)
        self.made.append(path)
        with Socket(ROUTE, path) as sock:
            sock.run(rtnl.link_set("lo", up=True))
        return path

    def __enter__(self) -> Lab:
        sweep()
        try:
            self.namespace("node")
            self.namespace("outside")
            self._wire()
            self.net = network.open(self.config)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wire(self) -> None:
        """node 192.0.2.1 -- 192.0.2.2 outside, which routes all of the cluster's ranges to the node."""
        fd = os.open(self.outside, os.O_RDONLY)
        with Socket(ROUTE, self.node) as node, Socket(ROUTE, self.outside) as outside:
            node.run(rtnl.veth("up0", "eth0", fd))
            os.close(fd)
            for sock, name, address in ((node, "up0", NODE), (outside, "eth0", OUTSIDE)):
                link = rtnl.link(sock, name)
                assert link is not None
                sock.run(
                    rtnl.address_add(link.ifindex, f"{address}/24"), rtnl.link_set(link.ifindex, up=True)
                )
            outside.run(
                *(rtnl.route_add(cidr, via=NODE) for cidr in (POD_CIDR, SERVICE_CIDR, "203.0.113.0/24"))
            )
            node.run(rtnl.route_add("default", via=OUTSIDE))
            for sock, name in ((node, "up0"), (outside, "eth0")):
                while not (link := rtnl.link(sock, name)) or not link.running:
                    time.sleep(0.001)

    def __exit__(self, *_: object) -> None:
        self.servers.close()
        for path in reversed(self.made):
            netns.remove(path)
        shutil.rmtree(self.state, ignore_errors=True)
        folder = Path(self._path("x")).parent
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def pod(self, name: str, *ports: PortMapping) -> str:
        """A pod's address; it answers on TCP and UDP port 80 with its name and who asked."""
        result = self.attach(name, *ports)
        address = result.ips[0].address.split("/")[0]
        self.servers.serve(self.pods[name].netns, address, 80, name)
        return address

    def attach(self, name: str, *ports: PortMapping) -> Result:
        attachment = Attachment(name, self.namespace(name), port_mappings=ports)
        self.pods[name] = attachment
        return asyncio.run(self.net.add(attachment))

    def ask(self, who: str, host: str, port: int, protocol: str = "tcp", **more: Any) -> str:
        """What a call from a pod (by name), "node" or "outside" meets."""
        place = {"node": self.node, "outside": self.outside}.get(who) or self.pods[who].netns
        return ask(place, host, port, protocol, **more)

    def ip(self, place: str, *words: str) -> Any:
        """What the real ip tool says (JSON)."""
        with netns.inside(place):
            out = subprocess.run(["ip", "-j", *words], capture_output=True, check=True).stdout
        return json.loads(out or b"[]")

    def nft(self, *words: str) -> Any:
        """What the real nft tool lists of the node (JSON)."""
        with netns.inside(self.node):
            out = subprocess.run(["nft", "-j", *words], capture_output=True, check=True).stdout
        return json.loads(out)["nftables"] if out.strip() else []


def ask(
    place: str,
    host: str,
    port: int,
    protocol: str = "tcp",
    *,
    sock: socket.socket | None = None,
    seconds: float = 1.0,
) -> str:
    """ "NAME PEER" of who answered, or refused, reset, unreachable, silence."""
    own = sock is None
    if sock is None:
        sock = client(place, protocol)
    sock.settimeout(seconds)
    try:
        if own:
            sock.connect((host, port))
        sock.send(b"who?")
        data = sock.recv(200)
        return data.decode() if data else "reset"
    except OSError as error:
        if isinstance(error, TimeoutError):
            return "silence"
        names = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset"}
        return names.get(error.errno or 0, "unreachable")
    finally:
        if own:
            sock.close()


def client(place: str, protocol: str) -> socket.socket:
    with netns.inside(place):
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)


class Servers:
    """Sockets in any namespace, served by one thread: each answer is "NAME PEER"."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._lock = threading.Lock()
        self._open = True
        self._thread.start()

    def serve(self, place: str, address: str, port: int, name: str) -> None:
        with netns.inside(place):
            tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((address, port))
        tcp.listen(100)
        udp.bind((address, port))
        with self._lock:
            for sock in (tcp, udp):
                sock.setblocking(False)
                self._selector.register(sock, selectors.EVENT_READ, name)
        self._wake.send(b"x")

    def _run(self) -> None:
        while self._open:
            for key, _ in self._selector.select(1.0):
                sock: Any = key.fileobj
                if key.data is None:
                    sock.recv(100)
                elif sock.type == socket.SOCK_DGRAM:
                    _, peer = sock.recvfrom(200)
                    try:
                        sock.sendto(f"{key.data} {peer[0]}".encode(), peer)
                    except OSError:
                        continue
                else:
                    self._answer(sock, key.data)

    def _answer(self, listener: socket.socket, name: str) -> None:
        try:
            made, peer = listener.accept()
        except OSError:
            return
        with made:
            made.settimeout(1.0)
            try:
                made.recv(200)
                made.sendall(f"{name} {peer[0]}".encode())
            except OSError:
                return

    def close(self) -> None:
        self._open = False
        self._wake.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
        self._selector.close()
        self._wake.close()


def elements(listed: Any, name: str) -> list[Any]:
    """The elements of a set or map in nft's JSON."""
    for item in listed:
        found = item.get("set") or item.get("map")
        if found and found["name"] == name:
            return found.get("elem", [])
    raise AssertionError(f"no set {name} in {[k for i in listed for k in i]}")


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)
