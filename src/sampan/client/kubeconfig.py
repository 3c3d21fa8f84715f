"""The kubeconfig files that kubectl uses: read with its merging rules, changed without disturbing what is there.

Format and rules: k8s.io/client-go tools/clientcmd (loader.go, client_config.go); v1 Config.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from sampan.client.config import Config, ExecPlugin

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LOCK_SECONDS: Final = 5.0
PATH_FIELDS: Final = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
}


class KubeconfigError(Exception):
    """A kubeconfig that cannot be read, understood or written; the text names file and entry."""


class Entries(NamedTuple):
    """Several files as one: entries by name, each with paths made absolute."""

    clusters: dict[str, dict[str, Any]]
    users: dict[str, dict[str, Any]]
    contexts: dict[str, dict[str, Any]]
    current_context: str


# --- reading


def default_paths(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """The files of KUBECONFIG, else ~/.kube/config."""
    given = os.environ if environ is None else environ
    listed = tuple(Path(part) for part in given.get("KUBECONFIG", "").split(os.pathsep) if part)
    return listed or (Path(given.get("HOME") or str(Path.home())) / ".kube" / "config",)


def read(paths: Sequence[Path]) -> Entries:
    """The files merged: whichever sets a value or a name first wins. Files that do not exist are skipped."""
    merged = Entries({}, {}, {}, "")
    current = ""
    for path in paths:
        content = _read_file(path)
        if content is None:
            continue
        current = current or str(content.get("current-context") or "")
        for section, key, into in (
            ("clusters", "cluster", merged.clusters),
            ("users", "user", merged.users),
            ("contexts", "context", merged.contexts),
        ):
            for name, entry in _entries(content, section, key, path):
                into.setdefault(name, _absolute(entry, PATH_FIELDS.get(section, ()), path))
    return merged._replace(current_context=current)


def load(
    paths: Sequence[Path] | None = None,
    *,
    context: str = "",
    cluster: str = "",
    user: str = "",
    user_agent: str = "",
) -> Config:
    """The configuration that kubectl would use: explicit files, KUBECONFIG, ~/.kube/config, then the pod we run in.

    Raises KubeconfigError when nothing is configured or a name is not there.
    """
    searched = tuple(paths) if paths is not None else default_paths()
    entries = read(searched)
    name = context or entries.current_context
    if not name and not cluster:
        if paths is None and (inside := in_cluster(user_agent=user_agent)) is not None:
            return inside
        where = ", ".join(str(path) for path in searched)
        raise KubeconfigError(f"no current-context in {where}: give a context or set KUBECONFIG")
    if name and name not in entries.contexts:
        known = ", ".join(sorted(entries.contexts)) or "none"
        raise KubeconfigError(f"context {name!r} does not exist, known contexts: {known}")
    chosen = entries.contexts.get(name, {})
    return to_config(
        _named(entries.clusters, cluster or chosen.get("cluster"), "cluster", name),
        _named(entries.users, user or chosen.get("user"), "user", name, optional=True),
        namespace=str(chosen.get("namespace") or "default"),
        user_agent=user_agent,
    )


def in_cluster(*, root: Path = SERVICE_ACCOUNT, user_agent: str = "") -> Config | None:
    """The configuration of a pod's service account; None when this is no pod."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")
    token = root / "token"
    if not host or not port or not token.exists():
        return None
    namespace = root / "namespace"
    return Config(
        f"https://{f'[{host}]' if ':' in host else host}:{port}",
        ca_file=str(root / "ca.crt"),
        token_file=str(token),
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
        user_agent=user_agent,
    )


def to_config(
    cluster: Mapping[str, Any], user: Mapping[str, Any], *, namespace: str = "default", user_agent: str = ""
) -> Config:
    """One cluster and one user entry as a Config. What we cannot do is refused by name."""
    server = str(cluster.get("server") or "")
    if not server:
        raise KubeconfigError("cluster has no server, expected a URL such as https://127.0.0.1:6443")
    if cluster.get("proxy-url"):
        raise KubeconfigError(f"cluster {server!r}: proxy-url is not supported, got {cluster['proxy-url']!r}")
    if user.get("auth-provider"):
        name = (user["auth-provider"] or {}).get("name")
        raise KubeconfigError(f"user: auth-provider {name!r} is not supported, use an exec plugin")
    insecure = bool(cluster.get("insecure-skip-tls-verify"))
    if insecure and (cluster.get("certificate-authority") or cluster.get("certificate-authority-data")):
        raise KubeconfigError(
            f"cluster {server!r}: a root certificate and insecure-skip-tls-verify exclude each other"
        )
    extra = user.get("as-user-extra") or {}
    return Config(
        server,
        ca=_data(cluster, "certificate-authority-data"),
        ca_file=str(cluster.get("certificate-authority") or ""),
        insecure=insecure,
        server_name=str(cluster.get("tls-server-name") or ""),
        cert=_data(user, "client-certificate-data"),
        cert_file=str(user.get("client-certificate") or ""),
        key=_data(user, "client-key-data"),
        key_file=str(user.get("client-key") or ""),
        token="" if user.get("tokenFile") else str(user.get("token") or ""),
        token_file=str(user.get("tokenFile") or ""),
        username=str(user.get("username") or ""),
        password=str(user.get("password") or ""),
        exec_plugin=_exec(user.get("exec"), cluster),
        impersonate_user=str(user.get("as") or ""),
        impersonate_uid=str(user.get("as-uid") or ""),
        impersonate_groups=tuple(user.get("as-groups") or ()),
        impersonate_extra=tuple((key, value) for key, values in extra.items() for value in values or ()),
        namespace=namespace,
        user_agent=user_agent,
    )


