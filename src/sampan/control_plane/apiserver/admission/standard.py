"""The plug-ins of a cluster, in upstream's order (kubernetes pkg/kubeapiserver/options/plugins.go).

MutatingAdmissionWebhook and ValidatingAdmissionWebhook have their places below and are not there yet; so have
ResourceQuota and the admission policies. PodTopologyLabels, PodGroupProtection, ClusterTrustBundleAttest,
NodeDeclaredFeatureValidator and PodResizeValidator speak of features that this cluster does not have.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from sampan.control_plane.apiserver.admission.certificates import (
    CertificateApproval,
    CertificateSigning,
    CertificateSubjectRestriction,
)
from sampan.control_plane.apiserver.admission.chain import Chain
from sampan.control_plane.apiserver.admission.claim_resize import PersistentVolumeClaimResize
from sampan.control_plane.apiserver.admission.default_class import DefaultIngressClass, DefaultStorageClass
from sampan.control_plane.apiserver.admission.default_tolerations import DefaultTolerationSeconds
from sampan.control_plane.apiserver.admission.limit_ranger import LimitRanger
from sampan.control_plane.apiserver.admission.model import Plugin
from sampan.control_plane.apiserver.admission.namespace_lifecycle import NamespaceLifecycle
from sampan.control_plane.apiserver.admission.node_restriction import NodeRestriction
from sampan.control_plane.apiserver.admission.node_taint import TaintNodesByCondition
from sampan.control_plane.apiserver.admission.pod_security import PodSecurity
from sampan.control_plane.apiserver.admission.priority import Priority
from sampan.control_plane.apiserver.admission.runtime_class import RuntimeClass
from sampan.control_plane.apiserver.admission.service_account import ServiceAccount
from sampan.control_plane.apiserver.admission.storage_protection import StorageObjectInUseProtection
from sampan.control_plane.apiserver.authz.model import Authorizer
from sampan.control_plane.apiserver.view import View


def standard(
    view: View,
    authorizer: Authorizer,
    *,
    suffix: Callable[[], str],
    pause: Callable[[float], Awaitable[None]],
    mutating: Sequence[Plugin] = (),
    validating: Sequence[Plugin] = (),
) -> Chain:
    """suffix: five random lower-case characters; pause: asyncio.sleep.

    mutating, validating: what calls out, such as webhooks; they go where upstream has them, behind all of ours.
    """
    return Chain(
        [
            NamespaceLifecycle(view),
            LimitRanger(view),
            ServiceAccount(view, suffix, pause),
            NodeRestriction(view),
            TaintNodesByCondition(),
            PodSecurity(view),
            Priority(view),
            DefaultTolerationSeconds(),
            DefaultStorageClass(view),
            StorageObjectInUseProtection(),
            PersistentVolumeClaimResize(view),
            RuntimeClass(view),
            CertificateApproval(authorizer),
            CertificateSigning(authorizer),
            CertificateSubjectRestriction(),
            DefaultIngressClass(view),
            *mutating,
            *validating,
        ]
    )
