"""What a CustomResourceDefinition may say, and what it says when it says nothing.

k8s.io/apiextensions-apiserver pkg/apis/apiextensions/{v1/defaults,validation/validation}.go, pkg/registry/
customresourcedefinition/strategy.go. Paths in findings are those of upstream's internal version, as users see them:
a schema, subresources or columns that all versions share stand under spec, not under spec.versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sampan.api.field import content
from sampan.api.field import error as field
from sampan.api.schema import structural
from sampan.api.schema.model import UNSET, Schema
from sampan.api.status import Cause
from sampan.control_plane.apiserver.crd import schema_walk, validation

GROUP: Final = "apiextensions.k8s.io"
PLURAL: Final = "customresourcedefinitions"
APPROVED: Final = "api-approved.kubernetes.io"
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS: Final = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SHARED: Final = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
_FIELD_PATH: Final = re.compile(r"(?:\.[a-zA-Z_][-a-zA-Z0-9_]*)+")

Definition = Mapping[str, Any]


def defaulted(crd: dict[str, Any]) -> dict[str, Any]:
    """Fill in, in place, what upstream's defaults fill in; gives the same object."""
    spec = crd.setdefault("spec", {})
    names = spec.setdefault("names", {})
    if isinstance(names.get("kind"), str) and names["kind"]:
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", names["kind"] + "List")
    conversion = spec.setdefault("conversion", {})
    conversion.setdefault("strategy", "None")
    webhook = (conversion.get("webhook") or {}).get("clientConfig") or {}
    if isinstance(webhook.get("service"), dict):
        webhook["service"].setdefault("port", 443)
    return crd


def storage_version(crd: Definition) -> str:
    """The version that objects are stored in, or "" where there is not exactly one."""
    marked = [v["name"] for v in crd["spec"].get("versions") or () if v.get("storage")]
    return str(marked[0]) if len(marked) == 1 else ""


def prepare_create(crd: dict[str, Any]) -> None:
    """What a new CRD's status says before anybody has looked at it."""
    version = storage_version(crd)
    crd["status"] = {"storedVersions": [version]} if version else {}


def prepare_update(crd: dict[str, Any], old: Definition) -> None:
    """The status stays; a new storage version joins the stored ones."""
    status = dict(old.get("status") or {})
    version = storage_version(crd)
    stored = list(status.get("storedVersions") or ())
    if version and version not in stored:
        status["storedVersions"] = [*stored, version]
    crd["status"] = status


def warnings(crd: Definition) -> list[str]:
    """What is taken but not acted upon yet; for Warning headers."""
    ruled = [
        str(version.get("name"))
        for version in crd["spec"].get("versions") or ()
        if _has_rules((version.get("schema") or {}).get("openAPIV3Schema") or {})
    ]
    if not ruled:
        return []
    where = ", ".join(ruled)
    return [
        f"x-kubernetes-validations of {where} are stored but not enforced: CEL is not available in this server"
    ]


def _has_rules(node: Any) -> bool:
    if isinstance(node, Mapping):
        return bool(node.get("x-kubernetes-validations")) or any(map(_has_rules, node.values()))
    return isinstance(node, list) and any(map(_has_rules, node))


