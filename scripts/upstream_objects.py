"""The sample objects that record_upstream.py creates on a real kube-apiserver, in this order."""

from __future__ import annotations

import base64
import copy
from typing import Any, NamedTuple

Json = dict[str, Any]

CORE = "/api/v1"
HERE = "/api/v1/namespaces/default"
PAST = "2025-01-02T03:04:05Z"
LATER = "2025-01-02T03:14:05Z"


class Sample(NamedTuple):
    """`status` is patched in after the create; with `delete` the object is left terminating."""

    name: str
    collection: str
    body: Json
    status: Json | None = None
    delete: bool = False


def group(name: str, *, namespaced: bool = True) -> str:
    return f"/apis/{name}/namespaces/default" if namespaced else f"/apis/{name}"


def made(api_version: str, kind: str, name: str, **fields: Any) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def container(name: str = "app", **fields: Any) -> Json:
    return {"name": name, "image": "registry.example/app:1", **fields}


def template(**fields: Any) -> Json:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container()], **fields}}


SELECTOR = {"matchLabels": {"app": "web"}}


def pod(name: str, status: Json | None = None, *, delete: bool = False, **spec: Any) -> Sample:
    spec.setdefault("containers", [container()])
    return Sample(f"pod-{name}", f"{HERE}/pods", made("v1", "Pod", name, spec=spec), status, delete)


def ran(
    name: str = "app", state: Json | None = None, *, ready: bool = True, restarts: int = 0, **fields: Any
) -> Json:
    return {
        "name": name,
        "image": "registry.example/app:1",
        "imageID": "sha256:0",
        "ready": ready,
        "restartCount": restarts,
        "state": state or {"running": {"startedAt": PAST}},
        **fields,
    }


def ended(code: int, reason: str = "", **fields: Any) -> Json:
    reasons = {"reason": reason} if reason else {}
    return {"terminated": {"exitCode": code, "startedAt": PAST, "finishedAt": LATER, **reasons, **fields}}


def waiting(reason: str) -> Json:
    return {"waiting": {"reason": reason}}


def condition(kind: str, status: str = "True", **fields: Any) -> Json:
    return {"type": kind, "status": status, "lastTransitionTime": PAST, **fields}


AZURE_DISK = "https://account.blob.core.windows.net/container/disk.vhd"

