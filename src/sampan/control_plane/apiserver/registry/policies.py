"""In what some built-in kinds differ from the rule when they are written or deleted.

Facts: k8s.io/kubernetes v1.37.2 pkg/registry/**/strategy.go and storage.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Key = tuple[str, str]
"""Storage group and plural."""

MUST_NAME_REVISION: Final[frozenset[Key]] = frozenset(
    {
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
        ("apiregistration.k8s.io", "apiservices"),
        ("certificates.k8s.io", "clustertrustbundles"),
        ("certificates.k8s.io", "podcertificaterequests"),
        ("coordination.k8s.io", "leases"),
        ("node.k8s.io", "runtimeclasses"),
        ("policy", "poddisruptionbudgets"),
        ("storage.k8s.io", "csidrivers"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "volumeattachments"),
        ("storagemigration.k8s.io", "storageversionmigrations"),
    }
)
"""AllowUnconditionalUpdate is false: an update without resourceVersion is refused. So for every custom resource."""

CREATED_BY_UPDATE: Final[frozenset[Key]] = frozenset(
    {
        ("", "endpoints"),
        ("", "events"),
        ("", "limitranges"),
        ("", "services"),
        ("coordination.k8s.io", "leases"),
        ("node.k8s.io", "runtimeclasses"),
        ("rbac.authorization.k8s.io", "clusterrolebindings"),
        ("rbac.authorization.k8s.io", "clusterroles"),
        ("rbac.authorization.k8s.io", "rolebindings"),
        ("rbac.authorization.k8s.io", "roles"),
    }
)
"""AllowCreateOnUpdate: PUT of an object that is not there makes it."""

DELETION_SHOWS_OBJECT: Final[frozenset[Key]] = frozenset(
    {
        ("", "namespaces"),
        ("", "persistentvolumeclaims"),
        ("", "persistentvolumes"),
        ("", "pods"),
        ("", "podtemplates"),
        ("", "resourcequotas"),
        ("", "serviceaccounts"),
        ("", "services"),
        ("resource.k8s.io", "deviceclasses"),
        ("resource.k8s.io", "resourceclaims"),
        ("resource.k8s.io", "resourceclaimtemplates"),
        ("resource.k8s.io", "resourceslices"),
        ("storage.k8s.io", "csidrivers"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "storageclasses"),
        ("storage.k8s.io", "volumeattachments"),
        ("storage.k8s.io", "volumeattributesclasses"),
    }
)
"""ReturnDeletedObject: the answer to DELETE is the object, not a Status."""

NOT_COLLECTED: Final[frozenset[Key]] = frozenset({("", "events")})
"""DefaultGarbageCollectionPolicy Unsupported: orphan and foreground finalizers are never set."""

ORPHANS_BY_DEFAULT: Final[frozenset[Key]] = frozenset({("batch", "jobs"), ("", "replicationcontrollers")})
"""DefaultGarbageCollectionPolicy OrphanDependents, for clients that say nothing (kubectl always does)."""

EVENT_TTL: Final = 3600.0
"""Seconds; kube-apiserver's --event-ttl."""


NAMESPACES: Final[Key] = ("", "namespaces")


def held_by_spec(key: Key, obj: Mapping[str, Any]) -> bool:
    """Namespaces alone have finalizers in their spec too: they stay until these are gone as well.

    k8s.io/kubernetes pkg/registry/core/namespace/storage: ShouldDeleteNamespaceDuringUpdate.
    """
    return key == NAMESPACES and bool((obj.get("spec") or {}).get("finalizers"))
