"""The resources that Kubernetes 1.37 serves by default, one line each.

Facts: the aggregated discovery of kube-apiserver 1.37.2 (tests/golden/discovery-1.37.json, which the tests compare
with), in its order; priorities from its APIServices; storage versions from k8s.io/kubernetes
pkg/kubeapiserver/default_storage_factory_builder.go.
"""

from __future__ import annotations

from typing import Final

from sampan.api.kinds.model import ALL_VERBS, GroupVersion, Resource, Subresource

_CREATE: Final = ("create",)
_READ: Final = ("get", "list")
_CHANGE: Final = ("get", "patch", "update")
_STREAM: Final = ("create", "get")
_PROXY: Final = ("create", "delete", "get", "patch", "update")
_NO_COLLECTION_DELETE: Final = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")

_STATUS: Final = "status"  # stands for a status subresource of the resource's own kind
_SCALE: Final = Subresource("scale", "Scale", _CHANGE, "autoscaling", "v1")


def _of(
    group: str,
    version: str,
    kind: str,
    plural: str,
    *,
    namespaced: bool = True,
    verbs: tuple[str, ...] = ALL_VERBS,
    short: str = "",
    categories: str = "",
    sub: tuple[Subresource | str, ...] = (),
) -> Resource:
    return Resource(
        group,
        version,
        kind,
        plural,
        kind.lower(),
        namespaced,
        verbs,
        tuple(short.split()),
        tuple(categories.split()),
        tuple(Subresource(s, kind, _CHANGE) if isinstance(s, str) else s for s in sub),
    )


