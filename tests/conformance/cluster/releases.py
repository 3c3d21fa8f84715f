"""How the Helm tests speak: one Helm, ours or the real one, in one namespace."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

from clusters import ROOT, Cluster, Done
from conformance.cluster.shell import Shell

CHART = str(ROOT / "examples/charts/harbour")
SMALL = ("--set", "replicaCount=1", "--set", "resources=null", "--set", "quay.resources=null")


class Helm:
    """`helm("install", "web", CHART)` runs it in the namespace and gives what it prints; a failure fails the test."""

    def __init__(self, name: str, namespace: str, run: Callable[..., Done]) -> None:
        self.name = name
        self.namespace = namespace
        self._run = run

    def __call__(self, *words: str, **how: Any) -> str:
        return self._run(*words, "--namespace", self.namespace, **how).out

    def __repr__(self) -> str:
        return self.name

    def refused(self, *words: str, code: int = 1) -> str:
        """What it complains of; another exit code fails the test."""
        return self._run(*words, "--namespace", self.namespace, code=code).err

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "-o", "json"))


def ours(cluster: Cluster, namespace: str) -> Helm:
    return Helm("sampan helm", namespace, lambda *words, **how: cluster.sampan("helm", *words, **how))


def record(k: Shell, release: str, revision: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is stored of a revision: the Secret without its payload, and the release in it."""
    secret = k.get("secret", f"sh.helm.release.v1.{release}.v{revision}")
    packed = base64.b64decode(base64.b64decode(secret.pop("data")["release"]))
    assert packed[:3] == b"\x1f\x8b\x08"
    return secret, json.loads(gzip.decompress(packed))


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    """Where two records differ, each with both values; an absent field differs from an empty one."""
    if isinstance(a, dict) and isinstance(b, dict):
        both = [line for key in a.keys() & b.keys() for line in differences(a[key], b[key], f"{path}.{key}")]
        alone = [f"{path}.{key}: only in the first: {a[key]!r}" for key in a.keys() - b.keys()]
        return sorted(
            both + alone + [f"{path}.{key}: only in the second: {b[key]!r}" for key in b.keys() - a.keys()]
        )
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [
            line
            for at, pair in enumerate(zip(a, b, strict=True))
            for line in differences(*pair, f"{path}[{at}]")
        ]
    return [] if a == b and type(a) is type(b) else [f"{path}: {a!r} and {b!r}"]
