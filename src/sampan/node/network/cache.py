"""Results of ADD on disk: what CHECK and DEL hand to the plug-ins as prevResult, and who is attached at all.

One JSON file per interface, written atomically. The folder says in which boot it was written: no container outlives
a reboot, so what another boot left is void.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from sampan.node.network import wire
from sampan.spec.cni import Attachment, CniError, PortMapping, Result

VERSION = 1


class Entry(NamedTuple):
    """One attachment: the configuration list that made it, and its result."""

    attachment: Attachment
    conflist: dict[str, Any]
    result: Result


class Cache:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, boot_id: str) -> bool:
        """Makes the folder ready. False when another boot had written it: then it is empty now."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp = self._folder / "boot"
        try:
            same = stamp.read_text() == boot_id
        except FileNotFoundError:
            same = False
        if not same:
            shutil.rmtree(self._folder)
            self._folder.mkdir(mode=0o700)
            stamp.write_text(boot_id)
        for leftover in self._folder.glob("*.new"):
            leftover.unlink()
        return same

    def _path(self, container_id: str, ifname: str) -> Path:
        if "/" in container_id + ifname or not container_id or not ifname:
            raise CniError(4, f"container {container_id!r}, interface {ifname!r}: cannot be a file name")
        return self._folder / f"{container_id}@{ifname}.json"

    def store(self, entry: Entry) -> None:
        at = entry.attachment
        data = {
            "version": VERSION,
            "containerID": at.container_id,
            "netns": at.netns,
            "ifname": at.ifname,
            "args": dict(at.args),
            "portMappings": [p._asdict() for p in at.port_mappings],
            "conflist": entry.conflist,
            "result": wire.result_to_json(entry.result),
        }
        path = self._path(at.container_id, at.ifname)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(data))
        temporary.replace(path)

    def load(self, container_id: str, ifname: str) -> Entry | None:
        """None when the interface is not attached. CniError 6 for a file that cannot be read."""
        return self._read(self._path(container_id, ifname))

    def _read(self, path: Path) -> Entry | None:
        try:
            data = json.loads(path.read_bytes())
            if data["version"] != VERSION:
                raise CniError(6, f"{path}: version {data['version']!r}, this one reads {VERSION}")
            attachment = Attachment(
                data["containerID"],
                data["netns"],
                data["ifname"],
                data["args"],
                tuple(PortMapping(**p) for p in data["portMappings"]),
            )
            return Entry(attachment, data["conflist"], wire.result_from_json(data["result"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise CniError(6, f"{path}: not a cached result", repr(error)) from error

    def forget(self, container_id: str, ifname: str) -> None:
        self._path(container_id, ifname).unlink(missing_ok=True)

    def entries(self) -> list[Entry]:
        """Every attachment that can be read; a broken file is as good as none."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                entry = self._read(path)
            except CniError:
                path.unlink(missing_ok=True)
                continue
            if entry is not None:
                found.append(entry)
        return found
