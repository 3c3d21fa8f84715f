"""Jobs: plan tables, and whole lives played through so that no pod is lost from the counts."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sampan.control.plan import Create, Delete, Patch
from sampan.control.timestamps import stamp
from sampan.control_plane.controllers import indexes, job_policy, job_status, jobs, ttl_after_finished
from sampan.control_plane.controllers.job import CONTROLLER, ORPHANS
from sampan.control_plane.controllers.jobs import INDEX, INDEX_FAILURES, TRACKING, View
from workloads import NOW, TEMPLATE, conditions_of, meta, owned, pod, said

Object = dict[str, Any]


def job(status: Object | None = None, **spec: Any) -> Object:
    body = {"parallelism": 2, "completions": 3, "backoffLimit": 6, "template": TEMPLATE} | spec
    return {
        "metadata": meta("j"),
        "spec": {k: v for k, v in body.items() if v is not ...},
        "status": status or {},
    }


def worker(
    name: str, phase: str = "Running", *, index: int | None = None, tracked: bool = True, **more: Any
) -> Object:
    annotations = dict(more.pop("annotations", {}))
    if index is not None:
        annotations[INDEX] = str(index)
    return pod(
        name, phase, annotations=annotations, finalizers=[TRACKING] if tracked else None,
        ownerReferences=owned({"metadata": meta("j")}, "Job", "batch/v1"), **more,
    )  # fmt: skip


def view(owner: Object, *pods: Object, **more: Any) -> View:
    return View(owner, pods, NOW, **more)


def plan(made: View) -> list[str]:
    return said(jobs.plan(made, jobs.verdict(made)))


@pytest.mark.parametrize(
    ("spec", "pods", "expected"),
    [
        ({}, [], ["create pods j-", "create pods j-"]),
        ({}, [worker("a")], ["create pods j-"]),
        ({}, [worker("a", "Succeeded"), worker("b", "Succeeded")], ["create pods j-"]),
        ({}, [worker("a", "Succeeded"), worker("b", "Succeeded"), worker("c", "Succeeded")], []),
        ({"parallelism": 1}, [worker("a"), worker("b", "Pending")], ["patch pods b", "delete pods b"]),
        ({"parallelism": 0}, [], []),
        ({"suspend": True}, [worker("a")], ["patch pods a", "delete pods a"]),
        # without a number of completions the first success ends the creation of pods
        ({"completions": None}, [worker("a", "Succeeded"), worker("b")], []),
        ({"completions": None}, [worker("b")], ["create pods j-"]),
        ({"podReplacementPolicy": "Failed"}, [worker("a"), worker("b", going=True)], []),
        (
            {"podReplacementPolicy": "TerminatingOrFailed"},
            [worker("a"), worker("b", going=True)],
            ["create pods j-"],
        ),
    ],
)
def test_as_many_as_are_missing(spec: Object, pods: list[Object], expected: list[str]) -> None:
    assert plan(view(job(**spec), *pods)) == expected


def test_a_pod_of_a_job() -> None:
    action = jobs.plan(view(job()), None)[0]
    assert isinstance(action, Create)
    assert action.obj["metadata"]["finalizers"] == [TRACKING]


def test_a_pod_of_an_indexed_job() -> None:
    made = view(job(completionMode="Indexed"), worker("j-0-x", index=0))
    (action,) = jobs.plan(made, None)
    assert isinstance(action, Create)
    given = action.obj
    assert given["metadata"]["generateName"] == "j-1-"
    assert given["metadata"]["annotations"][INDEX] == given["metadata"]["labels"][INDEX] == "1"
    assert given["spec"]["hostname"] == "j-1"
    assert given["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"
    assert "env" not in TEMPLATE["spec"]["containers"][0]


def test_failures_are_retried_with_growing_pauses() -> None:
    waiting = view(job(), worker("a", "Failed"), failures=3, last_failure=NOW - 15)
    assert plan(waiting) == []
    assert jobs.until_retry(waiting) == 25.0
    assert plan(waiting._replace(now=NOW + 26)) == ["create pods j-", "create pods j-"]


def test_failures_in_a_row() -> None:
    bad, good = worker("a", "Failed"), worker("b", "Succeeded")
    assert job_status.failures_in_a_row(view(job(), bad), 1)[0] == 2
    assert job_status.failures_in_a_row(view(job(), bad, good), 5)[0] in (0, 1)
    assert job_status.failures_in_a_row(view(job()), 4)[0] == 4


# --- how it ends


@pytest.mark.parametrize(
    ("spec", "status", "pods", "expected"),
    [
        ({}, {}, [], None),
        ({}, {"succeeded": 2}, [worker("a", "Succeeded")], ("SuccessCriteriaMet", "CompletionsReached")),
        ({}, {"succeeded": 3}, [worker("a")], None),
        (
            {"backoffLimit": 1},
            {"failed": 1},
            [worker("a", "Failed")],
            ("FailureTarget", "BackoffLimitExceeded"),
        ),
        ({"backoffLimit": 1}, {"failed": 1}, [], None),
        (
            {"activeDeadlineSeconds": 60},
            {"startTime": stamp(NOW - 60)},
            [],
            ("FailureTarget", "DeadlineExceeded"),
        ),
        ({"activeDeadlineSeconds": 61}, {"startTime": stamp(NOW - 60)}, [], None),
        ({"completions": None}, {"succeeded": 1}, [], ("SuccessCriteriaMet", "CompletionsReached")),
    ],
)
def test_verdicts(spec: Object, status: Object, pods: list[Object], expected: tuple[str, str] | None) -> None:
    found = jobs.verdict(view(job(status, **spec), *pods))
    assert (found and (found["type"], found["reason"])) == expected


def test_restarts_count_with_on_failure() -> None:
    template = {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "OnFailure"}}
    restless = worker("a")
    restless["status"]["containerStatuses"] = [{"restartCount": 2}]
    assert jobs.verdict(view(job(template=template, backoffLimit=3), restless)) is None
    found = jobs.verdict(view(job(template=template, backoffLimit=2), restless))
    assert found is not None
    assert found["reason"] == "BackoffLimitExceeded"


def test_until_the_deadline() -> None:
    made = view(job({"startTime": stamp(NOW - 10)}, activeDeadlineSeconds=60))
    assert jobs.until_deadline(made) == 50.0


def live(owner: Object, ends: list[str], *, rounds: int = 30) -> Object:
    """Plays a job: pods end one after the other as told; the API's side is applied to the objects. The last status."""
    pods: dict[str, Object] = {}
    serial = 0
    seen: set[str] = set()
    for _ in range(rounds):
        made = view(owner, *pods.values())
        verdict = jobs.verdict(made)
        for action in jobs.plan(made, verdict):
            if isinstance(action, Create):
                serial += 1
                new = copy.deepcopy(action.obj)
                new["metadata"] |= meta(f"p{serial}")
                new["status"] = {"phase": "Running"}
                pods[new["metadata"]["name"]] = new
            elif isinstance(action, Delete):
                gone = pods[action.name]
                if gone["metadata"].get("finalizers"):
                    gone["metadata"]["deletionTimestamp"] = stamp(NOW)
                    gone["status"]["phase"] = "Failed"
                else:
                    del pods[action.name]
        for _half in range(2):
            made = view(owner, *pods.values())
            verdict = jobs.verdict(made)
            owner["status"] = job_status.status(made, verdict)
            counted = owner["status"].get("uncountedTerminatedPods") or {}
            assert not set(counted.get("succeeded", ())) & set(counted.get("failed", ()))
            for action in job_status.releases(view(owner, *pods.values()), verdict):
                assert isinstance(action, Patch)
                held = pods[action.name]
                held["metadata"]["finalizers"] = action.body["metadata"]["finalizers"] or []
                if held["metadata"].get("deletionTimestamp"):
                    del pods[action.name]
        if jobs.is_finished(owner):
            return dict(owner["status"])
        running = sorted(n for n, p in pods.items() if p["status"]["phase"] == "Running" and n not in seen)
        if running and ends:
            seen.add(running[0])
            pods[running[0]]["status"]["phase"] = ends.pop(0)
    return dict(owner["status"])