def violations(crd: Definition, old: Definition | None = None) -> list[Cause]:
    """Everything that is wrong with a CRD, for create (`old` is None) and update."""
    spec = crd.get("spec") or {}
    names = spec.get("names") or {}
    group = str(spec.get("group") or "")
    found: list[Cause] = []
    name = str((crd.get("metadata") or {}).get("name") or "")
    if name != f"{names.get('plural') or ''}.{group}":
        found.append(field.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    found.extend(_group(group))
    found.extend(_approval(crd, group))
    found.extend(_scope(spec.get("scope")))
    found.extend(_versions(spec))
    found.extend(_names(names))
    found.extend(_conversion(spec.get("conversion") or {}))
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        found.append(field.invalid("spec.preserveUnknownFields", True, text))
    found.extend(_stored_versions(crd))
    if old is not None:
        found.extend(_immutable(spec, old))
    return found


def _group(group: str) -> Iterator[Cause]:
    if not group:
        yield field.required("spec.group")
        return
    wrong = content.dns_subdomain(group)
    if wrong:
        yield field.invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield field.invalid("spec.group", group, "should be a domain with at least one dot")


def _approval(crd: Definition, group: str) -> Iterator[Cause]:
    """Groups of the Kubernetes project itself need the word of its API reviewers."""
    domains = ("k8s.io", "kubernetes.io")
    if not any(group == domain or group.endswith(f".{domain}") for domain in domains):
        return
    path = f"metadata.annotations[{APPROVED}]"
    see = "see https://github.com/kubernetes/enhancements/pull/1111"
    value = ((crd.get("metadata") or {}).get("annotations") or {}).get(APPROVED)
    if not value:
        yield field.required(path, f'protected groups must have approval annotation "{APPROVED}", {see}')
    elif not value.startswith("unapproved") and re.match(r"https?://[^/]+", value) is None:
        text = f'protected groups must have approval annotation "{APPROVED}" with either a URL or a reason starting with'
        yield field.invalid(path, value, f'{text} "unapproved", {see}')


def _scope(scope: Any) -> Iterator[Cause]:
    if not scope:
        yield field.required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield field.not_supported("spec.scope", scope, ("Cluster", "Namespaced"))


def _versions(spec: Mapping[str, Any]) -> Iterator[Cause]:
    versions = list(spec.get("versions") or ())
    shared = (
        {key for key in _SHARED if all(v.get(key) == versions[0].get(key) for v in versions)}
        if versions
        else set()
    )
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        name = str(version.get("name") or "")
        yield from field.each_invalid(f"{path}.name", name, content.dns_label_1035(name))
        if version.get("deprecationWarning") is not None and not version.get("deprecated"):
            text = "can only be set for deprecated versions"
            yield field.invalid(f"{path}.deprecationWarning", version["deprecationWarning"], text)
        node = (version.get("schema") or {}).get("openAPIV3Schema")
        if not node:
            yield field.required(f"{path}.schema.openAPIV3Schema")
        for key in _SHARED:
            if key in shared and index:
                continue  # told once, for all
            at = "spec" if key in shared else path
            yield from _part(key, version, at, node or {})
    names = [version.get("name") for version in versions]
    if len(set(names)) != len(names):
        yield field.invalid("spec.versions", names, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield field.invalid("spec.versions", names, "must have exactly one version marked as storage version")


def _part(key: str, version: Mapping[str, Any], path: str, node: Mapping[str, Any]) -> Iterator[Cause]:
    match key:
        case "schema":
            if node:
                at = f"{path}.validation" if path == "spec" else f"{path}.schema"
                yield from schema_violations(node, f"{at}.openAPIV3Schema")
        case "subresources":
            yield from _subresources(version.get("subresources") or {}, f"{path}.subresources")
        case "additionalPrinterColumns":
            for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
                yield from _column(column, f"{path}.additionalPrinterColumns[{index}]")
        case _:
            yield from _selectable(version.get("selectableFields") or (), node, f"{path}.selectableFields")


def schema_violations(node: Mapping[str, Any], path: str) -> Iterator[Cause]:
    """A schema must be structural, and its defaults must be valid under it."""
    wrong = structural.violations(node, path)
    yield from wrong
    if not wrong:
        yield from _defaults(structural.from_crd(node), path)


def _defaults(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.default is not UNSET and schema.raw:
        at, value = f"{path}.default", schema.default
        found: list[Cause] = []
        validation.Validator(schema.raw).validate(value, "", found)
        yield from (cause._replace(field=f"{at}.{cause.field}" if cause.field else at) for cause in found)
        if isinstance(value, dict) and not found:
            trial = schema_walk.copied(value)
            if schema_walk.prune_below(trial, schema):
                yield field.invalid(at, value, "must not have unknown fields")
    for name, child in schema.properties.items():
        if not child.name:
            yield from _defaults(child, f"{path}.properties[{name}]")
    if schema.items is not None:
        yield from _defaults(schema.items, f"{path}.items")
    if schema.additional is not None:
        yield from _defaults(schema.additional, f"{path}.additionalProperties")


def _subresources(subresources: Mapping[str, Any], path: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    at = f"{path}.scale"
    for key, under in (("specReplicasPath", (".spec.",)), ("statusReplicasPath", (".status.",))):
        value = scale.get(key)
        if not value:
            yield field.required(f"{at}.{key}")
        else:
            yield from _simple_path(f"{at}.{key}", value, under)
    if scale.get("labelSelectorPath"):
        yield from _simple_path(f"{at}.labelSelectorPath", scale["labelSelectorPath"], (".spec.", ".status."))


def _simple_path(path: str, value: str, under: Sequence[str]) -> Iterator[Cause]:
    if _FIELD_PATH.fullmatch(value) is None:
        yield field.invalid(path, value, "must be a simple json path starting with .")
    elif not value.startswith(tuple(under)):
        shown = " or ".join(prefix.rstrip(".") for prefix in under)
        shown = f"either {shown}" if len(under) > 1 else shown
        yield field.invalid(path, value, f"should be a json path under {shown}")


def _column(column: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if not column.get("name"):
        yield field.required(f"{path}.name")
    kinds = f"must be one of {','.join(_COLUMN_TYPES)}"
    if not column.get("type"):
        yield field.required(f"{path}.type", kinds)
    elif column["type"] not in _COLUMN_TYPES:
        yield field.invalid(f"{path}.type", column["type"], kinds)
    if column.get("format") and column["format"] not in _COLUMN_FORMATS:
        yield field.invalid(f"{path}.format", column["format"], f"must be one of {','.join(_COLUMN_FORMATS)}")
    text = column.get("jsonPath")
    if not text:
        yield field.required(f"{path}.JSONPath")
    elif not text.startswith("."):
        yield field.invalid(f"{path}.JSONPath", text, "must be a simple json path starting with .")


def _selectable(
    selectable: Sequence[Mapping[str, Any]], node: Mapping[str, Any], path: str
) -> Iterator[Cause]:
    if len(selectable) > 8:
        yield field.too_many(path, len(selectable), 8)
    seen: set[str] = set()
    for index, entry in enumerate(selectable):
        text = str(entry.get("jsonPath") or "")
        at = f"{path}[{index}].jsonPath"
        if not text:
            yield field.required(at)
        elif text in seen:
            yield field.duplicate(at, text)
        elif _FIELD_PATH.fullmatch(text) is None:
            yield field.invalid(at, text, f"is an invalid path: expected [ or . but got: {text.lstrip('.')}")
        else:
            found = _schema_at(node, text)
            if found is None:
                yield field.invalid(at, text, "is an invalid path: does not refer to a valid field")
            elif found.get("type") not in ("string", "integer", "boolean"):
                kinds = "must point to a field of type string, boolean or integer. Enum string fields and strings with"
                yield field.invalid(at, text, f"{kinds} formats are allowed.")
        seen.add(text)


def _schema_at(node: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    found: Any = node
    for name in path.split(".")[1:]:
        found = (found.get("properties") or {}).get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _names(names: Mapping[str, Any]) -> Iterator[Cause]:
    for key in ("plural", "singular"):
        value = names.get(key)
        if not value:
            if key == "plural":
                yield field.required("spec.names.plural")
        else:
            yield from _label(f"spec.names.{key}", value)
    for key in ("kind", "listKind"):
        value = names.get(key)
        if not value:
            yield field.required(f"spec.names.{key}")
            continue
        wrong = content.dns_label_1035(value.lower())
        if wrong:
            text = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
            yield field.invalid(f"spec.names.{key}", value, text)
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or ()):
            yield from _label(f"spec.names.{key}[{index}]", value)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield field.invalid("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")


def _label(path: str, value: str) -> Iterator[Cause]:
    wrong = content.dns_label_1035(value)
    if wrong:
        yield field.invalid(path, value, ",".join(wrong))


def _conversion(conversion: Mapping[str, Any]) -> Iterator[Cause]:
    strategy = conversion.get("strategy")
    webhook = conversion.get("webhook") or {}
    path = "spec.conversion"
    if strategy == "Webhook":
        # A deviation: upstream serves this. It comes with the admission webhooks.
        yield field.forbidden(f"{path}.strategy", "conversion by webhook is not supported by this server yet")
    elif not strategy:
        yield field.required(f"{path}.strategy")
    elif strategy != "None":
        yield field.not_supported(f"{path}.strategy", strategy, ("None", "Webhook"))
    else:
        why = "should not be set when strategy is not set to Webhook"
        if webhook.get("clientConfig"):
            yield field.forbidden(f"{path}.webhookClientConfig", why)
        if webhook.get("conversionReviewVersions"):
            yield field.forbidden(f"{path}.conversionReviewVersions", why)


def _stored_versions(crd: Definition) -> Iterator[Cause]:
    stored = list((crd.get("status") or {}).get("storedVersions") or ())
    versions = [version.get("name") for version in crd["spec"].get("versions") or ()]
    if not stored:
        yield field.invalid("status.storedVersions", None, "must have at least one stored version")
        return
    for index, name in enumerate(stored):
        if name not in versions:
            text = f"missing from spec.versions; {name} was previously a storage version, and must remain in"
            text += " spec.versions until a storage migration ensures no data remains persisted in"
            yield field.invalid(
                f"status.storedVersions[{index}]",
                name,
                f"{text} {name} and removes {name} from status.storedVersions",
            )
    version = storage_version(crd)
    if version and version not in stored:
        yield field.invalid("status.storedVersions", stored, f"must have the storage version {version}")


def _immutable(spec: Mapping[str, Any], old: Definition) -> Iterator[Cause]:
    """Once it is served, a custom resource keeps its group, scope and names."""
    was = old.get("spec") or {}
    names, old_names = spec.get("names") or {}, was.get("names") or {}
    pairs = [("spec.group", spec.get("group"), was.get("group"))]
    pairs.append(("spec.names.plural", names.get("plural"), old_names.get("plural")))
    if established(old):
        pairs.append(("spec.scope", spec.get("scope"), was.get("scope")))
        pairs.append(("spec.names.kind", names.get("kind"), old_names.get("kind")))
    for path, new, before in pairs:
        if new != before:
            yield field.invalid(path, new, "field is immutable")


def established(crd: Definition) -> bool:
    return has_condition(crd, "Established")


def has_condition(crd: Definition, kind: str) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == kind and c.get("status") == "True" for c in conditions)
