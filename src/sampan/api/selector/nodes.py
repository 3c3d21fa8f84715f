"""Node selectors: nodeSelector and node affinity of pods, node affinity of volumes.

Source: k8s.io/component-helpers scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]


def matches(selector: Object | None, node: Object) -> bool:
    """Whether a NodeSelector (terms, of which one must hold) matches; None matches everything."""
    if selector is None:
        return True
    return any(term_matches(term, node) for term in selector.get("nodeSelectorTerms") or ())


def term_matches(term: Object, node: Object) -> bool:
    """One term: all its expressions and fields must hold; an empty term matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    meta = node["metadata"]
    labels = meta.get("labels") or {}
    if not all(_holds(each, labels.get(each["key"])) for each in expressions):
        return False
    return all(each["key"] == "metadata.name" and _holds(each, meta["name"]) for each in fields)


def _holds(requirement: Object, value: str | None) -> bool:
    values = list(requirement.get("values") or ())
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            try:
                have, bound = int(value or ""), int(values[0])
            except (ValueError, IndexError):
                return False
            return have > bound if operator == "Gt" else have < bound
        case _:
            return False


def pod_matches(spec: Object, node: Object) -> bool:
    """Whether nodeSelector and the required node affinity of a pod's spec allow the node."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return matches(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"), node)
