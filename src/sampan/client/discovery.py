"""What a server offers: resources by kind or by name, aggregated discovery first, the plain form where that is all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import orjson

from sampan.api.kinds.model import GroupVersion, Resource, Subresource
from sampan.api.status import ApiError

if TYPE_CHECKING:
    from sampan.client.rest import Client

AGGREGATED: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
REFRESH_SECONDS: Final = 1.0  # a miss asks the server again, but not more often than this


class Discovery:
    """The resources of one server, fetched once and again when something is missing.

    Groups that cannot be reached (an aggregated API whose server is down) are left out and listed in `stale`.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._resources: tuple[Resource, ...] = ()
        self._preferred: dict[str, str] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()
        self.stale: tuple[str, ...] = ()

    async def resources(self, *, fresh: bool = False) -> tuple[Resource, ...]:
        """Every resource of every version, the server's order. `fresh` asks the server."""
        await self._have(float("inf") if fresh else None)
        return self._resources

    async def preferred(self, *, fresh: bool = False) -> tuple[Resource, ...]:
        """One version of each resource: the group's preferred one, else the first that has it."""
        chosen: dict[tuple[str, str], Resource] = {}
        for resource in await self.resources(fresh=fresh):
            key = (resource.group, resource.plural)
            if key not in chosen or resource.version == self._preferred.get(resource.group):
                chosen[key] = resource
        return tuple(chosen.values())

    async def resource_for(self, api_version: str, kind: str) -> Resource:
        """By the object's own apiVersion and kind."""
        await self._have(None)
        key = (api_version, kind)
        if key not in self._by_kind:
            await self._have(REFRESH_SECONDS)
        if key not in self._by_kind:
            group = GroupVersion.parse(api_version).group
            text = f'no matches for kind "{kind}" in version "{api_version}"'
            raise ApiError(404, "NotFound", text, group=group, kind=kind)
        return self._by_kind[key]

    async def find(self, word: str) -> Resource | None:
        """As kubectl understands a resource argument: plural, singular, short name or kind, with .group or .version.group."""
        for fresh in (False, True):
            found = _find(word.lower(), await self.preferred(fresh=fresh), self._resources)
            if found is not None:
                return found
        return None

    async def _have(self, older_than: float | None) -> None:
        """Fetches when nothing is there, or when what is there is older than so many seconds (inf: always)."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            age = now - self._fetched_at
            if age == float("inf") or (
                older_than is not None and (older_than == float("inf") or age > older_than)
            ):
                await self._fetch()
                self._fetched_at = asyncio.get_running_loop().time()

    async def _fetch(self) -> None:
        found: list[Resource] = []
        stale: list[str] = []
        preferred: dict[str, str] = {}
        for path in ("/api", "/apis"):
            answer = orjson.loads(await self._client.raw("GET", path, headers={"Accept": AGGREGATED}))
            if answer.get("kind") == "APIGroupDiscoveryList":
                _from_aggregated(answer, found, preferred, stale)
            else:
                await self._from_plain(path, answer, found, preferred, stale)
        self._resources = tuple(found)
        self._preferred = preferred
        self._by_kind = {}
        for resource in found:
            self._by_kind.setdefault((resource.api_version, resource.kind), resource)
        self.stale = tuple(stale)

    async def _from_plain(
        self,
        path: str,
        answer: dict[str, Any],
        found: list[Resource],
        preferred: dict[str, str],
        stale: list[str],
    ) -> None:
        if path == "/api":
            versions = [GroupVersion("", v) for v in answer.get("versions") or ()]
            preferred |= {v.group: v.version for v in versions[:1]}
        else:
            versions = []
            for group in answer.get("groups") or ():
                versions += [GroupVersion.parse(v["groupVersion"]) for v in group.get("versions") or ()]
                preferred[group["name"]] = (group.get("preferredVersion") or {}).get("version", "")
        for version in versions:
            try:
                listed = await self._client.raw(
                    "GET",
                    f"{path}/{version.version}" if not version.group else f"{path}/{version.api_version}",
                )
            except ApiError:
                stale.append(version.api_version)
                continue
            found += plain_resources(version, orjson.loads(listed).get("resources") or ())


def _from_aggregated(
    answer: dict[str, Any], found: list[Resource], preferred: dict[str, str], stale: list[str]
) -> None:
    for group in answer.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            label = version["version"]
            preferred.setdefault(name, label)
            if version.get("freshness") == "Stale":
                stale.append(f"{name}/{label}")
            found += [_aggregated_resource(name, label, entry) for entry in version.get("resources") or ()]


def _aggregated_resource(group: str, version: str, entry: dict[str, Any]) -> Resource:
    kind = (entry.get("responseKind") or {}).get("kind", "")
    return Resource(
        group=group,
        version=version,
        kind=kind,
        plural=entry["resource"],
        singular=entry.get("singularResource") or kind.lower(),
        namespaced=entry.get("scope") == "Namespaced",
        verbs=tuple(entry.get("verbs") or ()),
        short_names=tuple(entry.get("shortNames") or ()),
        categories=tuple(entry.get("categories") or ()),
        subresources=tuple(
            Subresource(
                sub["subresource"],
                (sub.get("responseKind") or {}).get("kind", ""),
                tuple(sub.get("verbs") or ()),
                (sub.get("responseKind") or {}).get("group", ""),
                (sub.get("responseKind") or {}).get("version", ""),
            )
            for sub in entry.get("subresources") or ()
        ),
    )


def plain_resources(version: GroupVersion, entries: Iterable[dict[str, Any]]) -> list[Resource]:
    """The resources of one APIResourceList; entries named a/b are subresources of a."""
    listed = list(entries)
    subresources: dict[str, list[Subresource]] = {}
    for entry in listed:
        owner, slash, name = entry["name"].partition("/")
        if slash:
            subresources.setdefault(owner, []).append(
                Subresource(
                    name,
                    entry.get("kind", ""),
                    tuple(entry.get("verbs") or ()),
                    entry.get("group") or version.group,
                    entry.get("version") or version.version,
                )
            )
    return [
        Resource(
            group=version.group,
            version=version.version,
            kind=entry["kind"],
            plural=entry["name"],
            singular=entry.get("singularName") or entry["kind"].lower(),
            namespaced=bool(entry.get("namespaced")),
            verbs=tuple(entry.get("verbs") or ()),
            short_names=tuple(entry.get("shortNames") or ()),
            categories=tuple(entry.get("categories") or ()),
            subresources=tuple(subresources.get(entry["name"], ())),
        )
        for entry in listed
        if "/" not in entry["name"]
    ]


def _find(word: str, preferred: Iterable[Resource], every: Iterable[Resource]) -> Resource | None:
    name, dot, rest = word.partition(".")
    if dot:
        for resource in every:  # name.version.group
            if rest == f"{resource.version}.{resource.group}" and name in _names(resource):
                return resource
    for resource in preferred:
        if name in _names(resource) and (not dot or resource.group == rest):
            return resource
    for resource in preferred:
        if name in resource.short_names and (not dot or resource.group == rest):
            return resource
    if dot:
        for resource in preferred:  # name.gro: a beginning of the group is enough for kubectl
            if name in _names(resource) and resource.group.startswith(rest):
                return resource
    return None


def _names(resource: Resource) -> tuple[str, str, str]:
    return resource.plural, resource.singular, resource.kind.lower()
