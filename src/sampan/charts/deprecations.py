"""API versions that Kubernetes deprecated or removed, as lint names them.

Facts of k8s.io/api 0.37 (the prerelease-lifecycle of each kind). A line: apiVersion, deprecated in, removed in,
replacement's apiVersion, kinds (`Kind=Other` where the replacement has another name). Lists follow their kinds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_TABLE = """
admission.k8s.io/v1beta1 1.19 1.22 admission.k8s.io/v1 AdmissionReview
admissionregistration.k8s.io/v1alpha1 1.29 1.32 - ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
admissionregistration.k8s.io/v1alpha1 1.35 1.38 - MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
admissionregistration.k8s.io/v1beta1 1.16 1.22 admissionregistration.k8s.io/v1 MutatingWebhookConfiguration ValidatingWebhookConfiguration
admissionregistration.k8s.io/v1beta1 1.31 1.34 - ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
admissionregistration.k8s.io/v1beta1 1.37 1.40 admissionregistration.k8s.io/v1 MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
apidiscovery.k8s.io/v2beta1 1.32 1.35 - APIGroupDiscovery
apps/v1beta1 1.8 1.16 apps/v1 ControllerRevision Deployment DeploymentRollback StatefulSet
apps/v1beta1 1.8 1.16 autoscaling/v1 Scale
apps/v1beta2 1.9 1.16 apps/v1 ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
apps/v1beta2 1.9 1.16 autoscaling/v1 Scale
authentication.k8s.io/v1alpha1 1.29 1.32 - SelfSubjectReview
authentication.k8s.io/v1beta1 1.19 1.22 authentication.k8s.io/v1 TokenReview
authentication.k8s.io/v1beta1 1.30 1.33 - SelfSubjectReview
authorization.k8s.io/v1beta1 1.19 1.22 authorization.k8s.io/v1 LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview
batch/v1beta1 1.21 1.25 batch/v1 CronJob
certificates.k8s.io/v1alpha1 1.34 1.37 - ClusterTrustBundle
certificates.k8s.io/v1beta1 1.19 1.22 certificates.k8s.io/v1 CertificateSigningRequest
certificates.k8s.io/v1beta1 1.37 1.40 certificates.k8s.io/v1 ClusterTrustBundle PodCertificateRequest
coordination.k8s.io/v1alpha2 1.35 1.38 - LeaseCandidate
coordination.k8s.io/v1beta1 1.19 1.22 coordination.k8s.io/v1 Lease
coordination.k8s.io/v1beta1 1.36 1.39 - LeaseCandidate
discovery.k8s.io/v1beta1 1.21 1.25 discovery.k8s.io/v1 EndpointSlice
events.k8s.io/v1beta1 1.22 1.25 - Event
extensions/v1beta1 1.14 1.22 networking.k8s.io/v1 Ingress
extensions/v1beta1 1.2 1.16 - Scale
extensions/v1beta1 1.8 1.16 - DeploymentRollback
extensions/v1beta1 1.8 1.16 apps/v1 DaemonSet Deployment ReplicaSet
extensions/v1beta1 1.9 1.16 networking.k8s.io/v1 NetworkPolicy
flowcontrol.apiserver.k8s.io/v1beta1 1.23 1.26 flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema PriorityLevelConfiguration
flowcontrol.apiserver.k8s.io/v1beta2 1.26 1.29 flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema PriorityLevelConfiguration
flowcontrol.apiserver.k8s.io/v1beta3 1.29 1.32 flowcontrol.apiserver.k8s.io/v1 FlowSchema PriorityLevelConfiguration
lifecycle.k8s.io/v1alpha1 1.40 1.43 - Eviction EvictionRequest
networking.k8s.io/v1beta1 1.19 1.22 networking.k8s.io/v1 Ingress IngressClass=IngressClassList
networking.k8s.io/v1beta1 1.34 1.37 - IPAddress ServiceCIDR
node.k8s.io/v1beta1 1.22 1.25 - RuntimeClass
policy/v1beta1 1.21 1.25 policy/v1 PodDisruptionBudget
policy/v1beta1 1.22 1.25 - Eviction
rbac.authorization.k8s.io/v1beta1 1.17 1.22 rbac.authorization.k8s.io/v1 ClusterRole ClusterRoleBinding Role RoleBinding
resource.k8s.io/v1alpha3 1.36 1.39 - DeviceTaintRule
resource.k8s.io/v1alpha3 1.39 1.42 - ResourcePoolStatusRequest
resource.k8s.io/v1beta1 1.35 1.38 - DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice
resource.k8s.io/v1beta2 1.36 1.39 - DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice
resource.k8s.io/v1beta2 1.39 1.42 - DeviceTaintRule
scheduling.k8s.io/v1beta1 1.14 1.22 scheduling.k8s.io/v1 PriorityClass
scheduling.k8s.io/v1beta1 1.40 1.43 - PodGroup Workload
storage.k8s.io/v1alpha1 1.21 1.24 storage.k8s.io/v1 VolumeAttachment
storage.k8s.io/v1alpha1 1.21 1.24 storage.k8s.io/v1beta1 CSIStorageCapacity
storage.k8s.io/v1alpha1 1.32 1.35 storage.k8s.io/v1 VolumeAttributesClass
storage.k8s.io/v1beta1 1.17 1.22 storage.k8s.io/v1 CSINode
storage.k8s.io/v1beta1 1.19 1.22 storage.k8s.io/v1 CSIDriver StorageClass VolumeAttachment
storage.k8s.io/v1beta1 1.24 1.27 storage.k8s.io/v1 CSIStorageCapacity
storage.k8s.io/v1beta1 1.34 1.37 storage.k8s.io/v1 VolumeAttributesClass
storagemigration.k8s.io/v1beta1 1.37 1.40 storagemigration.k8s.io/v1 StorageVersionMigration
"""


class Deprecation(NamedTuple):
    """Versions are (major, minor); `removed` and `replacement` are None where there is none."""

    deprecated: tuple[int, int]
    removed: tuple[int, int] | None
    replacement: str | None

    def message(self, api_version: str, kind: str) -> str:
        """The warning of the API server."""
        out = f"{api_version} {kind} is deprecated in v{self.deprecated[0]}.{self.deprecated[1]}+"
        if self.removed is not None:
            out += f", unavailable in v{self.removed[0]}.{self.removed[1]}+"
        return out + (f"; use {self.replacement}" if self.replacement else "")


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


@lru_cache(maxsize=1)
def _known() -> dict[tuple[str, str], Deprecation]:
    out: dict[tuple[str, str], Deprecation] = {}
    for line in _TABLE.strip().splitlines():
        api_version, deprecated, removed, replacement, *kinds = line.split()
        for word in kinds:
            kind, _, other = word.partition("=")
            for suffix in ("", "List"):
                target = f"{replacement} {other or kind}{suffix}" if replacement != "-" else None
                out[(api_version, kind + suffix)] = Deprecation(
                    _version(deprecated), _version(removed) if removed != "-" else None, target
                )
    return out


def find(api_version: str, kind: str, current: tuple[int, int]) -> Deprecation | None:
    """What is known of the kind, when it is deprecated in the given version of Kubernetes."""
    found = _known().get((api_version, kind))
    return found if found is not None and found.deprecated <= current else None
