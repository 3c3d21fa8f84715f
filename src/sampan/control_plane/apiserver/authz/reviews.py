"""The bodies of the access reviews: may they, and what may I.

kubernetes pkg/registry/authorization/{subjectaccessreview,localsubjectaccessreview,selfsubject*}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sampan.api.status import Cause, bad_request, invalid
from sampan.control_plane.apiserver.authn.model import NODE_PREFIX, NODES, User
from sampan.control_plane.apiserver.authz.model import Attributes, Authorizer
from sampan.control_plane.apiserver.authz.rbac import Rbac

GROUP = "authorization.k8s.io"


def review_subject(authorizer: Authorizer, review: Mapping[str, Any]) -> dict[str, Any]:
    """SubjectAccessReview. Raises ApiError 422."""
    spec = dict(review.get("spec") or {})
    _validate(spec, _subject_causes(spec))
    return _answer("SubjectAccessReview", review, spec, authorizer, _subject(spec))


def review_local(authorizer: Authorizer, review: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    """LocalSubjectAccessReview, posted to a namespace. Raises ApiError 422."""
    spec = dict(review.get("spec") or {})
    causes = _subject_causes(spec)
    given = str((spec.get("resourceAttributes") or {}).get("namespace") or "")
    if spec.get("resourceAttributes") and given != namespace:
        text = f'Invalid value: "{given}": must match metadata.namespace'
        causes.append(Cause("FieldValueInvalid", text, "spec.resourceAttributes.namespace"))
    if spec.get("nonResourceAttributes"):
        text = "Invalid value: disallowed on this kind of request"
        causes.append(Cause("FieldValueInvalid", text, "spec.nonResourceAttributes"))
    _validate(spec, causes)
    return _answer("LocalSubjectAccessReview", review, spec, authorizer, _subject(spec))


def review_self(authorizer: Authorizer, user: User, review: Mapping[str, Any]) -> dict[str, Any]:
    """SelfSubjectAccessReview. Raises ApiError 422."""
    spec = dict(review.get("spec") or {})
    _validate(spec, [])
    return _answer("SelfSubjectAccessReview", review, spec, authorizer, user)


def review_rules(rbac: Rbac, user: User, review: Mapping[str, Any]) -> dict[str, Any]:
    """SelfSubjectRulesReview: all that RBAC grants the asker in a namespace. Raises ApiError 400."""
    spec = dict(review.get("spec") or {})
    namespace = spec.get("namespace")
    if not isinstance(namespace, str) or not namespace:
        raise bad_request("no namespace on request")
    resolved = rbac.rules_for(user, namespace)
    resource_rules, path_rules = [], []
    for rule, _ in resolved.rules:
        source = rule.source
        if source.get("resources"):
            keys = ("verbs", "apiGroups", "resources", "resourceNames")
            resource_rules.append({key: list(source[key]) for key in keys if source.get(key)})
        if source.get("nonResourceURLs"):
            path_rules.append({key: list(source[key]) for key in ("verbs", "nonResourceURLs")})
    errors = list(resolved.errors)
    is_node = user.name.startswith(NODE_PREFIX) and NODES in user.groups
    if is_node:
        errors.insert(0, "node authorizer does not support user rule resolution")
    status: dict[str, Any] = {
        "resourceRules": resource_rules,
        "nonResourceRules": path_rules,
        "incomplete": is_node,
    }
    if errors:
        status["evaluationError"] = ", ".join(errors)
    return _object("SelfSubjectRulesReview", review, spec, status)


def attributes_of(user: User, spec: Mapping[str, Any]) -> Attributes:
    """The question that a review's spec asks."""
    path = spec.get("nonResourceAttributes")
    if path:
        return Attributes(user, str(path.get("verb") or ""), path=str(path.get("path") or "") or "/")
    asked = spec.get("resourceAttributes") or {}
    return Attributes(
        user,
        str(asked.get("verb") or ""),
        str(asked.get("group") or ""),
        str(asked.get("version") or "*"),
        str(asked.get("resource") or ""),
        str(asked.get("subresource") or ""),
        str(asked.get("namespace") or ""),
        str(asked.get("name") or ""),
        field_selector=_raw_selector(asked.get("fieldSelector")),
        label_selector=str((asked.get("labelSelector") or {}).get("rawSelector") or ""),
    )


def _raw_selector(selector: Mapping[str, Any] | None) -> str:
    if not selector:
        return ""
    if selector.get("rawSelector"):
        return str(selector["rawSelector"])
    wanted = [
        r
        for r in selector.get("requirements") or ()
        if r.get("operator") == "In" and len(r.get("values") or ()) == 1
    ]
    return ",".join(f"{r.get('key')}={r['values'][0]}" for r in wanted)


def _subject(spec: Mapping[str, Any]) -> User:
    extra = {str(key).lower(): tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return User(
        str(spec.get("user") or ""), tuple(spec.get("groups") or ()), str(spec.get("uid") or ""), extra
    )


def _subject_causes(spec: Mapping[str, Any]) -> list[Cause]:
    if spec.get("user") or spec.get("groups"):
        return []
    text = 'Invalid value: "": at least one of user or group must be specified'
    return [Cause("FieldValueInvalid", text, "spec.user")]


def _validate(spec: Mapping[str, Any], causes: Sequence[Cause]) -> None:
    listed = list(causes)
    if bool(spec.get("resourceAttributes")) == bool(spec.get("nonResourceAttributes")):
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        listed.insert(0, Cause("FieldValueInvalid", f"Invalid value: null: {text}", "spec"))
    if listed:
        # upstream names the group alone
        raise invalid(GROUP, "", "", listed)


def _answer(
    kind: str, review: Mapping[str, Any], spec: dict[str, Any], authorizer: Authorizer, user: User
) -> dict[str, Any]:
    decision = authorizer.authorize(attributes_of(user, spec))
    status: dict[str, Any] = {"allowed": decision.allowed}
    if decision.denied:
        status["denied"] = True
    if decision.reason:
        status["reason"] = decision.reason
    if decision.error:
        status["evaluationError"] = decision.error
    return _object(kind, review, spec, status)


def _object(
    kind: str, review: Mapping[str, Any], spec: dict[str, Any], status: dict[str, Any]
) -> dict[str, Any]:
    version = review.get("apiVersion") or f"{GROUP}/v1"
    metadata = dict(review.get("metadata") or {})
    return {"kind": kind, "apiVersion": version, "metadata": metadata, "spec": spec, "status": status}