def test_a_life_that_succeeds() -> None:
    status = live(job(), ["Succeeded", "Failed", "Succeeded", "Succeeded"])
    assert conditions_of(status) == {
        "SuccessCriteriaMet": ("True", "CompletionsReached"),
        "Complete": ("True", "CompletionsReached"),
    }
    assert (status["succeeded"], status["failed"], status.get("active", 0)) == (3, 1, 0)
    assert status["uncountedTerminatedPods"] == {}
    assert status["completionTime"] == stamp(NOW)


def test_a_life_that_fails() -> None:
    status = live(job(backoffLimit=1), ["Failed", "Failed"])
    assert conditions_of(status)["Failed"] == ("True", "BackoffLimitExceeded")
    assert status["failed"] >= 2
    assert "completionTime" not in status


def test_an_indexed_life() -> None:
    status = live(job(completionMode="Indexed", completions=4), ["Succeeded"] * 4)
    assert status["completedIndexes"] == "0-3"
    assert status["succeeded"] == 4
    assert "Complete" in conditions_of(status)


def test_an_index_has_its_own_limit() -> None:
    owner = job(completionMode="Indexed", completions=2, backoffLimitPerIndex=1, backoffLimit=2**31 - 1)
    failed = worker("a", "Failed", index=0, annotations={INDEX_FAILURES: "1"})
    made = view(owner, failed, worker("b", index=1))
    assert made.failed_indexes() == {0}
    assert job_status.status(made, None)["failedIndexes"] == "0"
    first = worker("a", "Failed", index=0, annotations={INDEX_FAILURES: "0"})
    first["status"]["containerStatuses"] = [{"state": {"terminated": {"finishedAt": stamp(NOW - 60)}}}]
    (action,) = jobs.plan(view(owner, first, worker("b", index=1)), None)
    assert action.obj["metadata"]["annotations"][INDEX_FAILURES] == "1"  # type: ignore[union-attr]
    # the failed pod is kept until its replacement is there
    assert job_status.releases(view(owner, first, worker("b", index=1)), None) == []


