"""What every action needs: a client, the storage, the clock, and where progress is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.apps.helm.storage import Storage
from sampan.charts import capabilities
from sampan.charts.capabilities import Versions
from sampan.client.rest import Client

NAME_PATTERN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
NAME_LIMIT = 53


class Session(NamedTuple):
    """`now()` is the time as Helm stores it; `tell` takes progress for people (stderr)."""

    client: Client
    storage: Storage
    namespace: str
    now: Callable[[], str]
    tell: Callable[[str], None] = lambda _: None


def timestamp(seconds: float) -> str:
    """RFC 3339 with nanoseconds in the machine's own zone, as Go prints time.Now()."""
    moment = datetime.fromtimestamp(seconds, UTC).astimezone()
    zone = moment.strftime("%z")
    shown = "Z" if zone == "+0000" else f"{zone[:3]}:{zone[3:]}"
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{int((seconds % 1) * 1e9):09d}{shown}"


def check_name(name: str) -> None:
    """Raises HelmError for what cannot be a release's name."""
    if not name:
        raise HelmError("release name is invalid: no name provided")
    if len(name) > NAME_LIMIT or not NAME_PATTERN.fullmatch(name):
        raise HelmError(
            f"release name is invalid: {name}: invalid release name, must match regex "
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
        )


async def cluster_versions(client: Client) -> Versions:
    """The cluster's version and what it serves: group/version and group/version/Kind. Raises HelmError."""
    import orjson

    try:
        version = orjson.loads(await client.raw("GET", "/version"))
    except ApiError as error:
        raise HelmError(f"Kubernetes cluster unreachable: {error.message}") from error
    names: set[str] = set()
    for resource in await client.discovery.resources():
        names.add(resource.api_version)
        names.add(f"{resource.api_version}/{resource.kind}")
    return Versions(str(version["gitVersion"]), tuple(sorted(names)) or capabilities.DEFAULT_API_VERSIONS)


def lookup_function(client: Client) -> Any:
    """The template function `lookup` over a client: called from within rendering, which runs in a thread of its own."""
    import asyncio

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
        return asyncio.run_coroutine_threadsafe(find(api_version, kind, namespace, name), loop).result(60)

    return lookup
