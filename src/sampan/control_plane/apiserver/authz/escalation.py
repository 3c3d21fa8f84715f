"""Nobody hands out rights that they do not hold: checks on writes of roles and bindings.

kubernetes pkg/registry/rbac/{escalation_check,clusterrole/policybased,rolebinding/policybased}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sampan.api.status import ApiError, forbidden, not_found
from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS, User
from sampan.control_plane.apiserver.authz import rules
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer
from sampan.control_plane.apiserver.authz.rbac import GROUP, MissingRole, Rbac

RESOURCES: Final = frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})
_FULL_AUTHORITY: Final = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)
_GC_FIELDS: Final = frozenset(
    {"ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"}
)


def check(
    authorizer: Authorizer,
    rbac: Rbac,
    user: User,
    resource: str,
    namespace: str,
    obj: Mapping[str, Any],
    old: Mapping[str, Any] | None,
) -> None:
    """To be called for every create and update of a resource in RESOURCES, with the object as it would be stored.

    Raises ApiError 403 (or 404 where a binding names a role that is not there).
    """
    if SYSTEM_MASTERS in user.groups or (old is not None and _only_collector_fields(obj, old)):
        return
    if resource in ("roles", "clusterroles"):
        _check_role(authorizer, rbac, user, resource, namespace, obj, old)
    else:
        _check_binding(authorizer, rbac, user, resource, namespace, obj)


def _check_role(
    authorizer: Authorizer,
    rbac: Rbac,
    user: User,
    resource: str,
    namespace: str,
    obj: Mapping[str, Any],
    old: Mapping[str, Any] | None,
) -> None:
    name = str(obj["metadata"].get("name") or "")
    ask = Attributes(user, "escalate", GROUP, "*", resource, namespace=namespace, name=name)
    if authorizer.authorize(ask).allowed:
        return
    _confirm(rbac, user, resource, namespace, name, obj.get("rules") or ())
    if _aggregates(obj) or (old is not None and _aggregates(old)):
        owned = [rule for rule, _ in rbac.rules_for(user, "").rules]
        if rules.uncovered(owned, _FULL_AUTHORITY):
            raise forbidden(
                GROUP, resource, name, "must have cluster-admin privileges to use the aggregationRule"
            )


def _check_binding(
    authorizer: Authorizer, rbac: Rbac, user: User, resource: str, namespace: str, obj: Mapping[str, Any]
) -> None:
    reference = obj.get("roleRef") or {}
    kind, role = str(reference.get("kind") or ""), str(reference.get("name") or "")
    plural = {"ClusterRole": "clusterroles", "Role": "roles"}.get(kind)
    if plural is not None:
        group = str(reference.get("apiGroup") or "")
        if authorizer.authorize(
            Attributes(user, "bind", group, "*", plural, namespace=namespace, name=role)
        ).allowed:
            return
    try:
        granted = [rule.source for rule in rbac.role_rules(kind, role, namespace)]
    except MissingRole as error:
        if plural is None:
            raise forbidden(GROUP, resource, str(obj["metadata"].get("name") or ""), str(error)) from None
        raise not_found(GROUP, plural[:-1], role) from None
    _confirm(rbac, user, resource, namespace, str(obj["metadata"].get("name") or ""), granted)


def _confirm(
    rbac: Rbac, user: User, resource: str, namespace: str, name: str, granted: Iterable[Mapping[str, Any]]
) -> None:
    resolved = rbac.rules_for(user, namespace)
    missing = rules.uncovered([rule for rule, _ in resolved.rules], granted)
    if missing:
        raise _escalation(user, resource, name, missing, resolved.errors)


def _escalation(
    user: User, resource: str, name: str, missing: Iterable[Mapping[str, Any]], errors: tuple[str, ...]
) -> ApiError:
    listed = "\n".join(sorted({rules.describe(rule) for rule in rules.compact(missing)}))
    text = (
        f'user "{user.name}" (groups={rules.go_list(user.groups)}) is attempting to grant RBAC permissions '
    )
    text += f"not currently held:\n{listed}"
    if errors:
        text += f"; resolution errors: [{', '.join(errors)}]"
    return forbidden(GROUP, resource, name, text)


def _aggregates(role: Mapping[str, Any]) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _only_collector_fields(obj: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether a write changes no more than what the garbage collector changes to let an object go."""

    def rest(thing: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {k: v for k, v in (thing.get("metadata") or {}).items() if k not in _GC_FIELDS}
        return {**thing, "metadata": metadata}

    def kept(thing: Mapping[str, Any]) -> tuple[Any, Any]:
        metadata = thing.get("metadata") or {}
        return metadata.get("finalizers"), metadata.get("ownerReferences")

    return kept(obj) != kept(old) and rest(obj) == rest(old)