BUILT_IN: Final[tuple[Resource, ...]] = (
    # core/v1
    _of("", "v1", "Binding", "bindings", verbs=_CREATE),
    _of("", "v1", "ComponentStatus", "componentstatuses", namespaced=False, verbs=_READ, short="cs"),
    _of("", "v1", "ConfigMap", "configmaps", short="cm"),
    _of("", "v1", "Endpoints", "endpoints", short="ep"),
    _of("", "v1", "Event", "events", short="ev"),
    _of("", "v1", "LimitRange", "limitranges", short="limits"),
    _of(
        "",
        "v1",
        "Namespace",
        "namespaces",
        namespaced=False,
        verbs=_NO_COLLECTION_DELETE,
        short="ns",
        sub=(Subresource("finalize", "Namespace", ("update",)), _STATUS),
    ),
    _of(
        "",
        "v1",
        "Node",
        "nodes",
        namespaced=False,
        short="no",
        sub=(Subresource("proxy", "NodeProxyOptions", _PROXY), _STATUS),
    ),
    _of("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short="pvc", sub=(_STATUS,)),
    _of("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, short="pv", sub=(_STATUS,)),
    _of(
        "",
        "v1",
        "Pod",
        "pods",
        short="po",
        categories="all",
        sub=(
            Subresource("attach", "PodAttachOptions", _STREAM),
            Subresource("binding", "Binding", _CREATE),
            Subresource("ephemeralcontainers", "Pod", _CHANGE),
            Subresource("eviction", "Eviction", _CREATE, "policy", "v1"),
            Subresource("exec", "PodExecOptions", _STREAM),
            Subresource("log", "Pod", ("get",)),
            Subresource("portforward", "PodPortForwardOptions", _STREAM),
            Subresource("proxy", "PodProxyOptions", _PROXY),
            Subresource("resize", "Pod", _CHANGE),
            _STATUS,
        ),
    ),
    _of("", "v1", "PodTemplate", "podtemplates"),
    _of(
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        short="rc",
        categories="all",
        sub=(_SCALE, _STATUS),
    ),
    _of("", "v1", "ResourceQuota", "resourcequotas", short="quota", sub=(_STATUS,)),
    _of("", "v1", "Secret", "secrets"),
    _of(
        "",
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        short="sa",
        sub=(Subresource("token", "TokenRequest", _CREATE, "authentication.k8s.io", "v1"),),
    ),
    _of(
        "",
        "v1",
        "Service",
        "services",
        short="svc",
        categories="all",
        sub=(Subresource("proxy", "ServiceProxyOptions", _PROXY), _STATUS),
    ),
    # apiregistration.k8s.io/v1
    _of(
        "apiregistration.k8s.io",
        "v1",
        "APIService",
        "apiservices",
        namespaced=False,
        categories="api-extensions",
        sub=(_STATUS,),
    ),
    # apps/v1
    _of("apps", "v1", "ControllerRevision", "controllerrevisions"),
    _of("apps", "v1", "DaemonSet", "daemonsets", short="ds", categories="all", sub=(_STATUS,)),
    _of("apps", "v1", "Deployment", "deployments", short="deploy", categories="all", sub=(_SCALE, _STATUS)),
    _of("apps", "v1", "ReplicaSet", "replicasets", short="rs", categories="all", sub=(_SCALE, _STATUS)),
    _of("apps", "v1", "StatefulSet", "statefulsets", short="sts", categories="all", sub=(_SCALE, _STATUS)),
    # events.k8s.io/v1
    _of("events.k8s.io", "v1", "Event", "events", short="ev"),
    # authentication.k8s.io/v1
    _of(
        "authentication.k8s.io",
        "v1",
        "SelfSubjectReview",
        "selfsubjectreviews",
        namespaced=False,
        verbs=_CREATE,
    ),
    _of("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", namespaced=False, verbs=_CREATE),
    # authorization.k8s.io/v1
    _of("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=_CREATE),
    _of(
        "authorization.k8s.io",
        "v1",
        "SelfSubjectAccessReview",
        "selfsubjectaccessreviews",
        namespaced=False,
        verbs=_CREATE,
    ),
    _of(
        "authorization.k8s.io",
        "v1",
        "SelfSubjectRulesReview",
        "selfsubjectrulesreviews",
        namespaced=False,
        verbs=_CREATE,
    ),
    _of(
        "authorization.k8s.io",
        "v1",
        "SubjectAccessReview",
        "subjectaccessreviews",
        namespaced=False,
        verbs=_CREATE,
    ),
    # autoscaling/v2
    _of(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short="hpa",
        categories="all",
        sub=(_STATUS,),
    ),
    # autoscaling/v1
    _of(
        "autoscaling",
        "v1",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short="hpa",
        categories="all",
        sub=(_STATUS,),
    ),
    # batch/v1
    _of("batch", "v1", "CronJob", "cronjobs", short="cj", categories="all", sub=(_STATUS,)),
    _of("batch", "v1", "Job", "jobs", categories="all", sub=(_STATUS,)),
    # certificates.k8s.io/v1
    _of(
        "certificates.k8s.io",
        "v1",
        "CertificateSigningRequest",
        "certificatesigningrequests",
        namespaced=False,
        short="csr",
        sub=(Subresource("approval", "CertificateSigningRequest", _CHANGE), _STATUS),
    ),
    _of("certificates.k8s.io", "v1", "ClusterTrustBundle", "clustertrustbundles", namespaced=False),
    _of("certificates.k8s.io", "v1", "PodCertificateRequest", "podcertificaterequests", sub=(_STATUS,)),
    # networking.k8s.io/v1
    _of("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False),
    _of("networking.k8s.io", "v1", "Ingress", "ingresses", short="ing", sub=(_STATUS,)),
    _of("networking.k8s.io", "v1", "IPAddress", "ipaddresses", namespaced=False, short="ip"),
    _of("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short="netpol"),
    _of("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", namespaced=False, sub=(_STATUS,)),
    # policy/v1
    _of("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short="pdb", sub=(_STATUS,)),
    # rbac.authorization.k8s.io/v1
    _of("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    _of("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
    _of("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    _of("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    # storage.k8s.io/v1
    _of("storage.k8s.io", "v1", "CSIDriver", "csidrivers", namespaced=False),
    _of("storage.k8s.io", "v1", "CSINode", "csinodes", namespaced=False, sub=(_STATUS,)),
    _of("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities"),
    _of("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short="sc"),
    _of("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", namespaced=False, sub=(_STATUS,)),
    _of(
        "storage.k8s.io",
        "v1",
        "VolumeAttributesClass",
        "volumeattributesclasses",
        namespaced=False,
        short="vac",
    ),
    # admissionregistration.k8s.io/v1
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        namespaced=False,
        categories="api-extensions",
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        namespaced=False,
        categories="api-extensions",
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        namespaced=False,
        categories="api-extensions",
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        namespaced=False,
        categories="api-extensions",
        sub=(_STATUS,),
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        namespaced=False,
        categories="api-extensions",
    ),
    _of(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        namespaced=False,
        categories="api-extensions",
    ),
    # apiextensions.k8s.io/v1
    _of(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        namespaced=False,
        short="crd crds",
        categories="api-extensions",
        sub=(_STATUS,),
    ),
    # scheduling.k8s.io/v1
    _of("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, short="pc"),
    # coordination.k8s.io/v1
    _of("coordination.k8s.io", "v1", "Lease", "leases"),
    # node.k8s.io/v1
    _of("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", namespaced=False),
    # discovery.k8s.io/v1
    _of("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    # resource.k8s.io/v1
    _of("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", namespaced=False),
    _of("resource.k8s.io", "v1", "DeviceTaintRule", "devicetaintrules", namespaced=False, sub=(_STATUS,)),
    _of("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims", sub=(_STATUS,)),
    _of("resource.k8s.io", "v1", "ResourceClaimTemplate", "resourceclaimtemplates"),
    _of("resource.k8s.io", "v1", "ResourceSlice", "resourceslices", namespaced=False),
    # flowcontrol.apiserver.k8s.io/v1
    _of("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", namespaced=False, sub=(_STATUS,)),
    _of(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        namespaced=False,
        sub=(_STATUS,),
    ),
    # storagemigration.k8s.io/v1
    _of(
        "storagemigration.k8s.io",
        "v1",
        "StorageVersionMigration",
        "storageversionmigrations",
        namespaced=False,
        sub=(_STATUS,),
    ),
)

# (group, version): (group priority, version priority), higher first, as upstream's APIServices carry them.
PRIORITIES: Final[dict[GroupVersion, tuple[int, int]]] = {
    GroupVersion("", "v1"): (18000, 1),
    GroupVersion("apps", "v1"): (17800, 15),
    GroupVersion("events.k8s.io", "v1"): (17750, 15),
    GroupVersion("authentication.k8s.io", "v1"): (17700, 15),
    GroupVersion("authorization.k8s.io", "v1"): (17600, 15),
    GroupVersion("autoscaling", "v2"): (17500, 30),
    GroupVersion("autoscaling", "v1"): (17500, 15),
    GroupVersion("batch", "v1"): (17400, 15),
    GroupVersion("certificates.k8s.io", "v1"): (17300, 15),
    GroupVersion("networking.k8s.io", "v1"): (17200, 15),
    GroupVersion("policy", "v1"): (17100, 15),
    GroupVersion("rbac.authorization.k8s.io", "v1"): (17000, 15),
    GroupVersion("storage.k8s.io", "v1"): (16800, 15),
    GroupVersion("apiextensions.k8s.io", "v1"): (16700, 15),
    GroupVersion("admissionregistration.k8s.io", "v1"): (16700, 15),
    GroupVersion("scheduling.k8s.io", "v1"): (16600, 15),
    GroupVersion("coordination.k8s.io", "v1"): (16500, 15),
    GroupVersion("node.k8s.io", "v1"): (16300, 15),
    GroupVersion("discovery.k8s.io", "v1"): (16200, 15),
    GroupVersion("flowcontrol.apiserver.k8s.io", "v1"): (16100, 21),
    GroupVersion("resource.k8s.io", "v1"): (16200, 21),
    GroupVersion("storagemigration.k8s.io", "v1"): (15800, 15),
}

# Resources whose objects lie in the store in another group or version than the one they are served in.
STORED_AS: Final[dict[tuple[str, str], GroupVersion]] = {
    ("autoscaling", "horizontalpodautoscalers"): GroupVersion("autoscaling", "v2"),
    ("events.k8s.io", "events"): GroupVersion("", "v1"),
}

# (group, plural) of what is stored but acted on by no component of ours yet: writes are answered with a warning.
# A component that starts to act on a resource takes its line out.
INERT: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("", "resourcequotas"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings"),
        ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
        ("apiregistration.k8s.io", "apiservices"),
        ("autoscaling", "horizontalpodautoscalers"),
        ("certificates.k8s.io", "certificatesigningrequests"),
        ("certificates.k8s.io", "clustertrustbundles"),
        ("certificates.k8s.io", "podcertificaterequests"),
        ("flowcontrol.apiserver.k8s.io", "flowschemas"),
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
        ("networking.k8s.io", "ingressclasses"),
        ("networking.k8s.io", "ingresses"),
        ("networking.k8s.io", "ipaddresses"),
        ("networking.k8s.io", "networkpolicies"),
        ("networking.k8s.io", "servicecidrs"),
        ("resource.k8s.io", "deviceclasses"),
        ("resource.k8s.io", "devicetaintrules"),
        ("resource.k8s.io", "resourceclaims"),
        ("resource.k8s.io", "resourceclaimtemplates"),
        ("resource.k8s.io", "resourceslices"),
        ("storage.k8s.io", "csidrivers"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "volumeattachments"),
        ("storage.k8s.io", "volumeattributesclasses"),
        ("storagemigration.k8s.io", "storageversionmigrations"),
    }
)
