"""The question and the answer of authorization.

k8s.io/apiserver pkg/authorization/authorizer/interfaces.go.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from sampan.api.status import ApiError, forbidden
from sampan.control_plane.apiserver.authn.model import User


class Attributes(NamedTuple):
    """What is asked. Either a resource request (`resource` is set) or a bare path (`path` is set).

    verb: get, list, watch, create, update, patch, delete, deletecollection; bind, escalate, impersonate, ...;
    for a path the HTTP method in lower case.
    resource: the plural as in the path; subresource: "" or as in the path (log, status, exec).
    namespace: "" for cluster-scoped resources and for lists over all namespaces; name: "" where none is named.
    field_selector, label_selector: the raw query values, for the node authorizer's lists.
    """

    user: User
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""
    label_selector: str = ""

    @property
    def is_resource(self) -> bool:
        return self.path == ""


class Decision(NamedTuple):
    """`allowed` ends the question. `denied` is an explicit no; neither means no opinion, which at the end is a no."""

    allowed: bool
    reason: str = ""
    denied: bool = False
    error: str = ""  # what could not be evaluated, such as a binding to a role that is not there


NO_OPINION = Decision(False)


class Authorizer(Protocol):
    """Answers from memory; never waits, never raises for what a caller sent."""

    def authorize(self, attributes: Attributes, /) -> Decision: ...


def denial_text(attributes: Attributes, reason: str = "") -> str:
    """`User "x" cannot list resource "pods" in API group "" in the namespace "default"`, then the reason if any.

    k8s.io/apiserver pkg/endpoints/handlers/responsewriters/errors.go.
    """
    a = attributes
    if a.is_resource:
        resource = f"{a.resource}/{a.subresource}" if a.subresource else a.resource
        text = f'User "{a.user.name}" cannot {a.verb} resource "{resource}" in API group "{a.group}"'
        text += f' in the namespace "{a.namespace}"' if a.namespace else " at the cluster scope"
    else:
        text = f'User "{a.user.name}" cannot {a.verb} path "{a.path}"'
    return f"{text}: {reason}" if reason else text


def denial(attributes: Attributes, decision: Decision = NO_OPINION) -> ApiError:
    """The 403 for a request that was not allowed."""
    return forbidden(
        attributes.group, attributes.resource, attributes.name, denial_text(attributes, decision.reason)
    )
