"""Which rules belong to which kind, and the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sampan.api import kinds
from sampan.api.field import content
from sampan.api.status import Cause
from sampan.api.validation import (
    addresses,
    autoscaling,
    certificates,
    cluster,
    config,
    definitions,
    jobs,
    metadata,
    network,
    pod_parts,
    pods,
    rbac,
    services,
    storage,
    workloads,
)
from sampan.api.validation.rules import Causes, Object

Create = Callable[[Object], Causes]
Update = Callable[[Object, Object], Causes]


class Rules(NamedTuple):
    """update None: the rules of create count. name: what metadata.name must be."""

    create: Create | None = None
    update: Update | None = None
    name: content.Rule = content.dns_subdomain


def _either(value: str) -> list[str]:
    """CRDs compare their name with the spec; what is wrong in it shows there."""
    return []


_ADMISSION: Final = "admissionregistration.k8s.io"
_RBAC: Final = "rbac.authorization.k8s.io"

RULES: Final[Mapping[tuple[str, str], Rules]] = {
    ("", "ConfigMap"): Rules(config.config_map, config.config_map_update),
    ("", "Endpoints"): Rules(network.endpoints),
    ("", "Event"): Rules(config.event),
    ("", "LimitRange"): Rules(config.limit_range),
    ("", "Namespace"): Rules(config.namespace, name=content.dns_label),
    ("", "Node"): Rules(config.node, config.node_update),
    ("", "PersistentVolume"): Rules(storage.persistent_volume, storage.persistent_volume_update),
    ("", "PersistentVolumeClaim"): Rules(storage.claim, storage.claim_update),
    ("", "Pod"): Rules(pods.create, pods.update),
    ("", "PodTemplate"): Rules(lambda obj: pods.template(obj.get("template") or {}, "template")),
    ("", "ReplicationController"): Rules(workloads.replication_controller),
    ("", "ResourceQuota"): Rules(config.resource_quota, config.resource_quota_update),
    ("", "Secret"): Rules(config.secret, config.secret_update),
    ("", "Service"): Rules(services.service, services.service_update, content.dns_label),
    ("", "ServiceAccount"): Rules(),
    (_ADMISSION, "MutatingWebhookConfiguration"): Rules(cluster.webhooks),
    (_ADMISSION, "ValidatingWebhookConfiguration"): Rules(cluster.webhooks),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Rules(
        definitions.custom_resource_definition, definitions.custom_resource_definition_update, _either
    ),
    ("apiregistration.k8s.io", "APIService"): Rules(cluster.api_service, name=content.path_segment),
    ("apps", "ControllerRevision"): Rules(
        workloads.controller_revision, workloads.controller_revision_update
    ),
    ("apps", "DaemonSet"): Rules(workloads.daemon_set, workloads.daemon_set_update),
    ("apps", "Deployment"): Rules(workloads.deployment, workloads.deployment_update),
    ("apps", "ReplicaSet"): Rules(workloads.replica_set, workloads.replica_set_update),
    ("apps", "StatefulSet"): Rules(workloads.stateful_set, workloads.stateful_set_update, content.dns_label),
    ("autoscaling", "HorizontalPodAutoscaler"): Rules(autoscaling.create, autoscaling.update),
    ("batch", "CronJob"): Rules(jobs.cron_job, jobs.cron_job_update),
    ("batch", "Job"): Rules(jobs.job, jobs.job_update),
    ("certificates.k8s.io", "CertificateSigningRequest"): Rules(
        certificates.create, certificates.update, certificates.any_name
    ),
    ("coordination.k8s.io", "Lease"): Rules(cluster.lease),
    ("discovery.k8s.io", "EndpointSlice"): Rules(network.endpoint_slice, network.endpoint_slice_update),
    ("events.k8s.io", "Event"): Rules(config.event),
    ("networking.k8s.io", "IPAddress"): Rules(
        addresses.ip_address, addresses.ip_address_update, addresses.ip_name
    ),
    ("networking.k8s.io", "Ingress"): Rules(network.ingress),
    ("networking.k8s.io", "IngressClass"): Rules(network.ingress_class, network.ingress_class_update),
    ("networking.k8s.io", "NetworkPolicy"): Rules(network.network_policy),
    ("networking.k8s.io", "ServiceCIDR"): Rules(addresses.service_cidr, addresses.service_cidr_update),
    ("node.k8s.io", "RuntimeClass"): Rules(cluster.runtime_class, cluster.runtime_class_update),
    ("policy", "PodDisruptionBudget"): Rules(cluster.pod_disruption_budget),
    (_RBAC, "ClusterRole"): Rules(rbac.cluster_role, name=content.path_segment),
    (_RBAC, "ClusterRoleBinding"): Rules(
        rbac.cluster_role_binding, rbac.cluster_role_binding_update, content.path_segment
    ),
    (_RBAC, "Role"): Rules(rbac.role, name=content.path_segment),
    (_RBAC, "RoleBinding"): Rules(rbac.role_binding, rbac.role_binding_update, content.path_segment),
    ("scheduling.k8s.io", "PriorityClass"): Rules(cluster.priority_class, cluster.priority_class_update),
    ("storage.k8s.io", "CSIDriver"): Rules(storage.csi_driver),
    ("storage.k8s.io", "CSINode"): Rules(storage.csi_node),
    ("storage.k8s.io", "StorageClass"): Rules(storage.storage_class, storage.storage_class_update),
    ("storage.k8s.io", "VolumeAttachment"): Rules(
        storage.volume_attachment, storage.volume_attachment_update
    ),
}
_SUBRESOURCES: Final[Mapping[tuple[str, str, str], Update]] = {
    ("", "Pod", "ephemeralcontainers"): pod_parts.update_ephemeral,
    ("", "Pod", "resize"): pod_parts.update_resources,
    ("", "Pod", "status"): pod_parts.update_status,
    ("certificates.k8s.io", "CertificateSigningRequest", "approval"): certificates.update_approval,
    ("certificates.k8s.io", "CertificateSigningRequest", "status"): certificates.update_status,
}
_ANY: Final = Rules()
# groups of servers that upstream adds to its own: their objects take any finalizer
_ADDED: Final = ("apiextensions.k8s.io", "apiregistration.k8s.io")


def validate(
    group: str,
    version: str,
    kind: str,
    obj: dict[str, Any],
    old: dict[str, Any] | None = None,
    subresource: str = "",
) -> list[Cause]:
    """Everything that is wrong with an object that is to be stored, the same thing once.

    old: what is stored now, None on create. subresource: through which path it is written; a write to status or another
    part is asked only for the metadata and the part's own rules. Kinds without rules of their own, custom resources too,
    are asked for their metadata.
    """
    rules = RULES.get((group, kind), _ANY)
    own = obj.get("metadata") or {}
    causes: list[Cause] = []
    namespaced = _namespaced(f"{group}/{version}" if group else version, kind)
    if old is not None:
        known = namespaced is not None and group not in _ADDED
        causes += metadata.validate_update(own, old.get("metadata") or {}, built_in=known)
    if subresource:
        part = _SUBRESOURCES.get((group, kind, subresource))
        if part is not None and old is not None:
            causes += part(obj, old)
        return _once(causes)
    if old is None:
        causes += metadata.validate(own, rules.name, namespaced=namespaced)
        if rules.create is not None:
            causes += rules.create(obj)
    elif _only_metadata(obj, old):
        return _once(causes)  # what is stored has been validated
    elif rules.update is not None:
        causes += rules.update(obj, old)
    elif rules.create is not None:
        causes += rules.create(obj)
    return _once(causes)


def _only_metadata(obj: Object, old: Object) -> bool:
    return obj.keys() == old.keys() and all(
        key == "metadata" or value is old[key] or value == old[key] for key, value in obj.items()
    )


def _once(causes: list[Cause]) -> list[Cause]:
    return list(dict.fromkeys(causes))


@lru_cache(maxsize=1024)
def _namespaced(api_version: str, kind: str) -> bool | None:
    """None for kinds that are not built in."""
    try:
        return kinds.of(api_version, kind).namespaced
    except KeyError:
        return None
