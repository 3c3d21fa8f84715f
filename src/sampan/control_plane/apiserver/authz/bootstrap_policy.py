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


def _rule(verbs: str, groups: str, resources: str, *, names: str = "") -> Rule:
    rule = {"verbs": verbs.split(), "apiGroups": _words(groups), "resources": resources.split()}
    return {**rule, "resourceNames": names.split()} if names else rule


def _url(verbs: str, urls: str) -> Rule:
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
        _rule("*", "*", "*"),
        _url("*", "*"),
    ),
    "system:aggregate-to-admin": (
        _rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
        _rule(
            "create delete deletecollection get list patch update watch",
            "rbac.authorization.k8s.io",
            "rolebindings roles",
        ),
    ),
    "system:aggregate-to-edit": (
        _rule(
            "get list watch",
            "core",
            "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy",
        ),
        _rule("impersonate", "core", "serviceaccounts"),
        _rule(
            "create delete deletecollection patch update",
            "core",
            "pods pods/attach pods/exec pods/portforward pods/proxy",
        ),
        _rule("create", "core", "pods/eviction"),
        _rule(
            "create delete deletecollection patch update",
            "core",
            "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
        ),
        _rule("create", "core", "serviceaccounts/token"),
        _rule("create delete deletecollection patch update", "core events.k8s.io", "events"),
        _rule(
            "create delete deletecollection patch update",
            "apps",
            "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
        ),
        _rule("create delete deletecollection patch update", "autoscaling", "horizontalpodautoscalers"),
        _rule("create delete deletecollection patch update", "batch", "cronjobs jobs"),
        _rule(
            "create delete deletecollection patch update",
            "extensions",
            "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
        ),
        _rule("create delete deletecollection patch update", "policy", "poddisruptionbudgets"),
        _rule(
            "create delete deletecollection patch update", "networking.k8s.io", "ingresses networkpolicies"
        ),
        _rule("create delete deletecollection get list patch update watch", "coordination.k8s.io", "leases"),
        _rule(
            "create delete deletecollection patch update",
            "resource.k8s.io",
            "resourceclaims resourceclaimtemplates",
        ),
    ),
    "system:aggregate-to-view": (
        _rule(
            "get list watch",
            "core",
            "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
        ),
        _rule(
            "get list watch",
            "core",
            "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
        ),
        _rule("get list watch", "core", "namespaces"),
        _rule("get list watch", "core events.k8s.io", "events"),
        _rule("get list watch", "discovery.k8s.io", "endpointslices"),
        _rule(
            "get list watch",
            "apps",
            "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
        ),
        _rule("get list watch", "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
        _rule("get list watch", "batch", "cronjobs cronjobs/status jobs jobs/status"),
        _rule(
            "get list watch",
            "extensions",
            "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
        ),
        _rule("get list watch", "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
        _rule("get list watch", "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
        _rule(
            "get list watch", "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"
        ),
    ),
    "system:auth-delegator": (
        _rule("create", "authentication.k8s.io", "tokenreviews"),
        _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
    ),
    "system:basic-user": (
        _rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        _rule("create", "authentication.k8s.io", "selfsubjectreviews"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        _rule("create", "certificates.k8s.io", "certificatesigningrequests/nodeclient"),
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        _rule("create", "certificates.k8s.io", "certificatesigningrequests/selfnodeclient"),
    ),
    "system:certificates.k8s.io:kube-apiserver-client-approver": (
        _rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client"),
    ),
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": (
        _rule(
            "approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client-kubelet"
        ),
    ),
    "system:certificates.k8s.io:kubelet-serving-approver": (
        _rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/kubelet-serving"),
    ),
    "system:certificates.k8s.io:legacy-unknown-approver": (
        _rule("approve", "certificates.k8s.io", "signers", names="kubernetes.io/legacy-unknown"),
    ),
    "system:cluster-trust-bundle-discovery": (
        _rule("get list watch", "certificates.k8s.io", "clustertrustbundles"),
    ),
    "system:discovery": (
        _url(
            "get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/"
        ),
    ),
    "system:heapster": (
        _rule("get list watch", "core", "events namespaces nodes pods"),
        _rule("get list watch", "extensions", "deployments"),
    ),
    "system:kube-aggregator": (_rule("get list watch", "core", "endpoints services"),),
    "system:kube-controller-manager": (
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("create", "coordination.k8s.io", "leases"),
        _rule("get update", "coordination.k8s.io", "leases", names="kube-controller-manager"),
        _rule("create", "core", "secrets serviceaccounts"),
        _rule("delete", "core", "secrets"),
        _rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
        _rule("update", "core", "secrets serviceaccounts"),
        _rule("create", "authentication.k8s.io", "tokenreviews"),
        _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        _rule("list watch", "*", "*"),
        _rule("create", "core", "serviceaccounts/token"),
    ),
    "system:kube-dns": (_rule("list watch", "core", "endpoints services"),),
    "system:kube-scheduler": (
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("create", "coordination.k8s.io", "leases"),
        _rule("get list update watch", "coordination.k8s.io", "leases", names="kube-scheduler"),
        _rule(
            "create delete deletecollection get list patch update watch",
            "coordination.k8s.io",
            "leasecandidates",
        ),
        _rule("get list watch", "core", "nodes"),
        _rule("delete get list watch", "core", "pods"),
        _rule("create", "core", "bindings pods/binding"),
        _rule("patch update", "core", "pods/status"),
        _rule("get list watch", "core", "replicationcontrollers services"),
        _rule("get list watch", "apps extensions", "replicasets"),
        _rule("get list watch", "apps", "statefulsets"),
        _rule("get list watch", "policy", "poddisruptionbudgets"),
        _rule("get list watch", "core", "persistentvolumeclaims persistentvolumes"),
        _rule("create", "authentication.k8s.io", "tokenreviews"),
        _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        _rule("get list watch", "storage.k8s.io", "csinodes"),
        _rule("get list watch", "storage.k8s.io", "volumeattachments"),
        _rule("get list watch", "core", "namespaces"),
        _rule("get list watch", "storage.k8s.io", "csidrivers"),
        _rule("get list watch", "storage.k8s.io", "csistoragecapacities"),
        _rule("get list watch", "resource.k8s.io", "deviceclasses"),
        _rule("get list patch update watch", "resource.k8s.io", "resourceclaims"),
        _rule("get list patch update watch", "resource.k8s.io", "resourceclaims/status"),
        _rule("update", "core", "pods/finalizers"),
        _rule("get list watch", "resource.k8s.io", "resourceslices"),
        _rule("create delete", "resource.k8s.io", "resourceclaims"),
        _rule("get list watch", "resource.k8s.io", "devicetaintrules"),
        _rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
    ),
    "system:kubelet-api-admin": (
        _rule("get list watch", "core", "nodes"),
        _rule("proxy", "core", "nodes"),
        _rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"),
        _rule("*", "core", "nodes/configz nodes/healthz nodes/pods"),
    ),
    "system:monitoring": (
        _url(
            "get",
            "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz",
        ),
        _rule("get", "core", "nodes/metrics"),
    ),
    "system:node": (
        _rule("create", "authentication.k8s.io", "tokenreviews"),
        _rule("create", "authorization.k8s.io", "localsubjectaccessreviews subjectaccessreviews"),
        _rule("get list watch", "core", "services"),
        _rule("create get list watch", "core", "nodes"),
        _rule("patch update", "core", "nodes/status"),
        _rule("patch update", "core", "nodes"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("get list watch", "core", "pods"),
        _rule("create delete", "core", "pods"),
        _rule("patch update", "core", "pods/status"),
        _rule("create", "core", "pods/eviction"),
        _rule("get list watch", "core", "configmaps secrets"),
        _rule("get", "core", "persistentvolumeclaims persistentvolumes"),
        _rule("get", "core", "endpoints"),
        _rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        _rule("create delete get patch update", "coordination.k8s.io", "leases"),
        _rule("get", "storage.k8s.io", "volumeattachments"),
        _rule("create", "core", "serviceaccounts/token"),
        _rule("get patch update", "core", "persistentvolumeclaims/status"),
        _rule("get list watch", "storage.k8s.io", "csidrivers"),
        _rule("create delete get patch update", "storage.k8s.io", "csinodes"),
        _rule("get list watch", "node.k8s.io", "runtimeclasses"),
        _rule("get", "resource.k8s.io", "resourceclaims"),
        _rule("deletecollection", "resource.k8s.io", "resourceslices"),
        _rule("get list watch", "certificates.k8s.io", "clustertrustbundles"),
        _rule("get", "core", "serviceaccounts"),
        _rule("create get list watch", "certificates.k8s.io", "podcertificaterequests"),
    ),
    "system:node-bootstrapper": (
        _rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
    ),
    "system:node-problem-detector": (
        _rule("get", "core", "nodes"),
        _rule("patch", "core", "nodes/status"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "system:node-proxier": (
        _rule("list watch", "core", "endpoints services"),
        _rule("get list watch", "core", "nodes"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("list watch", "networking.k8s.io", "servicecidrs"),
        _rule("list watch", "discovery.k8s.io", "endpointslices"),
    ),
    "system:persistent-volume-provisioner": (
        _rule("create delete get list watch", "core", "persistentvolumes"),
        _rule("get list update watch", "core", "persistentvolumeclaims"),
        _rule("get list watch", "storage.k8s.io", "storageclasses"),
        _rule("watch", "core", "events"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "system:public-info-viewer": (_url("get", "/healthz /livez /readyz /version /version/"),),
    "system:service-account-issuer-discovery": (
        _url(
            "get",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
        ),
    ),
    "system:volume-scheduler": (
        _rule("get list patch update watch", "core", "persistentvolumes"),
        _rule("get list watch", "storage.k8s.io", "storageclasses"),
        _rule("get list patch update watch", "core", "persistentvolumeclaims"),
    ),
}
# The controllers, by their service account in kube-system; each is bound to the role system:controller:NAME.
CONTROLLERS: Final[Mapping[str, tuple[Rule, ...]]] = {
    "attachdetach-controller": (
        _rule("list watch", "core", "persistentvolumeclaims persistentvolumes"),
        _rule("get list watch", "core", "nodes"),
        _rule("patch update", "core", "nodes/status"),
        _rule("list watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("create delete get list watch", "storage.k8s.io", "volumeattachments"),
        _rule("get list watch", "storage.k8s.io", "csidrivers"),
        _rule("get list watch", "storage.k8s.io", "csinodes"),
    ),
    "certificate-controller": (
        _rule("delete get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        _rule(
            "update",
            "certificates.k8s.io",
            "certificatesigningrequests/approval certificatesigningrequests/status",
        ),
        _rule(
            "approve", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-client-kubelet"
        ),
        _rule(
            "sign",
            "certificates.k8s.io",
            "signers",
            names="kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown",
        ),
        _rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "clusterrole-aggregation-controller": (
        _rule("escalate get list patch update watch", "rbac.authorization.k8s.io", "clusterroles"),
    ),
    "cronjob-controller": (
        _rule("get list update watch", "batch", "cronjobs"),
        _rule("create delete get list patch update watch", "batch", "jobs"),
        _rule("update", "batch", "cronjobs/status"),
        _rule("update", "batch", "cronjobs/finalizers"),
        _rule("delete list watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "daemon-set-controller": (
        _rule("get list watch", "apps extensions", "daemonsets"),
        _rule("update", "apps extensions", "daemonsets/status"),
        _rule("update", "apps extensions", "daemonsets/finalizers"),
        _rule("list watch", "core", "nodes"),
        _rule("create delete list patch watch", "core", "pods"),
        _rule("create", "core", "pods/binding"),
        _rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "deployment-controller": (
        _rule("get list update watch", "apps extensions", "deployments"),
        _rule("update", "apps extensions", "deployments/status"),
        _rule("update", "apps extensions", "deployments/finalizers"),
        _rule("create delete get list patch update watch", "apps extensions", "replicasets"),
        _rule("get list update watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "device-taint-eviction-controller": (
        _rule("delete get list watch", "core", "pods"),
        _rule("patch update", "core", "pods/status"),
        _rule("get list watch", "resource.k8s.io", "resourceclaims"),
        _rule("get list watch", "resource.k8s.io", "resourceslices"),
        _rule("get list watch", "resource.k8s.io", "deviceclasses"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("patch update", "resource.k8s.io", "devicetaintrules/status"),
        _rule("get list watch", "resource.k8s.io", "devicetaintrules"),
    ),
    "disruption-controller": (
        _rule("get list watch", "apps extensions", "deployments"),
        _rule("get list watch", "apps extensions", "replicasets"),
        _rule("get list watch", "core", "replicationcontrollers"),
        _rule("get list watch", "policy", "poddisruptionbudgets"),
        _rule("get list watch", "apps", "statefulsets"),
        _rule("update", "policy", "poddisruptionbudgets/status"),
        _rule("patch update", "core", "pods/status"),
        _rule("get", "*", "*/scale"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpoint-controller": (
        _rule("get list watch", "core", "pods services"),
        _rule("create delete get list update watch", "core", "endpoints"),
        _rule("create", "core", "endpoints/restricted"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpointslice-controller": (
        _rule("get list watch", "core", "nodes pods services"),
        _rule("update", "core", "services/finalizers"),
        _rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "endpointslicemirroring-controller": (
        _rule("get list watch", "core", "endpoints services"),
        _rule("update", "core", "services/finalizers"),
        _rule("update", "core", "endpoints/finalizers"),
        _rule("create delete get list update watch", "discovery.k8s.io", "endpointslices"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "ephemeral-volume-controller": (
        _rule("get list watch", "core", "pods"),
        _rule("update", "core", "pods/finalizers"),
        _rule("create get list watch", "core", "persistentvolumeclaims"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "expand-controller": (
        _rule("get list patch update watch", "core", "persistentvolumes"),
        _rule("patch update", "core", "persistentvolumeclaims/status"),
        _rule("get list watch", "core", "persistentvolumeclaims"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "generic-garbage-collector": (
        _rule("delete get list patch update watch", "*", "*"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "horizontal-pod-autoscaler": (
        _rule("get list watch", "autoscaling", "horizontalpodautoscalers"),
        _rule("update", "autoscaling", "horizontalpodautoscalers/status"),
        _rule("get update", "*", "*/scale"),
        _rule("list watch", "core", "pods"),
        _rule("list watch", "metrics.k8s.io", "pods"),
        _rule("get list watch", "custom.metrics.k8s.io", "*"),
        _rule("get list watch", "external.metrics.k8s.io", "*"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "job-controller": (
        _rule("get list patch update watch", "batch", "jobs"),
        _rule("update", "batch", "jobs/status"),
        _rule("update", "batch", "jobs/finalizers"),
        _rule("create delete list patch watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "kube-apiserver-serving-clustertrustbundle-publisher": (
        _rule("attest", "certificates.k8s.io", "signers", names="kubernetes.io/kube-apiserver-serving"),
        _rule("create delete list update watch", "certificates.k8s.io", "clustertrustbundles"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "legacy-service-account-token-cleaner": (
        _rule("get", "core", "configmaps", names="kube-apiserver-legacy-service-account-token-tracking"),
        _rule("delete patch", "core", "secrets"),
    ),
    "namespace-controller": (
        _rule("delete get list watch", "core", "namespaces"),
        _rule("update", "core", "namespaces/finalize namespaces/status"),
        _rule("delete deletecollection get list watch", "*", "*"),
    ),
    "node-controller": (
        _rule("delete get list patch update watch", "core", "nodes"),
        _rule("patch update", "core", "nodes/status"),
        _rule("patch update", "core", "pods/status"),
        _rule("delete get list watch", "core", "pods"),
        _rule("get list watch", "coordination.k8s.io", "leases"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "persistent-volume-binder": (
        _rule("create delete get list update watch", "core", "persistentvolumes"),
        _rule("update", "core", "persistentvolumes/status"),
        _rule("get list update watch", "core", "persistentvolumeclaims"),
        _rule("update", "core", "persistentvolumeclaims/status"),
        _rule("create delete get list watch", "core", "pods"),
        _rule("get list watch", "storage.k8s.io", "storageclasses"),
        _rule("list watch", "core", "nodes"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("watch", "core", "events"),
    ),
    "pod-garbage-collector": (
        _rule("delete list watch", "core", "pods"),
        _rule("get list watch", "core", "nodes"),
        _rule("patch", "core", "pods/status"),
    ),
    "podcertificaterequestcleaner": (
        _rule("delete get list watch", "certificates.k8s.io", "podcertificaterequests"),
    ),
    "pv-protection-controller": (
        _rule("get list update watch", "core", "persistentvolumes"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "pvc-protection-controller": (
        _rule("get list update watch", "core", "persistentvolumeclaims"),
        _rule("update", "core", "persistentvolumeclaims/status"),
        _rule("get list watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "replicaset-controller": (
        _rule("get list update watch", "apps extensions", "replicasets"),
        _rule("update", "apps extensions", "replicasets/status"),
        _rule("update", "apps extensions", "replicasets/finalizers"),
        _rule("create delete list patch watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "replication-controller": (
        _rule("get list update watch", "core", "replicationcontrollers"),
        _rule("update", "core", "replicationcontrollers/status"),
        _rule("update", "core", "replicationcontrollers/finalizers"),
        _rule("create delete list patch watch", "core", "pods"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "resource-claim-controller": (
        _rule("get list watch", "core", "pods"),
        _rule("update", "core", "pods/finalizers"),
        _rule("create delete get list watch", "resource.k8s.io", "resourceclaims"),
        _rule("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"),
        _rule("patch update", "core", "pods/status"),
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("patch update", "resource.k8s.io", "resourceclaims/binding"),
    ),
    "resourcequota-controller": (
        _rule("list watch", "*", "*"),
        _rule("update", "core", "resourcequotas/status"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "root-ca-cert-publisher": (
        _rule("create update", "core", "configmaps"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "route-controller": (
        _rule("list watch", "core", "nodes"),
        _rule("patch", "core", "nodes/status"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "selinux-warning-controller": (
        _rule("create patch update", "core events.k8s.io", "events"),
        _rule("get list watch", "core", "persistentvolumes"),
        _rule("get list watch", "core", "persistentvolumeclaims"),
        _rule("get list watch", "core", "pods"),
        _rule("get list watch", "storage.k8s.io", "csidrivers"),
    ),
    "service-account-controller": (
        _rule("create", "core", "serviceaccounts"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "service-cidrs-controller": (
        _rule("get list patch update watch", "networking.k8s.io", "servicecidrs"),
        _rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"),
        _rule("patch update", "networking.k8s.io", "servicecidrs/status"),
        _rule("get list watch", "networking.k8s.io", "ipaddresses"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "service-controller": (
        _rule("get list watch", "core", "services"),
        _rule("patch update", "core", "services/status"),
        _rule("list watch", "core", "nodes"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "statefulset-controller": (
        _rule("list watch", "core", "pods"),
        _rule("get list watch", "apps", "statefulsets"),
        _rule("update", "apps", "statefulsets/status"),
        _rule("update", "apps", "statefulsets/finalizers"),
        _rule("create delete get patch update", "core", "pods"),
        _rule("create delete get list patch update watch", "apps", "controllerrevisions"),
        _rule("create get list watch", "core", "persistentvolumeclaims"),
        _rule("delete update", "core", "persistentvolumeclaims"),
        _rule("update", "core", "pods/finalizers"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "storage-version-migrator-controller": (
        _rule("list patch", "*", "*"),
        _rule("get", "apiextensions.k8s.io", "customresourcedefinitions"),
        _rule("patch", "apiextensions.k8s.io", "customresourcedefinitions/status"),
        _rule("update", "storagemigration.k8s.io", "storageversionmigrations/status"),
    ),
    "ttl-after-finished-controller": (
        _rule("delete get list watch", "batch", "jobs"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "ttl-controller": (
        _rule("list patch update watch", "core", "nodes"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "validatingadmissionpolicy-status-controller": (
        _rule("get list watch", "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        _rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    "volumeattributesclass-protection-controller": (
        _rule("get list watch", "core", "persistentvolumeclaims"),
        _rule("get list watch", "core", "persistentvolumes"),
        _rule("get list update watch", "storage.k8s.io", "volumeattributesclasses"),
        _rule("create patch update", "core events.k8s.io", "events"),
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
        _rule("get list watch", "core", "configmaps"),
        _rule("update", "core", "configmaps", names="cluster-info"),
        _rule("create patch update", "core events.k8s.io", "events"),
    ),
    ("kube-system", "extension-apiserver-authentication-reader"): (
        _rule("get list watch", "core", "configmaps", names="extension-apiserver-authentication"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        _rule("create get list update watch", "coordination.k8s.io", "leases"),
        _rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        _rule("create get list update watch", "coordination.k8s.io", "leases"),
        _rule("create get list update watch", "coordination.k8s.io", "leasecandidates"),
    ),
    ("kube-system", "system:controller:bootstrap-signer"): (_rule("get list watch", "core", "secrets"),),
    ("kube-system", "system:controller:cloud-provider"): (
        _rule("create get list watch", "core", "configmaps"),
    ),
    ("kube-system", "system:controller:token-cleaner"): (
        _rule("delete get list watch", "core", "secrets"),
        _rule("create patch update", "core events.k8s.io", "events"),
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
