"""Real clusters for tests: started by the command, each with a name, folders and a kubeconfig of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
KUBECTL = BIN / "kubectl"


class Failed(AssertionError):
    """A command ended with another exit code than expected."""


class Done:
    """What a command gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Cluster:
    """One cluster below a folder of its own. `sampan`, `kubectl` and `helm` run commands on it."""

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.home = home
        self.kubeconfig = home / "kubeconfig"
        self.port = free_port()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "KUBE"))}
        self.environ = {
            **kept,
            "PYTHONPATH": str(ROOT / "src"),
            "SAMPAN_DATA_HOME": str(home / "data"),
            "SAMPAN_RUN_HOME": str(home / "run"),
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(home),
            "HELM_CACHE_HOME": str(home / "helm/cache"),
            "HELM_CONFIG_HOME": str(home / "helm/config"),
            "HELM_DATA_HOME": str(home / "helm/data"),
        }

    def run(
        self,
        *words: str | Path,
        code: int | None = 0,
        stdin: str | bytes = "",
        timeout: float = 120,
        cwd: Path | None = None,
    ) -> Done:
        """Runs a command; `code` None takes any exit code."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [str(word) for word in words],
            input=data,
            capture_output=True,
            env=self.environ,
            timeout=timeout,
            check=False,
            cwd=cwd,
        )
        result = Done(
            done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if code is not None and result.code != code:
            raise Failed(f"{' '.join(str(w) for w in words)}: expected exit code {code}, got {result!r}")
        return result

    def sampan(self, *words: str, **how: Any) -> Done:
        return self.run(sys.executable, "-m", "sampan.cli", *words, **how)

    def up(self, *words: str, **how: Any) -> Done:
        port = () if "--api-port" in words else ("--api-port", str(self.port))
        return self.sampan("up", "--name", self.name, *port, *words, **how)

    def kubectl(self, *words: str, **how: Any) -> Done:
        return self.run(KUBECTL, "--cache-dir", self.home / "kube-cache", *words, **how)

    def helm(self, binary: Path, *words: str, **how: Any) -> Done:
        """A real helm."""
        return self.run(binary, *words, **how)

    def get(self, *words: str) -> Any:
        """`kubectl get ... -o json`, decoded."""
        return json.loads(self.kubectl("get", *words, "-o", "json").out)

    def apply(self, *objects: dict[str, Any], namespace: str = "default") -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-n", namespace, "-f", "-", stdin=json.dumps(items))

    def logs(self) -> str:
        """The ends of our components' logs, for a failed test."""
        folder = self.home / "data" / self.name / "log"
        parts = []
        for path in sorted(folder.glob("*.log")):
            parts.append(
                f"=== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-25:])
            )
        return "\n".join(parts)

    def delete(self) -> None:
        self.sampan("delete", "--name", self.name, code=None)


def eventually(check: Any, *, seconds: float = 60, every: float = 0.05) -> Any:
    """The first true value of `check()`; its last error or value is told when the time is over."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except AssertionError as error:
            last = error
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {last!r}")


def free_port() -> int:
    """A port that nobody listens on now, so that clusters of several runs do not meet on the default one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make(prefix: str) -> Cluster:
    """A cluster that is not started yet. Names are short: unix sockets and bridges have little room."""
    home = Path(tempfile.mkdtemp(prefix=f"sampan-test-{prefix}-"))
    return Cluster(f"t-{home.name[-8:].lower().replace('_', 'x')}", home)


def sweep() -> None:
    """Takes away what an earlier run of the tests left: clusters below sampan-test folders whose tests are gone."""
    for home in Path(tempfile.gettempdir()).glob("sampan-test-*"):
        owner = home / "owner"
        if owner.exists() and Path(f"/proc/{owner.read_text()}").exists():
            continue
        for data in (home / "data").glob("*"):
            Cluster(data.name, home).delete()
        shutil.rmtree(home, ignore_errors=True)


def start(cluster: Cluster, *words: str) -> Cluster:
    (cluster.home / "owner").write_text(str(os.getpid()))
    cluster.up(*words)
    return cluster


def stop(cluster: Cluster) -> None:
    cluster.delete()
    shutil.rmtree(cluster.home, ignore_errors=True)
