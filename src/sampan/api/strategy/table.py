"""The strategy of every built-in kind that has one; kinds that are missing are stored as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sampan.api.strategy import kinds, pods, services
from sampan.api.strategy.model import Strategy

_EMPTY: Final[dict[str, object]] = {}
_SPEC: Final = ("spec",)

PLAIN: Final = Strategy()
CUSTOM: Final = Strategy(status={}, generation=("*",), resets_metadata=True)
CUSTOM_WITHOUT_STATUS: Final = Strategy(generation=("**",))

_ADMISSION: Final = "admissionregistration.k8s.io"
_FLOW: Final = "flowcontrol.apiserver.k8s.io"
_NETWORK: Final = "networking.k8s.io"
_DEVICES: Final = "resource.k8s.io"

STRATEGIES: Final[Mapping[tuple[str, str], Strategy]] = {
    ("", "Namespace"): Strategy(
        {"phase": "Active"}, on_create=kinds.create_namespace, on_update=kinds.update_namespace
    ),
    ("", "Node"): PLAIN,
    ("", "PersistentVolume"): Strategy(
        {"phase": "Pending"},
        on_create=kinds.create_persistent_volume,
        on_status=kinds.update_persistent_volume_status,
    ),
    ("", "PersistentVolumeClaim"): Strategy(
        {"phase": "Pending"}, on_create=kinds.create_claim, on_update=kinds.update_claim
    ),
    ("", "Pod"): Strategy(
        {"phase": "Pending"}, _SPEC, on_create=pods.create, on_status=pods.update_status, parts=pods.PARTS
    ),
    ("", "PodTemplate"): Strategy(generation=("template",)),
    ("", "ReplicationController"): Strategy(_EMPTY, _SPEC),
    ("", "ResourceQuota"): Strategy(_EMPTY),
    ("", "Secret"): Strategy(on_update=kinds.update_secret),
    ("", "Service"): Strategy(_EMPTY, on_update=services.update),
    (_ADMISSION, "MutatingAdmissionPolicy"): Strategy(generation=_SPEC),
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): Strategy(generation=_SPEC),
    (_ADMISSION, "MutatingWebhookConfiguration"): Strategy(generation=("webhooks",)),
    (_ADMISSION, "ValidatingAdmissionPolicy"): Strategy(_EMPTY, _SPEC, resets_metadata=True),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): Strategy(generation=_SPEC),
    (_ADMISSION, "ValidatingWebhookConfiguration"): Strategy(generation=("webhooks",)),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Strategy(
        _EMPTY,
        _SPEC,
        on_create=kinds.create_custom_resource_definition,
        on_update=kinds.update_custom_resource_definition,
    ),
    ("apiregistration.k8s.io", "APIService"): Strategy(
        _EMPTY, on_create=kinds.create_api_service, on_status=kinds.update_api_service_status
    ),
    ("apps", "DaemonSet"): Strategy(
        _EMPTY,
        _SPEC,
        on_create=kinds.create_daemon_set,
        on_update=kinds.update_daemon_set,
    ),
    ("apps", "Deployment"): Strategy(_EMPTY, ("spec", "metadata.annotations"), keeps_labels=True),
    ("apps", "ReplicaSet"): Strategy(_EMPTY, _SPEC),
    ("apps", "StatefulSet"): Strategy(_EMPTY, _SPEC),
    ("autoscaling", "HorizontalPodAutoscaler"): Strategy(_EMPTY, _SPEC),
    ("batch", "CronJob"): Strategy(_EMPTY, _SPEC),
    ("batch", "Job"): Strategy(_EMPTY, _SPEC, on_create=kinds.create_job),
    ("certificates.k8s.io", "CertificateSigningRequest"): Strategy(
        _EMPTY, on_update=kinds.update_certificate_request
    ),
    ("discovery.k8s.io", "EndpointSlice"): Strategy(generation=("*", "metadata.labels")),
    (_FLOW, "FlowSchema"): Strategy(_EMPTY, _SPEC, resets_metadata=True),
    (_FLOW, "PriorityLevelConfiguration"): Strategy(_EMPTY, _SPEC, resets_metadata=True),
    (_NETWORK, "Ingress"): Strategy(_EMPTY, _SPEC),
    (_NETWORK, "IngressClass"): Strategy(generation=_SPEC),
    (_NETWORK, "NetworkPolicy"): Strategy(generation=_SPEC),
    (_NETWORK, "ServiceCIDR"): Strategy(_EMPTY, resets_metadata=True),
    ("policy", "PodDisruptionBudget"): Strategy(_EMPTY, _SPEC),
    (_DEVICES, "DeviceClass"): Strategy(generation=_SPEC),
    (_DEVICES, "ResourceClaim"): Strategy(_EMPTY, resets_metadata=True),
    (_DEVICES, "ResourceSlice"): Strategy(generation=_SPEC),
    ("scheduling.k8s.io", "PriorityClass"): Strategy(generation=("*",)),
    ("storage.k8s.io", "VolumeAttachment"): Strategy(_EMPTY, resets_metadata=True),
}
