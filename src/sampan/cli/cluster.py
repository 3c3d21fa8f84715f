"""up, down, delete, status, kubeconfig."""

from __future__ import annotations

import base64
import os
import pwd
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sampan.base.command.parse import Invocation
from sampan.cli import show
from sampan.cluster import actions
from sampan.cluster.settings import Settings, SettingsError


def _told(work: Callable[[], int]) -> int:
    """Runs a command; what the user can mend is told in a line."""
    try:
        return work()
    except actions.Sick as sick:
        return show.fail(str(sick), sick.lines)
    except (actions.ClusterError, SettingsError, PermissionError) as error:
        return show.fail(str(error))


def up(call: Invocation) -> int:
    return _told(lambda: _up(call))


def _up(call: Invocation) -> int:
    progress = show.Progress()
    wishes = actions.Wishes(
        name=call.flag("name"),
        data_dir=call.flag("data-dir") or None,
        bind=call.flag("bind"),
        port=call.flag("api-port"),
        pod_cidr=call.flag("pod-cidr"),
        service_cidr=call.flag("service-cidr"),
        runtime=call.flag("runtime"),
        node_name=call.flag("node-name"),
        disable=tuple(n for n in call.flag("disable") if n) if "disable" in call.given else None,
    )
    try:
        done = actions.up(wishes, progress)
    finally:
        progress.end()
    path = None if call.flag("no-kubeconfig") else _write_kubeconfig(done.settings, call.flag("kubeconfig"))
    if call.flag("output"):
        show.data(
            {**done.state, "seconds": round(done.seconds, 3), "kubeconfig": str(path or "")},
            call.flag("output"),
        )
    else:
        _tell_up(done, path)
    return _stay(done.settings) if call.flag("foreground") else 0


def _tell_up(done: actions.Up, path: Path | None) -> None:
    found = done.settings
    if not done.fresh:
        print(f"cluster {found.name!r} is up already: https://{found.bind}:{found.port}")
    else:
        how = "replaced the processes of another build, pods stay" if done.replaced else "up"
        print(f"cluster {found.name!r} is {how} in {done.seconds:.2f} s: https://{found.bind}:{found.port}")
    if path is not None:
        print(f"context {found.context!r} is in {path}; try: kubectl get pods -A")


def _stay(found: Settings) -> int:
    """Waits for ctrl-c or SIGTERM, then stops the cluster."""
    print("ctrl-c stops the cluster", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while actions.status(found) is not None:
            time.sleep(1)
        return show.fail("the cluster has stopped")
    except KeyboardInterrupt:
        actions.down(found)
        return 0


def _caller() -> tuple[Path, tuple[int, int] | None]:
    """Home and owner of the user who called, also through sudo."""
    name = os.environ.get("SUDO_USER")
    if name and name != "root" and os.geteuid() == 0:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return Path.home(), None
        return Path(entry.pw_dir), (entry.pw_uid, entry.pw_gid)
    return Path.home(), None


def _kubeconfig_path(given: str) -> tuple[Path, tuple[int, int] | None]:
    home, owner = _caller()
    if given:
        return Path(given), owner
    if named := os.environ.get("KUBECONFIG"):
        return Path(named.split(os.pathsep)[0]), owner
    return home / ".kube" / "config", owner


def _entries(found: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cluster and user entries of a kubeconfig, certificates inside."""
    pki = found.data_path / "pki"

    def inline(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    host = "127.0.0.1" if found.bind in ("0.0.0.0", "::") else found.bind  # noqa: S104 (compared, not bound)
    cluster = {"server": f"https://{host}:{found.port}", "certificate-authority-data": inline("ca.crt")}
    user = {"client-certificate-data": inline("admin.crt"), "client-key-data": inline("admin.key")}
    return cluster, user


def _write_kubeconfig(found: Settings, given: str) -> Path:
    from sampan.client import kubeconfig as files

    path, owner = _kubeconfig_path(given)
    cluster, user = _entries(found)
    try:
        files.merge_context(path, found.context, cluster=cluster, user=user, owner=owner)
    except files.KubeconfigError as error:
        raise actions.ClusterError(
            f"the cluster is up, but {error}; write it elsewhere with --kubeconfig"
        ) from error
    return path


def kubeconfig(call: Invocation) -> int:
    def work() -> int:
        from sampan.api.codec import yaml

        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
        cluster, user = _entries(found)
        name = found.context
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
            "users": [{"name": name, "user": user}],
        }
        print(yaml.dump(content), end="")
        return 0

    return _told(work)


def down(call: Invocation) -> int:
    def work() -> int:
        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
        ran = actions.down(found)
        print(f"cluster {found.name!r} {'is stopped, its data stays' if ran else 'does not run'}")
        return 0

    return _told(work)


def delete(call: Invocation) -> int:
    def work() -> int:
        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
        actions.delete(found)
        from sampan.client import kubeconfig as files

        path, _ = _kubeconfig_path(call.flag("kubeconfig"))
        files.remove_context(path, found.context)
        print(f"cluster {found.name!r} is deleted")
        return 0

    return _told(work)


NOT_RUNNING = 3


def status(call: Invocation) -> int:
    def work() -> int:
        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
        state = actions.status(found)
        if state is None:
            if call.flag("output"):
                show.data({"name": found.name, "state": "stopped", "components": []}, call.flag("output"))
            else:
                print(f"cluster {found.name!r} does not run: start it with 'sampan up'")
            return NOT_RUNNING
        well = all(c["state"] == "running" for c in state["components"])
        if call.flag("output"):
            word = "running" if well else "sick"
            show.data({"state": word, "settings": found._asdict(), **state}, call.flag("output"))
        else:
            _tell_status(found, state)
        return 0 if well else 1

    return _told(work)


def _tell_status(found: Settings, state: Any) -> None:
    from sampan.cluster.journal import tail

    print(f"cluster {found.name!r} at https://{found.bind}:{found.port}, build {state['build']}\n")
    rows = [[c["name"], c["state"], str(c["pid"] or "-"), c["process"]] for c in state["components"]]
    print(show.table(["COMPONENT", "STATE", "PID", "PROCESS"], rows), end="")
    for component in state["components"]:
        if component["state"] == "failed":
            print(f"\n{component['name']} is sick: {component['reason']}")
            for line in tail(found.data_path / "log" / f"{component['name']}.log", 5):
                print(f"  {line}")
