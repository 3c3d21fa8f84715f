"""Roles of our own components that upstream has no default role for: no more than each uses.

The same shape as the table of upstream's roles; both are reconciled together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sampan.control_plane.apiserver.authz.bootstrap_policy import Rule, rule

_DNS: Final = "sampan:dns"
_LOCAL_PATH: Final = "sampan:local-path-provisioner"
_DNS_ACCOUNT: Final = "ServiceAccount kube-system/kube-dns"
_LOCAL_PATH_ACCOUNT: Final = "ServiceAccount kube-system/local-path-provisioner"

CLUSTER_ROLES: Final[Mapping[str, tuple[Rule, ...]]] = {
    _DNS: (
        rule("get list watch", "core", "namespaces services"),
        rule("get list watch", "discovery.k8s.io", "endpointslices"),
    ),
    _LOCAL_PATH: (
        rule("get list watch", "core", "persistentvolumeclaims"),
        rule("create delete get list patch update watch", "core", "persistentvolumes"),
        rule("create get list watch", "storage.k8s.io", "storageclasses"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
}
CLUSTER_ROLE_BINDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    _DNS: (_DNS_ACCOUNT,),
    _LOCAL_PATH: (_LOCAL_PATH_ACCOUNT,),
}
ROLES: Final[Mapping[tuple[str, str], tuple[Rule, ...]]] = {
    # The Service that pods ask, and the slice that leads to a server outside of pods.
    ("kube-system", _DNS): (
        rule("create get patch", "core", "services"),
        rule("create get patch", "discovery.k8s.io", "endpointslices"),
    ),
}
ROLE_BINDINGS: Final[Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("kube-system", _DNS): (_DNS, (_DNS_ACCOUNT,)),
}
