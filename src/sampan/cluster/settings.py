"""What a cluster is. Kept as `cluster.json` in its data folder, so that the next `up` finds the same cluster."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

LAYOUT = 1
"""Version of the data folder's layout; a folder of another version is refused."""

DEFAULT_NAME = "sampan"
COMPONENTS_OFF = ("controllers", "scheduler", "node", "network", "proxy", "dns", "localpath", "servicelb")
"""What --disable takes. The API server is the cluster and cannot be switched off."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?")


class SettingsError(Exception):
    """Settings that cannot be used: says which, its value, and what was expected."""


class Settings(NamedTuple):
    """One cluster. Ranges are lists, one entry per address family; IPv4 today.

    `bind` is where the API listens, `advertise` the address that pods and other machines use.
    """

    name: str
    data: str
    run: str
    bind: str
    advertise: str
    port: int
    pod_cidrs: tuple[str, ...]
    service_cidrs: tuple[str, ...]
    node_name: str
    runtime: str = "oci"
    domain: str = "cluster.local"
    disabled: tuple[str, ...] = ()
    layout: int = LAYOUT

    @property
    def data_path(self) -> Path:
        return Path(self.data)

    @property
    def run_path(self) -> Path:
        return Path(self.run)

    @property
    def simulated(self) -> bool:
        return self.runtime == "simulated"

    @property
    def context(self) -> str:
        """The kubeconfig context: `sampan`, or `sampan-NAME` for the others."""
        return DEFAULT_NAME if self.name == DEFAULT_NAME else f"{DEFAULT_NAME}-{self.name}"

    @property
    def bridge(self) -> str:
        """The pod bridge; at most 15 characters, as the kernel allows, and unique per cluster."""
        if self.name == DEFAULT_NAME:
            return "sampan0"
        import zlib

        return f"smp-{self.name[:4]}-{zlib.crc32(self.name.encode()) & 0xFFFFF:05x}"

    @property
    def registries(self) -> Path:
        """The file that says how registries are reached: the cluster's own, else the machine's. Neither need exist."""
        own = self.data_path / "registries.toml"
        return own if own.exists() else Path("/etc/sampan/registries.toml")

    def on(self, component: str) -> bool:
        return component not in self.disabled


def is_root() -> bool:
    return os.geteuid() == 0


def data_home() -> Path:
    """Where data folders of clusters lie: /var/lib/sampan for root, else below XDG_DATA_HOME."""
    if override := os.environ.get("SAMPAN_DATA_HOME"):
        return Path(override)
    if is_root():
        return Path("/var/lib/sampan")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "sampan"


def run_home() -> Path:
    """Where sockets lie: /run/sampan for root, else below XDG_RUNTIME_DIR. Unix socket paths are short (107 bytes)."""
    if override := os.environ.get("SAMPAN_RUN_HOME"):
        return Path(override)
    if is_root():
        return Path("/run/sampan")
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "sampan" if base else Path(f"/tmp/sampan-{os.getuid()}")  # noqa: S108 (made 0700 below)


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"cluster name {name!r}: must be 1 to 20 lower case letters, digits or '-', "
            "starting and ending with a letter or digit"
        )
    return name


def folder(name: str, data_dir: str | None = None) -> Path:
    """The data folder of a cluster by its name, or the one given."""
    return Path(data_dir).absolute() if data_dir else data_home() / check_name(name)


def load(data: Path) -> Settings | None:
    """The settings kept in a data folder; None where there is no cluster.

    Raises SettingsError for a folder of another layout or one that cannot be read.
    """
    path = data / "cluster.json"
    try:
        raw: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    if raw.get("layout") != LAYOUT:
        raise SettingsError(
            f"{path}: layout {raw.get('layout')!r}, this sampan reads layout {LAYOUT}; "
            "use the version that made it, or remove it with 'sampan delete'"
        )
    try:
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return Settings(**fields)
    except TypeError as error:
        raise SettingsError(f"{path}: not the settings of a cluster: {error}") from error


def save(settings: Settings) -> None:
    """Writes the settings atomically; the data folder is made 0700."""
    make_private(settings.data_path)
    path = settings.data_path / "cluster.json"
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(settings._asdict(), indent=2) + "\n")
    temporary.chmod(0o600)
    temporary.replace(path)


def make_private(path: Path) -> None:
    """A folder that only its owner may enter, parents included where they are missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_uid != os.geteuid():
        raise SettingsError(f"{path}: belongs to uid {path.stat().st_uid}, expected {os.geteuid()}")
    path.chmod(0o700)


def known() -> list[Settings]:
    """Every cluster whose data folder lies in the data home; unreadable ones are left out."""
    found = []
    home = data_home()
    for path in sorted(home.iterdir()) if home.is_dir() else ():
        try:
            if settings := load(path):
                found.append(settings)
        except SettingsError:
            continue
    return found
