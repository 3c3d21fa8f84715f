"""One served version of a custom resource: what the server core needs to treat its objects like any other.

k8s.io/apiextensions-apiserver pkg/registry/customresource, pkg/apiserver/customresource_handler.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sampan.api.field import error as field
from sampan.api.kinds.model import GroupVersion, Resource, Subresource
from sampan.api.schema import structural
from sampan.api.schema.model import Schema
from sampan.api.status import Cause, bad_request
from sampan.control_plane.apiserver.crd import columns, list_type, schema_walk, validation
from sampan.control_plane.apiserver.crd.columns import Column
from sampan.control_plane.apiserver.crd.definition import Definition, has_condition, storage_version

_CHANGE: Final = ("get", "patch", "update")
# In the order in which upstream's discovery lists them for custom resources.
_VERBS: Final = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_PRESERVED: Final[dict[str, Any]] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


class Scale(NamedTuple):
    """Where the scale subresource finds its numbers; paths without their leading dot."""

    replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...]  # empty where there is none


class Version:
    """A version of a CRD that is served. Compiled when first used; immutable."""

    def __init__(self, crd: Definition, version: Mapping[str, Any]) -> None:
        self._crd = crd
        self._version = version
        self.name = str(version["name"])
        self.resource = _resource(crd, version)
        self.stored = GroupVersion(self.resource.group, storage_version(crd))
        self.uid = str((crd.get("metadata") or {}).get("uid") or "")
        self.terminating = has_condition(crd, "Terminating")
        self._schema: Schema | None = None
        self._validator: validation.Validator | None = None
        self._columns: tuple[Column, ...] | None = None

    @property
    def raw_schema(self) -> Mapping[str, Any]:
        """The openAPIV3Schema as the CRD has it, for OpenAPI documents."""
        node: Mapping[str, Any] = (self._version.get("schema") or {}).get("openAPIV3Schema") or _PRESERVED
        return node

    @property
    def schema(self) -> Schema:
        if self._schema is None:
            self._schema = structural.from_crd(self.raw_schema)
        return self._schema

    @property
    def has_status(self) -> bool:
        """Whether /status is a subresource: then the main resource leaves status alone, and generation counts spec."""
        return (self._version.get("subresources") or {}).get("status") is not None

    @property
    def scale(self) -> Scale | None:
        found = (self._version.get("subresources") or {}).get("scale")
        if found is None:
            return None
        return Scale(
            _parts(found.get("specReplicasPath")),
            _parts(found.get("statusReplicasPath")),
            _parts(found.get("labelSelectorPath")),
        )

    @property
    def warning(self) -> str:
        """For the Warning header of every request to a deprecated version, else ""."""
        if not self._version.get("deprecated"):
            return ""
        given = self._version.get("deprecationWarning")
        return str(given) if given else f"{self.resource.api_version} {self.resource.kind} is deprecated"

    @property
    def columns(self) -> tuple[Column, ...]:
        """Of its Table, Name first."""
        if self._columns is None:
            self._columns = columns.of(self._version.get("additionalPrinterColumns") or ())
        return self._columns

    @property
    def selectable_fields(self) -> dict[str, Callable[[Mapping[str, Any]], str]]:
        """Field selectors besides metadata's: `spec.color` and how to read it."""
        listed = self._version.get("selectableFields") or ()
        paths = [str(entry.get("jsonPath") or "") for entry in listed]
        return {path.removeprefix("."): _reader(_parts(path)) for path in paths if path}

    def prune(self, obj: dict[str, Any]) -> list[str]:
        """Drop, in place, what the schema does not know; the paths, sorted, for fieldValidation. Raises ApiError 400
        for an apiVersion or kind within that is no string."""
        schema_walk.normalize(obj)
        unknown = schema_walk.prune(obj, self.schema)
        wrong = schema_walk.bad_type_metadata(obj, self.schema)
        if wrong is not None:
            kind = self.resource.kind
            raise bad_request(f'{kind} in version "{self.name}" cannot be handled as a {kind}: {wrong}')
        return unknown

    def default(self, obj: dict[str, Any]) -> None:
        """Fill in, in place, what the schema gives."""
        schema_walk.default(obj, self.schema)

    def validate(self, obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[Cause]:
        """What is wrong under the schema. What an update leaves as it was is not held against it (ratcheting)."""
        found = self._violations(obj)
        if not found or old is None:
            return found
        return [cause for cause in found if not _unchanged(cause.field, obj, old)]

    def _violations(self, obj: Mapping[str, Any]) -> list[Cause]:
        if self._validator is None:
            self._validator = validation.Validator(self.raw_schema)
        found: list[Cause] = []
        self._validator.validate(obj, "", found)
        found.extend(list_type.violations(obj, self.schema))
        if self.scale is not None:
            found.extend(_replicas(obj, self.scale.replicas))
        return found


_MAX_REPLICAS: Final = 2**31 - 1


def _replicas(obj: Mapping[str, Any], path: tuple[str, ...]) -> list[Cause]:
    """What the scale subresource needs of its number, whatever the schema says."""
    value = _at(obj, path)
    shown = "." + ".".join(path)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        kinds = {
            "boolean": "bool",
            "number": "float64",
            "array": "[]interface {}",
            "object": "map[string]interface {}",
        }
        kind = validation.type_name(value)
        text = value if isinstance(value, str) else field.shown(value)
        why = f"{shown} accessor error: {text} is of the type {kinds.get(kind, kind)}, expected int64"
        return [field.invalid(shown, 0, why)]
    if value < 0:
        return [field.invalid(shown, value, "should be a non-negative integer")]
    if value > _MAX_REPLICAS:
        return [field.invalid(shown, value, f"should be less than or equal to {_MAX_REPLICAS}")]
    return []


def served_versions(crd: Definition) -> list[Version]:
    """What a CRD makes the server serve: nothing until it is established."""
    if not has_condition(crd, "Established"):
        return []
    return [Version(crd, version) for version in crd["spec"].get("versions") or () if version.get("served")]


def _resource(crd: Definition, version: Mapping[str, Any]) -> Resource:
    spec = crd["spec"]
    names = (crd.get("status") or {}).get("acceptedNames") or spec["names"]
    group, kind = str(spec["group"]), str(names["kind"])
    subresources = version.get("subresources") or {}
    listed: list[Subresource] = []
    if subresources.get("status") is not None:
        listed.append(Subresource("status", kind, _CHANGE))
    if subresources.get("scale") is not None:
        listed.append(Subresource("scale", "Scale", _CHANGE, "autoscaling", "v1"))
    return Resource(
        group,
        str(version["name"]),
        kind,
        str(names["plural"]),
        str(names.get("singular") or kind.lower()),
        spec.get("scope") == "Namespaced",
        _VERBS,
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(listed),
    )


def list_kind(crd: Definition) -> str:
    names = (crd.get("status") or {}).get("acceptedNames") or crd["spec"]["names"]
    return str(names.get("listKind") or f"{names['kind']}List")


def _parts(path: str | None) -> tuple[str, ...]:
    return tuple(part for part in (path or "").split(".") if part)


def _reader(parts: tuple[str, ...]) -> Callable[[Mapping[str, Any]], str]:
    def read(obj: Mapping[str, Any]) -> str:
        value = _at(obj, parts)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return read


def _at(value: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


_MISSING: Final = object()


def _unchanged(path: str, obj: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether the value at a finding's path is what it was. Items of lists have no lasting place, so they never are."""
    if not path or path == "<nil>" or "[" in path:
        return False
    new_value: Any = obj
    old_value: Any = old
    for part in path.strip(".").split("."):
        new_value = new_value.get(part, _MISSING) if isinstance(new_value, Mapping) else _MISSING
        old_value = old_value.get(part, _MISSING) if isinstance(old_value, Mapping) else _MISSING
    if new_value is _MISSING and old_value is _MISSING:
        # A required field that both lack: only if its object is the very same.
        parent = tuple(path.strip(".").split(".")[:-1])
        return bool(_at(obj, parent) == _at(old, parent))
    return bool(new_value == old_value) and type(new_value) is type(old_value)
