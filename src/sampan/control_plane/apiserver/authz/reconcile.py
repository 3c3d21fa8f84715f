"""What has to be written so that the default roles and bindings are there. Pure; the server's start writes it.

kubernetes pkg/registry/rbac/rest/storage_rbac.go, k8s.io/component-helpers auth/rbac/reconciliation. An object whose
annotation rbac.authorization.kubernetes.io/autoupdate says "false" is left alone; otherwise missing rules and
subjects are added and extra ones kept, so that an administrator's additions survive a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sampan.api.roles import aggregated_rules
from sampan.control_plane.apiserver.authz import bootstrap_policy as policy
from sampan.control_plane.apiserver.authz import component_policy as ours
from sampan.control_plane.apiserver.authz import rules
from sampan.control_plane.apiserver.authz.rbac import GROUP
from sampan.control_plane.apiserver.authz.rules import Rule
from sampan.control_plane.apiserver.view import Object, View

AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"
_AGGREGATE: Final = "rbac.authorization.k8s.io/aggregate-to-"
_API_VERSION: Final = f"{GROUP}/v1"


class Write(NamedTuple):
    """An object to create (`old` is None), to update, or (`recreate`) to delete and create, since roleRef is fixed."""

    plural: str
    namespace: str
    name: str
    object: dict[str, Any]
    old: Object | None
    recreate: bool = False


def plan(view: View) -> list[Write]:
    """All writes in an order that works: roles before bindings. Empty where nothing is missing."""
    return [write for plural, wanted in defaults() for write in _reconcile(view, plural, wanted)]


def defaults() -> Iterator[tuple[str, dict[str, Any]]]:
    """(plural, object) of every default role and binding, upstream's and ours. Aggregated roles come with their rules filled in."""
    cluster_roles = list(_cluster_roles())
    # edit gathers from view and admin from edit, so it takes as many rounds as the chain is long.
    while sum(_gather(role, cluster_roles) for role in cluster_roles):
        pass
    for role in cluster_roles:
        yield "clusterroles", role
    for (namespace, name), listed in {**policy.ROLES, **ours.ROLES}.items():
        yield "roles", _role("Role", name, listed, namespace)
    for name, subjects in {**policy.CLUSTER_ROLE_BINDINGS, **ours.CLUSTER_ROLE_BINDINGS}.items():
        yield "clusterrolebindings", _binding("ClusterRoleBinding", name, "ClusterRole", name, subjects)
    for name in policy.CONTROLLERS:
        role_name = f"system:controller:{name}"
        account = (f"ServiceAccount kube-system/{name}",)
        yield (
            "clusterrolebindings",
            _binding("ClusterRoleBinding", role_name, "ClusterRole", role_name, account),
        )
    for (namespace, name), (role_name, subjects) in {**policy.ROLE_BINDINGS, **ours.ROLE_BINDINGS}.items():
        yield "rolebindings", _binding("RoleBinding", name, "Role", role_name, subjects, namespace)


def _gather(role: dict[str, Any], cluster_roles: list[dict[str, Any]]) -> bool:
    """Fill in an aggregated role; whether that changed it."""
    gathered = aggregated_rules(role, cluster_roles)
    if gathered is None or gathered == role["rules"]:
        return False
    role["rules"] = gathered
    return True


def _cluster_roles() -> Iterator[dict[str, Any]]:
    for name, label in policy.AGGREGATED.items():
        role = _role("ClusterRole", name, ())
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {_AGGREGATE + label: "true"}}]}
        yield role
    for name, listed in {**policy.CLUSTER_ROLES, **ours.CLUSTER_ROLES}.items():
        yield _role("ClusterRole", name, listed)
    for name, listed in policy.CONTROLLERS.items():
        yield _role("ClusterRole", f"system:controller:{name}", listed)


def _metadata(name: str, namespace: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"},
        "annotations": {AUTOUPDATE: "true"},
    }
    return {**metadata, "namespace": namespace} if namespace else metadata


def _role(kind: str, name: str, listed: tuple[policy.Rule, ...], namespace: str = "") -> dict[str, Any]:
    metadata = _metadata(name, namespace)
    if kind == "ClusterRole" and name in policy.AGGREGATES_TO:
        metadata["labels"][_AGGREGATE + policy.AGGREGATES_TO[name]] = "true"
    return {
        "kind": kind,
        "apiVersion": _API_VERSION,
        "metadata": metadata,
        "rules": [_copy(rule) for rule in listed],
    }


def _copy(rule: policy.Rule) -> dict[str, Any]:
    return {key: list(value) for key, value in rule.items()}


def _binding(
    kind: str, name: str, role_kind: str, role: str, subjects: tuple[str, ...], namespace: str = ""
) -> dict[str, Any]:
    return {
        "kind": kind,
        "apiVersion": _API_VERSION,
        "metadata": _metadata(name, namespace),
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
        **({"subjects": [_subject(subject) for subject in subjects]} if subjects else {}),
    }


def _subject(text: str) -> dict[str, str]:
    kind, _, name = text.partition(" ")
    if kind == "ServiceAccount":
        namespace, _, account = name.partition("/")
        return {"kind": kind, "name": account, "namespace": namespace}
    return {"kind": kind, "apiGroup": GROUP, "name": name}


def _reconcile(view: View, plural: str, wanted: dict[str, Any]) -> Iterator[Write]:
    namespace, name = wanted["metadata"].get("namespace", ""), wanted["metadata"]["name"]
    old = view.get(GROUP, plural, namespace, name)
    if old is None:
        yield Write(plural, namespace, name, wanted, None)
        return
    if ((old.get("metadata") or {}).get("annotations") or {}).get(AUTOUPDATE) == "false":
        return
    merged = dict(old)
    metadata = dict(old["metadata"])
    for key in ("labels", "annotations"):
        metadata[key] = {**wanted["metadata"][key], **(metadata.get(key) or {})}
    merged["metadata"] = metadata
    recreate = False
    if "roleRef" in wanted:
        present = list(old.get("subjects") or ())
        missing = [subject for subject in wanted.get("subjects") or () if subject not in present]
        if missing:
            merged["subjects"] = [*present, *missing]
        recreate = old.get("roleRef") != wanted["roleRef"]
        if recreate:
            merged["roleRef"] = wanted["roleRef"]
            merged["metadata"] = {k: v for k, v in metadata.items() if k not in ("uid", "resourceVersion")}
    else:
        _add_rules(merged, old, wanted)
    if merged != old:
        yield Write(plural, namespace, name, merged, old, recreate)


def _add_rules(merged: dict[str, Any], old: Object, wanted: Mapping[str, Any]) -> None:
    if "aggregationRule" in wanted:
        selectors = list((old.get("aggregationRule") or {}).get("clusterRoleSelectors") or ())
        missing = [s for s in wanted["aggregationRule"]["clusterRoleSelectors"] if s not in selectors]
        if missing:
            merged["aggregationRule"] = {"clusterRoleSelectors": [*selectors, *missing]}
        return  # the rules themselves are the aggregation's
    present = [Rule(rule) for rule in old.get("rules") or ()]
    atoms = rules.uncovered(present, wanted["rules"])
    if atoms:
        merged["rules"] = [*(old.get("rules") or ()), *rules.compact(atoms)]
