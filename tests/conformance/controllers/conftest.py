"""The API servers. A real kube-apiserver is taken from KUBE_APISERVER or PATH, with etcd from PATH; else its tests skip."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import apiservers
from sampan.client import kubeconfig
from sampan.client.config import Config

START = 60.0  # seconds


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="package", params=["sampan", "kube-apiserver"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sampan":
        ours = apiservers.start(folder / "api", "--port", str(free_port()))
        try:
            yield kubeconfig.load([ours.kubeconfig])
        finally:
            apiservers.stop(ours)
        return
    binary = os.environ.get("KUBE_APISERVER") or shutil.which("kube-apiserver")
    etcd = shutil.which("etcd")
    if not binary or not etcd:
        pytest.skip("no kube-apiserver (KUBE_APISERVER or PATH) and etcd on this machine")
    with upstream(folder, binary, etcd) as config:
        yield config


@contextlib.contextmanager
def upstream(folder: Path, binary: str, etcd: str) -> Iterator[Config]:
    """A kube-apiserver over an etcd of its own, with an administrator's token."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "sa.key").write_bytes(pem)
    (folder / "tokens").write_text("t0ken,admin,admin,system:masters\n")
    client, peer, secure = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{client}"
    processes = [
        _start(
            folder / "etcd.log",
            [
                etcd,
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}",
                f"--listen-peer-urls=http://127.0.0.1:{peer}",
                "--unsafe-no-fsync",
            ],
        ),
        _start(
            folder / "apiserver.log",
            [
                binary,
                f"--etcd-servers={url}",
                "--bind-address=127.0.0.1",
                f"--secure-port={secure}",
                f"--cert-dir={folder / 'certs'}",
                f"--token-auth-file={folder / 'tokens'}",
                f"--service-account-key-file={folder / 'sa.key'}",
                f"--service-account-signing-key-file={folder / 'sa.key'}",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.97.0.0/16",
                "--endpoint-reconciler-type=none",
            ],
        ),
    ]
    config = Config(f"https://127.0.0.1:{secure}", insecure=True, token="t0ken")
    try:
        _wait_ready(config, processes[1], folder)
        yield config
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def _start(log: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)


def _wait_ready(config: Config, process: subprocess.Popen[bytes], folder: Path) -> None:
    import asyncio

    from sampan import client
    from sampan.api.status import ApiError

    async def ready() -> bool:
        async with client.connect(config) as api:
            try:
                return await api.raw("GET", "/readyz") == b"ok"
            except ApiError:
                return False

    end = time.monotonic() + START
    while not asyncio.run(ready()):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError((folder / "apiserver.log").read_text()[-4000:])
        time.sleep(0.3)
