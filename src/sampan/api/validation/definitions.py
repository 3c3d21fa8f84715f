"""CustomResourceDefinitions. Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go."""

from __future__ import annotations

from sampan.api.field import content, error
from sampan.api.schema import structural
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object


def custom_resource_definition(obj: Object) -> Causes:
    spec = obj.get("spec") or {}
    names = spec.get("names") or {}
    name = (obj.get("metadata") or {}).get("name") or ""
    required = f"{names.get('plural', '')}.{spec.get('group', '')}"
    if name != required:
        yield error.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    yield from _spec(spec)
    status = obj.get("status") or {}
    stored = status.get("storedVersions") or []
    if not stored:
        yield error.invalid("status.storedVersions", None, "must have at least one stored version")
    known = [version.get("name") for version in spec.get("versions") or ()]
    for place, version in enumerate(stored):
        if version not in known:
            yield error.invalid(
                f"status.storedVersions[{place}]",
                version,
                "missing from spec.versions; "
                f"{version} was previously a storage version, and must remain in spec.versions until a storage "
                f"migration ensures no data remains persisted in {version} and removes {version} from "
                "status.storedVersions",
            )


def _spec(spec: Object) -> Causes:
    group = spec.get("group") or ""
    if not group:
        yield error.required("spec.group")
    elif wrong := content.dns_subdomain(group):
        yield error.invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield error.invalid("spec.group", group, "should be a domain with at least one dot")
    yield from rules.one_of("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
    versions = spec.get("versions") or []
    for place, version in enumerate(versions):
        yield from _version(version, f"spec.versions[{place}]")
    found = [version.get("name") for version in versions]
    if len(set(found)) != len(found):
        yield error.invalid("spec.versions", versions, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield error.invalid(
            "spec.versions", versions, "must have exactly one version marked as storage version"
        )
    yield from _names(spec.get("names") or {})
    if spec.get("preserveUnknownFields"):
        yield error.invalid(
            "spec.preserveUnknownFields",
            True,
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        )
    conversion = spec.get("conversion") or {}
    yield from rules.one_of(
        "spec.conversion.strategy", conversion.get("strategy"), ("None", "Webhook"), required=bool(conversion)
    )


def _version(version: Object, path: str) -> Causes:
    name = version.get("name") or ""
    if wrong := content.dns_label_1035(name):
        yield error.invalid(f"{path}.name", name, ",".join(wrong))
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    if schema is None:
        yield error.required(f"{path}.schema.openAPIV3Schema")
    else:
        yield from structural.violations(schema, f"{path}.schema.openAPIV3Schema")
    if version.get("deprecationWarning") is not None and not version.get("deprecated"):
        yield error.invalid(
            f"{path}.deprecationWarning",
            version["deprecationWarning"],
            "can only be set for deprecated versions",
        )
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        for field, start in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status.")):
            value = scale.get(field) or ""
            at = f"{path}.subresources.scale.{field}"
            if not value:
                yield error.required(at)
            elif not value.startswith(start):
                yield error.invalid(at, value, f"should be a json path under {start[:-1]}")
    for place, column in enumerate(version.get("additionalPrinterColumns") or ()):
        at = f"{path}.additionalPrinterColumns[{place}]"
        if not column.get("name"):
            yield error.required(f"{at}.name")
        yield from rules.one_of(
            f"{at}.type", column.get("type"), ("boolean", "date", "integer", "number", "string")
        )
        if not column.get("jsonPath"):
            yield error.required(f"{at}.JSONPath")


def _names(names: Object) -> Causes:
    for field in ("plural", "singular", "kind", "listKind"):
        value = names.get(field) or ""
        if not value:
            yield error.required(f"spec.names.{field}")
        elif wrong := content.dns_label_1035(value.lower() if "ind" in field else value):
            lead = "may have mixed case, but should otherwise match: " if "ind" in field else ""
            yield error.invalid(f"spec.names.{field}", value, lead + ",".join(wrong))
    for field in ("shortNames", "categories"):
        for place, value in enumerate(names.get(field) or ()):
            if wrong := content.dns_label_1035(value):
                yield error.invalid(f"spec.names.{field}[{place}]", value, ",".join(wrong))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield error.invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")


def custom_resource_definition_update(obj: Object, old: Object) -> Causes:
    yield from custom_resource_definition(obj)
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    established = any(
        condition.get("type") == "Established" and condition.get("status") == "True"
        for condition in (old.get("status") or {}).get("conditions") or ()
    )
    if established:
        yield from rules.immutables("spec", spec, before, "scope")
        yield from rules.immutable(
            "spec.names.kind", (spec.get("names") or {}).get("kind"), (before.get("names") or {}).get("kind")
        )
    yield from rules.immutables("spec", spec, before, "group")
    yield from rules.immutable(
        "spec.names.plural",
        (spec.get("names") or {}).get("plural"),
        (before.get("names") or {}).get("plural"),
    )