FULL_POD: Json = {
    "serviceAccountName": "bot",
    "initContainers": [container("setup", command=["true"]), container("side", restartPolicy="Always")],
    "containers": [
        container(
            ports=[{"containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}],
            env=[
                {"name": "A", "value": "1"},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "D", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            ],
            livenessProbe={"httpGet": {"port": 80}},
            readinessProbe={"tcpSocket": {"port": "dns"}},
            startupProbe={"exec": {"command": ["true"]}},
            lifecycle={"preStop": {"httpGet": {"port": 80}}},
            resources={"limits": {"cpu": "0.5", "memory": "1024Ki"}},
            volumeMounts=[{"name": "data", "mountPath": "/data"}],
        ),
        container("grpc", image="registry.example/app", livenessProbe={"grpc": {"port": 9}}),
    ],
    "volumes": [
        {"name": "data", "emptyDir": {}},
        {"name": "none"},
        {"name": "conf", "configMap": {"name": "c"}},
        {"name": "secret", "secret": {"secretName": "s"}},
        {"name": "host", "hostPath": {"path": "/tmp"}},
        {
            "name": "down",
            "downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        },
        {
            "name": "all",
            "projected": {
                "sources": [
                    {"serviceAccountToken": {"path": "token"}},
                    {"configMap": {"name": "c"}},
                    {"downwardAPI": {"items": [{"path": "n", "fieldRef": {"fieldPath": "metadata.name"}}]}},
                ]
            },
        },
        {
            "name": "iscsi",
            "iscsi": {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:disk", "lun": 1},
        },
        {"name": "rbd", "rbd": {"monitors": ["10.0.0.1"], "image": "i"}},
        {"name": "azure", "azureDisk": {"diskName": "d", "diskURI": AZURE_DISK}},
        {
            "name": "scale",
            "scaleIO": {"gateway": "g", "system": "s", "secretRef": {"name": "s"}, "volumeName": "v"},
        },
        {
            "name": "eph",
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
                }
            },
        },
    ],
    "securityContext": {"runAsUser": 1000},
    "hostNetwork": False,
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": SELECTOR}
    ],
    "tolerations": [{"key": "k", "operator": "Exists"}],
}

PODS = (
    pod("bare"),
    pod("full", **copy.deepcopy(FULL_POD)),
    pod("hostnet", hostNetwork=True, containers=[container(ports=[{"containerPort": 80}])]),
    pod(
        "running",
        {
            "phase": "Running",
            "podIP": "10.244.0.5",
            "podIPs": [{"ip": "10.244.0.5"}],
            "conditions": [condition("Ready")],
            "containerStatuses": [ran(restarts=3, lastState=ended(1, "Error"))],
        },
        nodeName="node-a",
    ),
    pod(
        "crashing",
        {
            "phase": "Running",
            "containerStatuses": [
                ran(state=waiting("CrashLoopBackOff"), ready=False, restarts=5, lastState=ended(1))
            ],
        },
    ),
    pod(
        "initialising",
        {
            "phase": "Pending",
            "initContainerStatuses": [ran("setup", ready=False)],
            "containerStatuses": [ran(state=waiting("PodInitializing"), ready=False)],
        },
        initContainers=[container("setup"), container("second")],
    ),
    pod(
        "init-failed",
        {
            "phase": "Pending",
            "initContainerStatuses": [
                ran("setup", ended(3, "Error"), ready=False, restarts=2, lastState=ended(3))
            ],
            "containerStatuses": [ran(state=waiting("PodInitializing"), ready=False)],
        },
        initContainers=[container("setup")],
    ),
    pod(
        "init-waiting",
        {
            "phase": "Pending",
            "initContainerStatuses": [ran("setup", waiting("ImagePullBackOff"), ready=False)],
            "containerStatuses": [ran(state=waiting("PodInitializing"), ready=False)],
        },
        initContainers=[container("setup")],
    ),
    pod(
        "sidecar",
        {
            "phase": "Running",
            "conditions": [condition("Ready")],
            "initContainerStatuses": [ran("side", restarts=1, started=True, lastState=ended(0))],
            "containerStatuses": [ran()],
        },
        initContainers=[container("side", restartPolicy="Always")],
    ),
    pod(
        "completed",
        {"phase": "Succeeded", "containerStatuses": [ran(state=ended(0, "Completed"), ready=False)]},
    ),
    pod("errored", {"phase": "Failed", "containerStatuses": [ran(state=ended(1, "Error"), ready=False)]}),
    pod("exit-code", {"phase": "Failed", "containerStatuses": [ran(state=ended(2), ready=False)]}),
    pod(
        "signalled", {"phase": "Failed", "containerStatuses": [ran(state=ended(137, signal=9), ready=False)]}
    ),
    pod(
        "evicted",
        {"phase": "Failed", "reason": "Evicted", "message": "the node was low on resource: memory."},
    ),
    pod(
        "half-done",
        {
            "phase": "Running",
            "conditions": [condition("Ready")],
            "containerStatuses": [ran("app", ended(0, "Completed"), ready=False), ran("two")],
        },
        containers=[container(), container("two")],
    ),
    pod(
        "not-ready-half-done",
        {
            "phase": "Running",
            "conditions": [condition("Ready", "False")],
            "containerStatuses": [ran("app", ended(0, "Completed"), ready=False), ran("two")],
        },
        containers=[container(), container("two")],
    ),
    pod("gated", {"phase": "Pending"}, schedulingGates=[{"name": "example.com/hold"}]),
    pod(
        "gated-condition",
        {"phase": "Pending", "conditions": [condition("PodScheduled", "False", reason="SchedulingGated")]},
        schedulingGates=[{"name": "example.com/hold"}],
    ),
    pod("terminating", {"phase": "Running", "containerStatuses": [ran()]}, delete=True, nodeName="node-a"),
    pod("lost", {"phase": "Running", "reason": "NodeLost"}, delete=True, nodeName="node-a"),
    pod(
        "readiness-gate",
        {
            "phase": "Running",
            "nominatedNodeName": "node-b",
            "conditions": [condition("example.com/ready"), condition("example.com/other", "False")],
            "containerStatuses": [ran()],
        },
        readinessGates=[{"conditionType": "example.com/ready"}, {"conditionType": "example.com/other"}],
    ),
)

APPS = group("apps/v1")
WORKLOADS = (
    Sample(
        "deployment",
        f"{APPS}/deployments",
        made("apps/v1", "Deployment", "web", spec={"selector": SELECTOR, "template": template()}),
        {"replicas": 3, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1},
    ),
    Sample(
        "deployment-recreate",
        f"{APPS}/deployments",
        made(
            "apps/v1",
            "Deployment",
            "recreate",
            spec={
                "replicas": 0,
                "selector": SELECTOR,
                "strategy": {"type": "Recreate"},
                "template": template(**copy.deepcopy(FULL_POD)),
            },
        ),
    ),
    Sample(
        "deployment-surge",
        f"{APPS}/deployments",
        made(
            "apps/v1",
            "Deployment",
            "surge",
            spec={
                "selector": SELECTOR,
                "strategy": {"rollingUpdate": {"maxSurge": 1}},
                "template": template(),
            },
        ),
    ),
    Sample(
        "replicaset",
        f"{APPS}/replicasets",
        made("apps/v1", "ReplicaSet", "web", spec={"selector": SELECTOR, "template": template()}),
        {"replicas": 1, "readyReplicas": 1},
    ),
    Sample(
        "statefulset",
        f"{APPS}/statefulsets",
        made(
            "apps/v1",
            "StatefulSet",
            "db",
            spec={
                "selector": SELECTOR,
                "serviceName": "db",
                "template": template(),
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "1Gi"}},
                        },
                    }
                ],
            },
        ),
        {"replicas": 1, "readyReplicas": 1},
    ),
    Sample(
        "daemonset",
        f"{APPS}/daemonsets",
        made(
            "apps/v1",
            "DaemonSet",
            "agent",
            spec={"selector": SELECTOR, "template": template(nodeSelector={"a": "b"})},
        ),
        {
            "currentNumberScheduled": 2,
            "desiredNumberScheduled": 3,
            "numberMisscheduled": 0,
            "numberReady": 1,
            "updatedNumberScheduled": 2,
            "numberAvailable": 1,
        },
    ),
    Sample(
        "controllerrevision",
        f"{APPS}/controllerrevisions",
        made("apps/v1", "ControllerRevision", "agent-1", revision=1, data={"spec": {"a": "b"}}),
    ),
    Sample(
        "replicationcontroller",
        f"{HERE}/replicationcontrollers",
        made("v1", "ReplicationController", "rc", spec={"template": template()}),
        {"replicas": 1},
    ),
    Sample("podtemplate", f"{HERE}/podtemplates", made("v1", "PodTemplate", "pt", template=template())),
    Sample(
        "job",
        f"{group('batch/v1')}/jobs",
        made(
            "batch/v1",
            "Job",
            "once",
            spec={"template": {"spec": {"containers": [container()], "restartPolicy": "Never"}}},
        ),
        {"active": 1, "startTime": PAST},
    ),
    Sample(
        "job-complete",
        f"{group('batch/v1')}/jobs",
        made(
            "batch/v1",
            "Job",
            "done",
            spec={
                "parallelism": 2,
                "completions": 3,
                "completionMode": "Indexed",
                "backoffLimitPerIndex": 1,
                "podFailurePolicy": {
                    "rules": [
                        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
                    ]
                },
                "template": {"spec": {"containers": [container()], "restartPolicy": "Never"}},
            },
        ),
        {
            "succeeded": 3,
            "startTime": PAST,
            "completionTime": LATER,
            "completedIndexes": "0-2",
            "uncountedTerminatedPods": {},
            "conditions": [condition("SuccessCriteriaMet"), condition("Complete")],
        },
    ),
    Sample(
        "job-work-queue",
        f"{group('batch/v1')}/jobs",
        made(
            "batch/v1",
            "Job",
            "queue",
            spec={
                "parallelism": 2,
                "template": {"spec": {"containers": [container()], "restartPolicy": "OnFailure"}},
            },
        ),
        {"active": 2, "startTime": PAST},
    ),
    Sample(
        "cronjob",
        f"{group('batch/v1')}/cronjobs",
        made(
            "batch/v1",
            "CronJob",
            "nightly",
            spec={
                "schedule": "0 3 * * *",
                "jobTemplate": {
                    "spec": {
                        "template": {"spec": {"containers": [container()], "restartPolicy": "OnFailure"}}
                    }
                },
            },
        ),
        {"lastScheduleTime": PAST, "active": [{"kind": "Job", "name": "nightly-1", "namespace": "default"}]},
    ),
    Sample(
        "cronjob-zone",
        f"{group('batch/v1')}/cronjobs",
        made(
            "batch/v1",
            "CronJob",
            "zoned",
            spec={
                "schedule": "*/5 * * * *",
                "timeZone": "Europe/Paris",
                "suspend": True,
                "jobTemplate": {
                    "spec": {"template": {"spec": {"containers": [container()], "restartPolicy": "Never"}}}
                },
            },
        ),
    ),
)