def _exec(entry: Mapping[str, Any] | None, cluster: Mapping[str, Any]) -> ExecPlugin | None:
    if not entry:
        return None
    if not entry.get("command"):
        raise KubeconfigError("user: exec has no command")
    config = None
    for extension in cluster.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            config = extension.get("extension")
    return ExecPlugin(
        command=str(entry["command"]),
        args=tuple(str(arg) for arg in entry.get("args") or ()),
        env=tuple((str(pair["name"]), str(pair["value"])) for pair in entry.get("env") or ()),
        api_version=str(entry.get("apiVersion") or ""),
        provide_cluster_info=bool(entry.get("provideClusterInfo")),
        interactive_mode=str(entry.get("interactiveMode") or "IfAvailable"),
        install_hint=str(entry.get("installHint") or ""),
        directory=str(entry.get("_directory") or ""),
        cluster_config=config,
    )


def _named(
    entries: Mapping[str, dict[str, Any]],
    name: str | None,
    what: str,
    context: str,
    *,
    optional: bool = False,
) -> dict[str, Any]:
    if not name and optional:
        return {}
    if not name or name not in entries:
        raise KubeconfigError(f"context {context!r} names {what} {name!r}, which does not exist")
    return entries[name]


def _data(entry: Mapping[str, Any], key: str) -> bytes:
    text = entry.get(key)
    if not text:
        return b""
    try:
        return base64.b64decode("".join(str(text).split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KubeconfigError(f"{key} is not base64: {error}") from error


def _entries(
    content: Mapping[str, Any], section: str, key: str, path: Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    listed = content.get(section) or []
    if not isinstance(listed, list):
        raise KubeconfigError(f"{path}: {section} is {type(listed).__name__}, expected a list")
    for item in listed:
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise KubeconfigError(f"{path}: {section} has an entry without a name: {item!r}")
        yield item["name"], item.get(key) or {}


def _absolute(entry: dict[str, Any], fields: Sequence[str], path: Path) -> dict[str, Any]:
    """Relative paths in a kubeconfig are relative to its folder."""
    made = dict(entry)
    base = path.absolute().parent
    for field in fields:
        if made.get(field):
            made[field] = str(base / made[field])
    if made.get("exec"):
        made["exec"] = {**made["exec"], "_directory": str(base)}
    return made


def _read_file(path: Path) -> dict[str, Any] | None:
    from sampan.api.codec import yaml

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KubeconfigError(f"kubeconfig {str(path)!r} cannot be read: {error.strerror}") from error
    try:
        content = yaml.load(text)
    except ValueError as error:
        raise KubeconfigError(f"kubeconfig {str(path)!r} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise KubeconfigError(
            f"kubeconfig {str(path)!r} holds a {type(content).__name__}, expected a mapping"
        )
    return content


# --- writing


def merge_context(
    path: Path,
    name: str,
    *,
    cluster: Mapping[str, Any],
    user: Mapping[str, Any],
    namespace: str = "",
    make_current: bool = True,
    owner: tuple[int, int] | None = None,
) -> None:
    """Adds or replaces cluster, user and context `name`; everything else in the file stays (comments are lost).

    Atomic, mode 0600; a file that is new gets `owner` (uid, gid). Raises KubeconfigError when it cannot be written.
    """
    context: dict[str, Any] = {"cluster": name, "user": name}
    if namespace:
        context["namespace"] = namespace

    def change(content: dict[str, Any]) -> None:
        content.setdefault("apiVersion", "v1")
        content.setdefault("kind", "Config")
        _put(content, "clusters", "cluster", name, dict(cluster))
        _put(content, "users", "user", name, dict(user))
        _put(content, "contexts", "context", name, context)
        if make_current or not content.get("current-context"):
            content["current-context"] = name

    _change(path, change, owner)


def remove_context(path: Path, name: str) -> None:
    """Takes cluster, user and context `name` out; a file that does not exist stays so."""

    def change(content: dict[str, Any]) -> None:
        for section in ("clusters", "users", "contexts"):
            content[section] = [e for e in content.get(section) or () if e.get("name") != name]
        if content.get("current-context") == name:
            content["current-context"] = ""

    if path.exists():
        _change(path, change, None)


def _put(content: dict[str, Any], section: str, key: str, name: str, value: dict[str, Any]) -> None:
    listed = content.get(section) or []
    entry = {"name": name, key: value}
    at = next((i for i, e in enumerate(listed) if e.get("name") == name), len(listed))
    content[section] = [*listed[:at], entry, *listed[at + 1 :]]


def _change(path: Path, change: Callable[[dict[str, Any]], None], owner: tuple[int, int] | None) -> None:
    from sampan.api.codec import yaml

    real = path.resolve()
    try:
        _make_folders(real.parent, owner)
        with _locked(real):
            content = _read_file(real) or {}
            change(content)
            _write(real, yaml.dump(content).encode(), owner)
    except OSError as error:
        raise KubeconfigError(f"kubeconfig {str(path)!r} cannot be written: {error.strerror}") from error


def _make_folders(folder: Path, owner: tuple[int, int] | None) -> None:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o755, exist_ok=True)
        if owner is not None:
            os.chown(each, *owner)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The lock file that kubectl takes as well: path.lock, made exclusively."""
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise KubeconfigError(
                    f"kubeconfig {str(path)!r} is locked by {str(lock)!r}: remove it if no other program is writing"
                ) from None
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _write(path: Path, data: bytes, owner: tuple[int, int] | None) -> None:
    try:
        before = path.stat()
        owner = (before.st_uid, before.st_gid)
    except FileNotFoundError:
        pass
    handle, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            os.chown(name, *owner)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
