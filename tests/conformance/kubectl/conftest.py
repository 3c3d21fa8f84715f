"""Real kubectl against a real API server of ours, over each storage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance import apiservers


class Kubectl:
    """Runs kubectl in a namespace of its own."""

    def __init__(self, kubeconfig: Path, namespace: str, cache: Path) -> None:
        self._kubeconfig = kubeconfig
        self._cache = cache
        self.namespace = namespace

    def command(self, *words: str) -> list[str]:
        base = [
            str(apiservers.KUBECTL),
            "--kubeconfig",
            str(self._kubeconfig),
            "--cache-dir",
            str(self._cache),
        ]
        return [*base, "-n", self.namespace, *words]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECTL_KUBERC": "false"}

    def run(self, *words: str, stdin: str | dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
        text = json.dumps(stdin) if isinstance(stdin, dict) else stdin
        return subprocess.run(
            self.command(*words),
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment(),
        )

    def __call__(self, *words: str, stdin: str | dict[str, Any] | None = None) -> str:
        """What it prints; a failure fails the test."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def refused(self, *words: str, stdin: str | dict[str, Any] | None = None) -> str:
        """What it complains of; a success fails the test."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(words)} succeeded: {done.stdout}"
        return done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))

    def popen(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
        )


@pytest.fixture(scope="session", params=["memory", "sqlite"])
def apiserver(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[apiservers.ApiServer]:
    if not apiservers.KUBECTL.exists() and shutil.which("kubectl") is None:
        pytest.skip("no kubectl on this machine")
    folder = tmp_path_factory.mktemp(f"api-{request.param}")
    server = apiservers.start(folder, *(["--memory"] if request.param == "memory" else []))
    try:
        yield server
    finally:
        apiservers.stop(server)


@pytest.fixture(scope="session")
def discovery_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubectl-cache")


@pytest.fixture
def kubectl(
    apiserver: apiservers.ApiServer, discovery_cache: Path, request: pytest.FixtureRequest
) -> Kubectl:
    name = request.node.originalname.replace("_", "-")[5:50].strip("-")
    made = Kubectl(apiserver.kubeconfig, name, discovery_cache)
    made("create", "namespace", name)
    # there is no controller here that would make it
    made("create", "serviceaccount", "default")
    return made
