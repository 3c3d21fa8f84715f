"""aggregationRule: the rules of a ClusterRole gathered from others by label. Pure.

kubernetes pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sampan.api.selector.error import SelectorError
from sampan.api.selector.labels import Selector

Object = Mapping[str, Any]


def aggregated_rules(role: Object, cluster_roles: Iterable[Object]) -> list[dict[str, Any]] | None:
    """The rules that the role should have; None where it aggregates nothing.

    Roles are taken in order of name, one selector after another; a selector that is malformed selects nothing.
    """
    selectors = (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ()
    if not selectors:
        return None
    own = role["metadata"]["name"]
    ordered = sorted(
        (r for r in cluster_roles if r["metadata"]["name"] != own), key=lambda r: str(r["metadata"]["name"])
    )
    gathered: list[dict[str, Any]] = []
    for selector in selectors:
        try:
            wanted = Selector.from_object(selector)
        except SelectorError:
            continue
        for candidate in ordered:
            if wanted.matches(candidate["metadata"].get("labels") or {}):
                gathered.extend(rule for rule in candidate.get("rules") or () if rule not in gathered)
    return gathered
