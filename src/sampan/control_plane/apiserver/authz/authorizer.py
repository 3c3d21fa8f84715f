"""The authorizers in order: the privileged group, the node's own, RBAC. The first that decides, decides."""

from __future__ import annotations

from collections.abc import Sequence

from sampan.control_plane.apiserver.authn.model import SYSTEM_MASTERS
from sampan.control_plane.apiserver.authz.model import NO_OPINION, Attributes, Authorizer, Decision, denial
from sampan.control_plane.apiserver.authz.node import NodeAuthorizer
from sampan.control_plane.apiserver.authz.rbac import Rbac
from sampan.control_plane.apiserver.view import View

_PRIVILEGED = Decision(True)


class Privileged:
    """Members of system:masters may do everything; no role can take that away."""

    def authorize(self, attributes: Attributes, /) -> Decision:
        return _PRIVILEGED if SYSTEM_MASTERS in attributes.user.groups else NO_OPINION


class Chain:
    """Asks in order until one allows or denies; reasons of those without an opinion are kept for the denial."""

    def __init__(self, authorizers: Sequence[Authorizer]) -> None:
        self._authorizers = tuple(authorizers)

    def authorize(self, attributes: Attributes, /) -> Decision:
        reasons: list[str] = []
        for authorizer in self._authorizers:
            decision = authorizer.authorize(attributes)
            if decision.allowed or decision.denied:
                return decision
            if decision.reason:
                reasons.append(decision.reason)
        return Decision(False, "\n".join(reasons)) if reasons else NO_OPINION

    def check(self, attributes: Attributes) -> None:
        """Raises ApiError 403 unless allowed."""
        decision = self.authorize(attributes)
        if not decision.allowed:
            raise denial(attributes, decision)


def standard(view: View) -> tuple[Chain, Rbac]:
    """The chain of a cluster, and its RBAC part, which the access reviews and escalation checks also ask."""
    rbac = Rbac(view)
    return Chain([Privileged(), NodeAuthorizer(view), rbac]), rbac
