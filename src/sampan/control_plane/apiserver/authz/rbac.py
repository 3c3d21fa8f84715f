"""RBAC over the stored roles and bindings: compiled once per revision, answers remembered.

kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sampan.control_plane.apiserver.authn.model import SERVICE_ACCOUNT_PREFIX, User
from sampan.control_plane.apiserver.authz.model import NO_OPINION, Attributes, Decision
from sampan.control_plane.apiserver.authz.rules import Rule
from sampan.control_plane.apiserver.view import Object, View

GROUP: Final = "rbac.authorization.k8s.io"
_WATCHED: Final = ("clusterrolebindings", "clusterroles", "rolebindings", "roles")
_MAX_REMEMBERED: Final = 20_000  # answers; about 300 bytes each
_MAX_ROLES: Final = 10_000


class Grant(NamedTuple):
    """One binding as it applies to one of its subjects. order: the binding's place in the list."""

    order: int
    kind: str  # of the role: ClusterRole or Role
    role: str
    namespace: str  # of the binding; "" for cluster-wide ones
    source: str


class Resolved(NamedTuple):
    """All that a user may do in a namespace (or cluster-wide), with what could not be resolved."""

    rules: tuple[tuple[Rule, Grant], ...]
    errors: tuple[str, ...]


class MissingRole(Exception):
    """A binding names a role that is not there; the text is upstream's."""


class _General(NamedTuple):
    """The answer to a question without regard to the object's name, and the names that have one of their own."""

    decision: Decision
    named: Mapping[str, Decision]


