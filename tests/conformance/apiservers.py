"""A real API server in a process of its own, over each storage, for tests that speak to it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
KUBECTL = ROOT / ".venv" / "bin" / "kubectl"
START = 30.0  # seconds


class ApiServer(NamedTuple):
    process: subprocess.Popen[str]
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def url(self) -> str:
        return str(json.loads(self.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])

    @property
    def certificate(self) -> tuple[str, str]:
        pki = self.folder / "pki"
        return str(pki / "admin.crt"), str(pki / "admin.key")

    @property
    def ca(self) -> str:
        return str(self.folder / "pki" / "ca.crt")


def start(folder: Path, *options: str) -> ApiServer:
    """Returns when the server is ready; its output is kept in folder/log."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sampan.control_plane.apiserver", "--dir", str(folder), *options],
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
    end = time.monotonic() + START
    while "ready:" not in log.read_text():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            process.wait()
            raise RuntimeError(f"the API server did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return ApiServer(process, folder)


def stop(server: ApiServer) -> None:
    server.process.terminate()
    try:
        server.process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()