def service(name: str, address: str, status: Json | None = None, **spec: Any) -> Sample:
    spec.setdefault("ports", [{"port": 80}])
    if address:
        spec["clusterIP"] = address
    return Sample(f"service-{name}", f"{HERE}/services", made("v1", "Service", name, spec=spec), status)


NETWORK = (
    service("cluster-ip", "10.96.1.1", selector={"app": "web"}),
    service(
        "ports",
        "10.96.1.2",
        ports=[
            {"name": "http", "port": 80, "targetPort": "http"},
            {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 5353},
        ],
        selector={"app": "web", "tier": "x"},
        sessionAffinity="ClientIP",
    ),
    service("headless", "None", selector={"app": "web"}),
    service("headless-bare", "None", ports=[]),
    service("node-port", "10.96.1.3", type="NodePort", ports=[{"port": 80, "nodePort": 30080}]),
    service(
        "load-balancer",
        "10.96.1.4",
        {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}, {"hostname": "lb.example"}]}},
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        healthCheckNodePort=30999,
        ports=[{"port": 443, "nodePort": 30443}],
    ),
    service(
        "load-balancer-pending", "10.96.1.5", type="LoadBalancer", ports=[{"port": 443, "nodePort": 30444}]
    ),
    service("external-name", "", type="ExternalName", externalName="db.example", ports=[]),
    service("external-ips", "10.96.1.6", externalIPs=["192.0.2.1"]),
    Sample(
        "endpoints",
        f"{HERE}/endpoints",
        made(
            "v1",
            "Endpoints",
            "manual",
            subsets=[
                {
                    "addresses": [{"ip": f"10.1.0.{n}"} for n in range(1, 6)],
                    "ports": [{"port": 80, "name": "http"}, {"port": 443, "name": "https"}],
                }
            ],
        ),
    ),
    Sample("endpoints-empty", f"{HERE}/endpoints", made("v1", "Endpoints", "nobody")),
    Sample(
        "endpointslice",
        f"{group('discovery.k8s.io/v1')}/endpointslices",
        made(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "web-1",
            addressType="IPv4",
            endpoints=[{"addresses": [f"10.1.0.{n}"], "conditions": {"ready": True}} for n in range(1, 6)],
            ports=[{"port": 80, "name": "http"}, {"port": 53, "protocol": "UDP", "name": "dns"}],
        ),
    ),
    Sample(
        "endpointslice-empty",
        f"{group('discovery.k8s.io/v1')}/endpointslices",
        made("discovery.k8s.io/v1", "EndpointSlice", "none-1", addressType="IPv4", endpoints=[], ports=[{}]),
    ),
    Sample(
        "ingress",
        f"{group('networking.k8s.io/v1')}/ingresses",
        made(
            "networking.k8s.io/v1",
            "Ingress",
            "web",
            spec={
                "ingressClassName": "nginx",
                "tls": [{"hosts": ["a.example"], "secretName": "tls"}],
                "rules": [
                    {
                        "host": host,
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "web", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                    for host in ("a.example", "b.example", "c.example", "d.example")
                ],
            },
        ),
        {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}},
    ),
    Sample(
        "ingress-default-backend",
        f"{group('networking.k8s.io/v1')}/ingresses",
        made(
            "networking.k8s.io/v1",
            "Ingress",
            "plain",
            spec={"defaultBackend": {"service": {"name": "web", "port": {"name": "http"}}}},
        ),
    ),
    Sample(
        "ingressclass",
        f"{group('networking.k8s.io/v1', namespaced=False)}/ingressclasses",
        made(
            "networking.k8s.io/v1",
            "IngressClass",
            "nginx",
            spec={
                "controller": "example.com/nginx",
                "parameters": {"kind": "Config", "name": "c", "apiGroup": "example.com"},
            },
        ),
    ),
    Sample(
        "networkpolicy",
        f"{group('networking.k8s.io/v1')}/networkpolicies",
        made(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "allow",
            spec={
                "podSelector": {
                    "matchLabels": {"app": "web"},
                    "matchExpressions": [{"key": "t", "operator": "In", "values": ["b", "a"]}],
                },
                "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}],
            },
        ),
    ),
    Sample(
        "networkpolicy-egress",
        f"{group('networking.k8s.io/v1')}/networkpolicies",
        made("networking.k8s.io/v1", "NetworkPolicy", "egress", spec={"podSelector": {}, "egress": [{}]}),
    ),
)

