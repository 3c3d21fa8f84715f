"""The CNI host: runs a chain of plug-ins for each verb (specification 1.1.0, sections 3 and 4).

A plug-in is one of ours in process or any executable; which of the two is said by `inline`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from sampan.base.netlink import NetlinkError
from sampan.node.network import execution, wire
from sampan.node.network.cache import Cache, Entry
from sampan.node.network.plugins.model import Call, Plugin
from sampan.spec.cni import Attachment, CniError, Result


class Chain:
    """One network over one configuration list. Calls for different interfaces may run at once."""

    def __init__(
        self,
        conflist: dict[str, Any],
        cache: Cache,
        inline: Mapping[str, Plugin],
        bin_dirs: tuple[str, ...] = (),
        seconds: float = 30.0,
    ) -> None:
        self._conflist = conflist
        self._cache = cache
        self._inline = inline
        self._bin_dirs = bin_dirs
        self._seconds = seconds

    async def add(self, attachment: Attachment) -> Result:
        """Attaches the interface; what is attached already is an error, as the specification wants."""
        if self._cache.load(attachment.container_id, attachment.ifname) is not None:
            await self.delete(attachment)
        result: Result | None = None
        try:
            for plugin in self._conflist["plugins"]:
                result = await self._add(plugin, attachment, result) or result
            if result is None:
                raise CniError(7, f"network {self._conflist['name']!r}: no plug-in gave a result")
            self._cache.store(Entry(attachment, self._conflist, result))
        except BaseException:
            await self._undo(self._conflist, attachment, result, quiet=True)
            raise
        return result

    async def _add(
        self, plugin: dict[str, Any], attachment: Attachment, previous: Result | None
    ) -> Result | None:
        if inline := self._inline.get(plugin["type"]):
            # about half a millisecond of netlink: shorter than handing it to a thread
            result: Result = _named(plugin, lambda: inline.add(self._call(plugin, attachment, previous)))
            return result
        printed = await self._execute("ADD", plugin, attachment, previous)
        return None if printed is None else wire.result_from_json(printed)

    async def delete(self, attachment: Attachment) -> None:
        """Detaches, in reverse order. What is gone is fine; with a cached result its own configuration is used."""
        entry = self._cache.load(attachment.container_id, attachment.ifname)
        if entry is None:
            await self._undo(self._conflist, attachment, None)
            return
        known = entry.attachment._replace(netns=attachment.netns or entry.attachment.netns)
        await self._undo(entry.conflist, known, entry.result)
        self._cache.forget(attachment.container_id, attachment.ifname)

    async def _undo(
        self, conflist: dict[str, Any], attachment: Attachment, result: Result | None, *, quiet: bool = False
    ) -> None:
        failed: CniError | None = None
        for plugin in reversed(conflist["plugins"]):
            try:
                if inline := self._inline.get(plugin["type"]):
                    # the kernel takes some 20 ms to remove a device
                    await asyncio.to_thread(
                        _named, plugin, lambda p=plugin, i=inline: i.delete(self._call(p, attachment, result))
                    )
                else:
                    await self._execute("DEL", plugin, attachment, result, conflist)
            except CniError as error:
                failed = failed or error
        if failed and not quiet:
            raise failed

    async def check(self, attachment: Attachment) -> None:
        entry = self._cache.load(attachment.container_id, attachment.ifname)
        if entry is None:
            raise CniError(
                3, f"interface {attachment.ifname!r} of container {attachment.container_id!r} is not attached"
            )
        if entry.conflist.get("disableCheck"):
            return
        for plugin in entry.conflist["plugins"]:
            if inline := self._inline.get(plugin["type"]):
                _named(
                    plugin, lambda p=plugin, i=inline: i.check(self._call(p, entry.attachment, entry.result))
                )
            elif self._conflist["cniVersion"] not in ("0.3.0", "0.3.1"):
                await self._execute("CHECK", plugin, entry.attachment, entry.result, entry.conflist)

    async def status(self) -> None:
        for plugin in self._conflist["plugins"]:
            if plugin["type"] in self._inline:
                continue
            if self._conflist["cniVersion"] == "1.1.0":
                await self._execute("STATUS", plugin, None, None)
            else:
                execution.find(plugin["type"], self._bin_dirs)

    async def gc(self, valid: frozenset[tuple[str, str]]) -> None:
        """Detaches what is cached but not in `valid`, then tells every plug-in what is valid."""
        for entry in self._cache.entries():
            if (entry.attachment.container_id, entry.attachment.ifname) not in valid:
                await self.delete(entry.attachment)
        if self._conflist.get("disableGC"):
            return
        listed = [{"containerID": container, "ifname": ifname} for container, ifname in sorted(valid)]
        for plugin in self._conflist["plugins"]:
            if inline := self._inline.get(plugin["type"]):
                name = self._conflist["name"]
                await asyncio.to_thread(_named, plugin, lambda p=plugin, i=inline, n=name: i.gc(n, p, valid))
            elif self._conflist["cniVersion"] == "1.1.0":
                await self._execute("GC", {**plugin, "cni.dev/valid-attachments": listed}, None, None)

    def _call(self, plugin: dict[str, Any], attachment: Attachment, previous: Result | None) -> Call:
        ports = attachment.port_mappings if (plugin.get("capabilities") or {}).get("portMappings") else ()
        return Call(self._conflist["name"], plugin, attachment._replace(port_mappings=ports), previous)

    async def _execute(
        self,
        command: str,
        plugin: dict[str, Any],
        attachment: Attachment | None,
        previous: Result | None,
        conflist: dict[str, Any] | None = None,
    ) -> Any:
        conflist = conflist or self._conflist
        version = conflist["cniVersion"]
        config = {**plugin, "cniVersion": version, "name": conflist["name"]}
        if previous is not None:
            config["prevResult"] = wire.result_to_json(previous, version)
        if attachment and attachment.port_mappings and (plugin.get("capabilities") or {}).get("portMappings"):
            config["runtimeConfig"] = {
                "portMappings": [
                    {
                        "hostPort": p.host_port,
                        "containerPort": p.container_port,
                        "protocol": p.protocol,
                        **({"hostIP": p.host_ip} if p.host_ip else {}),
                    }
                    for p in attachment.port_mappings
                ]
            }
        return await execution.run(plugin["type"], command, config, attachment, self._bin_dirs, self._seconds)


def _named(plugin: Mapping[str, Any], work: Any) -> Any:
    """Runs a plug-in of ours; what the kernel refuses becomes the plug-in's error."""
    try:
        return work()
    except (NetlinkError, OSError) as error:
        raise CniError(100, f"plug-in {plugin['type']!r}: {error}") from error
