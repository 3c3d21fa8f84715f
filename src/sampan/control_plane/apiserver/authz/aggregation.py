"""aggregationRule: the rules of a ClusterRole gathered from others by label. Pure; a controller writes the result.

kubernetes pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sampan.control_plane.apiserver.view import Object


def aggregated_rules(role: Object, cluster_roles: Iterable[Object]) -> list[dict[str, Any]] | None:
    """The rules that the role should have; None where it aggregates nothing. Roles are taken in order of name."""
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    if not selectors:
        return None
    own = role["metadata"]["name"]
    gathered: list[dict[str, Any]] = []
    ordered = sorted(cluster_roles, key=lambda r: str(r["metadata"]["name"]))
    taken: set[str] = set()
    for selector in selectors:
        for candidate in ordered:
            name = candidate["metadata"]["name"]
            if (
                name == own
                or name in taken
                or not selects(selector, candidate["metadata"].get("labels") or {})
            ):
                continue
            taken.add(name)
            for rule in candidate.get("rules") or ():
                if rule not in gathered:
                    gathered.append(rule)
    return gathered


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """A LabelSelector. An empty one selects everything; one with an unknown operator nothing."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(requirement, labels) for requirement in selector.get("matchExpressions") or ())


def _holds(requirement: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = requirement.get("key", ""), requirement.get("values") or ()
    match requirement.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
