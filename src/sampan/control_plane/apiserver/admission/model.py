"""One write on its way to storage, and the two phases that may look at it.

k8s.io/apiserver pkg/admission/interfaces.go, attributes.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable

from sampan.api.status import ApiError, forbidden
from sampan.control_plane.apiserver.authn.model import User

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
CONNECT: Final = "CONNECT"

Object = dict[str, Any]


class Request:
    """What is about to be written. Plug-ins of the mutating phase change `object` in place or replace it.

    operation: CREATE, UPDATE (also PATCH and apply), DELETE or CONNECT (exec, attach, port-forward, proxy).
    group, version, resource, subresource: as in the path; kind: the Kind of `object`.
    namespace: "" for cluster-scoped resources. name: "" only where a create leaves it to the server.
    object: a plain dict that belongs to this request alone; None on DELETE. On CONNECT the options of the connection.
    old: what is stored now; None on CREATE and CONNECT. Never changed.
    options: the CreateOptions, UpdateOptions or DeleteOptions. dry_run: nothing with effects outside may happen.
    warnings: go out as Warning headers. annotations: for the audit log, keys are "plug-in/what".
    wants_reinvocation: a remote plug-in changed the object, so the mutating phase runs once more; `reinvoked` then.
    """

    __slots__ = (
        "annotations",
        "dry_run",
        "group",
        "kind",
        "name",
        "namespace",
        "object",
        "old",
        "operation",
        "options",
        "reinvoked",
        "resource",
        "subresource",
        "uid",
        "user",
        "version",
        "wants_reinvocation",
        "warnings",
    )

    def __init__(
        self,
        *,
        user: User,
        operation: str,
        group: str,
        version: str,
        resource: str,
        kind: str,
        subresource: str = "",
        namespace: str = "",
        name: str = "",
        object: Object | None = None,
        old: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        dry_run: bool = False,
        uid: str = "",
    ) -> None:
        self.user = user
        self.operation = operation
        self.group = group
        self.version = version
        self.resource = resource
        self.kind = kind
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
        self.object = object
        self.old = old
        self.options: Mapping[str, Any] = options or {}
        self.dry_run = dry_run
        self.uid = uid
        self.warnings: list[str] = []
        self.annotations: dict[str, str] = {}
        self.wants_reinvocation = False
        self.reinvoked = False

    def is_for(self, group: str, resource: str, subresource: str = "") -> bool:
        return self.resource == resource and self.group == group and self.subresource == subresource

    def __repr__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"Request({self.operation} {what} {self.namespace}/{self.name})"


def refused(request: Request, why: str) -> ApiError:
    """The 403 of a plug-in that says no: `pods "web" is forbidden: <why>`."""
    return forbidden(request.group, request.resource, request.name or _generate_name(request), why)


def _generate_name(request: Request) -> str:
    metadata = (request.object or {}).get("metadata") or {}
    return str(metadata.get("name") or metadata.get("generateName") or "")


class Plugin(Protocol):
    """One admission plug-in. `name` is upstream's; `handles` is asked before each phase and must be cheap.

    timeout: seconds that one call may take; 0 for a plug-in that waits for nobody outside of this process.
    """

    name: str
    timeout: float

    def handles(self, request: Request, /) -> bool: ...


@runtime_checkable
class Mutator(Plugin, Protocol):
    """Takes part in the mutating phase. Raises ApiError to refuse. May be called twice, so it changes nothing twice."""

    async def admit(self, request: Request, /) -> None: ...


@runtime_checkable
class Validator(Plugin, Protocol):
    """Takes part in the validating phase, after all mutation. Raises ApiError to refuse; never changes the object."""

    async def validate(self, request: Request, /) -> None: ...


class Local:
    """What plug-ins in this process have in common: they are asked by operation and resource, from two tables.

    resources: (group, plural, subresource); empty for every resource.
    """

    name: str = ""
    timeout: float = 0.0
    operations: frozenset[str] = frozenset()
    resources: frozenset[tuple[str, str, str]] = frozenset()

    def handles(self, request: Request, /) -> bool:
        if request.operation not in self.operations:
            return False
        return not self.resources or (request.group, request.resource, request.subresource) in self.resources


POD: Final = ("", "pods", "")


def metadata(obj: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (obj or {}).get("metadata") or {}


def spec(obj: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (obj or {}).get("spec") or {}


def is_mirror(pod: Mapping[str, Any]) -> bool:
    """A pod that its node runs from a file and only shows to the API."""
    return "kubernetes.io/config.mirror" in (metadata(pod).get("annotations") or {})
