"""Workloads under kubectl: roll-outs, scale, jobs, stateful and daemon sets, and what becomes of their pods."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.cluster.shell import IMAGE, Shell, container, template, workload

pytestmark = [pytest.mark.cluster, pytest.mark.root, pytest.mark.peer]


def pods(k: Shell, app: str) -> list[dict[str, Any]]:
    """The pods of an app that are not on their way out, by age and name."""
    found = k.get("pods", "-l", f"app={app}")["items"]
    alive = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
    return sorted(alive, key=lambda p: (p["metadata"]["creationTimestamp"], p["metadata"]["name"]))


def versioned(version: str, **more: Any) -> dict[str, Any]:
    return container(env=[{"name": "VERSION", "value": version}], **more)


# -- deployments


def test_a_rollout_and_its_undoing(k: Shell) -> None:
    k.apply(workload("Deployment", "web", versioned("1"), replicas=2))
    assert "successfully rolled out" in k("rollout", "status", "deploy/web", "--timeout=60s")
    k("annotate", "deploy/web", "kubernetes.io/change-cause=first")
    first = {pod["metadata"]["name"] for pod in pods(k, "web")}
    k("set", "env", "deploy/web", "VERSION=2")
    k("annotate", "deploy/web", "kubernetes.io/change-cause=second", "--overwrite")
    assert "successfully rolled out" in k("rollout", "status", "deploy/web", "--timeout=60s")
    second = {pod["metadata"]["name"] for pod in pods(k, "web")}
    assert len(second) == 2 and not first & second
    k.until(lambda: "second" in k("rollout", "history", "deploy/web"))
    history = [line.split() for line in k("rollout", "history", "deploy/web").splitlines()[2:] if line]
    assert history == [["1", "first"], ["2", "second"]]
    assert "VERSION:\t1" in k("rollout", "history", "deploy/web", "--revision=1")
    k("rollout", "undo", "deploy/web")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    assert k("exec", "deploy/web", "--", "printenv", "VERSION") == "1\n"
    revisions = [line.split()[0] for line in k("rollout", "history", "deploy/web").splitlines()[2:] if line]
    assert revisions == ["2", "3"]
    k("rollout", "undo", "deploy/web", "--to-revision=2")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    assert k("exec", "deploy/web", "--", "printenv", "VERSION") == "2\n"
    assert len(k.get("rs", "-l", "app=web")["items"]) == 2


def test_a_rollout_never_falls_below_what_must_be_available(k: Shell) -> None:
    strategy = {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    k.apply(workload("Deployment", "web", versioned("1"), replicas=2, strategy=strategy))
    k("rollout", "status", "deploy/web", "--timeout=60s")
    bad = container(readinessProbe={"exec": {"command": ["false"]}, "periodSeconds": 1})
    k.apply(workload("Deployment", "web", bad, replicas=2, strategy=strategy, progressDeadlineSeconds=2))
    told = k.refused("rollout", "status", "deploy/web", "--timeout=30s")
    assert 'deployment "web" exceeded its progress deadline' in told
    assert k.path("deploy/web", ".status.availableReplicas") == "2"
    assert len(pods(k, "web")) == 3
    k("rollout", "undo", "deploy/web")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    k.until(lambda: len(pods(k, "web")) == 2)


def test_pause_resume_restart_recreate(k: Shell) -> None:
    k.apply(
        workload("Deployment", "web", versioned("1"), strategy={"type": "Recreate", "rollingUpdate": None})
    )
    k("rollout", "status", "deploy/web", "--timeout=60s")
    k("rollout", "pause", "deploy/web")
    k("set", "env", "deploy/web", "VERSION=2")
    assert k("exec", "deploy/web", "--", "printenv", "VERSION") == "1\n"
    assert "paused" in k.refused("rollout", "restart", "deploy/web")
    k("rollout", "resume", "deploy/web")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    assert k("exec", "deploy/web", "--", "printenv", "VERSION") == "2\n"
    before = pods(k, "web")[0]["metadata"]["uid"]
    k("rollout", "restart", "deploy/web")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    assert [pod["metadata"]["uid"] for pod in pods(k, "web")] != [before]


def test_scale_and_what_is_in_the_way(k: Shell) -> None:
    k.apply(workload("Deployment", "web", replicas=1))
    k("scale", "deploy/web", "--replicas=3", "--current-replicas=1", "--timeout=60s")
    k("wait", "deploy/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")
    assert "Expected replicas to be 1, was 3" in k.refused(
        "scale", "deploy/web", "--replicas=5", "--current-replicas=1"
    )
    k("scale", "deploy/web", "--replicas=0")
    k.until(lambda: k("get", "pods", "-o", "name") == "")
    huge = container(resources={"requests": {"cpu": "500"}})
    k.apply(workload("Deployment", "huge", huge))
    told = k.until(lambda: "FailedScheduling" in (text := k("describe", "pods", "-l", "app=huge")) and text)
    assert "0/1 nodes are available: 1 Insufficient cpu." in told
    assert "Pending" in k("get", "pods", "-l", "app=huge")


def test_pods_come_back_and_strangers_are_adopted(k: Shell) -> None:
    k.apply(workload("Deployment", "web", replicas=2))
    k("rollout", "status", "deploy/web", "--timeout=60s")
    one, other = pods(k, "web")
    k("delete", "pod", one["metadata"]["name"])
    k.until(lambda: len(pods(k, "web")) == 2)
    k("label", "pod", other["metadata"]["name"], "app=free", "--overwrite")
    k.until(lambda: len(pods(k, "web")) == 2)
    freed = k.get("pod", other["metadata"]["name"])
    assert "ownerReferences" not in freed["metadata"] and "deletionTimestamp" not in freed["metadata"]


# -- jobs


def test_jobs_complete_fail_and_wait(k: Shell) -> None:
    k("create", "job", "hello", f"--image={IMAGE}", "--", "sh", "-c", "echo hello")
    k("wait", "job/hello", "--for=condition=Complete", "--timeout=60s")
    assert k("logs", "job/hello") == "hello\n"
    assert k("get", "job", "hello", "--no-headers").split()[1:3] == ["Complete", "1/1"]
    k.apply(job("many", container("sh", "-c", "echo $JOB_COMPLETION_INDEX"), completions=3, parallelism=2,
                completionMode="Indexed"))  # fmt: skip
    k("wait", "job/many", "--for=condition=Complete", "--timeout=60s")
    assert k.path("job/many", ".status.completedIndexes") == "0-2"
    said = k("logs", "-l", "job-name=many", "--prefix").splitlines()
    assert sorted(line.split()[-1] for line in said) == ["0", "1", "2"]
    k.apply(job("bad", container("false"), backoffLimit=0))
    k("wait", "job/bad", "--for=condition=Failed", "--timeout=60s")
    assert k.path("job/bad", ".status.conditions[?(@.type=='Failed')].reason") == "BackoffLimitExceeded"
    k.apply(job("slow", container(), activeDeadlineSeconds=1))
    k("wait", "job/slow", "--for=condition=Failed", "--timeout=60s")
    assert k.path("job/slow", ".status.conditions[?(@.type=='Failed')].reason") == "DeadlineExceeded"
    k.apply(job("brief", container("true"), ttlSecondsAfterFinished=0))
    k.until(lambda: not k.exists("job/brief"))
    k("delete", "job", "--all")
    k.until(lambda: k("get", "pods", "-o", "name") == "")


def job(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": template(name, *containers, restartPolicy="Never"), **spec},
    }


def test_a_cron_job_by_hand_and_by_the_clock(k: Shell) -> None:
    k("create", "cronjob", "tide", f"--image={IMAGE}", "--schedule=*/1 * * * *", "--", "echo", "high")
    k("create", "job", "now", "--from=cronjob/tide")
    k("wait", "job/now", "--for=condition=Complete", "--timeout=60s")
    assert k("logs", "job/now") == "high\n"
    assert k.path("job/now", ".metadata.ownerReferences[0].name") == "tide"
    assert k.path("job/now", ".metadata.annotations.cronjob\\.kubernetes\\.io/instantiate") == "manual"
    table = k("get", "cronjob", "tide", "--no-headers").split()
    assert "*/1" in table and "False" in table
    k("patch", "cronjob", "tide", "-p", '{"spec":{"suspend":true}}')
    k("delete", "cronjob", "tide")
    k.until(lambda: not k.exists("job/now"))


# -- stateful and daemon sets


def test_a_stateful_set_keeps_names_and_volumes(k: Shell) -> None:
    claim = {
        "metadata": {"name": "hold"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    write = container("sh", "-c", "echo $HOSTNAME >> /hold/crew; exec sleep 3600",
                      volumeMounts=[{"name": "hold", "mountPath": "/hold"}])  # fmt: skip
    k.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "fleet"},
         "spec": {"clusterIP": "None", "selector": {"app": "fleet"}, "ports": [{"port": 80}]}},
        workload("StatefulSet", "fleet", write, replicas=2, serviceName="fleet", volumeClaimTemplates=[claim]),
    )  # fmt: skip
    assert "complete" in k("rollout", "status", "sts/fleet", "--timeout=60s")
    assert [pod["metadata"]["name"] for pod in pods(k, "fleet")] == ["fleet-0", "fleet-1"]
    claims = k("get", "pvc", "--no-headers").splitlines()
    assert [line.split()[:2] for line in claims] == [["hold-fleet-0", "Bound"], ["hold-fleet-1", "Bound"]]
    k("delete", "pod", "fleet-0")
    k("wait", "sts/fleet", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=60s")
    k("wait", "pod/fleet-0", "--for=condition=Ready", "--timeout=60s")
    assert k("exec", "fleet-0", "--", "cat", "/hold/crew") == "fleet-0\nfleet-0\n"
    own = f"fleet-0.fleet.{k.namespace}.svc.cluster.local"
    k.until(lambda: k("exec", "fleet-1", "--", "python3", "-c", f"import socket;print(socket.gethostbyname({own!r}))",
                      code=None).strip() == k.path("pod/fleet-0", ".status.podIP"))  # fmt: skip
    k("scale", "sts/fleet", "--replicas=1")
    k.until(lambda: [pod["metadata"]["name"] for pod in pods(k, "fleet")] == ["fleet-0"])
    assert len(k.get("pvc")["items"]) == 2  # kept, for when it grows again
    volume = k.path("pvc/hold-fleet-1", ".spec.volumeName")
    k("delete", "pvc", "hold-fleet-1")
    k.until(lambda: not k.exists(f"pv/{volume}"))


def test_a_stateful_set_rolls_from_the_last(k: Shell) -> None:
    k.apply(workload("StatefulSet", "fleet", versioned("1"), replicas=2, serviceName="fleet"))
    k("rollout", "status", "sts/fleet", "--timeout=60s")
    parted = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    k.apply(
        workload(
            "StatefulSet", "fleet", versioned("2"), replicas=2, serviceName="fleet", updateStrategy=parted
        )
    )
    assert "partitioned roll out complete" in k("rollout", "status", "sts/fleet", "--timeout=60s")
    assert [k("exec", f"fleet-{n}", "--", "printenv", "VERSION").strip() for n in (0, 1)] == ["1", "2"]
    k("rollout", "undo", "sts/fleet")
    k("rollout", "status", "sts/fleet", "--timeout=60s")
    assert k("exec", "fleet-1", "--", "printenv", "VERSION") == "1\n"


def test_a_daemon_set_runs_on_every_node_that_fits(k: Shell) -> None:
    k.apply(workload("DaemonSet", "watch", versioned("1")))
    k("rollout", "status", "ds/watch", "--timeout=60s")
    nodes = len(k.get("nodes")["items"])
    assert k("get", "ds", "watch", "--no-headers").split()[1:6] == [str(nodes)] * 5
    k("set", "env", "ds/watch", "VERSION=2")
    k("rollout", "status", "ds/watch", "--timeout=60s")
    assert k("exec", "ds/watch", "--", "printenv", "VERSION") == "2\n"
    k("rollout", "undo", "ds/watch")
    k("rollout", "status", "ds/watch", "--timeout=60s")
    assert k("exec", "ds/watch", "--", "printenv", "VERSION") == "1\n"
    k("patch", "ds", "watch", "-p", '{"spec":{"template":{"spec":{"nodeSelector":{"deck":"upper"}}}}}')
    k.until(lambda: not pods(k, "watch"))


# -- what the control plane says and guards


def test_events_tell_the_story(k: Shell) -> None:
    k("create", "deployment", "web", f"--image={IMAGE}", "--", "sleep", "3600")
    k("rollout", "status", "deploy/web", "--timeout=60s")
    reasons = {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Pulled", "Created", "Started"}
    k.until(lambda: reasons <= {e["reason"] for e in k.get("events")["items"]})
    assert "Started" in k("events", "--for", f"pod/{pods(k, 'web')[0]['metadata']['name']}")
    assert "ScalingReplicaSet" in k("get", "events", "--field-selector=involvedObject.kind=Deployment")
    k.apply(workload("Deployment", "lost", {**container(), "image": "127.0.0.1:1/no/such:image"}))
    k.until(lambda: "ErrImagePull" in (t := k("get", "pods", "-l", "app=lost")) or "ImagePullBackOff" in t)


def test_limits_hold(k: Shell) -> None:
    k.apply(
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "usual"},
         "spec": {"limits": [{"type": "Container", "default": {"memory": "64Mi"}, "max": {"memory": "128Mi"}}]}}
    )  # fmt: skip
    k.apply(workload("Deployment", "web", replicas=2))
    limit = k.until(lambda: (p := pods(k, "web")) and p[0]["spec"]["containers"][0]["resources"]["limits"])
    assert limit == {"memory": "64Mi"}
    k.apply(workload("Deployment", "huge", container(resources={"limits": {"memory": "1Gi"}})))
    why = ".status.conditions[?(@.type=='ReplicaFailure')].message"
    told = k.until(lambda: k.path("deploy/huge", why))
    assert "maximum memory usage per Container is 128Mi, but limit is 1Gi" in told
