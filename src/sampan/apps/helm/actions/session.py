"""What every action needs: a client, the storage, the clock, and where progress is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from sampan.api.status import ApiError
from sampan.apps.helm import slog
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.kube import objects, reach
from sampan.apps.helm.kube.objects import Target
from sampan.apps.helm.storage import Storage
from sampan.charts import capabilities
from sampan.charts.capabilities import Versions
from sampan.charts.errors import ChartError
from sampan.charts.names import check_release_name
from sampan.charts.release import SYSTEM_LABELS, Release
from sampan.client.rest import Client

LOOKUP_SECONDS = 60.0


def _quiet(_: str) -> None:
    pass


class Session(NamedTuple):
    """`now()` is the time as Helm stores it; `tell` takes text for people, `log` lines with a level.

    With `records_only` there is no cluster behind the records: nothing is built, written or waited for.
    """

    client: Client
    storage: Storage
    namespace: str
    now: Callable[[], str]
    tell: Callable[[str], None] = _quiet
    log: slog.Log = slog.silent
    records_only: bool = False

    async def reach(self) -> None:
        """Raises HelmError when the cluster does not answer."""
        if not self.records_only:
            await reach.check(self.client)

    async def targets(self, manifest: str, what: str) -> list[Target]:
        """The objects of a manifest. Raises HelmError that begins with `what` (unable to build ...)."""
        if self.records_only:
            return []
        try:
            return await objects.build(self.client, manifest, self.namespace)
        except HelmError as error:
            raise HelmError(f"{what}: {error}") from error
        except ApiError as error:
            raise HelmError(f"{what}: {error.message}") from error

    async def note(self, record: Release) -> None:
        """Keeps a record in passing: when that fails it is said, and the work goes on."""
        try:
            await self.storage.update(record)
        except (HelmError, ApiError) as error:
            self.log(
                slog.WARN, "failed to update release", name=record.name, revision=record.version, error=error
            )


def timestamp(seconds: float) -> str:
    """RFC 3339 with nanoseconds in the machine's own zone, as Go prints time.Now()."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone()
    zone = moment.strftime("%z")
    shown = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    fraction = f".{int((seconds % 1) * 1e9):09d}".rstrip("0").rstrip(".")
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}{fraction}{shown}"


def name_problem(name: str) -> str:
    """What is wrong with a release's name; "" for nothing."""
    try:
        check_release_name(name)
    except ChartError as error:
        return str(error)
    return ""


def check_name(name: str, prefix: str) -> None:
    """Raises HelmError that begins with `prefix` for what cannot be a release's name."""
    if name_problem(name):
        raise HelmError(f"{prefix}: {name}")


def check_labels(labels: dict[str, str]) -> None:
    """Raises HelmError for labels that Helm itself sets on a record."""
    if set(labels) & set(SYSTEM_LABELS):
        raise HelmError(
            "user supplied labels contains system reserved label name. System labels: "
            f"[{' '.join(SYSTEM_LABELS)}]"
        )


async def content(session: Session, name: str, version: int = 0) -> Release:
    """A revision of a release, the last for 0. Raises HelmError, NotFound."""
    await session.reach()
    check_name(name, "releaseContent: Release name is invalid")
    return await session.storage.get(name, version)


async def cluster_versions(client: Client) -> Versions:
    """The cluster's version and what it serves: group/version and group/version/Kind. Raises HelmError."""
    path = "/version"
    try:
        version = orjson.loads(await client.raw("GET", path, timeout=reach.SECONDS))
    except ApiError as error:
        why = reach.words(client.server, f"{path}?timeout=32s", error)
        raise HelmError(f"could not get server version from Kubernetes: {why}") from error
    names: set[str] = set()
    for resource in await client.discovery.resources():
        names.add(resource.api_version)
        names.add(f"{resource.api_version}/{resource.kind}")
    return Versions(str(version["gitVersion"]), tuple(sorted(names)) or capabilities.DEFAULT_API_VERSIONS)


def lookup_function(client: Client) -> Any:
    """The template function `lookup` over a client: called from within rendering, which runs in a thread of its own."""
    loop = asyncio.get_running_loop()

    async def find(api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
        try:
            resource = await client.resource_for(api_version, kind)
            where = namespace if resource.namespaced else None
            if name:
                return await client.get(resource, name, where)
            return await client.list(resource, where or None)
        except ApiError as error:
            if error.code == 404:
                return {}
            raise

    def lookup(api_version: str, kind: str, namespace: str, name: str) -> dict[str, Any]:
        found = asyncio.run_coroutine_threadsafe(find(api_version, kind, namespace, name), loop)
        return found.result(LOOKUP_SECONDS)

    return lookup
