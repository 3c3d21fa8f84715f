"""Which function sets the defaults of which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sampan.api.defaults import admission, autoscaling, cluster, core, network, storage, workloads
from sampan.api.gotypes import shape
from sampan.api.schema import builtin

Object = dict[str, Any]
Setter = Callable[[Object], None]

# By group and kind; where versions differ, by group, version and kind.
SETTERS: Final[Mapping[tuple[str, ...], Setter]] = {
    ("", "ConfigMap"): core.config_map,
    ("", "Endpoints"): network.endpoints,
    ("", "LimitRange"): core.limit_range,
    ("", "Namespace"): core.namespace,
    ("", "Node"): core.node,
    ("", "PersistentVolume"): storage.persistent_volume,
    ("", "PersistentVolumeClaim"): storage.persistent_volume_claim,
    ("", "Pod"): workloads.pod,
    ("", "PodTemplate"): workloads.pod_template,
    ("", "ReplicationController"): workloads.replication_controller,
    ("", "ResourceQuota"): core.resource_quota,
    ("", "Secret"): core.secret,
    ("", "Service"): network.service,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): admission.policy,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): admission.policy_binding,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): admission.mutating_webhooks,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): admission.policy,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): admission.policy_binding,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): admission.validating_webhooks,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): cluster.custom_resource_definition,
    ("apiregistration.k8s.io", "APIService"): cluster.api_service,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("authentication.k8s.io", "TokenRequest"): cluster.token_request,
    ("autoscaling", "v1", "HorizontalPodAutoscaler"): autoscaling.horizontal_pod_autoscaler_v1,
    ("autoscaling", "v2", "HorizontalPodAutoscaler"): autoscaling.horizontal_pod_autoscaler,
    ("batch", "CronJob"): workloads.cron_job,
    ("batch", "Job"): workloads.job,
    ("certificates.k8s.io", "CertificateSigningRequest"): cluster.certificate_signing_request,
    ("discovery.k8s.io", "EndpointSlice"): network.endpoint_slice,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): cluster.flow_schema,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): cluster.priority_level,
    ("networking.k8s.io", "IngressClass"): network.ingress_class,
    ("networking.k8s.io", "NetworkPolicy"): network.network_policy,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): cluster.role_binding,
    ("rbac.authorization.k8s.io", "RoleBinding"): cluster.role_binding,
    ("resource.k8s.io", "ResourceClaim"): cluster.resource_claim,
    ("resource.k8s.io", "ResourceClaimTemplate"): cluster.resource_claim_template,
    ("scheduling.k8s.io", "PriorityClass"): cluster.priority_class,
    ("storage.k8s.io", "CSIDriver"): storage.csi_driver,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
}


def apply(group: str, version: str, kind: str, obj: Object) -> None:
    """Brings an object of a built-in kind into Go's shape and sets its defaults, in place. Other kinds stay as they are.

    The object's types must have been checked; a value of a wrong type may raise TypeError or AttributeError.
    """
    schema = builtin.for_kind(f"{group}/{version}" if group else version, kind)
    if schema is None:
        return
    shape.normalize(obj, schema)
    setter = SETTERS.get((group, kind)) or SETTERS.get((group, version, kind))
    if setter is not None:
        setter(obj)
