"""What writes to a part of a pod may change: ephemeral containers, resources, the status.

Source: pkg/apis/core/validation/validation.go (ValidatePodEphemeralContainersUpdate, ValidatePodResize).
"""

from __future__ import annotations

from typing import Any, Final

from sampan.api.field import error
from sampan.api.strategy.pods import qos_class
from sampan.api.validation import pods, rules
from sampan.api.validation.containers import ephemeral_containers
from sampan.api.validation.rules import Causes, Object
from sampan.api.validation.volumes import volumes

_RESIZABLE: Final = ("cpu", "memory")
_LISTS: Final = ("containers", "initContainers")


def update_ephemeral(obj: Object, old: Object) -> Causes:
    spec, before = obj.get("spec") or {}, old.get("spec") or {}
    good, _ = volumes(spec, "spec")
    yield from ephemeral_containers(spec, good, "spec")
    known = {container.get("name"): container for container in spec.get("ephemeralContainers") or ()}
    for container in before.get("ephemeralContainers") or ():
        if known.get(container.get("name")) != container:
            yield error.forbidden(
                "spec.ephemeralContainers",
                f"existing ephemeral containers {error.quote(container.get('name', ''))} may not be "
                + ("removed\n" if container.get("name") not in known else "changed\n"),
            )


def update_resources(obj: Object, old: Object) -> Causes:
    spec, before = obj["spec"], old["spec"]
    yield from pods.pod(obj)
    if (before.get("os") or {}).get("name") == "windows":
        yield error.forbidden("", "windows pods cannot be resized")
        return
    past = (old.get("status") or {}).get("qosClass")
    if past and (now := qos_class(spec)) != past:
        yield error.invalid("spec", now, "Pod QOS Class may not change as a result of resizing")
    if not _supported(old):
        yield error.forbidden("spec", "Pod running on node without support for resize")
    yield from _whole_pod(spec.get("resources"), before.get("resources"))
    moved = list(_order(spec, before))
    yield from moved
    if moved:
        return
    for kind in _LISTS:
        for place, (new, was) in enumerate(zip(spec.get(kind) or (), before.get(kind) or (), strict=True)):
            yield from _container(new, was, f"spec.{kind}[{place}]", of_init=kind == "initContainers")


def _supported(pod: Object) -> bool:
    """Whether the node says what its containers have, which it does where it can change it."""
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            return status.get("resources") is not None
    return True


def _order(spec: Object, before: Object) -> Causes:
    for kind in _LISTS:
        new, old = spec.get(kind) or [], before.get(kind) or []
        if len(new) != len(old):
            yield error.forbidden(f"spec.{kind}", f"{kind} may not be added or removed on resize")
            continue
        for place, (one, other) in enumerate(zip(new, old, strict=True)):
            if one.get("name") != other.get("name"):
                text = f"{kind} may not be renamed or reordered on resize"
                yield error.forbidden(f"spec.{kind}[{place}].name", text)


def _whole_pod(new: Object | None, old: Object | None) -> Causes:
    path = "spec.resources"
    if old is not None and new is None:
        yield error.forbidden(path, "pod-level resources cannot be removed")
        return
    if old is not None:
        for field in ("requests", "limits"):
            if _removed(new, old, field):
                yield error.forbidden(f"{path}.{field}", f"pod-level resource {field} cannot be removed")
    if _fixed(new or {}) != _fixed(old or {}):
        yield error.forbidden("spec", "only cpu and memory resources are mutable at pod-level")


def _container(new: Object, old: Object, path: str, *, of_init: bool) -> Causes:
    resources, before = new.get("resources") or {}, old.get("resources") or {}
    for field in ("requests", "limits"):
        if _removed(resources, before, field):
            yield error.forbidden(f"{path}.resources.{field}", f"resource {field} cannot be removed")
    if {**new, "resources": _fixed(resources)} != {**old, "resources": _fixed(before)}:
        if of_init:
            yield error.forbidden(
                path, "only cpu and memory resources for init or sidecar containers are mutable"
            )
        else:
            yield error.forbidden("spec", "only cpu and memory resources are mutable")
    if of_init and new != old and new.get("restartPolicy") != "Always":
        for policy in new.get("resizePolicy") or ():
            if policy.get("restartPolicy") == "RestartContainer":
                text = (
                    "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
                )
                yield error.forbidden(path, text)


def _removed(new: Object | None, old: Object, field: str) -> bool:
    return not (old.get(field) or {}).keys() <= ((new or {}).get(field) or {}).keys()


def _fixed(resources: Object) -> dict[str, Any]:
    """What of the resources a resize may not change."""
    found = {key: value for key, value in resources.items() if key not in ("requests", "limits")}
    for field in ("requests", "limits"):
        kept = {name: value for name, value in (resources.get(field) or {}).items() if name not in _RESIZABLE}
        if kept:
            found[field] = kept
    return found


def update_status(obj: Object, old: Object) -> Causes:
    status, past = obj.get("status") or {}, old.get("status") or {}
    if (obj.get("spec") or {}).get("nodeName") != (old.get("spec") or {}).get("nodeName"):
        yield error.forbidden("status.nodeName", "may not be changed directly")
    if (status.get("observedGeneration") or 0) < 0:
        text = "must be a non-negative integer"
        yield error.invalid("status.observedGeneration", status["observedGeneration"], text)
    if past.get("qosClass"):
        yield from rules.immutables("status", status, past, "qosClass")