SCALING = (
    Sample(
        "hpa-v2",
        f"{group('autoscaling/v2')}/horizontalpodautoscalers",
        made(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "web",
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "maxReplicas": 5,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "averageUtilization": 50},
                        },
                    },
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "memory",
                            "target": {"type": "AverageValue", "averageValue": "100Mi"},
                        },
                    },
                    {
                        "type": "Pods",
                        "pods": {
                            "metric": {"name": "rps"},
                            "target": {"type": "AverageValue", "averageValue": "10"},
                        },
                    },
                ],
            },
        ),
        {
            "currentReplicas": 2,
            "desiredReplicas": 2,
            "currentMetrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "current": {"averageUtilization": 20, "averageValue": "20m"}},
                }
            ],
            "conditions": [condition("AbleToScale")],
        },
    ),
    Sample(
        "hpa-v2-behavior",
        f"{group('autoscaling/v2')}/horizontalpodautoscalers",
        made(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "behaving",
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "maxReplicas": 5,
                "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
            },
        ),
    ),
    Sample(
        "hpa-v1",
        f"{group('autoscaling/v1')}/horizontalpodautoscalers",
        made(
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            "old",
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "maxReplicas": 3,
            },
        ),
    ),
    Sample(
        "pdb",
        f"{group('policy/v1')}/poddisruptionbudgets",
        made("policy/v1", "PodDisruptionBudget", "web", spec={"minAvailable": 1, "selector": SELECTOR}),
        {"currentHealthy": 2, "desiredHealthy": 1, "disruptionsAllowed": 1, "expectedPods": 2},
    ),
    Sample(
        "pdb-max-unavailable",
        f"{group('policy/v1')}/poddisruptionbudgets",
        made(
            "policy/v1", "PodDisruptionBudget", "half", spec={"maxUnavailable": "50%", "selector": SELECTOR}
        ),
    ),
    Sample(
        "priorityclass",
        f"{group('scheduling.k8s.io/v1', namespaced=False)}/priorityclasses",
        made("scheduling.k8s.io/v1", "PriorityClass", "high", value=1000),
    ),
    Sample(
        "lease",
        f"{group('coordination.k8s.io/v1')}/leases",
        made(
            "coordination.k8s.io/v1",
            "Lease",
            "lock",
            spec={
                "holderIdentity": "me",
                "leaseDurationSeconds": 15,
                "renewTime": "2025-01-02T03:04:05.000000Z",
            },
        ),
    ),
    Sample(
        "resourcequota",
        f"{HERE}/resourcequotas",
        made(
            "v1",
            "ResourceQuota",
            "limits",
            spec={"hard": {"pods": "100", "requests.cpu": "10", "limits.memory": "1000Mi"}},
        ),
        {
            "hard": {"pods": "100", "requests.cpu": "10", "limits.memory": "1000Mi"},
            "used": {"pods": "3", "requests.cpu": "500m", "limits.memory": "0"},
        },
    ),
    Sample(
        "limitrange",
        f"{HERE}/limitranges",
        made(
            "v1",
            "LimitRange",
            "range",
            spec={
                "limits": [{"type": "Container", "max": {"cpu": "2", "memory": "1Gi"}, "min": {"cpu": "10m"}}]
            },
        ),
    ),
)

