"""What the API is told of a pod."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.node.agent import status
from sampan.node.agent.plan import Waiting
from sampan.node.agent.status import View
from unit.node.agent.pods import EXITED, NOT_READY, NOW, container, has, look, pod, sandbox

A, B, I1 = container("a"), container("b"), container("i1")
AT = "2023-11-14T22:13:20Z"


def view(**more: Any) -> View:
    return View(now=AT, host_ips=("192.0.2.7",), **more)


def by_type(shown: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in shown["conditions"]}


def test_a_running_and_ready_pod() -> None:
    shown = status.compute(pod(A), look(has(A)), view(ready=frozenset({"a-0"}), started=frozenset({"a-0"})))
    assert shown["phase"] == "Running"
    assert shown["podIP"] == "10.42.0.5" and shown["hostIP"] == "192.0.2.7"
    assert by_type(shown) == {
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "Ready": "True",
        "ContainersReady": "True",
        "PodScheduled": "True",
    }
    [one] = shown["containerStatuses"]
    assert (one["ready"], one["started"], one["restartCount"]) == (True, True, 0)
    assert one["containerID"] == "sampan://a-0" and one["imageID"] == "sha256:1"
    assert one["state"] == {"running": {"startedAt": status.time_text(int((NOW - 50) * 1e9))}}


def test_before_anything_runs() -> None:
    shown = status.compute(pod(A, init=(I1,)), look(gone=True), view())
    assert shown["phase"] == "Pending"
    assert shown["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    assert by_type(shown)["Initialized"] == "False"
    assert "podIP" not in shown


def test_crash_loop_shows_waiting_with_the_last_state() -> None:
    crashed = has(A, EXITED, attempt=3, code=1, finished=NOW - 4)
    shown = status.compute(
        pod(A), look(crashed), view(waiting={"a": Waiting("CrashLoopBackOff", "back-off")})
    )
    [one] = shown["containerStatuses"]
    assert one["state"]["waiting"] == {"reason": "CrashLoopBackOff", "message": "back-off"}
    assert one["lastState"]["terminated"]["exitCode"] == 1
    assert one["restartCount"] == 3
    assert shown["phase"] == "Running"


@pytest.mark.parametrize(
    ("policy", "codes", "phase"),
    [
        ("Never", (0, 0), "Succeeded"),
        ("Never", (0, 1), "Failed"),
        ("OnFailure", (0, 0), "Succeeded"),
        ("OnFailure", (0, 1), "Running"),
        ("Always", (0, 0), "Running"),
    ],
)
def test_phase_when_containers_have_ended(policy: str, codes: tuple[int, int], phase: str) -> None:
    seen = look(has(A, EXITED, code=codes[0]), has(B, EXITED, code=codes[1]))
    assert status.compute(pod(A, B, policy=policy), seen, view())["phase"] == phase


def test_a_completed_pod_says_so_in_its_conditions() -> None:
    seen = look(has(A, EXITED, reason="Completed"), box=sandbox(NOT_READY))
    shown = status.compute(pod(A, policy="Never"), seen, view())
    ready = next(c for c in shown["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodCompleted")
    assert shown["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


def test_an_unready_container_names_itself() -> None:
    shown = status.compute(
        pod(A, B), look(has(A), has(B)), view(started=frozenset({"a-0", "b-0"}), ready=frozenset({"a-0"}))
    )
    ready = next(c for c in shown["conditions"] if c["type"] == "Ready")
    assert ready["message"] == "containers with unready status: [b]"


def test_transition_times_stay_while_nothing_changes() -> None:
    spec = pod(A)
    spec["status"] = {
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2020-01-01T00:00:00Z"}]
    }
    shown = status.compute(spec, look(has(A)), view())
    times = {c["type"]: c["lastTransitionTime"] for c in shown["conditions"]}
    assert times["Ready"] == "2020-01-01T00:00:00Z"
    assert times["Initialized"] == AT


def test_readiness_gates_hold_ready_back() -> None:
    spec = pod(A, readinessGates=[{"conditionType": "example.com/lit"}])
    ids = frozenset({"a-0"})
    shown = status.compute(spec, look(has(A)), view(ready=ids, started=ids))
    assert by_type(shown)["ContainersReady"] == "True" and by_type(shown)["Ready"] == "False"


def test_a_pod_given_up_is_failed_with_the_reason() -> None:
    shown = status.compute(pod(A), look(has(A)), view(failed=("DeadlineExceeded", "too long")))
    assert (shown["phase"], shown["reason"], shown["message"]) == ("Failed", "DeadlineExceeded", "too long")
