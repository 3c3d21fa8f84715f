"""Object metadata: names, labels, annotations, owners, finalizers, and what an update may not change.

Source: k8s.io/apimachinery pkg/api/validation/objectmeta.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

MAX_ANNOTATIONS: Final = 256 * 1024  # TotalAnnotationSizeLimitB
_PATH: Final = "metadata"
_FINALIZERS: Final = ("kubernetes", "orphan", "foregroundDeletion")


def validate(metadata: Object, name_rule: content.Rule, *, namespaced: bool | None) -> Causes:
    """`namespaced` None: unknown, not looked at."""
    prefix = metadata.get("generateName") or ""
    if prefix:
        yield from error.each_invalid("metadata.generateName", prefix, name_rule(_completed(prefix)))
    name = metadata.get("name") or ""
    if not name:
        yield error.required("metadata.name", "name or generateName is required")
    else:
        yield from rules.text_rule("metadata.name", name, name_rule)
    namespace = metadata.get("namespace") or ""
    if namespaced:
        if not namespace:
            yield error.required("metadata.namespace")
        else:
            yield from rules.text_rule("metadata.namespace", namespace, content.dns_label)
    elif namespaced is False and namespace:
        yield error.forbidden("metadata.namespace", "not allowed on this type")
    yield from _common(metadata)
    yield from finalizers(metadata.get("finalizers") or [])
    if namespaced is not None:
        yield from _known_finalizers(metadata.get("finalizers") or [])


def _completed(prefix: str) -> str:
    """A prefix may end with a dash, for something follows it."""
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _common(metadata: Object) -> Causes:
    yield from rules.nonnegative("metadata.generation", metadata.get("generation"))
    yield from rules.labels("metadata.labels", metadata.get("labels"))
    yield from annotation_map("metadata.annotations", metadata.get("annotations"))
    yield from owners(metadata.get("ownerReferences") or [])


def annotation_map(path: str, found: Mapping[str, str] | None) -> Causes:
    size = 0
    for key, value in (found or {}).items():
        yield from error.each_invalid(path, key, content.label_key(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > MAX_ANNOTATIONS:
        yield error.too_long(path, MAX_ANNOTATIONS)


def owners(references: list[Object]) -> Causes:
    path = f"{_PATH}.ownerReferences"
    controller = ""
    for place, reference in enumerate(references):
        at = error.index(path, place)
        api_version = reference.get("apiVersion") or ""
        if not api_version:
            yield error.required(error.child(at, "apiVersion"), "must not be empty")
        elif api_version.count("/") > 1 or api_version.endswith("/"):
            yield error.invalid(
                error.child(at, "apiVersion"), api_version, "must be <group>/<version> or <version>"
            )
        for name in ("kind", "name", "uid"):
            if not reference.get(name):
                yield error.required(error.child(at, name), "must not be empty")
        if (api_version, reference.get("kind")) == ("v1", "Event"):
            yield error.invalid(at, reference, "/v1, Kind=Event is disallowed from being an owner")
        if reference.get("controller"):
            this = f"{reference.get('kind')}/{reference.get('name')}"
            if controller:
                yield error.invalid(
                    path,
                    references,
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {this}",
                )
            else:
                controller = this


def finalizers(names: list[str]) -> Causes:
    path = f"{_PATH}.finalizers"
    for name in names:
        yield from rules.text_rule(path, name, content.label_key)
    if "orphan" in names and "foregroundDeletion" in names:
        yield error.invalid(path, names, "finalizer orphan and foregroundDeletion cannot be both set")


def _known_finalizers(names: list[str]) -> Causes:
    """Built-in kinds take unqualified names only if they are known."""
    for place, name in enumerate(names):
        if "/" not in name and name not in _FINALIZERS:
            says = "name is neither a standard finalizer name nor is it fully qualified"
            yield error.invalid(f"{_PATH}.finalizers[{place}]", name, says)


def validate_update(metadata: Object, old: Object, *, built_in: bool) -> Causes:
    if old.get("deletionTimestamp"):
        extra = sorted(set(metadata.get("finalizers") or ()) - set(old.get("finalizers") or ()))
        if extra:
            listed = ", ".join(map(error.quote, extra))
            yield error.forbidden(
                "metadata.finalizers",
                "no new finalizers can be added if the object is being deleted, found new finalizers "
                f"[]string{{{listed}}}",
            )
    if int(metadata.get("generation") or 0) < int(old.get("generation") or 0):
        yield error.invalid("metadata.generation", metadata.get("generation") or 0, "must not be decremented")
    yield from rules.immutables(
        _PATH,
        metadata,
        old,
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    )
    yield from _common(metadata)
    if built_in:
        yield from _known_finalizers(metadata.get("finalizers") or [])