def test_too_many_failed_indexes() -> None:
    owner = job(completionMode="Indexed", completions=3, backoffLimitPerIndex=0, maxFailedIndexes=1)
    failed = [worker(f"p{i}", "Failed", index=i) for i in (0, 1)]
    found = jobs.verdict(view(owner, *failed))
    assert found is not None
    assert found["reason"] == "MaxFailedIndexesExceeded"


def test_suspending_and_resuming() -> None:
    owner = job({"startTime": stamp(NOW - 5)}, suspend=True)
    made = job_status.status(view(owner), None)
    assert conditions_of(made) == {"Suspended": ("True", "JobSuspended")}
    assert "startTime" not in made
    again = job_status.status(view(job(made)), None)
    assert conditions_of(again) == {"Suspended": ("False", "JobResumed")}
    assert again["startTime"] == stamp(NOW)


def test_deleted_pods_count_as_failed_unless_only_finished_ones_are_replaced() -> None:
    leaving = worker("a", going=True)
    assert view(job(), leaving).failed() == 1
    assert view(job(podReplacementPolicy="Failed"), leaving).failed() == 0


def test_pods_of_a_deleted_job_are_let_go() -> None:
    owner = job()
    owner["metadata"]["deletionTimestamp"] = stamp(NOW)
    assert said(job_status.releases(view(owner, worker("a")), None)) == ["patch pods a"]


# --- policies and indexes


def exited(code: int) -> Object:
    made = worker("a", "Failed")
    made["status"]["containerStatuses"] = [{"name": "c", "state": {"terminated": {"exitCode": code}}}]
    made["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
    return made


RULES = {
    "rules": [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
    ]
}


def test_pod_failure_policy() -> None:
    found = job_policy.of_pod(RULES, exited(42))
    assert found.action == "FailJob"
    assert (
        found.message == "Container c for pod ns/a failed with exit code 42 matching FailJob rule at index 0"
    )
    assert not job_policy.of_pod(RULES, exited(1)).counts
    assert job_policy.of_pod(None, exited(1)).counts
    other = {"rules": [{"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [1]}}]}
    assert job_policy.of_pod(other, exited(2)).action == "Count"
    assert job_policy.of_pod(other, exited(1)).action == ""


def test_a_failure_that_fails_the_job_and_one_that_is_ignored() -> None:
    owner = job(podFailurePolicy=RULES)
    ends = jobs.verdict(view(owner, exited(42)))
    assert ends is not None
    assert ends["reason"] == "PodFailurePolicy"
    ignored = view(owner, exited(7))
    assert ignored.failed() == 0
    assert said(job_status.releases(ignored, None)) == ["patch pods a"]


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({"succeededIndexes": "0-1"}, True),
        ({"succeededIndexes": "0-2"}, False),
        ({"succeededIndexes": "0-2", "succeededCount": 2}, True),
        ({"succeededCount": 2}, True),
        ({"succeededCount": 3}, False),
    ],
)
def test_success_policy(rule: Object, met: bool) -> None:
    found = job_policy.success({"rules": [rule]}, 5, frozenset({0, 1}))
    assert found == ("Matched rules at index 0" if met else None)


@pytest.mark.parametrize(
    ("values", "text"),
    [(set(), ""), ({3}, "3"), ({0, 1}, "0,1"), ({0, 1, 2, 5, 7, 8}, "0-2,5,7,8")],
)
def test_indexes(values: set[int], text: str) -> None:
    assert indexes.text(values) == text
    assert indexes.parse(text, 100) == values


def test_indexes_out_of_range_and_nonsense() -> None:
    assert indexes.parse("1-9,x,4-y", 3) == {1, 2}


# --- what comes after


def test_time_to_live() -> None:
    done = {"conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": stamp(NOW - 30)}]}
    assert ttl_after_finished.due(job()) is None
    assert ttl_after_finished.due(job(ttlSecondsAfterFinished=10)) is None
    finished = job(done, ttlSecondsAfterFinished=60)
    assert ttl_after_finished.due(finished) == NOW + 30
    assert ttl_after_finished.plan(finished, NOW) == []
    (action,) = ttl_after_finished.plan(finished, NOW + 30)
    assert isinstance(action, Delete)
    assert action.propagation == "Foreground"


def test_the_controllers_read_what_they_need() -> None:
    assert [w.resource.plural for w in CONTROLLER.watches] == ["jobs", "pods"]
    assert [w.resource.plural for w in ORPHANS.watches] == ["pods", "jobs"]
