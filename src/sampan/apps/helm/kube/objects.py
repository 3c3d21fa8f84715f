"""From manifest text to what the API can be asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

from sampan.api.codec import yaml
from sampan.api.kinds import Resource
from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.charts import manifests
from sampan.client.rest import Client

Object = dict[str, Any]


class Target(NamedTuple):
    """One object of a release and where it goes; `namespace` is "" for cluster-scoped ones."""

    resource: Resource
    namespace: str
    name: str
    obj: Object

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.resource.group, self.resource.kind, self.namespace, self.name)

    @property
    def shown(self) -> str:
        """Kind/namespace/name, as Helm's messages name it."""
        return f"{self.resource.kind}/{self.namespace}/{self.name}"

    @property
    def full(self) -> str:
        """namespace/name group/version, Kind=kind, as Helm names what could not be applied."""
        resource = self.resource
        return f"{self.namespace}/{self.name} {resource.group}/{resource.version}, Kind={resource.kind}"


def documents(text: str) -> list[Object]:
    """Every object of a manifest; Lists are taken apart, empty documents left out. Raises HelmError."""
    found: list[Object] = []
    for part in manifests.split(text):
        try:
            value = yaml.load(part)
        except ValueError as error:
            raise HelmError(f"error parsing manifest: {error}") from error
        if not isinstance(value, dict):
            continue
        if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
            found += value["items"]
        else:
            found.append(value)
    return found


async def build(client: Client, text: str, namespace: str) -> list[Target]:
    """The objects of a manifest with their resources. Raises HelmError that names every kind the cluster lacks."""
    targets = []
    missing = []
    for obj in documents(text):
        api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        meta = obj.setdefault("metadata", {})
        name = str(meta.get("name", ""))
        try:
            resource = await client.resource_for(api_version, kind)
        except ApiError as error:
            if error.code != 404:
                raise
            missing.append(
                f'resource mapping not found for name: "{name}" namespace: "{meta.get("namespace", "")}" from "": '
                f'no matches for kind "{kind}" in version "{api_version}"\nensure CRDs are installed first'
            )
            continue
        where = ""
        if resource.namespaced:
            where = str(meta.get("namespace") or namespace)
            meta["namespace"] = where
        targets.append(Target(resource, where, name, obj))
    if missing:
        raise HelmError(missing[0] if len(missing) == 1 else "[" + ", ".join(missing) + "]")
    return targets