STORAGE_GROUP = group("storage.k8s.io/v1", namespaced=False)
STORAGE = (
    Sample(
        "storageclass",
        f"{STORAGE_GROUP}/storageclasses",
        made("storage.k8s.io/v1", "StorageClass", "standard", provisioner="example.com/local"),
    ),
    Sample(
        "storageclass-default",
        f"{STORAGE_GROUP}/storageclasses",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "default",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "example.com/local",
            "reclaimPolicy": "Retain",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        },
    ),
    Sample(
        "pv",
        f"{CORE}/persistentvolumes",
        made(
            "v1",
            "PersistentVolume",
            "disk",
            spec={
                "capacity": {"storage": "1024Mi"},
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany"],
                "hostPath": {"path": "/data"},
                "storageClassName": "standard",
                "claimRef": {"namespace": "default", "name": "claim"},
            },
        ),
        {"phase": "Bound"},
    ),
    Sample(
        "pv-iscsi",
        f"{CORE}/persistentvolumes",
        made(
            "v1",
            "PersistentVolume",
            "iscsi",
            spec={
                "capacity": {"storage": "5Gi"},
                "accessModes": ["ReadWriteOncePod"],
                "persistentVolumeReclaimPolicy": "Delete",
                "iscsi": {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:disk", "lun": 1},
            },
        ),
    ),
    Sample(
        "pvc",
        f"{HERE}/persistentvolumeclaims",
        made(
            "v1",
            "PersistentVolumeClaim",
            "claim",
            spec={
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "0.5Gi"}},
                "storageClassName": "standard",
                "volumeName": "disk",
            },
        ),
        {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"]},
    ),
    Sample(
        "pvc-pending",
        f"{HERE}/persistentvolumeclaims",
        made(
            "v1",
            "PersistentVolumeClaim",
            "pending",
            spec={
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": {"storage": "1Gi"}},
                "dataSource": {"kind": "PersistentVolumeClaim", "name": "claim"},
            },
        ),
    ),
    Sample(
        "csidriver",
        f"{STORAGE_GROUP}/csidrivers",
        made("storage.k8s.io/v1", "CSIDriver", "csi.example.com", spec={}),
    ),
    Sample(
        "csidriver-tokens",
        f"{STORAGE_GROUP}/csidrivers",
        made(
            "storage.k8s.io/v1",
            "CSIDriver",
            "tokens.example.com",
            spec={
                "attachRequired": False,
                "tokenRequests": [{"audience": "a"}, {"audience": ""}],
                "volumeLifecycleModes": ["Ephemeral", "Persistent"],
            },
        ),
    ),
    Sample(
        "csinode",
        f"{STORAGE_GROUP}/csinodes",
        made(
            "storage.k8s.io/v1",
            "CSINode",
            "node-a",
            spec={"drivers": [{"name": "csi.example.com", "nodeID": "n", "topologyKeys": None}]},
        ),
    ),
    Sample(
        "csistoragecapacity",
        f"{group('storage.k8s.io/v1')}/csistoragecapacities",
        made("storage.k8s.io/v1", "CSIStorageCapacity", "cap", storageClassName="standard", capacity="10Gi"),
    ),
    Sample(
        "volumeattachment",
        f"{STORAGE_GROUP}/volumeattachments",
        made(
            "storage.k8s.io/v1",
            "VolumeAttachment",
            "att",
            spec={
                "attacher": "csi.example.com",
                "nodeName": "node-a",
                "source": {"persistentVolumeName": "disk"},
            },
        ),
        {"attached": True},
    ),
    Sample(
        "volumeattributesclass",
        f"{STORAGE_GROUP}/volumeattributesclasses",
        made(
            "storage.k8s.io/v1",
            "VolumeAttributesClass",
            "fast",
            driverName="csi.example.com",
            parameters={"iops": "1"},
        ),
    ),
)

