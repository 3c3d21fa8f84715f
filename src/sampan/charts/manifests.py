"""Rendered files become manifests and hooks: split at `---`, told by annotations, sorted by kind.

Source: helm 4.3 pkg/release/v1/util (manifest.go, manifest_sorter.go, kind_sorter.go).
"""

from __future__ import annotations

import logging
import re
from typing import Any, NamedTuple

from sampan.base.gotemplate.strconv import parse_int
from sampan.charts import yamlin
from sampan.charts.errors import ChartError, ManifestError
from sampan.charts.metadata import as_text, mismatch

log = logging.getLogger(__name__)

INSTALL_ORDER = (
    "PriorityClass", "Namespace", "NetworkPolicy", "ResourceQuota", "LimitRange", "PodSecurityPolicy",
    "PodDisruptionBudget", "ServiceAccount", "Secret", "SecretList", "ConfigMap", "StorageClass", "PersistentVolume",
    "PersistentVolumeClaim", "CustomResourceDefinition", "ClusterRole", "ClusterRoleList", "ClusterRoleBinding",
    "ClusterRoleBindingList", "Role", "RoleList", "RoleBinding", "RoleBindingList", "Service", "DaemonSet", "Pod",
    "ReplicationController", "ReplicaSet", "Deployment", "HorizontalPodAutoscaler", "StatefulSet", "Job", "CronJob",
    "IngressClass", "Ingress", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
)  # fmt: skip

UNINSTALL_ORDER = (
    "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService", "Ingress", "IngressClass",
    "Service", "CronJob", "Job", "StatefulSet", "HorizontalPodAutoscaler", "Deployment", "ReplicaSet",
    "ReplicationController", "Pod", "DaemonSet", "RoleBindingList", "RoleBinding", "RoleList", "Role",
    "ClusterRoleBindingList", "ClusterRoleBinding", "ClusterRoleList", "ClusterRole", "CustomResourceDefinition",
    "PersistentVolumeClaim", "PersistentVolume", "StorageClass", "ConfigMap", "SecretList", "Secret",
    "ServiceAccount", "PodDisruptionBudget", "PodSecurityPolicy", "LimitRange", "ResourceQuota", "NetworkPolicy",
    "Namespace", "PriorityClass",
)  # fmt: skip

HOOK = "helm.sh/hook"
HOOK_WEIGHT = "helm.sh/hook-weight"
HOOK_DELETE_POLICY = "helm.sh/hook-delete-policy"
HOOK_OUTPUT_LOG_POLICY = "helm.sh/hook-output-log-policy"

EVENTS = {
    **{
        name: name
        for name in (
            "pre-install", "post-install", "pre-delete", "post-delete", "pre-upgrade", "post-upgrade",
            "pre-rollback", "post-rollback", "test",
        )
    },
    "test-success": "test",
}  # fmt: skip


class Head(NamedTuple):
    """What tells a manifest."""

    api_version: str
    kind: str
    name: str
    annotations: dict[str, str]


class Manifest(NamedTuple):
    """One document of a template: its path, its text, its head."""

    path: str
    content: str
    head: Head


class Hook(NamedTuple):
    """A manifest that runs at points of a release's life. `weight` orders hooks of one event."""

    name: str
    kind: str
    path: str
    manifest: str
    events: tuple[str, ...]
    weight: int
    delete_policies: tuple[str, ...]
    output_log_policies: tuple[str, ...]


class Sorted(NamedTuple):
    hooks: list[Hook]
    manifests: list[Manifest]


_SEPARATOR = re.compile(r"^---[ \t]*", re.MULTILINE)


def split(text: str) -> list[str]:
    """The documents of a stream, blank ones left out."""
    return [d.lstrip() for d in _SEPARATOR.split(text.lstrip()) if d.strip()]


def head_of(document: str) -> Head:
    """apiVersion, kind, name and annotations of a document.

    Raises YAMLError with the text that follows Helm's `YAML parse error on FILE: `.
    """
    try:
        found = yamlin.load_raw(document)
    except yamlin.YAMLError as problem:
        raise yamlin.YAMLError(f"error converting YAML to JSON: {problem}") from None
    if found is None:
        return Head("", "", "", {})
    try:
        return _head(found)
    except ChartError as problem:
        raise yamlin.YAMLError(str(problem)) from None


_METADATA = 'struct { Name string "json:\\"name\\""; Annotations map[string]string "json:\\"annotations\\"" }'


def _head(found: Any) -> Head:
    if not isinstance(found, dict):
        raise mismatch(found, "", "util.SimpleHead")
    metadata = _get(found, "metadata")
    api_version = as_text(_get(found, "apiVersion"), ".apiVersion")
    kind = as_text(_get(found, "kind"), ".kind")
    if metadata is None:
        return Head(api_version, kind, "", {})
    if not isinstance(metadata, dict):
        raise mismatch(metadata, ".metadata", _METADATA)
    annotations = _get(metadata, "annotations")
    if annotations is None:
        annotations = {}
    if not isinstance(annotations, dict):
        raise mismatch(annotations, ".metadata.annotations", "map[string]string")
    texts = {k: as_text(v, f".metadata.annotations.{k}") for k, v in annotations.items()}
    return Head(api_version, kind, as_text(_get(metadata, "name"), ".metadata.name"), texts)


def _get(values: dict[str, Any], key: str) -> Any:
    """A field as encoding/json finds it: by its name, else without regard to case."""
    if key in values:
        return values[key]
    lowered = key.lower()
    return next((v for k, v in values.items() if k.lower() == lowered), None)


def _policies(head: Head, annotation: str) -> tuple[str, ...]:
    if annotation not in head.annotations:
        return ()
    return tuple(p.strip().lower() for p in head.annotations[annotation].split(","))


def hook_of(path: str, document: str, head: Head) -> Hook | None:
    """The hook that a document with the hook annotation is; None when an event is unknown."""
    events = []
    for word in head.annotations[HOOK].split(","):
        event = EVENTS.get(word.strip().lower())
        if event is None:
            log.info("skipping unknown hooks hookTypes=%s", head.annotations[HOOK])
            return None
        events.append(event)
    return Hook(
        head.name,
        head.kind,
        path,
        document,
        tuple(events),
        parse_int(head.annotations.get(HOOK_WEIGHT, ""), 10) or 0,
        _policies(head, HOOK_DELETE_POLICY),
        _policies(head, HOOK_OUTPUT_LOG_POLICY),
    )


def sort(files: dict[str, str], order: tuple[str, ...] = INSTALL_ORDER) -> Sorted:
    """Rendered files (path to text) as hooks and manifests in order. Raises ManifestError."""
    hooks: list[Hook] = []
    manifests: list[Manifest] = []
    for path in sorted(files):
        if path.rpartition("/")[2].startswith("_") or not files[path].strip():
            continue
        for document in split(files[path]):
            try:
                head = head_of(document)
            except yamlin.YAMLError as problem:
                raise ManifestError(f"YAML parse error on {path}: {problem}", path, files) from None
            if HOOK not in head.annotations:
                manifests.append(Manifest(path, document, head))
                continue
            hook = hook_of(path, document, head)
            if hook is not None:
                hooks.append(hook)
    rank = {kind: place for place, kind in enumerate(order)}
    unknown = len(order)
    hooks.sort(key=lambda h: (rank.get(h.kind, unknown), "" if h.kind in rank else h.kind))
    manifests.sort(key=lambda m: (rank.get(m.head.kind, unknown), "" if m.head.kind in rank else m.head.kind))
    return Sorted(hooks, manifests)
