"""Opening the cluster that the flags, the environment and the kubeconfig name."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sampan import client
from sampan.apps.helm import storage
from sampan.apps.helm.actions.session import Session, timestamp
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation
from sampan.client import kubeconfig
from sampan.client.config import Config

T = TypeVar("T")

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Go's duration in seconds: 1m30s is 90."""
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text))


def config(call: Invocation) -> Config:
    """Where the cluster is. Flags win over HELM_KUBE* variables, these over the kubeconfig. Raises HelmError."""

    def either(flag: str, variable: str) -> str:
        return str(call.flag(flag) or os.environ.get(variable, ""))

    path = call.flag("kubeconfig")
    try:
        found = kubeconfig.load([path] if path else None, context=either("kube-context", "HELM_KUBECONTEXT"))
    except kubeconfig.KubeconfigError as error:
        if os.environ.get("HELM_DRIVER") == "memory":
            return Config("http://localhost:8080")  # records are not in a cluster
        raise HelmError(f"kubernetes cluster unreachable: {error}") from error
    changes: dict[str, object] = {"user_agent": "Helm/4.3 (sampan)"}
    for flag, variable, field in (
        ("kube-apiserver", "HELM_KUBEAPISERVER", "server"),
        ("kube-token", "HELM_KUBETOKEN", "token"),
        ("kube-ca-file", "HELM_KUBECAFILE", "ca_file"),
        ("kube-tls-server-name", "HELM_KUBETLS_SERVER_NAME", "server_name"),
        ("kube-as-user", "HELM_KUBEASUSER", "impersonate_user"),
    ):
        if value := either(flag, variable):
            changes[field] = value
    groups = call.flag("kube-as-group") or tuple(
        filter(None, os.environ.get("HELM_KUBEASGROUPS", "").split(","))
    )
    if groups:
        changes["impersonate_groups"] = tuple(groups)
    insecure = os.environ.get("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "").lower() == "true"
    if call.flag("kube-insecure-skip-tls-verify") or insecure:
        changes["insecure"] = True
    return found._replace(**changes)  # type: ignore[arg-type]


def namespace(call: Invocation, found: Config) -> str:
    return str(call.flag("namespace") or os.environ.get("HELM_NAMESPACE") or found.namespace or "default")


def tell(text: str) -> None:
    """Progress and warnings go to stderr, so that stdout stays what was asked for."""
    print(text, file=sys.stderr)


def run(call: Invocation, work: Callable[[Session], Awaitable[T]], *, history_max: int = 10) -> T:
    """Does the work over a session with the cluster."""
    found = config(call)
    where = namespace(call, found)

    async def body() -> T:
        async with client.connect(found) as api:
            driver = storage.open_driver(os.environ.get("HELM_DRIVER", ""), api, where)
            session = Session(
                api, storage.Storage(driver, history_max), where, lambda: timestamp(time.time()), tell
            )
            return await work(session)

    return asyncio.run(body())
