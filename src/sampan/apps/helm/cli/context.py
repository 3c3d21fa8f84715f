"""Opening the cluster that the flags, the environment and the kubeconfig name."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sampan.apps.helm import storage
from sampan.apps.helm.actions.session import Session, timestamp
from sampan.apps.helm.cli import logs
from sampan.apps.helm.errors import HelmError
from sampan.base.command.parse import Invocation
from sampan.client import kubeconfig
from sampan.client.config import Config
from sampan.client.rest import Client
from sampan.client.transport import Transport

T = TypeVar("T")

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
NOWHERE = "http://localhost:8080"
"""Where kubectl and Helm look when nothing is configured."""


def seconds(text: str) -> float:
    """Go's duration in seconds: 1m30s is 90."""
    total = sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text))
    return -total if text.startswith("-") else total


def config(call: Invocation) -> Config:
    """Where the cluster is. Flags win over HELM_KUBE* variables, these over the kubeconfig. Raises HelmError."""

    def either(flag: str, variable: str) -> str:
        return str(call.flag(flag) or os.environ.get(variable, ""))

    found = _kubeconfig(str(call.flag("kubeconfig")), either("kube-context", "HELM_KUBECONTEXT"))
    changes: dict[str, Any] = {"user_agent": "Helm/4.3 (sampan)"}
    for flag, variable, field in (
        ("kube-apiserver", "HELM_KUBEAPISERVER", "server"),
        ("kube-token", "HELM_KUBETOKEN", "token"),
        ("kube-ca-file", "HELM_KUBECAFILE", "ca_file"),
        ("kube-tls-server-name", "HELM_KUBETLS_SERVER_NAME", "server_name"),
        ("kube-as-user", "HELM_KUBEASUSER", "impersonate_user"),
    ):
        if value := either(flag, variable):
            changes[field] = value
    given = [part for part in os.environ.get("HELM_KUBEASGROUPS", "").strip(", ").split(",") if part]
    if groups := tuple(call.flag("kube-as-group") or given):
        changes["impersonate_groups"] = groups
    insecure = os.environ.get("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "").lower() in ("1", "t", "true")
    if call.flag("kube-insecure-skip-tls-verify") or insecure:
        changes |= {"insecure": True, "ca": b"", "ca_file": ""}
    elif "ca_file" in changes:
        changes["ca"] = b""
    return found._replace(**changes)


def _kubeconfig(path: str, context: str) -> Config:
    if path and not Path(path).exists():
        raise HelmError(f"kubernetes cluster unreachable: stat {path}: no such file or directory")
    paths = (Path(path),) if path else None
    try:
        entries = kubeconfig.read(paths or kubeconfig.default_paths())
        if context and context not in entries.contexts:
            raise HelmError(f'kubernetes cluster unreachable: context "{context}" does not exist')
        if not context and not entries.current_context:
            inside = kubeconfig.in_cluster() if paths is None else None
            return inside or Config(NOWHERE)
        return kubeconfig.load(paths, context=context)
    except kubeconfig.KubeconfigError as error:
        raise HelmError(f"kubernetes cluster unreachable: {error}") from error


def namespace(call: Invocation, found: Config) -> str:
    return str(call.flag("namespace") or os.environ.get("HELM_NAMESPACE") or found.namespace or "default")


def history_max() -> int:
    """HELM_MAX_HISTORY, or Helm's default."""
    try:
        return int(os.environ.get("HELM_MAX_HISTORY", "10"))
    except ValueError:
        return 10


def run(
    call: Invocation,
    work: Callable[[Session], Coroutine[Any, Any, T]],
    *,
    most: int | None = None,
    cancelled: str = "",
) -> T:
    """Does the work over a session with the cluster.

    With `cancelled` SIGINT and SIGTERM cancel the work, that text is printed, and the work may put its records in
    order first; a second signal ends at once. Raises HelmError with what the work says then.
    """
    found = config(call)
    where = namespace(call, found)
    driver_name = os.environ.get("HELM_DRIVER", "")

    async def body() -> T:
        async with Client(Transport(found), namespace=where, sleep=_briefly) as api:
            log = logs.logger(call)
            kept = storage.Storage(
                storage.open_driver(driver_name, api, where, log), history_max() if most is None else most
            )
            session = Session(
                api,
                kept,
                where,
                lambda: timestamp(time.time()),
                logs.tell,
                log,
                records_only=driver_name == "memory",
            )
            if cancelled:
                _cancel_on_signals(cancelled)
            return await work(session)

    try:
        return asyncio.run(body())
    except asyncio.CancelledError as error:
        raise HelmError(str(error) or "context canceled") from error


def _briefly(pause: float) -> Awaitable[None]:
    """Back-off between tries is short; a server that says how long to wait is listened to."""
    return asyncio.sleep(pause if pause >= 1 else min(pause, 0.05))


def _cancel_on_signals(text: str) -> None:
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
        if task is not None:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, cancel)
        except (NotImplementedError, RuntimeError, ValueError):  # not the main thread
            return
