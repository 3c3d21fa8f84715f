"""Pods as users know them: what containers see, probes, restarts, volumes, exec and logs, on real namespaces."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from clusters import Cluster, eventually

pytestmark = [pytest.mark.cluster, pytest.mark.root]

IMAGE = "sampan.local/host:test"


def container(name: str = "main", *command: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": list(command) or ["sleep", "3600"], **more}


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    body = {"terminationGracePeriodSeconds": 1, "containers": list(containers) or [container()], **spec}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": body,
    }


def run(
    cluster: Cluster, namespace: str, made: dict[str, Any], *, until: str = "condition=Ready"
) -> dict[str, Any]:
    """Applies a pod and waits for it; the pod as it is then."""
    cluster.apply(made, namespace=namespace)
    name = made["metadata"]["name"]
    cluster.kubectl("wait", "-n", namespace, "pod", name, f"--for={until}", "--timeout=60s")
    return cluster.get("pod", name, "-n", namespace)


def execute(cluster: Cluster, namespace: str, name: str, *words: str, code: int = 0, stdin: str = "") -> str:
    flags = ("-i",) if stdin else ()
    return cluster.kubectl("exec", *flags, "-n", namespace, name, "--", *words, code=code, stdin=stdin).out


def test_a_pod_has_a_network_and_names_of_its_own(cluster: Cluster, namespace: str) -> None:
    seen = run(cluster, namespace, pod("boat"))
    assert seen["status"]["phase"] == "Running"
    address = seen["status"]["podIP"]
    assert execute(cluster, namespace, "boat", "hostname").strip() == "boat"
    assert f"{address}\tboat" in execute(cluster, namespace, "boat", "cat", "/etc/hosts")
    resolv = execute(cluster, namespace, "boat", "cat", "/etc/resolv.conf")
    assert (
        f"search {namespace}.svc.cluster.local svc.cluster.local cluster.local" in resolv
        and "ndots:5" in resolv
    )
    assert execute(cluster, namespace, "boat", "sh", "-c", "ls /proc | grep -c '^[0-9]'").strip() in (
        "3",
        "4",
        "5",
    )


def test_exec_passes_stdin_and_the_exit_code(cluster: Cluster, namespace: str) -> None:
    run(cluster, namespace, pod("boat"))
    assert execute(cluster, namespace, "boat", "sh", "-c", "cat; echo end", stdin="line\n") == "line\nend\n"
    execute(cluster, namespace, "boat", "sh", "-c", "exit 7", code=7)
    done = cluster.kubectl("exec", "-n", namespace, "boat", "--", "no-such-program", code=None)
    assert done.code != 0 and "no-such-program" in done.err


def test_logs_follow_previous_and_tail(cluster: Cluster, namespace: str) -> None:
    script = "echo one; echo two >&2; sleep 0.5; echo three"
    cluster.apply(
        pod("talk", container("main", "sh", "-c", script), restartPolicy="Never"), namespace=namespace
    )
    eventually(lambda: cluster.get("pod", "talk", "-n", namespace)["status"].get("containerStatuses"))
    eventually(lambda: cluster.kubectl("logs", "-n", namespace, "talk", code=None).out)
    followed = cluster.kubectl("logs", "-f", "-n", namespace, "talk").out
    assert sorted(followed.split()) == ["one", "three", "two"]
    assert cluster.kubectl("logs", "-n", namespace, "talk", "--tail=1").out == "three\n"
    stamped = cluster.kubectl("logs", "-n", namespace, "talk", "--timestamps", "--tail=1").out
    assert stamped.endswith(" three\n") and stamped[4] == "-"
    cluster.apply(pod("again", container("main", "sh", "-c", "echo run; exit 1")), namespace=namespace)
    eventually(lambda: restarts(cluster, namespace, "again") >= 1)
    assert cluster.kubectl("logs", "-n", namespace, "again", "--previous").out == "run\n"


def restarts(cluster: Cluster, namespace: str, name: str) -> int:
    statuses = cluster.get("pod", name, "-n", namespace)["status"].get("containerStatuses") or [
        {"restartCount": 0}
    ]
    return int(statuses[0]["restartCount"])


def test_environment_and_volumes_from_all_sources(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "map"},
            "data": {"colour": "red", "x.txt": "file"},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "word"},
            "stringData": {"password": "ahoy"},
        },
        namespace=namespace,
    )
    env = [
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "word", "key": "password"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "LIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "BOTH", "value": "$(PASSWORD)-$(M_colour)"},
    ]
    volumes: list[dict[str, Any]] = [
        {"name": "map", "configMap": {"name": "map"}},
        {"name": "word", "secret": {"secretName": "word", "defaultMode": 0o400}},
        {
            "name": "down",
            "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        },
        {"name": "empty", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "8Mi"}},
    ]
    mounts = [{"name": v["name"], "mountPath": f"/v/{v['name']}"} for v in volumes]
    mounts.append({"name": "map", "mountPath": "/single", "subPath": "x.txt"})
    main = container(
        env=env,
        envFrom=[{"prefix": "M_", "configMapRef": {"name": "map"}}],
        volumeMounts=mounts,
        resources={"limits": {"memory": "64Mi"}},
    )
    seen = run(cluster, namespace, pod("full", main, volumes=volumes))
    values = dict(
        line.split("=", 1) for line in execute(cluster, namespace, "full", "env").splitlines() if "=" in line
    )
    assert (values["PASSWORD"], values["M_colour"], values["BOTH"], values["LIMIT"]) == (
        "ahoy",
        "red",
        "ahoy-red",
        "64",
    )
    assert values["IP"] == seen["status"]["podIP"] and values["NODE"] == seen["spec"]["nodeName"]
    assert values["KUBERNETES_SERVICE_PORT"] == "443"
    text = execute(
        cluster, namespace, "full", "cat", "/v/map/colour", "/v/word/password", "/v/down/labels", "/single"
    )
    assert text == 'redahoyapp="full"file'
    assert execute(cluster, namespace, "full", "stat", "-L", "-c", "%a", "/v/word/password").strip() == "400"
    assert "tmpfs" in execute(cluster, namespace, "full", "grep", "/v/memory", "/proc/mounts")
    cluster.kubectl("patch", "cm", "map", "-n", namespace, "-p", '{"data":{"colour":"green"}}')
    eventually(lambda: execute(cluster, namespace, "full", "cat", "/v/map/colour") == "green")


def test_the_service_account_reaches_the_api(cluster: Cluster, namespace: str) -> None:
    run(cluster, namespace, pod("boat"))
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"
    script = (
        "import ssl,urllib.request,os;"
        f"t=open('{folder}/token').read();c=ssl.create_default_context(cafile='{folder}/ca.crt');"
        "r=urllib.request.Request('https://kubernetes.default.svc/apis',headers={'Authorization':'Bearer '+t});"
        "print(urllib.request.urlopen(r,context=c,timeout=10).status)"
    )
    assert execute(cluster, namespace, "boat", "python3", "-c", script).strip() == "200"


def test_init_containers_and_sidecars_run_in_order(cluster: Cluster, namespace: str) -> None:
    share = [{"name": "w", "mountPath": "/w"}]
    seen = run(
        cluster,
        namespace,
        pod(
            "ordered",
            container("main", "sh", "-c", "echo main >> /w/order; sleep 3600", volumeMounts=share),
            initContainers=[
                container("first", "sh", "-c", "echo first >> /w/order", volumeMounts=share),
                container(
                    "side",
                    "sh",
                    "-c",
                    "echo side >> /w/order; sleep 3600",
                    restartPolicy="Always",
                    volumeMounts=share,
                ),
                container("second", "sh", "-c", "echo second >> /w/order", volumeMounts=share),
            ],
            volumes=[{"name": "w", "emptyDir": {}}],
        ),
    )
    assert execute(cluster, namespace, "ordered", "cat", "/w/order").split() == [
        "first",
        "side",
        "second",
        "main",
    ]
    assert [s["ready"] for s in seen["status"]["initContainerStatuses"]] == [True, True, True]


def test_a_failing_init_container_holds_the_pod(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        pod("held", initContainers=[container("bad", "false")], restartPolicy="Never"), namespace=namespace
    )
    status = eventually(
        lambda: (s := cluster.get("pod", "held", "-n", namespace)["status"])["phase"] == "Failed" and s
    )
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
    assert "Init:Error" in cluster.kubectl("get", "pod", "held", "-n", namespace).out


def test_a_crashing_container_is_held_back(cluster: Cluster, namespace: str) -> None:
    message = container("main", "sh", "-c", "echo sunk > /dev/termination-log; exit 3")
    cluster.apply(pod("crash", message), namespace=namespace)

    def held() -> dict[str, Any] | None:
        status = (cluster.get("pod", "crash", "-n", namespace)["status"].get("containerStatuses") or [{}])[0]
        return (
            status if status.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff" else None
        )

    status = eventually(held)
    ended = status["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "sunk\n")
    assert "back-off" in status["state"]["waiting"]["message"]


def test_completed_and_failed_pods(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        pod("good", container("main", "true"), restartPolicy="Never"),
        pod("bad", container("main", "false"), restartPolicy="Never"),
        namespace=namespace,
    )
    eventually(lambda: cluster.get("pod", "good", "-n", namespace)["status"]["phase"] == "Succeeded")
    eventually(lambda: cluster.get("pod", "bad", "-n", namespace)["status"]["phase"] == "Failed")
    lines = cluster.kubectl("get", "pods", "-n", namespace).out
    assert "Completed" in lines and "Error" in lines


def test_probes_make_ready_and_restart(cluster: Cluster, namespace: str) -> None:
    serve = container(
        "main",
        "python3",
        "-m",
        "http.server",
        "8080",
        readinessProbe={"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        startupProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 30},
    )
    run(cluster, namespace, pod("well", serve))
    sick = container(
        "main",
        "sh",
        "-c",
        "touch /tmp/well; sleep 1; rm /tmp/well; sleep 3600",
        livenessProbe={"exec": {"command": ["cat", "/tmp/well"]}, "periodSeconds": 1, "failureThreshold": 1},
    )
    cluster.apply(pod("sick", sick), namespace=namespace)
    eventually(lambda: restarts(cluster, namespace, "sick") >= 1)
    events = cluster.kubectl(
        "get", "events", "-n", namespace, "--field-selector=involvedObject.name=sick"
    ).out
    assert "Liveness probe failed" in events and "failed liveness probe, will be restarted" in events


def test_memory_limits_kill(cluster: Cluster, namespace: str) -> None:
    eat = container(
        "main", "python3", "-c", "x = bytearray(200 << 20)", resources={"limits": {"memory": "32Mi"}}
    )
    cluster.apply(pod("greedy", eat, restartPolicy="Never"), namespace=namespace)
    status = eventually(
        lambda: (s := cluster.get("pod", "greedy", "-n", namespace)["status"])["phase"] == "Failed" and s
    )
    ended = status["containerStatuses"][0]["state"]["terminated"]
    assert (ended["reason"], ended["exitCode"]) == ("OOMKilled", 137)


def test_security_context(cluster: Cluster, namespace: str) -> None:
    safe = container(
        securityContext={
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        },
        volumeMounts=[{"name": "w", "mountPath": "/w"}],
    )
    run(
        cluster,
        namespace,
        pod(
            "safe",
            safe,
            securityContext={
                "runAsUser": 1234,
                "runAsGroup": 2345,
                "fsGroup": 3456,
                "supplementalGroups": [4567],
            },
            volumes=[{"name": "w", "emptyDir": {}}],
        ),
    )
    status = execute(cluster, namespace, "safe", "cat", "/proc/self/status")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split()[0] == "1234" and lines["Gid"].split()[0] == "2345"
    assert {"3456", "4567"} <= set(lines["Groups"].split())
    assert lines["NoNewPrivs"] == "1" and lines["Seccomp"] == "2"
    assert int(lines["CapBnd"], 16) == 1 << 10
    assert (
        "Read-only file system"
        in cluster.kubectl("exec", "-n", namespace, "safe", "--", "touch", "/x", code=1).err
    )
    execute(cluster, namespace, "safe", "touch", "/w/x")
    cluster.apply(
        pod("root", container(securityContext={"runAsNonRoot": True, "runAsUser": 0})), namespace=namespace
    )
    eventually(
        lambda: "CreateContainerConfigError" in cluster.kubectl("get", "pod", "root", "-n", namespace).out
    )


def test_shared_namespaces(cluster: Cluster, namespace: str) -> None:
    run(
        cluster,
        namespace,
        pod(
            "together", container("a"), container("b", "tail", "-f", "/dev/null"), shareProcessNamespace=True
        ),
    )
    out = execute(cluster, namespace, "together", "sh", "-c", "cat /proc/[0-9]*/comm")
    assert {"sleep", "tail"} <= set(out.split())
    seen = run(cluster, namespace, pod("host", hostNetwork=True))
    assert seen["status"]["podIP"] == seen["status"]["hostIP"]


def test_lifecycle_hooks_and_grace(cluster: Cluster, namespace: str) -> None:
    hooked = container(
        "main",
        "sh",
        "-c",
        "trap 'echo term >> /h/log; exit 0' TERM; while true; do sleep 0.05; done",
        lifecycle={
            "postStart": {"exec": {"command": ["sh", "-c", "echo start >> /h/log"]}},
            "preStop": {"exec": {"command": ["sh", "-c", "echo stop >> /h/log"]}},
        },
        volumeMounts=[{"name": "h", "mountPath": "/h"}],
    )
    path = f"{cluster.home}/hooks"
    volumes = [{"name": "h", "hostPath": {"path": path, "type": "DirectoryOrCreate"}}]
    run(cluster, namespace, pod("hooked", hooked, volumes=volumes, terminationGracePeriodSeconds=20))
    began = time.monotonic()
    cluster.kubectl("delete", "pod", "-n", namespace, "hooked")
    assert time.monotonic() - began < 19
    assert (cluster.home / "hooks" / "log").read_text().split() == ["start", "stop", "term"]


def test_what_cannot_run_says_why(cluster: Cluster, namespace: str) -> None:
    cluster.apply(
        pod("nomap", container(envFrom=[{"configMapRef": {"name": "absent"}}])),
        pod("noimage", {"name": "main", "image": "sampan.local/none:1"}),
        pod("novolume", volumes=[{"name": "n", "nfs": {"server": "192.0.2.1", "path": "/"}}]),
        namespace=namespace,
    )
    eventually(
        lambda: "CreateContainerConfigError" in cluster.kubectl("get", "pod", "nomap", "-n", namespace).out
    )
    eventually(
        lambda: any(
            word in cluster.kubectl("get", "pod", "noimage", "-n", namespace).out
            for word in ("ErrImagePull", "ImagePullBackOff")
        )
    )
    events = eventually(
        lambda: (
            (
                text := cluster.kubectl(
                    "get", "events", "-n", namespace, "--field-selector=involvedObject.name=novolume"
                ).out
            ).count("FailedMount")
            and text
        )
    )
    assert "nfs is not supported by this node" in events
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "absent"}}, namespace=namespace
    )
    cluster.kubectl("wait", "-n", namespace, "pod/nomap", "--for=condition=Ready", "--timeout=60s")


def test_force_delete_cuts_a_long_grace_short(cluster: Cluster, namespace: str) -> None:
    stubborn = container("main", "sh", "-c", "trap '' TERM; while true; do sleep 0.1; done")
    run(cluster, namespace, pod("stubborn", stubborn, terminationGracePeriodSeconds=600))
    cluster.kubectl("delete", "pod", "-n", namespace, "stubborn", "--wait=false")
    cluster.kubectl(
        "delete", "pod", "-n", namespace, "stubborn", "--force", "--grace-period=0", "--timeout=30s"
    )
    found = subprocess.run(["pgrep", "-f", "trap '' TERM; while true"], capture_output=True, check=False)
    eventually(
        lambda: not subprocess.run(["pgrep", "-f", "trap '' TERM; while true"], capture_output=True).stdout
    )
    assert found.returncode in (0, 1)


def test_claims_are_provisioned_and_keep_their_data(cluster: Cluster, namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "hold"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    cluster.apply(claim, namespace=namespace)
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "hold"}}]
    mounts = [{"name": "d", "mountPath": "/d"}]
    run(
        cluster,
        namespace,
        pod(
            "writer",
            container("main", "sh", "-c", "echo kept > /d/x; sleep 3600", volumeMounts=mounts),
            volumes=volumes,
        ),
    )
    cluster.kubectl("delete", "pod", "-n", namespace, "writer")
    run(cluster, namespace, pod("reader", container("main", volumeMounts=mounts), volumes=volumes))
    assert execute(cluster, namespace, "reader", "cat", "/d/x") == "kept\n"


def test_deleting_leaves_nothing_on_the_node(cluster: Cluster, namespace: str) -> None:
    seen = run(cluster, namespace, pod("gone", volumes=[{"name": "m", "emptyDir": {"medium": "Memory"}}]))
    uid = seen["metadata"]["uid"]
    cluster.kubectl("delete", "pod", "-n", namespace, "gone")
    folder = cluster.home / "data" / cluster.name / "node"

    def traces() -> str:
        mounts = Path("/proc/mounts").read_text()
        left = [uid] if uid in mounts else []
        left += [str(p) for p in (folder / "pods").glob(f"{uid}*")]
        return json.dumps(left)

    eventually(lambda: traces() == "[]")
