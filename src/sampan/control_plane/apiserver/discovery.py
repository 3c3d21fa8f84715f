"""Which groups, versions and resources there are, in every form that clients ask for.

Aggregated (apidiscovery.k8s.io v2 and v2beta1) at /api and /apis; plain at /api, /apis, /apis/G, /api/v1, /apis/G/V.
k8s.io/apiserver pkg/endpoints/discovery. Documents are made when first asked for after a change.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from sampan.api.kinds import PRIORITIES, GroupVersion, Resource, Subresource
from sampan.api.status import ApiError
from sampan.base.http.model import Request, Response
from sampan.control_plane.apiserver.registry.resources import Resources
from sampan.control_plane.apiserver.wire import accept, answer

Object = dict[str, Any]

OWN_PRIORITY: Final = (20000, 100)  # apiregistration.k8s.io: the aggregator lists itself first
CUSTOM_PRIORITY: Final = (1000, 100)  # as kube-apiserver registers the groups of CRDs


class Discovery:
    """`address`: host:port for clients, as /api tells it."""

    def __init__(self, resources: Resources, address: str) -> None:
        self._resources = resources
        self._address = address
        self._made: dict[object, tuple[bytes, str]] = {}
        resources.on_change(self._made.clear)

    def answer(self, request: Request) -> Response | None:
        """None for a path that is no discovery document. Raises ApiError 404, 406."""
        parts = request.path.strip("/").split("/")
        header = request.headers.get("accept", "")
        if parts in (["api"], ["apis"]):
            version = accept.negotiate_discovery(header)
            if version:
                return self._aggregated(request, parts[0], version)
            return self._send(request, parts[0], self._versions if parts[0] == "api" else self._groups)
        if parts[0] == "apis" and len(parts) == 2:
            group = parts[1]
            found = next((g for g in self._group_list() if g["name"] == group), None)
            if found is None:
                return None
            document = {"kind": "APIGroup", "apiVersion": "v1", **found}
            return self._send(request, ("group", group), lambda: document)
        if (parts[0] == "apis" and len(parts) == 3) or (parts[0] == "api" and len(parts) == 2):
            group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
            if not self._resources.has_group_version(group, version):
                return None
            return self._send(request, (group, version), lambda: self._resource_list(group, version))
        return None

    def _send(self, request: Request, key: object, make: Callable[[], Object]) -> Response:
        accept.negotiate_discovery(request.headers.get("accept", ""))
        body, _ = self._document(key, make)
        return Response(200, body, answer.JSON, (answer.NO_CACHE,))

    def _document(self, key: object, make: Callable[[], Object]) -> tuple[bytes, str]:
        made = self._made.get(key)
        if made is None:
            body = orjson.dumps(make())
            made = self._made[key] = (body, '"' + hashlib.sha512(body).hexdigest().upper() + '"')
        return made

    # -- aggregated

    def _aggregated(self, request: Request, root: str, version: str) -> Response:
        body, etag = self._document((root, version), lambda: self._group_discovery(root, version))
        kind = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        headers = (answer.NO_CACHE, ("Etag", etag), ("Vary", "Accept"))
        if request.headers.get("if-none-match") == etag:
            return Response(304, b"", kind, headers)
        return Response(200, body, kind, headers)

    def _group_discovery(self, root: str, version: str) -> Object:
        items = []
        for group, versions in self._grouped().items():
            if bool(group) != (root == "apis"):
                continue
            items.append(
                {
                    "metadata": {"name": group, "creationTimestamp": None}
                    if group
                    else {"creationTimestamp": None},
                    "versions": [
                        {
                            "version": name,
                            "resources": [_discovered(resource) for resource in resources],
                            "freshness": "Current",
                        }
                        for name, resources in versions.items()
                    ],
                }
            )
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": items,
        }

    # -- plain

    def _versions(self) -> Object:
        return {
            "kind": "APIVersions",
            "versions": list(self._grouped().get("", {})),
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": self._address}],
        }

    def _groups(self) -> Object:
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": self._group_list()}

    def _group_list(self) -> list[Object]:
        groups: list[Object] = []
        for group, versions in self._grouped().items():
            if group:
                listed = [{"groupVersion": f"{group}/{v}", "version": v} for v in versions]
                groups.append({"name": group, "versions": listed, "preferredVersion": listed[0]})
        return groups

    def _resource_list(self, group: str, version: str) -> Object:
        listed: list[Object] = []
        for resource in self._grouped().get(group, {}).get(version, ()):
            listed.append(_plain(resource))
            listed += [_plain_subresource(resource, sub) for sub in resource.subresources]
        listed.sort(key=lambda item: item["name"])
        group_version = f"{group}/{version}" if group else version
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version,
            "resources": listed,
        }

    def _grouped(self) -> dict[str, dict[str, list[Resource]]]:
        """Group -> version -> resources; groups and versions in order of their priorities."""
        order: dict[GroupVersion, list[Resource]] = {}
        for served in self._resources.all():
            order.setdefault(served.resource.group_version, []).append(served.resource)
        built_in = {resource.resource.group for resource in self._resources.built_in()}

        def rank(item: GroupVersion) -> tuple[int, str, int, tuple[int, ...]]:
            # within a group all versions share the group's priority, so that they stay together
            other = OWN_PRIORITY if item.group in built_in else CUSTOM_PRIORITY
            group_priority = max(PRIORITIES.get(gv, other)[0] for gv in order if gv.group == item.group)
            return -group_priority, item.group, -PRIORITIES.get(item, other)[1], version_rank(item.version)

        grouped: dict[str, dict[str, list[Resource]]] = {}
        for item in sorted(order, key=rank):
            grouped.setdefault(item.group, {})[item.version] = order[item]
        return grouped


def version_rank(version: str) -> tuple[int, ...]:
    """Sorts as Kubernetes does: v2 before v1 before v1beta2 before v1beta1 before v1alpha1 before anything else."""
    match = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if match is None:
        return (1, 0, 0, 0)
    major, stage, minor = match.groups()
    return (0, {None: 0, "beta": 1, "alpha": 2}[stage], -int(major), -int(minor or 0))


def _discovered(resource: Resource) -> Object:
    """responseKind: group and version stay empty where they are the resource's own."""
    found: Object = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if resource.subresources:
        found["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": list(sub.verbs),
            }
            for sub in resource.subresources
        ]
    return found


def _plain(resource: Resource) -> Object:
    found: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if "watch" in resource.verbs:
        digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
        found["storageVersionHash"] = base64.b64encode(digest[:8]).decode()
    return found


def _plain_subresource(resource: Resource, sub: Subresource) -> Object:
    found: Object = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }
    if sub.version:
        found["group"], found["version"] = sub.group, sub.version
    return found


def unknown_path() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")
