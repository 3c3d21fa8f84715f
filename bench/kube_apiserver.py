"""The peer of the API server: a real kube-apiserver over etcd, where KUBE_APISERVER or PATH gives one.

etcd writes with fsync, as ours does. Both listen on loopback ports of their own and end with the `with` block.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sampan.base.pki import layout

START = 60.0  # seconds


class Peer(NamedTuple):
    """As `conformance.apiservers.ApiServer`, with the etcd below it."""

    process: subprocess.Popen[bytes]
    etcd: subprocess.Popen[bytes]
    url: str
    etcd_url: str
    certificate: tuple[str, str]
    ca: str


def binaries() -> tuple[str, str] | None:
    """kube-apiserver and etcd; None where either is missing."""
    server = os.environ.get("KUBE_APISERVER") or shutil.which("kube-apiserver")
    etcd = shutil.which("etcd")
    return (server, etcd) if server and etcd else None


@contextlib.contextmanager
def started(folder: Path, server: str, etcd: str) -> Iterator[Peer]:
    paths = layout.ensure(folder / "pki", ("127.0.0.1", "localhost"), time.time())
    client, peer, secure = _port(), _port(), _port()
    etcd_url = f"http://127.0.0.1:{client}"
    below = _start(
        folder / "etcd.log",
        [
            etcd,
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd_url}",
            f"--advertise-client-urls={etcd_url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
        ],
    )
    process = _start(
        folder / "kube-apiserver.log",
        [
            server,
            f"--etcd-servers={etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={secure}",
            f"--tls-cert-file={paths.apiserver.certificate}",
            f"--tls-private-key-file={paths.apiserver.key}",
            f"--client-ca-file={paths.ca.certificate}",
            f"--service-account-key-file={paths.sa_pub}",
            f"--service-account-signing-key-file={paths.sa_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.97.0.0/16",
            "--endpoint-reconciler-type=none",
        ],
    )
    admin = (str(paths.admin.certificate), str(paths.admin.key))
    found = Peer(process, below, f"https://127.0.0.1:{secure}", etcd_url, admin, str(paths.ca.certificate))
    try:
        _wait_ready(found, folder)
        yield found
    finally:
        for one in (process, below):
            one.terminate()
            try:
                one.wait(timeout=10)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()


def _wait_ready(peer: Peer, folder: Path) -> None:
    import ssl

    context = ssl.create_default_context(cafile=peer.ca)
    context.load_cert_chain(*peer.certificate)
    end = time.monotonic() + START
    while time.monotonic() < end and peer.process.poll() is None:
        with (
            contextlib.suppress(OSError, urllib.error.URLError),
            urllib.request.urlopen(f"{peer.url}/readyz", context=context, timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RuntimeError(
        f"kube-apiserver did not start:\n{(folder / 'kube-apiserver.log').read_text()[-2000:]}"
    )


def _start(log: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
