"""Where release records are kept: Secrets (the default), ConfigMaps, or memory. Names, labels and data as Helm's.

helm 4.3 pkg/storage and pkg/storage/driver. The record itself (its fields and its encoding) belongs to `charts.release`.
The SQL driver is refused by name.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from sampan.api import kinds
from sampan.api.codec import yaml
from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.errors import HelmError, NotFound, of_file
from sampan.charts.release import (
    DEPLOYED,
    SECRET_TYPE,
    SYSTEM_LABELS,
    Release,
    ReleaseError,
    decode,
    encode,
    from_json,
    storage_key,
)
from sampan.client.rest import Client

EXISTS = "release: already exists"


def own_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The user's labels, without those that Helm itself sets on what holds a record."""
    return {key: value for key, value in labels.items() if key not in SYSTEM_LABELS}


class Driver(Protocol):
    """Keeps records of one namespace (or all, for listing). `version` counts from 1.

    Listed records have all labels of what holds them, as Helm shows them.
    """

    async def list(
        self, *, name: str = "", everywhere: bool = False, selector: str = ""
    ) -> list[Release]: ...

    async def create(self, record: Release) -> None: ...

    async def update(self, record: Release) -> None: ...

    async def delete(self, name: str, version: int) -> None: ...


class Objects:
    """Records in Secrets or ConfigMaps of the release's namespace."""

    def __init__(self, client: Client, namespace: str, kind: str, log: slog.Log = slog.silent) -> None:
        self._client = client
        self._log = log
        self._namespace = namespace
        self._kind = kind
        self._resource = kinds.of("v1", kind)

    async def list(self, *, name: str = "", everywhere: bool = False, selector: str = "") -> list[Release]:
        wanted = ["owner=helm", *([f"name={name}"] if name else []), *([selector] if selector else [])]
        listed = await self._client.list(
            self._resource, None if everywhere else self._namespace, label_selector=",".join(wanted)
        )
        return [record for item in listed.get("items") or () if (record := self._read(item)) is not None]

    async def create(self, record: Release) -> None:
        try:
            await self._client.create(self._resource, self._object(record, created=True), self._namespace)
        except ApiError as error:
            if error.reason == "AlreadyExists":
                raise HelmError(EXISTS) from error
            raise HelmError(f"create: failed to create: {error.message}") from error

    async def update(self, record: Release) -> None:
        try:
            await self._client.replace(self._resource, self._object(record, created=False), self._namespace)
        except ApiError as error:
            raise HelmError(f"update: failed to update: {error.message}") from error

    async def delete(self, name: str, version: int) -> None:
        try:
            await self._client.delete(self._resource, storage_key(name, version), self._namespace)
        except ApiError as error:
            if error.code != 404:
                raise

    def _object(self, record: Release, *, created: bool) -> dict[str, Any]:
        text = encode(record)
        stamp = "createdAt" if created else "modifiedAt"
        obj: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": self._kind,
            "metadata": {
                "name": record.key,
                "namespace": self._namespace,
                "labels": {
                    **own_labels(record.labels),
                    stamp: str(int(time.time())),
                    "name": record.name,
                    "owner": "helm",
                    "status": record.info.status,
                    "version": str(record.version),
                },
            },
        }
        if self._kind == "Secret":
            obj["type"] = SECRET_TYPE
            obj["data"] = {"release": base64.b64encode(text.encode()).decode()}
        else:
            obj["data"] = {"release": text}
        return obj

    def _read(self, item: Mapping[str, Any]) -> Release | None:
        data = (item.get("data") or {}).get("release")
        if not data:
            return None
        labels = item["metadata"].get("labels") or {}
        try:
            text = base64.b64decode(data).decode() if self._kind == "Secret" else str(data)
            return decode(text, dict(labels))
        except (ReleaseError, ValueError) as error:
            self._log(slog.WARN, "release record cannot be read", key=item["metadata"]["name"], error=error)
            return None


