"""CNI configuration lists: ours made from the node's configuration, others read from a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sampan.node.network.model import Config
from sampan.node.network.wire import SUPPORTED, VERSION
from sampan.spec.cni import CniError

_FIELDS = ("cniVersion", "cniVersions", "name", "disableCheck", "disableGC", "plugins")


def own(config: Config, mtu: int, *, isolate: bool = False) -> dict[str, Any]:
    """The list of a cluster's own network: lo, bridge with host-local, hostPorts.

    `isolate` sends what pods say to each other through the node's routing instead of straight over the bridge.
    """
    return {
        "cniVersion": VERSION,
        "name": f"sampan-{config.cluster}",
        "plugins": [
            {"type": "loopback"},
            {
                "type": "bridge",
                "bridge": config.bridge,
                "isGateway": True,
                "isDefaultGateway": True,
                "hairpinMode": True,
                "portIsolation": isolate,
                "mtu": mtu,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": cidr} for cidr in config.node_cidrs]],
                    "dataDir": str(config.state / "leases"),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def load(folder: Path) -> dict[str, Any]:
    """The first configuration of a folder by name: *.conflist, or one plug-in as *.conf or *.json.

    Raises CniError 50 when there is none, 6 or 7 for one that cannot be used.
    """
    paths = (
        sorted(p for p in folder.glob("*") if p.suffix in (".conflist", ".conf", ".json"))
        if folder.is_dir()
        else []
    )
    if not paths:
        raise CniError(50, f"no CNI configuration in {str(folder)!r}")
    try:
        data = json.loads(paths[0].read_bytes())
    except (OSError, ValueError) as error:
        raise CniError(6, f"{paths[0]}: not a CNI configuration", str(error)) from error
    if not isinstance(data, dict):
        raise CniError(6, f"{paths[0]}: not a CNI configuration", "expected an object")
    if paths[0].suffix != ".conflist" and "plugins" not in data:
        data = {"cniVersion": data.get("cniVersion", ""), "name": data.get("name", ""), "plugins": [data]}
    return check(data, str(paths[0]))


def check(data: dict[str, Any], where: str) -> dict[str, Any]:
    """The list itself with a version that we speak. Raises CniError and names everything that is wrong."""
    wrong = []
    versions = [data.get("cniVersion") or "0.2.0", *(data.get("cniVersions") or ())]
    spoken = [v for v in SUPPORTED if v in versions]
    if not spoken:
        raise CniError(1, f"{where}: cniVersion {versions[0]!r}, expected one of {', '.join(SUPPORTED)}")
    if unknown := sorted(set(data) - set(_FIELDS)):
        wrong.append(f"unsupported fields {', '.join(map(repr, unknown))}")
    if not isinstance(data.get("name"), str) or not data["name"] or "/" in data["name"]:
        wrong.append(f"name {data.get('name')!r}: expected a file name")
    plugins = data.get("plugins")
    if not isinstance(plugins, list) or not plugins:
        wrong.append("plugins: expected a list with at least one")
    elif any(not isinstance(p, dict) or not isinstance(p.get("type"), str) for p in plugins):
        wrong.append("plugins: each must be an object with a type")
    if wrong:
        raise CniError(7, f"{where}: {'; '.join(wrong)}")
    return {**data, "cniVersion": spoken[-1]}
