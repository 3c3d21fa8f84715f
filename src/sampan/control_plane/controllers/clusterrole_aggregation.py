"""ClusterRoles that add up others by label. Behaviour: k8s.io/kubernetes pkg/controller/clusterroleaggregation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sampan.api import kinds
from sampan.api.roles import aggregated_rules
from sampan.control.controller import Context, Controller, Watch
from sampan.control.plan import Action, Update
from sampan.control.reconcile import DONE, Outcome, Retry

Object = dict[str, Any]

CLUSTER_ROLES: Final = kinds.of("rbac.authorization.k8s.io/v1", "ClusterRole")


def plan(role: Object, roles: Iterable[Object]) -> list[Action]:
    rules = aggregated_rules(role, roles)
    if rules is None or rules == (role.get("rules") or []):
        return []
    return [Update(CLUSTER_ROLES, role | {"rules": rules})]


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
