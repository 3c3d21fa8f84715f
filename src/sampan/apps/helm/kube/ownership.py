"""Whose an object is: the label and annotations that mark it as a release's. Pure.

helm 4.3 pkg/action/validate.go.
"""

from __future__ import annotations

from typing import Any

from sampan.apps.helm.kube.objects import Target

MANAGED_BY = "app.kubernetes.io/managed-by"
HELM = "Helm"
RELEASE_NAME = "meta.helm.sh/release-name"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"
KEEP = "helm.sh/resource-policy"

Object = dict[str, Any]


def mark(target: Target, release: str, namespace: str) -> None:
    """Adds the label and annotations to the object that is going to be written."""
    meta = target.obj["metadata"]
    meta["labels"] = {**(meta.get("labels") or {}), MANAGED_BY: HELM}
    meta["annotations"] = {
        **(meta.get("annotations") or {}),
        RELEASE_NAME: release,
        RELEASE_NAMESPACE: namespace,
    }


def complaints(live: Object, release: str, namespace: str) -> list[str]:
    """What keeps an existing object from being the release's; empty when it is."""
    meta = live.get("metadata") or {}
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    found = []
    for kind, held, key, wanted in (
        ("label", labels, MANAGED_BY, HELM),
        ("annotation", annotations, RELEASE_NAME, release),
        ("annotation", annotations, RELEASE_NAMESPACE, namespace),
    ):
        if key not in held:
            found.append(f'{kind} validation error: missing key "{key}": must be set to "{wanted}"')
        elif held[key] != wanted:
            found.append(
                f'{kind} validation error: key "{key}" must equal "{wanted}": current value is "{held[key]}"'
            )
    return found


def described(target: Target) -> str:
    return f'{target.resource.kind} "{target.name}" in namespace "{target.namespace}"'


def refusal(target: Target, found: list[str]) -> str:
    """Helm's sentence for an object that belongs to somebody else."""
    return (
        f"{described(target)} exists and cannot be imported into the current release: "
        f"invalid ownership metadata; {'; '.join(found)}"
    )


def is_kept(obj: Object) -> bool:
    """Whether the object asks to stay when its release goes."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(KEEP, "")).strip().lower() == "keep"
