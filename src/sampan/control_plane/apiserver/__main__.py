"""The API server alone, for development: `python -m sampan.control_plane.apiserver --dir /tmp/x --port 6443`.

Makes a throw-away PKI and a kubeconfig (DIR/kubeconfig) of the cluster's administrator.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import logging
import os
import signal
import sys
import time
from pathlib import Path

import orjson

from sampan.base.aio.runner import run as run_loop
from sampan.base.pki import layout
from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS, component_user
from sampan.control_plane.apiserver.config import (
    Config,
    NodeTls,
    ServiceAccounts,
    TcpListener,
    Tls,
    UnixListener,
)
from sampan.control_plane.apiserver.run import Bound, run


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sampan.control_plane.apiserver", description=__doc__)
    parser.add_argument(
        "--dir", type=Path, required=True, help="folder for keys, the database and the kubeconfig"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--memory", action="store_true", help="keep everything in memory")
    parser.add_argument("--service-cidr", default="10.96.0.0/16")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    given.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sans = ["localhost", "127.0.0.1", given.host, "kubernetes.default.svc", "10.96.0.1"]
    paths = layout.ensure(given.dir / "pki", sans, time.time())
    config = Config(
        tcp=(
            TcpListener(
                given.host,
                given.port,
                Tls(paths.apiserver.certificate, paths.apiserver.key, paths.ca.certificate),
            ),
        ),
        unix=(UnixListener(given.dir / "admin.sock", component_user("sampan:admin", SYSTEM_MASTERS)),),
        database=None if given.memory else given.dir / "state.db",
        service_cidrs=(given.service_cidr,),
        advertise_host=given.host,
        service_accounts=ServiceAccounts(signing_key=paths.sa_key, public_keys=(paths.sa_pub,)),
        node_tls=NodeTls(paths.kubelet_client.certificate, paths.kubelet_client.key, paths.ca.certificate),
    )

    def bound(where: Bound) -> None:
        host, port = where.tcp[0]
        _write_kubeconfig(given.dir / "kubeconfig", f"https://{host}:{port}", paths)

    def started() -> None:
        print(f"ready: export KUBECONFIG={given.dir / 'kubeconfig'}", flush=True)

    async def serve() -> None:
        # SIGTERM ends the server as cancellation does: requests in progress are answered first
        serving = asyncio.current_task()
        if serving is not None:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
        try:
            await run(config, started, bound)
        except asyncio.CancelledError:
            return

    try:
        run_loop(serve())
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _write_kubeconfig(path: Path, server: str, paths: layout.Paths) -> None:
    def data(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "dev",
                "cluster": {"server": server, "certificate-authority-data": data(paths.ca.certificate)},
            }
        ],
        "users": [
            {
                "name": "admin",
                "user": {
                    "client-certificate-data": data(paths.admin.certificate),
                    "client-key-data": data(paths.admin.key),
                },
            }
        ],
        "contexts": [{"name": "dev", "context": {"cluster": "dev", "user": "admin"}}],
        "current-context": "dev",
    }
    # JSON is YAML, and needs no writer of its own
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
