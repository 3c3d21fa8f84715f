"""From method and path to what is asked: a resource request, or a bare path.

k8s.io/apiserver pkg/endpoints/request/requestinfo.go.
"""

from __future__ import annotations

from typing import Final, NamedTuple

METHOD_VERBS: Final = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
NAMESPACE_SUBRESOURCES: Final = frozenset({"status", "finalize"})


class Route(NamedTuple):
    """`verb` as in authorization: list stands for watch as well until the query is seen. `resource` "" : a bare path.

    tail: what follows the subresource (of proxy), with its leading slash.
    place: the namespace in which the object lies; unlike `namespace` it is "" for the namespaces themselves.
    """

    method: str
    path: str
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    tail: str = ""
    place: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def parse(method: str, path: str) -> Route:
    """Never fails: what is no resource request is a bare path."""
    verb = METHOD_VERBS.get(method, "")
    bare = Route(method, path, method.lower())
    parts = path.strip("/").split("/")
    if len(parts) < 3 or not verb:
        return bare
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return bare
    if rest[0] == "watch" and method == "GET" and len(rest) > 1:
        verb, rest = "watch", rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    resource = rest[0]
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    tail = ""
    if len(rest) > 3:
        if subresource != "proxy":
            return bare
        tail = "/" + "/".join(rest[3:])
    if subresource == "proxy" and path.endswith("/") and not tail.endswith("/"):
        tail += "/"
    if not name and verb == "get":
        verb = "list"
    elif not name and verb == "delete":
        verb = "deletecollection"
    return Route(method, path, verb, group, version, resource, subresource, namespace, name, tail)