RBAC = "rbac.authorization.k8s.io/v1"
RBAC_GROUP = "rbac.authorization.k8s.io"
SUBJECTS = [
    {"kind": "User", "name": "ann"},
    {"kind": "Group", "name": "devs"},
    {"kind": "ServiceAccount", "name": "bot", "namespace": "default"},
]
IDENTITY = (
    Sample("namespace", f"{CORE}/namespaces", made("v1", "Namespace", "team")),
    Sample(
        "configmap",
        f"{HERE}/configmaps",
        made("v1", "ConfigMap", "c", data={"a": "1"}, binaryData={"b": "AA=="}),
    ),
    Sample("secret", f"{HERE}/secrets", made("v1", "Secret", "s", data={"k": "dg=="}, stringData={"t": "v"})),
    Sample(
        "secret-tls",
        f"{HERE}/secrets",
        made("v1", "Secret", "tls", type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""}),
    ),
    Sample(
        "serviceaccount",
        f"{HERE}/serviceaccounts",
        made("v1", "ServiceAccount", "bot", secrets=[{"name": "x"}]),
    ),
    Sample(
        "role",
        f"{group(RBAC)}/roles",
        made(RBAC, "Role", "reader", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
    ),
    Sample(
        "clusterrole",
        f"{group(RBAC, namespaced=False)}/clusterroles",
        made(
            RBAC,
            "ClusterRole",
            "sum",
            aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
            rules=None,
        ),
    ),
    Sample(
        "rolebinding",
        f"{group(RBAC)}/rolebindings",
        made(RBAC, "RoleBinding", "readers", subjects=SUBJECTS, roleRef={"kind": "Role", "name": "reader"}),
    ),
    Sample(
        "clusterrolebinding",
        f"{group(RBAC, namespaced=False)}/clusterrolebindings",
        made(
            RBAC,
            "ClusterRoleBinding",
            "all",
            subjects=SUBJECTS,
            roleRef={"kind": "ClusterRole", "name": "sum", "apiGroup": RBAC_GROUP},
        ),
    ),
    Sample(
        "event",
        f"{HERE}/events",
        made(
            "v1",
            "Event",
            "happened.1",
            involvedObject={
                "kind": "Pod",
                "name": "bare",
                "namespace": "default",
                "fieldPath": "spec.containers{app}",
            },
            type="Warning",
            reason="BackOff",
            message="  it failed  ",
            count=4,
            firstTimestamp=PAST,
            lastTimestamp=LATER,
            source={"component": "kubelet", "host": "node-a"},
        ),
    ),
    Sample(
        "event-v1",
        f"{group('events.k8s.io/v1')}/events",
        made(
            "events.k8s.io/v1",
            "Event",
            "series.1",
            regarding={"kind": "Pod", "name": "bare", "namespace": "default"},
            type="Normal",
            action="Binding",
            reason="Scheduled",
            note="assigned",
            eventTime="2025-01-02T03:04:05.000000Z",
            reportingController="example.com/scheduler",
            reportingInstance="s-1",
            series={"count": 5, "lastObservedTime": "2025-01-02T03:24:05.000000Z"},
        ),
    ),
)

NODES = (
    Sample("node-bare", f"{CORE}/nodes", made("v1", "Node", "node-a")),
    Sample(
        "node",
        f"{CORE}/nodes",
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": "node-b",
                "labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "extra"},
            },
            "spec": {
                "podCIDR": "10.244.0.0/24",
                "unschedulable": True,
                "taints": [{"key": "k", "effect": "NoSchedule"}],
            },
        },
        {
            "conditions": [condition("Ready"), condition("MemoryPressure", "False")],
            "capacity": {"cpu": "2", "memory": "4096Mi", "pods": "110"},
            "allocatable": {"cpu": "2", "memory": "4096Mi"},
            "addresses": [
                {"type": "InternalIP", "address": "192.0.2.10"},
                {"type": "ExternalIP", "address": "203.0.113.10"},
                {"type": "Hostname", "address": "node-b"},
            ],
            "nodeInfo": {
                "kubeletVersion": "v1.37.2",
                "osImage": "Debian GNU/Linux 12",
                "kernelVersion": "6.1.0",
                "containerRuntimeVersion": "containerd://2.0.0",
                "architecture": "amd64",
                "bootID": "b",
                "kubeProxyVersion": "",
                "machineID": "m",
                "operatingSystem": "linux",
                "systemUUID": "s",
            },
        },
    ),
    Sample(
        "runtimeclass",
        f"{group('node.k8s.io/v1', namespaced=False)}/runtimeclasses",
        made("node.k8s.io/v1", "RuntimeClass", "crun", handler="crun"),
    ),
)

