"""What the agent does next for a pod: one row per situation."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.node.agent import plan
from sampan.node.agent.plan import Delay, Look, Plan, Probed, Start
from unit.node.agent.pods import (
    CREATED,
    EXITED,
    NOT_READY,
    NOW,
    RUNNING,
    UNKNOWN,
    container,
    has,
    look,
    pod,
    sandbox,
)

A, B = container("a"), container("b")
I1, I2 = container("i1"), container("i2")
SIDE = container("side", restartPolicy="Always")


def decide(spec: dict[str, Any], seen: Look, probed: Probed = Probed(), **delays: Delay) -> Plan:
    return plan.compute(spec, seen, probed, delays.get, NOW)


@pytest.mark.parametrize(
    ("spec", "seen", "expected"),
    [
        pytest.param(pod(A, B), look(gone=True), Plan(create=0), id="nothing is there yet"),
        pytest.param(
            pod(A, B), look(), Plan(start=(Start("a", 0), Start("b", 0))), id="sandbox without containers"
        ),
        pytest.param(pod(A, B), look(has(A)), Plan(start=(Start("b", 0),)), id="one of two runs"),
        pytest.param(pod(A), look(has(A)), Plan(), id="all runs"),
        pytest.param(
            pod(A), look(has(A, CREATED)), Plan(start=(Start("a", 1),)), id="made but never started"
        ),
        pytest.param(
            pod(A), look(has(A, EXITED, code=1)), Plan(start=(Start("a", 1),)), id="first crash: at once"
        ),
        pytest.param(
            pod(A), look(has(A, EXITED)), Plan(start=(Start("a", 1),)), id="Always restarts success"
        ),
        pytest.param(
            pod(A, policy="OnFailure"), look(has(A, EXITED)), Plan(stop=True), id="OnFailure and done"
        ),
        pytest.param(
            pod(A, policy="OnFailure"),
            look(has(A, EXITED, code=3)),
            Plan(start=(Start("a", 1),)),
            id="OnFailure failed",
        ),
        pytest.param(
            pod(A, policy="Never"), look(has(A, EXITED, code=3)), Plan(stop=True), id="Never and failed"
        ),
        pytest.param(
            pod(A, B, policy="Never"), look(has(A, EXITED), has(B)), Plan(), id="Never, another still runs"
        ),
        pytest.param(
            pod(A), look(has(A), box=sandbox(NOT_READY)), Plan(create=1), id="sandbox died: all anew"
        ),
        pytest.param(
            pod(A, policy="Never"),
            look(has(A), box=sandbox(NOT_READY)),
            Plan(stop=True),
            id="sandbox died, Never",
        ),
        pytest.param(
            pod(A, policy="OnFailure"),
            look(has(A, EXITED), box=sandbox(NOT_READY)),
            Plan(stop=True),
            id="sandbox died after all was done",
        ),
        pytest.param(pod(A), look(has(A, UNKNOWN)), Plan(start=(Start("a", 1),)), id="exit not known"),
    ],
)
def test_regular_containers(spec: dict[str, Any], seen: Look, expected: Plan) -> None:
    assert decide(spec, seen) == expected


@pytest.mark.parametrize(
    ("spec", "seen", "expected"),
    [
        pytest.param(pod(A, init=(I1, I2)), look(), Plan(start=(Start("i1", 0),)), id="first init"),
        pytest.param(pod(A, init=(I1, I2)), look(has(I1)), Plan(), id="waits for the first"),
        pytest.param(
            pod(A, init=(I1, I2)), look(has(I1, EXITED)), Plan(start=(Start("i2", 0),)), id="then the second"
        ),
        pytest.param(
            pod(A, init=(I1, I2)),
            look(has(I1, EXITED), has(I2, EXITED)),
            Plan(start=(Start("a", 0),)),
            id="then the rest",
        ),
        pytest.param(
            pod(A, init=(I1,)),
            look(has(I1, EXITED, code=1)),
            Plan(start=(Start("i1", 1),)),
            id="init fails: again",
        ),
        pytest.param(
            pod(A, init=(I1,), policy="Never"),
            look(has(I1, EXITED, code=1)),
            Plan(stop=True),
            id="init fails, Never",
        ),
        pytest.param(
            pod(A, init=(I1,)), look(has(A)), Plan(), id="init status gone while the pod runs: not run again"
        ),
        pytest.param(pod(A, init=(SIDE, I1)), look(), Plan(start=(Start("side", 0),)), id="sidecar first"),
        pytest.param(
            pod(A, init=(SIDE, I1)), look(has(SIDE)), Plan(), id="waits until the sidecar has started"
        ),
        pytest.param(
            pod(A, init=(SIDE,)),
            look(has(SIDE, EXITED, code=1), has(A)),
            Plan(start=(Start("side", 1),)),
            id="a sidecar is restarted beside the running pod",
        ),
        pytest.param(
            pod(A, init=(SIDE,), policy="Never"),
            look(has(SIDE), has(A, EXITED)),
            Plan(stop=True),
            id="sidecars end with the regular ones",
        ),
    ],
)
def test_init_containers(spec: dict[str, Any], seen: Look, expected: Plan) -> None:
    assert decide(spec, seen) == expected


def test_a_started_sidecar_lets_the_next_container_start() -> None:
    spec = pod(A, init=(SIDE, I1))
    assert decide(spec, look(has(SIDE)), Probed(started=frozenset({"side-0"}))).start == (Start("i1", 0),)


def test_a_crashing_container_is_held_back_and_the_plan_says_how_long() -> None:
    crashed = has(A, EXITED, attempt=2, code=1, finished=NOW - 4)
    held = decide(pod(A), look(crashed), a=Delay(20.0, NOW - 30))
    assert held.start == ()
    assert held.waiting["a"].reason == "CrashLoopBackOff"
    assert held.waiting["a"].message == "back-off 20s restarting failed container=a pod=boat_sea(u-1)"
    assert held.wake_after == pytest.approx(16.0)
    assert decide(pod(A), look(crashed), a=Delay(3.0, NOW - 30)).start == (Start("a", 3),)


def test_back_off_doubles_up_to_five_minutes_and_is_forgotten_after_ten() -> None:
    delay = plan.next_delay(None, NOW)
    seconds = []
    for step in range(7):
        seconds.append(delay.seconds)
        delay = plan.next_delay(delay, NOW + step)
    assert seconds == [10, 20, 40, 80, 160, 300, 300]
    assert plan.next_delay(Delay(300, NOW - 601), NOW).seconds == 10


def test_a_failed_probe_and_a_changed_image_end_the_container() -> None:
    unwell = decide(pod(A), look(has(A)), Probed(failed={"a-0": "liveness"}))
    assert [(k.name, k.message) for k in unwell.kill] == [
        ("a", "Container a failed liveness probe, will be restarted")
    ]
    newer = {**A, "image": "sampan.local/host:2"}
    assert (
        decide(pod(newer), look(has(A))).kill[0].message
        == "Container a definition changed, will be restarted"
    )


def test_ephemeral_containers_start_once() -> None:
    debug = container("debug")
    spec = pod(A, ephemeralContainers=[debug])
    assert decide(spec, look(has(A))).start == (Start("debug", 0),)
    assert decide(spec, look(has(A), has(debug, EXITED, code=1))).start == ()


def test_sidecars_are_killed_after_the_others_and_in_reverse() -> None:
    other = container("other", restartPolicy="Always")
    spec = pod(A, B, init=(SIDE, other))
    groups = plan.order_of_killing(spec, look(has(SIDE), has(other), has(A), has(B, EXITED)))
    assert [[s.metadata.name for s in group] for group in groups] == [["a"], ["other"], ["side"]]


def test_running_containers_stay_when_time_passes() -> None:
    assert decide(pod(A), look(has(A, RUNNING, attempt=5)), a=Delay(300, NOW)) == Plan()
