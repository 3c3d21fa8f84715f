"""The default roles and bindings of Kubernetes 1.37, as a table.

Recorded from a kube-apiserver 1.37.2 with default feature gates (plugin/pkg/auth/authorizer/rbac/bootstrappolicy).
Words are separated by spaces; "core" stands for the group "". How it becomes objects: `reconcile`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Rule = Mapping[str, Any]


def _words(text: str) -> list[str]:
    return ["" if word == "core" else word for word in text.split()]


def rule(verbs: str, groups: str, resources: str, *, names: str = "") -> Rule:
    made = {"verbs": verbs.split(), "apiGroups": _words(groups), "resources": resources.split()}
    return {**made, "resourceNames": names.split()} if names else made


def url(verbs: str, urls: str) -> Rule:
    return {"verbs": verbs.split(), "nonResourceURLs": urls.split()}


AGGREGATED: Final[Mapping[str, str]] = {
    "admin": "admin",
    "edit": "edit",
    "view": "view",
}
AGGREGATES_TO: Final[Mapping[str, str]] = {
    "edit": "admin",
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
    "view": "edit",
}
CLUSTER_ROLES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "cluster-admin": (
        rule("*", "*", "*"),
        url("*", "*"),
    ),
    "system:aggregate-to-admin": (
        rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
        rule(
            "create delete deletecollection get list patch update watch",
            "rbac.authorization.k8s.io",
            "rolebindings roles",
        ),
    ),
    "system:aggregate-to-edit": (
        rule(
            "get list watch",
            "core",
            "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
        ),
        rule("impersonate", "core", "serviceaccounts"),
        rule(
            "create delete deletecollection patch update",
            "core",
            "pods pods/attach pods/exec pods/portforward pods/proxy",
        ),
        rule("create", "core", "pods/eviction"),
        rule(
            "create delete deletecollection patch update",
            "core",
            "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
        ),
        rule("create", "core", "serviceaccounts/token"),
        rule("create delete deletecollection patch update", "core events.k8s.io", "events"),
        rule(
            "create delete deletecollection patch update",
            "apps",
            "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
        ),
        rule("create delete deletecollection patch update", "autoscaling", "horizontalpodautoscalers"),
        rule("create delete deletecollection patch update", "batch", "cronjobs jobs"),
        rule(
            "create delete deletecollection patch update",
            "extensions",
            "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
        ),
        rule("create delete deletecollection patch update", "policy", "poddisruptionbudgets"),
        rule("create delete deletecollection patch update", "networking.k8s.io", "ingresses networkpolicies"),
        rule("create delete deletecollection get list patch update watch", "coordination.k8s.io", "leases"),
        rule(
            "create delete deletecollection patch update",
            "resource.k8s.io",
            "resourceclaims resourceclaimtemplates",
        ),
    ),
    "system:aggregate-to-view": (
        rule(
            "get list watch",
            "core",
            "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
        ),
        rule(
            "get list watch",
            "core",
            "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
        ),
        rule("get list watch", "core", "namespaces"),
        rule("get list watch", "core events.k8s.io", "events"),
        rule("get list watch", "discovery.k8s.io", "endpointslices"),
        rule(
            "get list watch",
            "apps",
            "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        ),
        rule("get list watch", "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
        rule("get list watch", "batch", "cronjobs cronjobs/status jobs jobs/status"),
        rule(
            "get list watch",
            "extensions",
            "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
        ),
        rule("get list watch", "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
        rule("get list watch", "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
        rule(
            "get list watch", "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"
        ),
    ),
    "system:auth-delegator": (
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ),
    "system:basic-user": (
        rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"),
    ),
    "system:certificates.k8s.io:kube-apiserver-client-approver": (
        rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client"),
    ),
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": (
        rule(
            "approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client-kubelet"
        ),
    ),
    "system:certificates.k8s.io:kubelet-serving-approver": (
        rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/kubelet-serving"),
    ),
    "system:certificates.k8s.io:legacy-unknown-approver": (
        rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/legacy-unknown"),
    ),
    "system:cluster-trust-bundle-discovery": (
        rule("get list watch", "certificates.k8s.io", "clustertrustbundles"),
    ),
    "system:discovery": (
        url(
            "get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"
        ),
    ),
    "system:heapster": (
        rule("get list watch", "core", "events namespaces nodes pods"),
        rule("get list watch", "extensions", "deployments"),
    ),
    "system:kube-aggregator": (rule("get list watch", "core", "endpoints services"),),
    "system:kube-controller-manager": (
        rule("create patch update", "core events.k8s.io", "events"),
        rule("create", "coordination.k8s.io", "leases"),
        rule("get update", "coordination.k8s.io", "leases", names="kube-controller-manager"),
        rule("create", "core", "secrets serviceaccounts"),
        rule("delete", "core", "secrets"),
        rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
        rule("update", "core", "secrets serviceaccounts"),
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        rule("list watch", "*", "*"),
        rule("create", "core", "serviceaccounts/token"),
    ),
    "system:kube-dns": (rule("list watch", "core", "endpoints services"),),
    "system:kube-scheduler": (
        rule("create patch update", "core events.k8s.io", "events"),
        rule("create", "coordination.k8s.io", "leases"),
        rule("get list update watch", "coordination.k8s.io", "leases", names="kube-scheduler"),
        rule(
            "create delete deletecollection get list patch update watch",
            "coordination.k8s.io",
            "leasecandidates",
        ),
        rule("get list watch", "core", "nodes"),
        rule("delete get list watch", "core", "pods"),
        rule("create", "core", "bindings pods/binding"),
        rule("patch update", "core", "pods/status"),
        rule("get list watch", "core", "replicationcontrollers services"),
        rule("get list watch", "apps extensions", "replicasets"),
        rule("get list watch", "apps", "statefulsets"),
        rule("get list watch", "policy", "poddisruptionbudgets"),
        rule("get list watch", "core", "persistentvolumeclaims persistentvolumes"),
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        rule("get list watch", "storage.k8s.io", "csinodes"),
        rule("get list watch", "storage.k8s.io", "volumeattachments"),
        rule("get list watch", "core", "namespaces"),
        rule("get list watch", "storage.k8s.io", "csidrivers"),
        rule("get list watch", "storage.k8s.io", "csistoragecapacities"),
        rule("get list watch", "resource.k8s.io", "deviceclasses"),
        rule("get list patch update watch", "resource.k8s.io", "resourceclaims"),
        rule("get list patch update watch", "resource.k8s.io", "resourceclaims/status"),
        rule("update", "core", "pods/finalizers"),
        rule("get list watch", "resource.k8s.io", "resourceslices"),
        rule("create delete", "resource.k8s.io", "resourceclaims"),
        rule("get list watch", "resource.k8s.io", "devicetaintrules"),
        rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
    ),
    "system:kubelet-api-admin": (
        rule("get list watch", "core", "nodes"),
        rule("proxy", "core", "nodes"),
        rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
        rule("*", "core", "nodes/configz nodes/healthz nodes/pods"),
    ),
    "system:monitoring": (
        url(
            "get",
            "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz",
        ),
        rule("get", "core", "nodes/metrics"),
    ),
    "system:node": (
        rule("create", "authentication.k8s.io", "tokenreviews"),
        rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
        rule("get list watch", "core", "services"),
        rule("create get list watch", "core", "nodes"),
        rule("patch update", "core", "nodes/status"),
        rule("patch update", "core", "nodes"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("get list watch", "core", "pods"),
        rule("create delete", "core", "pods"),
        rule("patch update", "core", "pods/status"),
        rule("create", "core", "pods/eviction"),
        rule("get list watch", "core", "configmaps secrets"),
        rule("get", "core", "persistentvolumeclaims persistentvolumes"),
        rule("get", "core", "endpoints"),
        rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        rule("create delete get patch update", "coordination.k8s.io", "leases"),
        rule("get", "storage.k8s.io", "volumeattachments"),
        rule("create", "core", "serviceaccounts/token"),
        rule("get patch update", "core", "persistentvolumeclaims/status"),
        rule("get list watch", "storage.k8s.io", "csidrivers"),
        rule("create delete get patch update", "storage.k8s.io", "csinodes"),
        rule("get list watch", "node.k8s.io", "runtimeclasses"),
        rule("get", "resource.k8s.io", "resourceclaims"),
        rule("deletecollection", "resource.k8s.io", "resourceslices"),
        rule("get list watch", "certificates.k8s.io", "clustertrustbundles"),
        rule("get", "core", "serviceaccounts"),
        rule("create get list watch", "certificates.k8s.io", "podcertificaterequests"),
    ),
    "system:node-bootstrapper": (
        rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
    ),
    "system:node-problem-detector": (
        rule("get", "core", "nodes"),
        rule("patch", "core", "nodes/status"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "system:node-proxier": (
        rule("list watch", "core", "endpoints services"),
        rule("get list watch", "core", "nodes"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("list watch", "networking.k8s.io", "servicecidrs"),
        rule("list watch", "discovery.k8s.io", "endpointslices"),
    ),
    "system:persistent-volume-provisioner": (
        rule("create delete get list watch", "core", "persistentvolumes"),
        rule("get list update watch", "core", "persistentvolumeclaims"),
        rule("get list watch", "storage.k8s.io", "storageclasses"),
        rule("watch", "core", "events"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "system:public-info-viewer": (url("get", "/healthz /livez /readyz /version /version/"),),
    "system:service-account-issuer-discovery": (
        url(
            "get",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
        ),
    ),
    "system:volume-scheduler": (
        rule("get list patch update watch", "core", "persistentvolumes"),
        rule("get list watch", "storage.k8s.io", "storageclasses"),
        rule("get list patch update watch", "core", "persistentvolumeclaims"),
    ),
}
# The controllers, by their service account in kube-system; each is bound to the role system:controller:NAME.
CONTROLLERS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "attachdetach-controller": (
        rule("list watch", "core", "persistentvolumeclaims persistentvolumes"),
        rule("get list watch", "core", "nodes"),
        rule("patch update", "core", "nodes/status"),
        rule("list watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("create delete get list watch", "storage.k8s.io", "volumeattachments"),
        rule("get list watch", "storage.k8s.io", "csidrivers"),
        rule("get list watch", "storage.k8s.io", "csinodes"),
    ),
    "certificate-controller": (
        rule("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        rule(
            "update",
            "certificates.k8s.io",
            "certificatesigningrequests/approval certificatesigningrequests/status",
        ),
        rule(
            "approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client-kubelet"
        ),
        rule(
            "sign",
            "certificates.k8s.io",
            "signers",
            names="kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
        ),
        rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "clusterrole-aggregation-controller": (
        rule("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "cronjob-controller": (
        rule("get list update watch", "batch", "cronjobs"),
        rule("create delete get list patch update watch", "batch", "jobs"),
        rule("update", "batch", "cronjobs/status"),
        rule("update", "batch", "cronjobs/finalizers"),
        rule("delete list watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "daemon-set-controller": (
        rule("get list watch", "apps extensions", "daemonsets"),
        rule("update", "apps extensions", "daemonsets/status"),
        rule("update", "apps extensions", "daemonsets/finalizers"),
        rule("list watch", "core", "nodes"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create", "core", "pods/binding"),
        rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "deployment-controller": (
        rule("get list update watch", "apps extensions", "deployments"),
        rule("update", "apps extensions", "deployments/status"),
        rule("update", "apps extensions", "deployments/finalizers"),
        rule("create delete get list patch update watch", "apps extensions", "replicasets"),
        rule("get list update watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "device-taint-eviction-controller": (
        rule("delete get list watch", "core", "pods"),
        rule("patch update", "core", "pods/status"),
        rule("get list watch", "resource.k8s.io", "resourceclaims"),
        rule("get list watch", "resource.k8s.io", "resourceslices"),
        rule("get list watch", "resource.k8s.io", "deviceclasses"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("patch update", "resource.k8s.io", "devicetaintrules/status"),
        rule("get list watch", "resource.k8s.io", "devicetaintrules"),
    ),
    "disruption-controller": (
        rule("get list watch", "apps extensions", "deployments"),
        rule("get list watch", "apps extensions", "replicasets"),
        rule("get list watch", "core", "replicationcontrollers"),
        rule("get list watch", "policy", "poddisruptionbudgets"),
        rule("get list watch", "apps", "statefulsets"),
        rule("update", "policy", "poddisruptionbudgets/status"),
        rule("patch update", "core", "pods/status"),
        rule("get", "*", "*/scale"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpoint-controller": (
        rule("get list watch", "core", "pods services"),
        rule("create delete get list update watch", "core", "endpoints"),
        rule("create", "core", "endpoints/restricted"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpointslice-controller": (
        rule("get list watch", "core", "nodes pods services"),
        rule("update", "core", "services/finalizers"),
        rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpointslicemirroring-controller": (
        rule("get list watch", "core", "endpoints services"),
        rule("update", "core", "services/finalizers"),
        rule("update", "core", "endpoints/finalizers"),
        rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "ephemeral-volume-controller": (
        rule("get list watch", "core", "pods"),
        rule("update", "core", "pods/finalizers"),
        rule("create get list watch", "core", "persistentvolumeclaims"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "expand-controller": (
        rule("get list patch update watch", "core", "persistentvolumes"),
        rule("patch update", "core", "persistentvolumeclaims/status"),
        rule("get list watch", "core", "persistentvolumeclaims"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "generic-garbage-collector": (
        rule("delete get list patch update watch", "*", "*"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "horizontal-pod-autoscaler": (
        rule("get list watch", "autoscaling", "horizontalpodautoscalers"),
        rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        rule("get update", "*", "*/scale"),
        rule("list watch", "core", "pods"),
        rule("list watch", "metrics.k8s.io", "pods"),
        rule("get list watch", "custom.metrics.k8s.io", "*"),
        rule("get list watch", "external.metrics.k8s.io", "*"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "job-controller": (
        rule("get list patch update watch", "batch", "jobs"),
        rule("update", "batch", "jobs/status"),
        rule("update", "batch", "jobs/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "kube-apiserver-serving-clustertrustbundle-publisher": (
        rule("attest", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-serving"),
        rule("create delete list update watch", "certificates.k8s.io", "clustertrustbundles"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "legacy-service-account-token-cleaner": (
        rule("get", "core", "configmaps", names="kube-apiserver-legacy-service-account-token-tracking"),
        rule("delete patch", "core", "secrets"),
    ),
    "namespace-controller": (
        rule("delete get list watch", "core", "namespaces"),
        rule("update", "core", "namespaces/finalize namespaces/status"),
        rule("delete deletecollection get list watch", "*", "*"),
    ),
    "node-controller": (
        rule("delete get list patch update watch", "core", "nodes"),
        rule("patch update", "core", "nodes/status"),
        rule("patch update", "core", "pods/status"),
        rule("delete get list watch", "core", "pods"),
        rule("get list watch", "coordination.k8s.io", "leases"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "persistent-volume-binder": (
        rule("create delete get list update watch", "core", "persistentvolumes"),
        rule("update", "core", "persistentvolumes/status"),
        rule("get list update watch", "core", "persistentvolumeclaims"),
        rule("update", "core", "persistentvolumeclaims/status"),
        rule("create delete get list watch", "core", "pods"),
        rule("get list watch", "storage.k8s.io", "storageclasses"),
        rule("list watch", "core", "nodes"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("watch", "core", "events"),
    ),
    "pod-garbage-collector": (
        rule("delete list watch", "core", "pods"),
        rule("get list watch", "core", "nodes"),
        rule("patch", "core", "pods/status"),
    ),
    "podcertificaterequestcleaner": (
        rule("delete get list watch", "certificates.k8s.io", "podcertificaterequests"),
    ),
    "pv-protection-controller": (
        rule("get list update watch", "core", "persistentvolumes"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "pvc-protection-controller": (
        rule("get list update watch", "core", "persistentvolumeclaims"),
        rule("update", "core", "persistentvolumeclaims/status"),
        rule("get list watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "replicaset-controller": (
        rule("get list update watch", "apps extensions", "replicasets"),
        rule("update", "apps extensions", "replicasets/status"),
        rule("update", "apps extensions", "replicasets/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "replication-controller": (
        rule("get list update watch", "core", "replicationcontrollers"),
        rule("update", "core", "replicationcontrollers/status"),
        rule("update", "core", "replicationcontrollers/finalizers"),
        rule("create delete list patch watch", "core", "pods"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "resource-claim-controller": (
        rule("get list watch", "core", "pods"),
        rule("update", "core", "pods/finalizers"),
        rule("create delete get list watch", "resource.k8s.io", "resourceclaims"),
        rule("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
        rule("patch update", "core", "pods/status"),
        rule("create patch update", "core events.k8s.io", "events"),
        rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
    ),
    "resourcequota-controller": (
        rule("list watch", "*", "*"),
        rule("update", "core", "resourcequotas/status"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "root-ca-cert-publisher": (
        rule("create update", "core", "configmaps"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "route-controller": (
        rule("list watch", "core", "nodes"),
        rule("patch", "core", "nodes/status"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "selinux-warning-controller": (
        rule("create patch update", "core events.k8s.io", "events"),
        rule("get list watch", "core", "persistentvolumes"),
        rule("get list watch", "core", "persistentvolumeclaims"),
        rule("get list watch", "core", "pods"),
        rule("get list watch", "storage.k8s.io", "csidrivers"),
    ),
    "service-account-controller": (
        rule("create", "core", "serviceaccounts"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "service-cidrs-controller": (
        rule("get list patch update watch", "networking.k8s.io", "servicecidrs"),
        rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"),
        rule("patch update", "networking.k8s.io", "servicecidrs/status"),
        rule("get list watch", "networking.k8s.io", "ipaddresses"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "service-controller": (
        rule("get list watch", "core", "services"),
        rule("patch update", "core", "services/status"),
        rule("list watch", "core", "nodes"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "statefulset-controller": (
        rule("list watch", "core", "pods"),
        rule("get list watch", "apps", "statefulsets"),
        rule("update", "apps", "statefulsets/status"),
        rule("update", "apps", "statefulsets/finalizers"),
        rule("create delete get patch update", "core", "pods"),
        rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        rule("create get list watch", "core", "persistentvolumeclaims"),
        rule("delete update", "core", "persistentvolumeclaims"),
        rule("update", "core", "pods/finalizers"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "storage-version-migrator-controller": (
        rule("list patch", "*", "*"),
        rule("get", "apiextensions.k8s.io", "customresourcedefinitions"),
        rule("patch", "apiextensions.k8s.io", "customresourcedefinitions/status"),
        rule("update", "storagemigration.k8s.io", "storageversionmigrations/status"),
    ),
    "ttl-after-finished-controller": (
        rule("delete get list watch", "batch", "jobs"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "ttl-controller": (
        rule("list patch update watch", "core", "nodes"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "validatingadmissionpolicy-status-controller": (
        rule("get list watch", "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    "volumeattributesclass-protection-controller": (
        rule("get list watch", "core", "persistentvolumeclaims"),
        rule("get list watch", "core", "persistentvolumes"),
        rule("get list update watch", "storage.k8s.io", "volumeattributesclasses"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
}
# Role -> subjects, as "Kind name" words; the binding has the name of its role.
CLUSTER_ROLE_BINDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "cluster-admin": ("Group system:masters",),
    "system:basic-user": ("Group system:authenticated",),
    "system:cluster-trust-bundle-discovery": ("Group system:serviceaccounts",),
    "system:discovery": ("Group system:authenticated",),
    "system:kube-controller-manager": ("User system:kube-controller-manager",),
    "system:kube-dns": ("ServiceAccount kube-system/kube-dns",),
    "system:kube-scheduler": ("User system:kube-scheduler",),
    "system:monitoring": ("Group system:monitoring",),
    "system:node": (),
    "system:node-proxier": ("User system:kube-proxy",),
    "system:public-info-viewer": ("Group system:authenticated", "Group system:unauthenticated"),
    "system:service-account-issuer-discovery": ("Group system:serviceaccounts",),
    "system:volume-scheduler": ("User system:kube-scheduler",),
}
ROLES: Final[Mapping[tuple[str, str], tuple[Rule, ...]]] = {
    ("kube-public", "system:controller:bootstrap-signer"): (
        rule("get list watch", "core", "configmaps"),
        rule("update", "core", "configmaps", names="cluster-info"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
    ("kube-system", "extension-apiserver-authentication-reader"): (
        rule("get list watch", "core", "configmaps", names="extension-apiserver-authentication"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        rule("create get list update watch", "coordination.k8s.io", "leases"),
        rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        rule("create get list update watch", "coordination.k8s.io", "leases"),
        rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (rule("get list watch", "core", "secrets"),),
    ("kube-system", "system:controller:cloud-provider"): (
        rule("create get list watch", "core", "configmaps"),
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        rule("delete get list watch", "core", "secrets"),
        rule("create patch update", "core events.k8s.io", "events"),
    ),
}
# (namespace, binding) -> (role, subjects)
ROLE_BINDINGS: Final[Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]] = {
    ("kube-public", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        ("ServiceAccount kube-system/bootstrap-signer",),
    ),
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        ("User system:kube-controller-manager", "User system:kube-scheduler"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        (
            "User system:kube-controller-manager",
            "ServiceAccount kube-system/kube-controller-manager",
            "ServiceAccount kube-system/leader-election-controller",
        ),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        ("User system:kube-scheduler", "ServiceAccount kube-system/kube-scheduler"),
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (
        "system:controller:bootstrap-signer",
        ("ServiceAccount kube-system/bootstrap-signer",),
    ),
    ("kube-system", "system:controller:cloud-provider"): (
        "system:controller:cloud-provider",
        ("ServiceAccount kube-system/cloud-provider",),
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        "system:controller:token-cleaner",
        ("ServiceAccount kube-system/token-cleaner",),
    ),
}