HOOK = {
    "name": "hook.example.com",
    "clientConfig": {"service": {"namespace": "default", "name": "hook"}},
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
    "rules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
    ],
    "namespaceSelector": {"matchLabels": {"never": "matches"}},
}
ADMISSION = "admissionregistration.k8s.io/v1"
ADMISSION_GROUP = group(ADMISSION, namespaced=False)
NOWHERE = {
    "resourceRules": [
        {
            "apiGroups": ["none.example.com"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["nothings"],
        }
    ]
}
WIDGET_SPEC = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "default": 3},
        "parts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "weight": {"type": "number", "default": 1.5}},
                "required": ["name"],
            },
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "maybe": {"type": "string", "nullable": True, "default": "yes"},
    },
}
WIDGET_COLUMNS = [
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Parts", "type": "string", "jsonPath": ".spec.parts"},
    {"name": "First", "type": "string", "jsonPath": ".spec.parts[0].name"},
    {"name": "All", "type": "string", "jsonPath": ".spec.parts[*].name"},
    {"name": "Missing", "type": "string", "jsonPath": ".spec.missing"},
    {"name": "Weight", "type": "number", "jsonPath": ".spec.parts[0].weight"},
    {"name": "Wrong", "type": "integer", "jsonPath": ".spec.parts[0].name"},
    {"name": "On", "type": "boolean", "jsonPath": ".spec.free.on"},
    {"name": "Label", "type": "string", "jsonPath": ".metadata.labels.example\\.com/tier"},
    {"name": "Seen", "type": "date", "jsonPath": ".status.seen"},
    {"name": "Bad", "type": "date", "jsonPath": ".spec.maybe", "priority": 1},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]

