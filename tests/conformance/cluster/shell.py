"""How these tests speak: kubectl in one namespace, as a user types it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from clusters import KUBECTL, Cluster, eventually

IMAGE = "sampan.local/host"


class Shell:
    """`k("get", "pods")` runs `kubectl -n NAMESPACE get pods` and gives what it prints; a failure fails the test."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    def __call__(self, *words: str, **how: Any) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, **how).out

    def refused(self, *words: str, code: int = 1, **how: Any) -> str:
        """What it complains of; another exit code fails the test."""
        return self.cluster.kubectl("-n", self.namespace, *words, code=code, **how).err

    def warned(self, *words: str, **how: Any) -> str:
        """What a command that succeeds says beside its output."""
        return self.cluster.kubectl("-n", self.namespace, *words, **how).err

    def get(self, *words: str) -> Any:
        """The object, or the list, as decoded JSON."""
        return json.loads(self("get", *words, "-o", "json"))

    def path(self, what: str, path: str) -> str:
        """One field by JSONPath, without the braces: `k.path("deploy/web", ".spec.replicas")`."""
        return self("get", what, "-o", f"jsonpath={{{path}}}")

    def exists(self, what: str) -> bool:
        return bool(self("get", what, "--ignore-not-found", "-o", "name"))

    def apply(self, *objects: dict[str, Any], words: tuple[str, ...] = ()) -> str:
        """`kubectl apply -f -` of the objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self("apply", "-f", "-", *words, stdin=json.dumps(items))

    def until(self, check: Callable[[], Any], seconds: float = 30) -> Any:
        """The first true value of `check()`."""
        return eventually(check, seconds=seconds)

    @contextmanager
    def running(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A kubectl that goes on beside the test: watch, logs -f."""
        process = subprocess.Popen(
            [
                str(KUBECTL),
                "--cache-dir",
                str(self.cluster.home / "kube-cache"),
                "-n",
                self.namespace,
                *words,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.cluster.environ,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def container(*command: str, name: str = "main", **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": list(command) or ["sleep", "3600"], **more}


def template(app: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A pod template with the label app=APP; its pods end at once when they are deleted."""
    body = {"terminationGracePeriodSeconds": 0, "containers": list(containers) or [container()], **spec}
    return {"metadata": {"labels": {"app": app}}, "spec": body}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = template(name, *containers, **spec)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, **made["metadata"]},
        "spec": made["spec"],
    }


def workload(kind: str, name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Deployment, StatefulSet or DaemonSet over `template(name)`."""
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": template(name, *containers),
            **spec,
        },
    }


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