class Memory:
    """Records in this process, for tests and HELM_DRIVER=memory."""

    def __init__(self, namespace: str, records: Iterable[Release] = ()) -> None:
        self._namespace = namespace
        self._records = {(r.namespace, r.name, r.version): r for r in records}

    async def list(self, *, name: str = "", everywhere: bool = False, selector: str = "") -> list[Release]:
        from sampan.api.selector import labels

        chosen = labels.parse(selector)
        return [
            r
            for r in self._records.values()
            if (everywhere or r.namespace == self._namespace)
            and (not name or r.name == name)
            and chosen.matches(r.labels)
        ]

    async def create(self, record: Release) -> None:
        key = (record.namespace, record.name, record.version)
        if key in self._records:
            raise HelmError(EXISTS)
        self._records[key] = record

    async def update(self, record: Release) -> None:
        self._records[record.namespace, record.name, record.version] = record

    async def delete(self, name: str, version: int) -> None:
        self._records.pop((self._namespace, name, version), None)


def open_driver(name: str, client: Client, namespace: str, log: slog.Log = slog.silent) -> Driver:
    """The driver of HELM_DRIVER. Raises HelmError for one that is not known."""
    match name:
        case "" | "secret" | "secrets":
            return Objects(client, namespace, "Secret", log)
        case "configmap" | "configmaps":
            return Objects(client, namespace, "ConfigMap", log)
        case "memory":
            paths = os.environ.get("HELM_MEMORY_DRIVER_DATA", "").split(":")
            return Memory(namespace, [record for path in paths if path for record in _given_records(path)])
        case "sql":
            raise HelmError("HELM_DRIVER 'sql' is not supported yet, expected secret, configmap or memory")
    raise HelmError(f'unknown driver "{name}"')


def _given_records(path: str) -> list[Release]:
    """Records out of a YAML list of release objects, for trying the reading verbs without a cluster."""
    try:
        listed = yaml.load(Path(path).read_bytes())
    except OSError as error:
        raise HelmError(f"Unable to read memory driver data: {of_file(error)}") from error
    except ValueError as error:
        raise HelmError(f"Unable to unmarshal memory driver data: {error}") from error
    if not isinstance(listed, list):
        raise HelmError(f"HELM_MEMORY_DRIVER_DATA {path!r}: expected a list of releases")
    return [from_json(orjson.dumps(item).decode()) for item in listed]


class Storage:
    """Releases by name and revision, over a driver."""

    def __init__(self, driver: Driver, history_max: int = 10) -> None:
        self.driver = driver
        self.history_max = history_max

    async def history(self, name: str) -> list[Release]:
        """Every revision, oldest first. Raises NotFound."""
        found = sorted(await self.driver.list(name=name), key=lambda record: record.version)
        if not found:
            raise NotFound("release: not found")
        return found

    async def last(self, name: str) -> Release:
        return (await self.history(name))[-1]

    async def get(self, name: str, version: int = 0) -> Release:
        """A revision, with the user's labels alone; for 0 the last one. Raises NotFound."""
        found = await self.history(name)
        if not version:
            return found[-1]
        for record in found:
            if record.version == version:
                return record._replace(labels=own_labels(record.labels))
        raise NotFound("release: not found")

    async def deployed(self, name: str) -> list[Release]:
        """The revisions that are marked as deployed, oldest first: one, or several after two ran at once."""
        try:
            return [record for record in await self.history(name) if record.info.status == DEPLOYED]
        except NotFound:
            return []

    async def create(self, record: Release) -> None:
        """Keeps a new revision; the oldest go when there are more than history_max."""
        if self.history_max > 0:
            await self._prune(record.name, self.history_max - 1)
        await self.driver.create(record)

    async def update(self, record: Release) -> None:
        await self.driver.update(record)

    async def _prune(self, name: str, most: int) -> None:
        try:
            history = await self.history(name)
        except NotFound:
            return
        deployed = next((r for r in reversed(history) if r.info.status == DEPLOYED), None)
        excess = len(history) - most
        for record in history:
            if excess <= 0:
                return
            if deployed is not None and record.version == deployed.version:
                continue
            await self.driver.delete(name, record.version)
            excess -= 1
