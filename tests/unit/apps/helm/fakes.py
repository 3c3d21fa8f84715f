"""A cluster in memory for Helm's actions: objects behind the client's methods, and a session over it.

`react` stands for the controllers: it is called with what was written and may change it. `refuse` makes a verb fail.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import orjson

from fake_api import FakeApi, Object
from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.selector import labels
from sampan.api.status import ApiError, not_found
from sampan.apps.helm import slog
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.storage import Memory, Storage
from sampan.charts.loader import load_files
from sampan.charts.model import Chart, File

T = TypeVar("T")
Reaction = Callable[[Object], None]


class FakeCluster(FakeApi):
    """FakeApi with lists, discovery, logs and refusals."""

    server = "https://fake:6443"

    def __init__(self, react: Reaction | None = None) -> None:
        super().__init__()
        self.react = react
        self.refused: dict[tuple[str, str], ApiError] = {}
        self.kinds: list[Resource] = list(kinds.BUILT_IN)
        self.logs: dict[str, bytes] = {}
        self.how: list[dict[str, Any]] = []

    @property
    def discovery(self) -> FakeCluster:
        return self

    async def resources(self, *, fresh: bool = False) -> tuple[Resource, ...]:
        return tuple(self.kinds)

    async def resource_for(self, api_version: str, kind: str) -> Resource:
        for resource in self.kinds:
            if (resource.api_version, resource.kind) == (api_version, kind):
                return resource
        raise not_found("", kind, kind)

    def refuse(self, verb: str, name: str, error: ApiError | None = None) -> None:
        self.refused[verb, name] = error or ApiError(403, "Forbidden", f"{name} is forbidden")

    def _check(self, verb: str, name: str, options: dict[str, Any]) -> None:
        self.how.append({"verb": verb, "name": name, **options})
        if (verb, name) in self.refused:
            raise self.refused[verb, name]

    def put(self, resource: Resource, obj: Object) -> Object:
        made = copy.deepcopy(obj)
        made.setdefault("apiVersion", resource.api_version)
        made.setdefault("kind", resource.kind)
        if self.react is not None:
            self.react(made)
        return super().put(resource, made)

    async def create(
        self, resource: Resource, obj: Object, namespace: str | None = None, **options: Any
    ) -> Object:
        if not obj["metadata"].get("name"):
            obj = {**obj, "metadata": {**obj["metadata"], "name": f"{obj['metadata']['generateName']}made"}}
        self._check("create", obj["metadata"]["name"], options)
        return await super().create(resource, obj, namespace, **options)

    async def replace(
        self, resource: Resource, obj: Object, namespace: str | None = None, **options: Any
    ) -> Object:
        self._check("replace", obj["metadata"]["name"], options)
        held = self.find(resource.plural, obj["metadata"]["name"], obj["metadata"].get("namespace", ""))
        meta = {**obj["metadata"]}
        if held is not None:
            meta.setdefault("resourceVersion", held["metadata"]["resourceVersion"])
        return await super().replace(resource, {**obj, "metadata": meta}, namespace, **options)

    async def apply(
        self, resource: Resource, obj: Object, namespace: str | None = None, **options: Any
    ) -> Object:
        self._check("apply", obj["metadata"]["name"], options)
        return await super().apply(resource, obj, namespace, **options)

    async def patch(
        self, resource: Resource, name: str, body: Any, namespace: str | None = None, **options: Any
    ) -> Object:
        self._check("patch", name, {"body": body, **options})
        if isinstance(body, list):
            return await self.get(resource, name, namespace)
        return await super().patch(resource, name, body, namespace, **options)

    async def delete(
        self, resource: Resource, name: str, namespace: str | None = None, **options: Any
    ) -> Object:
        self._check("delete", name, options)
        return await super().delete(resource, name, namespace, **options)

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, **options: Any
    ) -> Object:
        self._check("get", name, options)
        return await super().get(resource, name, namespace, **options)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        **_: Any,
    ) -> Object:
        chosen = labels.parse(label_selector)
        name = field_selector.removeprefix("metadata.name=")
        items = [
            copy.deepcopy(obj)
            for (plural, space, own), obj in self.objects.items()
            if plural == resource.plural
            and namespace in (None, space)
            and (not field_selector or own == name)
            and chosen.matches(obj["metadata"].get("labels") or {})
        ]
        return {"metadata": {"resourceVersion": str(self._version)}, "items": items}

    async def raw(self, method: str, path: str, **options: Any) -> bytes:
        if path == "/version":
            if ("get", "/version") in self.refused:
                raise self.refused["get", "/version"]
            return orjson.dumps({"gitVersion": "v1.37.0"})
        parts = path.split("/")
        if parts[-1] == "log":
            return self.logs.get(parts[-2], b"")
        raise not_found("", "path", path)


def finished(obj: Object) -> None:
    """Controllers for whom everything succeeds at once."""
    if obj["kind"] == "Job":
        obj["status"] = {
            "startTime": "t",
            "succeeded": 1,
            "conditions": [{"type": "Complete", "status": "True"}],
        }
    elif obj["kind"] == "Pod":
        obj["status"] = {"phase": "Succeeded"}
    elif obj["kind"] == "Deployment":
        count = obj["spec"].get("replicas", 1)
        numbers = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        obj["status"] = {
            **dict.fromkeys(numbers, count),
            "conditions": [{"type": "Available", "status": "True"}],
        }
    elif obj["kind"] == "CustomResourceDefinition":
        obj["status"] = {"conditions": [{"type": "Established", "status": "True"}]}


def failing(*names: str) -> Reaction:
    """The same, but what has one of these names fails."""

    def react(obj: Object) -> None:
        finished(obj)
        if obj["metadata"]["name"] in names:
            kind = "Failed" if obj["kind"] == "Job" else "Available"
            obj["status"] = {"phase": "Failed", "conditions": [{"type": kind, "status": "True"}]}

    return react


class Told:
    """What a session said."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.lines: list[str] = []

    def log(self, level: str, message: str, /, **attributes: object) -> None:
        if level != slog.DEBUG:
            self.lines.append(slog.line(level, message, **attributes))


def session(api: FakeCluster, told: Told | None = None, *, history_max: int = 10) -> Session:
    """Over records in memory; the clock moves by a second with each look."""
    told = told or Told()
    seconds = itertools.count()
    return Session(
        api,  # type: ignore[arg-type]
        Storage(Memory("default"), history_max),
        "default",
        lambda: f"2026-01-01T00:00:{next(seconds):02d}Z",
        told.texts.append,
        told.log,
    )


def chart(files: dict[str, str], **fields: str) -> Chart:
    head = {"apiVersion": "v2", "name": "web", "version": "1.0.0", **fields}
    text = "".join(f"{key}: {value}\n" for key, value in head.items())
    return load_files([File(name, data.encode()) for name, data in {"Chart.yaml": text, **files}.items()])


def config_map(name: str, more: str = "", data: str = "{a: b}") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{more}data: {data}\n"


def hook(name: str, events: str, more: str = "", kind: str = "Job") -> str:
    version = {"Job": "batch/v1", "Pod": "v1", "ConfigMap": "v1"}[kind]
    return (
        f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  annotations:\n"
        f"    helm.sh/hook: {events}\n{more}spec: {{containers: [{{name: c}}]}}\n"
    )


def annotated(name: str, value: str) -> str:
    """A line for `more` of a hook."""
    return f'    helm.sh/{name}: "{value}"\n'


def written(api: FakeCluster) -> list[tuple[str, str]]:
    """Verb and name of each write, in order."""
    return [(verb, name) for verb, _, name in api.calls]


def run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    return asyncio.run(work)