class Rbac:
    """An Authorizer. Reads the view; writes nothing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._revisions: tuple[int, ...] = ()
        self._cluster: dict[str, list[Grant]] = {}
        self._namespaced: dict[str, dict[str, list[Grant]]] = {}
        self._compiled: dict[tuple[str, str, str], tuple[Object, tuple[Rule, ...]]] = {}
        self._resolved: dict[tuple[str, tuple[str, ...], str], Resolved] = {}
        self._answers: dict[tuple[Any, ...], _General] = {}

    def authorize(self, attributes: Attributes, /) -> Decision:
        self._refresh()
        a = attributes
        key = (a.user.name, a.user.groups, a.verb, a.group, a.resource, a.subresource, a.namespace, a.path)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answer(attributes)
            if len(self._answers) >= _MAX_REMEMBERED:
                self._answers.clear()
            self._answers[key] = answer
        if answer.named:
            return answer.named.get(a.name, answer.decision)
        return answer.decision

    def rules_for(self, user: User, namespace: str) -> Resolved:
        """Every rule that applies to the user in a namespace, cluster-wide ones first; "" for those alone."""
        self._refresh()
        key = (user.name, user.groups, namespace)
        resolved = self._resolved.get(key)
        if resolved is None:
            resolved = self._resolve(user, namespace)
            if len(self._resolved) >= _MAX_REMEMBERED:
                self._resolved.clear()
            self._resolved[key] = resolved
        return resolved

    def role_rules(self, kind: str, name: str, namespace: str) -> Sequence[Rule]:
        """The rules of a Role or ClusterRole. Raises MissingRole."""
        return self._role(kind, name, namespace)

    def _refresh(self) -> None:
        revision = self._view.revision
        now = tuple([revision(GROUP, plural) for plural in _WATCHED])
        if now != self._revisions:
            self._load()
            self._revisions = now

    def _load(self) -> None:
        """Index the bindings by subject. Roles are compiled when first needed and kept while they are unchanged."""
        self._answers, self._resolved = {}, {}
        if len(self._compiled) > _MAX_ROLES:
            self._compiled = {}  # deleted roles linger in it
        self._cluster, self._namespaced = {}, {}
        for order, binding in enumerate(self._view.list(GROUP, "clusterrolebindings")):
            for subject, grant in _grants(order, binding, ""):
                self._cluster.setdefault(subject, []).append(grant)
        for order, binding in enumerate(self._view.list(GROUP, "rolebindings")):
            namespace = str((binding.get("metadata") or {}).get("namespace") or "")
            for subject, grant in _grants(order, binding, namespace):
                self._namespaced.setdefault(namespace, {}).setdefault(subject, []).append(grant)

    def _answer(self, a: Attributes) -> _General:
        resolved = self.rules_for(a.user, a.namespace)
        named: dict[str, Decision] = {}
        for rule, grant in resolved.rules:
            if not a.is_resource:
                if rule.matches_path(a.verb, a.path):
                    return _General(_allowed(grant), {})
            elif rule.matches_resource(a.verb, a.group, a.resource, a.subresource):
                if not rule.names:
                    return _General(_allowed(grant), {})
                for name in rule.names:
                    named.setdefault(name, _allowed(grant))
        return _General(_denied(resolved.errors), named)

    def _resolve(self, user: User, namespace: str) -> Resolved:
        rules: list[tuple[Rule, Grant]] = []
        errors: list[str] = []
        for grant in self._grants_of(user, namespace):
            try:
                rules.extend((rule, grant) for rule in self._role(grant.kind, grant.role, grant.namespace))
            except MissingRole as error:
                errors.append(str(error))
        return Resolved(tuple(rules), tuple(errors))

    def _grants_of(self, user: User, namespace: str) -> Iterator[Grant]:
        indexes = [self._cluster]
        if namespace:
            indexes.append(self._namespaced.get(namespace, {}))
        subjects = [f"User {user.name}", *(f"Group {group}" for group in dict.fromkeys(user.groups))]
        for index in indexes:
            seen: dict[int, Grant] = {}
            for subject in subjects:
                for grant in index.get(subject, ()):
                    seen.setdefault(grant.order, grant)
            yield from (seen[order] for order in sorted(seen))

    def _role(self, kind: str, name: str, namespace: str) -> tuple[Rule, ...]:
        """Raises MissingRole."""
        if kind not in ("Role", "ClusterRole"):
            raise MissingRole(f'unsupported role reference kind: "{kind}"')
        plural, space = ("clusterroles", "") if kind == "ClusterRole" else ("roles", namespace)
        role = self._view.get(GROUP, plural, space, name)
        if role is None:
            raise MissingRole(f'{plural[:-1]}.{GROUP} "{name}" not found')
        key = (plural, space, name)
        compiled = self._compiled.get(key)
        if compiled is None or compiled[0] is not role:
            compiled = (role, tuple(Rule(source) for source in role.get("rules") or ()))
            self._compiled[key] = compiled
        return compiled[1]


def _grants(order: int, binding: Object, namespace: str) -> Iterator[tuple[str, Grant]]:
    reference = binding.get("roleRef") or {}
    name = str((binding.get("metadata") or {}).get("name") or "")
    kind, role = str(reference.get("kind") or ""), str(reference.get("name") or "")
    if namespace:
        source = f'RoleBinding "{name}/{namespace}" of {kind} "{role}" to '
    else:
        source = f'ClusterRoleBinding "{name}" of {kind} "{role}" to '
    for subject in binding.get("subjects") or ():
        who, shown = _subject(subject, namespace)
        if who:
            yield who, Grant(order, kind, role, namespace, source + shown)


def _subject(subject: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    """(key of the index, as shown in a reason); ("", "") for a subject that can match nobody."""
    kind, name = subject.get("kind"), str(subject.get("name") or "")
    if kind in ("User", "Group"):
        return f"{kind} {name}", f'{kind} "{name}"'
    account_namespace = str(subject.get("namespace") or namespace)
    if kind == "ServiceAccount" and account_namespace:
        shown = f'ServiceAccount "{name}/{account_namespace}"'
        return f"User {SERVICE_ACCOUNT_PREFIX}{account_namespace}:{name}", shown
    return "", ""


def _allowed(grant: Grant) -> Decision:
    return Decision(True, f"RBAC: allowed by {grant.source}")


def _denied(errors: Sequence[str]) -> Decision:
    if not errors:
        return NO_OPINION
    listed = list(dict.fromkeys(errors))
    text = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
    return Decision(False, f"RBAC: {text}")
