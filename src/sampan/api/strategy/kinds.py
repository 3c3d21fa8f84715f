"""What single kinds do on create and update. Source: pkg/registry/*/*/strategy.go."""

from __future__ import annotations

import re
from typing import Final

from sampan.api.patch.plain import clone
from sampan.api.strategy.model import Object

_TEMPLATE_GENERATION: Final = (
    "deprecated.daemonset.template.generation"  # spec.templateGeneration of older versions
)
_UID_LABELS: Final = ("controller-uid", "batch.kubernetes.io/controller-uid")
_NAME_LABELS: Final = ("job-name", "batch.kubernetes.io/job-name")
_UID_LABEL: Final = "batch.kubernetes.io/controller-uid"


def create_job(job: Object) -> None:
    """Unless the user wants to, the Job chooses its selector itself: by its uid."""
    spec, metadata = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    given = dict(template.get("labels") or {})
    labels = dict(given)
    for label in _NAME_LABELS:
        labels.setdefault(label, metadata["name"])
    for label in _UID_LABELS:
        labels.setdefault(label, metadata["uid"])
    template["labels"] = labels
    if (metadata.get("labels") or {}) == given:  # labels defaulted from the template follow it
        metadata["labels"] = dict(labels)
    selector = spec.setdefault("selector", {})
    matched = dict(selector.get("matchLabels") or {})
    matched.setdefault(_UID_LABEL, metadata["uid"])
    selector["matchLabels"] = matched


def create_namespace(namespace: Object) -> None:
    spec = namespace.setdefault("spec", {})
    finalizers = list(spec.get("finalizers") or ())
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")
    spec["finalizers"] = finalizers


def update_namespace(namespace: Object, old: Object, now: str) -> None:
    finalizers = (old.get("spec") or {}).get("finalizers")
    spec = namespace.setdefault("spec", {})
    if finalizers:
        spec["finalizers"] = list(finalizers)
    else:
        spec.pop("finalizers", None)


def create_daemon_set(daemon_set: Object) -> None:
    annotations = daemon_set["metadata"].setdefault("annotations", {})
    if _number(annotations.get(_TEMPLATE_GENERATION)) < 1:
        annotations[_TEMPLATE_GENERATION] = "1"


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch("[0-9]{1,18}", text) else 0


def update_daemon_set(daemon_set: Object, old: Object, now: str) -> None:
    generation = _number((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1"))
    if daemon_set["spec"].get("template") != old["spec"].get("template"):
        generation += 1
    daemon_set["metadata"].setdefault("annotations", {})[_TEMPLATE_GENERATION] = str(generation)


def create_persistent_volume(volume: Object) -> None:
    volume["status"]["lastPhaseTransitionTime"] = volume["metadata"].get("creationTimestamp")


def update_persistent_volume_status(volume: Object, old: Object, now: str) -> None:
    status, past = volume.setdefault("status", {}), old.get("status") or {}
    field = "lastPhaseTransitionTime"
    if past.get("phase") == status.get("phase"):
        if status.get(field) is None and past.get(field) is not None:
            status[field] = past[field]
    elif now and status.get(field) in (None, past.get(field)):
        status[field] = now


def _data_sources(spec: Object) -> None:
    """dataSource and dataSourceRef say the same in an older and a newer way."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = {"apiGroup": None, **source}
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {
            "apiGroup": None,
            **{key: value for key, value in reference.items() if key != "namespace"},
        }


def create_claim(claim: Object) -> None:
    _data_sources(claim["spec"])


def update_claim(claim: Object, old: Object, now: str) -> None:
    _data_sources(claim["spec"])


def update_secret(secret: Object, old: Object, now: str) -> None:
    if not secret.get("type") and old.get("type"):
        secret["type"] = old["type"]


def create_custom_resource_definition(definition: Object) -> None:
    definition["status"] = {"storedVersions": _stored([], definition)}


def update_custom_resource_definition(definition: Object, old: Object, now: str) -> None:
    status = definition.setdefault("status", {})
    status["storedVersions"] = _stored(status.get("storedVersions") or [], definition)


def _stored(versions: list[str], definition: Object) -> list[str]:
    storage = next(
        (v.get("name") for v in definition["spec"].get("versions") or () if v.get("storage")), None
    )
    return versions if storage is None or storage in versions else [*versions, storage]


def create_api_service(service: Object) -> None:
    if service["spec"].get("service") is None:
        service["status"] = {
            "conditions": [
                {
                    "type": "Available",
                    "status": "True",
                    "lastTransitionTime": service["metadata"].get("creationTimestamp"),
                    "reason": "Local",
                    "message": "Local APIServices are always available",
                }
            ]
        }


def update_api_service_status(service: Object, old: Object, now: str) -> None:
    for field in ("labels", "annotations", "finalizers", "ownerReferences"):
        if field in old["metadata"]:
            service["metadata"][field] = clone(old["metadata"][field])
        else:
            service["metadata"].pop(field, None)


def update_certificate_request(request: Object, old: Object, now: str) -> None:
    request["spec"] = clone(old["spec"])
