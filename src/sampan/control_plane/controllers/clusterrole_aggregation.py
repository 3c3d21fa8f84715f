"""ClusterRoles that add up others by label. Behaviour: k8s.io/kubernetes pkg/controller/clusterroleaggregation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.api import kinds
from sampan.api.selector.labels import Selector
from sampan.control.controller import Context, Controller, Watch
from sampan.control.plan import Action, Patch
from sampan.control.reconcile import DONE, Outcome, Retry

Object = dict[str, Any]

CLUSTER_ROLES: Final = kinds.of("rbac.authorization.k8s.io/v1", "ClusterRole")


def plan(role: Object, roles: Iterable[Object]) -> list[Action]:
    rule = role.get("aggregationRule")
    if not rule:
        return []
    listed = sorted(roles, key=lambda r: str(r["metadata"]["name"]))
    rules: list[Object] = []
    for wanted in rule.get("clusterRoleSelectors") or ():
        selector = Selector.from_object(wanted)
        for other in listed:
            if other["metadata"]["name"] != role["metadata"]["name"] and selector.matches(
                other["metadata"].get("labels")
            ):
                rules += [each for each in other.get("rules") or () if each not in rules]
    if rules == (role.get("rules") or []):
        return []
    meta = role["metadata"]
    body = {
        "metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
        "rules": rules or None,
    }
    return [Patch(CLUSTER_ROLES, "", meta["name"], body)]


async def reconcile(context: Context, key: str) -> Outcome:
    role = context.store(CLUSTER_ROLES).get(key)
    if role is None:
        return DONE
    applied = await context.execute.apply(plan(role, context.store(CLUSTER_ROLES)))
    return Retry(applied.error) if applied.error else DONE


def _keys(context: Context, old: Object | None, new: Object | None) -> Iterable[str]:
    """Every role that adds others up: any role may be among what it adds."""
    return [r["metadata"]["name"] for r in context.store(CLUSTER_ROLES) if r.get("aggregationRule")]


CONTROLLER: Final = Controller(
    "clusterrole-aggregation-controller", (Watch(CLUSTER_ROLES, _keys),), reconcile, workers=1
)
