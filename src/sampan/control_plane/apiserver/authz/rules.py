"""One RBAC rule: what it matches, what it covers, how it is written in a message.

kubernetes pkg/apis/rbac/v1/evaluation_helpers.go, k8s.io/component-helpers auth/rbac/validation/policy_comparator.go.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sampan.control_plane.apiserver.authz.model import Attributes


class Rule:
    """A PolicyRule compiled for matching. `source` is the dict that it was made from."""

    __slots__ = (
        "any_group",
        "any_resource",
        "any_verb",
        "groups",
        "names",
        "resources",
        "source",
        "urls",
        "verbs",
    )

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = source
        self.verbs = frozenset(source.get("verbs") or ())
        self.groups = frozenset(source.get("apiGroups") or ())
        self.resources = frozenset(source.get("resources") or ())
        self.names = frozenset(source.get("resourceNames") or ())
        self.urls: tuple[str, ...] = tuple(source.get("nonResourceURLs") or ())
        self.any_verb = "*" in self.verbs
        self.any_group = "*" in self.groups
        self.any_resource = "*" in self.resources

    def matches_resource(self, verb: str, group: str, resource: str, subresource: str) -> bool:
        """Whatever the name; `names` is for the caller to look at."""
        if not (self.any_verb or verb in self.verbs) or not (self.any_group or group in self.groups):
            return False
        if self.any_resource:
            return True
        if not subresource:
            return resource in self.resources
        return f"{resource}/{subresource}" in self.resources or f"*/{subresource}" in self.resources

    def matches_path(self, verb: str, path: str) -> bool:
        return (self.any_verb or verb in self.verbs) and any(url_covers(url, path) for url in self.urls)

    def matches(self, attributes: Attributes) -> bool:
        a = attributes
        if not a.is_resource:
            return self.matches_path(a.verb, a.path)
        named = not self.names or a.name in self.names
        return named and self.matches_resource(a.verb, a.group, a.resource, a.subresource)

    def __repr__(self) -> str:
        return describe(self.source)


def url_covers(pattern: str, path: str) -> bool:
    """A pattern ends in * or stands for itself; * alone is every path."""
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def describe(rule: Mapping[str, Any]) -> str:
    """`{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, as Go prints it."""
    fields = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    parts = [f"{shown}:{go_list(rule[key])}" for shown, key in fields if rule.get(key)]
    return "{" + ", ".join(parts) + "}"


def go_list(words: Iterable[str]) -> str:
    """A list of strings as Go's %q prints it: `["a" "b"]`."""
    return "[" + " ".join(f'"{word}"' for word in words) + "]"


def uncovered(owned: Sequence[Rule], wanted: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The atoms of the wanted rules that no single owned rule covers."""
    return [atom for rule in wanted for atom in _atoms(rule) if not any(_covers(own, atom) for own in owned)]


def _atoms(rule: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    verbs = rule.get("verbs") or ()
    names: Sequence[str | None] = rule.get("resourceNames") or (None,)
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    for group, resource, verb, name in itertools.product(groups, resources, verbs, names):
        atom = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        yield atom if name is None else {**atom, "resourceNames": [name]}
    for url, verb in itertools.product(rule.get("nonResourceURLs") or (), verbs):
        yield {"nonResourceURLs": [url], "verbs": [verb]}


def _covers(own: Rule, atom: Mapping[str, Any]) -> bool:
    (verb,) = atom["verbs"]
    if not (own.any_verb or verb in own.verbs):
        return False
    if "nonResourceURLs" in atom:
        (url,) = atom["nonResourceURLs"]
        return any(url == own_url or url_covers(own_url, url) for own_url in own.urls)
    (group,), (resource,) = atom["apiGroups"], atom["resources"]
    if not (own.any_group or group in own.groups):
        return False
    _, _, subresource = resource.partition("/")
    if not (
        own.any_resource or resource in own.resources or (subresource and f"*/{subresource}" in own.resources)
    ):
        return False
    return not own.names or ("resourceNames" in atom and atom["resourceNames"][0] in own.names)


def compact(atoms: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Atoms of one resource joined into one rule each, with their verbs together."""
    joined: dict[tuple[str, str, str | None], dict[str, Any]] = {}
    others: list[Mapping[str, Any]] = []
    for atom in atoms:
        if "nonResourceURLs" in atom:
            others.append(atom)
            continue
        name = atom["resourceNames"][0] if "resourceNames" in atom else None
        key = (atom["apiGroups"][0], atom["resources"][0], name)
        if key in joined:
            joined[key]["verbs"].extend(atom["verbs"])
        else:
            joined[key] = {**atom, "verbs": list(atom["verbs"])}
    return [*others, *joined.values()]