EXTENSION = (
    Sample(
        "validatingwebhook",
        f"{ADMISSION_GROUP}/validatingwebhookconfigurations",
        made(ADMISSION, "ValidatingWebhookConfiguration", "check", webhooks=[HOOK]),
    ),
    Sample(
        "mutatingwebhook",
        f"{ADMISSION_GROUP}/mutatingwebhookconfigurations",
        made(
            ADMISSION,
            "MutatingWebhookConfiguration",
            "change",
            webhooks=[HOOK, {**HOOK, "name": "two.example.com"}],
        ),
    ),
    Sample(
        "validatingadmissionpolicy",
        f"{ADMISSION_GROUP}/validatingadmissionpolicies",
        made(
            ADMISSION,
            "ValidatingAdmissionPolicy",
            "policy",
            spec={
                "matchConstraints": NOWHERE,
                "validations": [{"expression": "true"}],
                "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
            },
        ),
    ),
    Sample(
        "validatingadmissionpolicybinding",
        f"{ADMISSION_GROUP}/validatingadmissionpolicybindings",
        made(
            ADMISSION,
            "ValidatingAdmissionPolicyBinding",
            "binding",
            spec={
                "policyName": "policy",
                "validationActions": ["Deny"],
                "paramRef": {"name": "c", "namespace": "default", "parameterNotFoundAction": "Allow"},
            },
        ),
    ),
    Sample(
        "mutatingadmissionpolicy",
        f"{ADMISSION_GROUP}/mutatingadmissionpolicies",
        made(
            ADMISSION,
            "MutatingAdmissionPolicy",
            "mutate",
            spec={
                "matchConstraints": NOWHERE,
                "reinvocationPolicy": "Never",
                "mutations": [
                    {
                        "patchType": "ApplyConfiguration",
                        "applyConfiguration": {
                            "expression": "Object{metadata: Object.metadata{labels: {'a': 'b'}}}"
                        },
                    }
                ],
            },
        ),
    ),
    Sample(
        "mutatingadmissionpolicybinding",
        f"{ADMISSION_GROUP}/mutatingadmissionpolicybindings",
        made(ADMISSION, "MutatingAdmissionPolicyBinding", "mutating", spec={"policyName": "mutate"}),
    ),
    Sample(
        "crd",
        f"{group('apiextensions.k8s.io/v1', namespaced=False)}/customresourcedefinitions",
        made(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "widgets.example.com",
            spec={
                "group": "example.com",
                "scope": "Namespaced",
                "names": {"plural": "widgets", "kind": "Widget"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "properties": {
                                    "spec": WIDGET_SPEC,
                                    "status": {
                                        "type": "object",
                                        "x-kubernetes-preserve-unknown-fields": True,
                                    },
                                },
                            }
                        },
                        "subresources": {"status": {}},
                        "additionalPrinterColumns": WIDGET_COLUMNS,
                    }
                ],
            },
        ),
    ),
    Sample(
        "widget",
        f"{group('example.com/v1')}/widgets",
        {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": "w", "labels": {"example.com/tier": "gold"}},
            "spec": {
                "parts": [{"name": "a"}, {"name": "b", "weight": 2}],
                "free": {"on": True},
                "port": "http",
            },
        },
        {"conditions": [{"type": "Other", "status": "x"}, {"type": "Ready", "status": "True"}], "seen": PAST},
    ),
    Sample("widget-bare", f"{group('example.com/v1')}/widgets", made("example.com/v1", "Widget", "bare")),
    Sample(
        "apiservice",
        f"{group('apiregistration.k8s.io/v1', namespaced=False)}/apiservices",
        made(
            "apiregistration.k8s.io/v1",
            "APIService",
            "v1.far.example.com",
            spec={
                "group": "far.example.com",
                "version": "v1",
                "groupPriorityMinimum": 100,
                "versionPriority": 10,
                "insecureSkipTLSVerify": True,
                "service": {"namespace": "default", "name": "far"},
            },
        ),
    ),
    Sample(
        "flowschema",
        f"{group('flowcontrol.apiserver.k8s.io/v1', namespaced=False)}/flowschemas",
        made(
            "flowcontrol.apiserver.k8s.io/v1",
            "FlowSchema",
            "mine",
            spec={
                "priorityLevelConfiguration": {"name": "workload-low"},
                "distinguisherMethod": {"type": "ByUser"},
            },
        ),
    ),
    Sample(
        "prioritylevel",
        f"{group('flowcontrol.apiserver.k8s.io/v1', namespaced=False)}/prioritylevelconfigurations",
        made(
            "flowcontrol.apiserver.k8s.io/v1",
            "PriorityLevelConfiguration",
            "mine",
            spec={"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}},
        ),
    ),
    Sample(
        "csr",
        f"{group('certificates.k8s.io/v1', namespaced=False)}/certificatesigningrequests",
        made(
            "certificates.k8s.io/v1",
            "CertificateSigningRequest",
            "req",
            spec={
                "request": "@CSR@",
                "signerName": "example.com/signer",
                "usages": ["client auth"],
                "expirationSeconds": 3600,
            },
        ),
    ),
    Sample(
        "clustertrustbundle",
        f"{group('certificates.k8s.io/v1', namespaced=False)}/clustertrustbundles",
        made(
            "certificates.k8s.io/v1",
            "ClusterTrustBundle",
            "example.com:signer:a",
            spec={"signerName": "example.com/signer", "trustBundle": "@CA@"},
        ),
    ),
    Sample(
        "ipaddress",
        f"{group('networking.k8s.io/v1', namespaced=False)}/ipaddresses",
        made(
            "networking.k8s.io/v1",
            "IPAddress",
            "10.96.7.7",
            spec={"parentRef": {"group": "", "resource": "services", "namespace": "default", "name": "x"}},
        ),
    ),
    Sample(
        "servicecidr",
        f"{group('networking.k8s.io/v1', namespaced=False)}/servicecidrs",
        made("networking.k8s.io/v1", "ServiceCIDR", "more", spec={"cidrs": ["10.97.0.0/24"]}),
    ),
    Sample(
        "resourceclaim",
        f"{group('resource.k8s.io/v1')}/resourceclaims",
        made(
            "resource.k8s.io/v1",
            "ResourceClaim",
            "gpu",
            spec={"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]}},
        ),
    ),
    Sample(
        "deviceclass",
        f"{group('resource.k8s.io/v1', namespaced=False)}/deviceclasses",
        made("resource.k8s.io/v1", "DeviceClass", "gpu", spec={}),
    ),
    Sample(
        "resourceslice",
        f"{group('resource.k8s.io/v1', namespaced=False)}/resourceslices",
        made(
            "resource.k8s.io/v1",
            "ResourceSlice",
            "slice",
            spec={
                "driver": "gpu.example.com",
                "nodeName": "node-a",
                "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1},
                "devices": [{"name": "d"}],
            },
        ),
    ),
    Sample(
        "storageversionmigration",
        f"{group('storagemigration.k8s.io/v1', namespaced=False)}/storageversionmigrations",
        made(
            "storagemigration.k8s.io/v1",
            "StorageVersionMigration",
            "m",
            spec={"resource": {"group": "", "resource": "secrets"}},
        ),
    ),
)

SAMPLES: tuple[Sample, ...] = (
    *IDENTITY, *NODES, *PODS, *WORKLOADS, *NETWORK, *SCALING, *STORAGE, *EXTENSION,
)  # fmt: skip


def filled(value: Any, made_here: dict[str, str]) -> Any:
    """`value` with @NAME@ replaced by the PEM that the recorder made, base64 for a request."""
    if isinstance(value, dict):
        return {key: filled(item, made_here) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, made_here) for item in value]
    if isinstance(value, str) and value.startswith("@") and value.strip("@") in made_here:
        text = made_here[value.strip("@")]
        return base64.b64encode(text.encode()).decode() if value == "@CSR@" else text
    return value
