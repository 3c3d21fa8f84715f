"""Fields of API types that are Go structs, not pointers: a Go object always has them, as {} when nothing is set.

Upstream's field tracking compares Go objects, so these fields themselves are owned by nobody, only what is in them.
Table from the `default: {}` marks in the OpenAPI v3 documents of kube-apiserver v1.37.2, by type name (the same in all
versions of a group). Every `metadata`, and `spec` and `status` of every kind, are such fields too and are not listed.
"""

from __future__ import annotations

from typing import Final

STRUCT_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "APIGroup": ("preferredVersion",),
    "AllocationResult": ("devices",),
    "Binding": ("target",),
    "ClusterRoleBinding": ("roleRef",),
    "Container": ("resources",),
    "ContainerResourceMetricSource": ("target",),
    "ContainerResourceMetricStatus": ("current",),
    "ContainerStatus": (
        "lastState",
        "state",
    ),
    "CronJobSpec": ("jobTemplate",),
    "CustomResourceDefinitionSpec": ("names",),
    "CustomResourceDefinitionStatus": ("acceptedNames",),
    "DaemonSetSpec": (
        "template",
        "updateStrategy",
    ),
    "DeploymentSpec": (
        "strategy",
        "template",
    ),
    "DeviceTaintRuleSpec": ("taint",),
    "Endpoint": ("conditions",),
    "EphemeralContainer": ("resources",),
    "Event": (
        "deprecatedSource",
        "involvedObject",
        "regarding",
        "source",
    ),
    "ExternalMetricSource": (
        "metric",
        "target",
    ),
    "ExternalMetricStatus": (
        "current",
        "metric",
    ),
    "FlowSchemaSpec": ("priorityLevelConfiguration",),
    "HTTPIngressPath": ("backend",),
    "HorizontalPodAutoscalerSpec": ("scaleTargetRef",),
    "IngressServiceBackend": ("port",),
    "IngressStatus": ("loadBalancer",),
    "JobSpec": ("template",),
    "JobTemplateSpec": ("spec",),
    "LimitedPriorityLevelConfiguration": ("limitResponse",),
    "MutatingWebhook": ("clientConfig",),
    "NetworkPolicySpec": ("podSelector",),
    "NodeDaemonEndpoints": ("kubeletEndpoint",),
    "NodeStatus": (
        "daemonEndpoints",
        "nodeInfo",
    ),
    "ObjectMetricSource": (
        "describedObject",
        "metric",
        "target",
    ),
    "ObjectMetricStatus": (
        "current",
        "describedObject",
        "metric",
    ),
    "PersistentVolumeClaimSpec": ("resources",),
    "PersistentVolumeClaimTemplate": ("spec",),
    "PodTemplate": ("template",),
    "PodTemplateSpec": ("spec",),
    "PodsMetricSource": (
        "metric",
        "target",
    ),
    "PodsMetricStatus": (
        "current",
        "metric",
    ),
    "PreferredSchedulingTerm": ("preference",),
    "ReplicaSetSpec": ("template",),
    "ResourceClaimSpec": ("devices",),
    "ResourceClaimTemplateSpec": ("spec",),
    "ResourceMetricSource": ("target",),
    "ResourceMetricStatus": ("current",),
    "ResourceSliceSpec": ("pool",),
    "RoleBinding": ("roleRef",),
    "SelfSubjectReviewStatus": ("userInfo",),
    "ServiceStatus": ("loadBalancer",),
    "StatefulSetSpec": (
        "template",
        "updateStrategy",
    ),
    "StorageVersionMigrationSpec": ("resource",),
    "TokenReviewStatus": ("user",),
    "ValidatingWebhook": ("clientConfig",),
    "VolumeAttachmentSpec": ("source",),
    "WeightedPodAffinityTerm": ("podAffinityTerm",),
}
