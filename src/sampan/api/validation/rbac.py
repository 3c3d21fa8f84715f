"""Roles and bindings. Source: pkg/apis/rbac/validation/validation.go."""

from __future__ import annotations

from typing import Final

from sampan.api.field import content, error
from sampan.api.validation import rules
from sampan.api.validation.rules import Causes, Object

_GROUP: Final = "rbac.authorization.k8s.io"


def role(obj: Object) -> Causes:
    yield from _rules(obj, namespaced=True)


def cluster_role(obj: Object) -> Causes:
    yield from _rules(obj, namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is not None:
        selectors = aggregation.get("clusterRoleSelectors") or []
        if not selectors:
            yield error.required(
                "aggregationRule.clusterRoleSelectors",
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            )
        for place, selector in enumerate(selectors):
            yield from rules.label_selector(f"aggregationRule.clusterRoleSelectors[{place}]", selector)


def _rules(obj: Object, *, namespaced: bool) -> Causes:
    for place, rule in enumerate(obj.get("rules") or ()):
        at = f"rules[{place}]"
        if not rule.get("verbs"):
            yield error.required(f"{at}.verbs")
        urls = rule.get("nonResourceURLs")
        if urls:
            if namespaced:
                yield error.invalid(
                    f"{at}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs"
                )
            if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
                yield error.invalid(
                    f"{at}.nonResourceURLs",
                    urls,
                    "rules cannot apply to both regular resources and non-resource URLs",
                )
            continue
        if not rule.get("apiGroups"):
            yield error.required(f"{at}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield error.required(f"{at}.resources", "resource rules must supply at least one resource")


def role_binding(obj: Object) -> Causes:
    yield from _binding(obj, ("Role", "ClusterRole"), namespaced=True)


def cluster_role_binding(obj: Object) -> Causes:
    yield from _binding(obj, ("ClusterRole",), namespaced=False)


def role_binding_update(obj: Object, old: Object) -> Causes:
    yield from role_binding(obj)
    yield from rules.immutables("", obj, old, "roleRef")


def cluster_role_binding_update(obj: Object, old: Object) -> Causes:
    yield from cluster_role_binding(obj)
    yield from rules.immutables("", obj, old, "roleRef")


def _binding(obj: Object, kinds: tuple[str, ...], *, namespaced: bool) -> Causes:
    reference = obj.get("roleRef") or {}
    if reference.get("apiGroup") != _GROUP:
        yield error.not_supported("roleRef.apiGroup", reference.get("apiGroup", ""), (_GROUP,))
    if reference.get("kind") not in kinds:
        yield error.not_supported("roleRef.kind", reference.get("kind", ""), kinds)
    if not reference.get("name"):
        yield error.required("roleRef.name")
    else:
        yield from rules.text_rule("roleRef.name", reference["name"], content.path_segment)
    for place, subject in enumerate(obj.get("subjects") or ()):
        yield from _subject(subject, f"subjects[{place}]", namespaced=namespaced)


def _subject(subject: Object, at: str, *, namespaced: bool) -> Causes:
    name, group, kind = subject.get("name") or "", subject.get("apiGroup") or "", subject.get("kind") or ""
    if not name:
        yield error.required(f"{at}.name")
    if kind == "ServiceAccount":
        if name:
            yield from rules.text_rule(f"{at}.name", name, content.dns_subdomain)
        if group:
            yield error.not_supported(f"{at}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield error.required(f"{at}.namespace")
    elif kind in ("User", "Group"):
        if group != _GROUP:
            yield error.not_supported(f"{at}.apiGroup", group, (_GROUP,))
    else:
        yield error.not_supported(f"{at}.kind", kind, ("ServiceAccount", "User", "Group"))
