"""Hooks: order, policies of deletion and logs, failures."""

from __future__ import annotations

import pytest

from sampan.api import kinds
from sampan.apps.helm.actions import hooks
from sampan.apps.helm.actions.hooks import HookFailed
from sampan.apps.helm.actions.session import Session
from sampan.charts.manifests import sort
from sampan.charts.release import Info, Release, StoredHook
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, annotated, chart, hook, run, written


def release(*texts: str) -> Release:
    found = sort({"web/templates/h.yaml": "---\n".join(texts)})
    stored = tuple(StoredHook(one) for one in found.hooks)
    return Release("web", "default", 1, Info(status="pending-install"), chart({}), {}, hooks=stored)


def started(session: Session, record: Release) -> Release:
    run(session.storage.create(record))
    return record


def executed(api: FakeCluster, *texts: str, told: Told | None = None, event: str = "pre-install") -> Release:
    session = fakes.session(api, told)
    return run(hooks.run(session, started(session, release(*texts)), event, 5.0))


def test_by_weight_then_by_name_and_one_event_alone() -> None:
    api = FakeCluster(fakes.finished)
    weights = {"b": "2", "a": "2", "z": "-1"}
    texts = [hook(n, "pre-install", annotated("hook-weight", w)) for n, w in weights.items()]
    executed(api, *texts, hook("other", "post-install"))
    assert written(api) == [("apply", "z"), ("apply", "a"), ("apply", "b")]


def test_a_former_hook_goes_before_it_is_made_again() -> None:
    api = FakeCluster(fakes.finished)
    api.put(kinds.of("batch/v1", "Job"), {"metadata": {"name": "h", "namespace": "default"}})
    executed(api, hook("h", "pre-install"))
    assert written(api) == [("delete", "h"), ("apply", "h")]


def test_hook_succeeded_deletes_in_reverse_after_all() -> None:
    api = FakeCluster(fakes.finished)
    gone = annotated("hook-delete-policy", "hook-succeeded")
    executed(api, hook("a", "pre-install", gone), hook("b", "pre-install", gone))
    assert written(api) == [("apply", "a"), ("apply", "b"), ("delete", "b"), ("delete", "a")]


def test_a_failure_ends_the_row_and_policies_hold() -> None:
    api = FakeCluster(fakes.failing("b"))
    texts = [
        hook("a", "pre-install", annotated("hook-delete-policy", "hook-succeeded")),
        hook("b", "pre-install", annotated("hook-delete-policy", "hook-failed")),
        hook("c", "pre-install"),
    ]
    with pytest.raises(HookFailed) as caught:
        executed(api, *texts)
    assert written(api) == [("apply", "a"), ("apply", "b"), ("delete", "b"), ("delete", "a")]
    assert [stored.last_run.phase for stored in caught.value.release.hooks] == ["Succeeded", "Failed", ""]


def test_a_hook_that_cannot_be_made() -> None:
    api = FakeCluster()
    api.refuse("apply", "h")
    with pytest.raises(HookFailed) as caught:
        executed(api, hook("h", "pre-install"))
    assert str(caught.value) == (
        "warning: Hook pre-install web/templates/h.yaml failed: server-side apply failed for object "
        "default/h batch/v1, Kind=Job: h is forbidden"
    )


def test_a_kind_that_is_not_there() -> None:
    text = "apiVersion: x/v1\nkind: Y\nmetadata: {name: y, annotations: {helm.sh/hook: pre-install}}\n"
    with pytest.raises(
        HookFailed, match=r"unable to build kubernetes object for deleting hook web/templates/h\.yaml"
    ):
        executed(FakeCluster(), text)


def test_crds_as_hooks_are_never_deleted() -> None:
    api = FakeCluster(fakes.finished)
    text = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: c\n  annotations:\n"
        "    helm.sh/hook: pre-install\n    helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation\n"
    )
    api.put(kinds.of("apiextensions.k8s.io/v1", "CustomResourceDefinition"), {"metadata": {"name": "c"}})
    executed(api, text)
    assert written(api) == [("apply", "c")]


def test_logs_by_policy() -> None:
    api = FakeCluster(fakes.finished)
    api.logs = {"p": b"done\n"}
    told = Told()
    executed(
        api,
        hook("p", "pre-install", annotated("hook-output-log-policy", "hook-succeeded"), kind="Pod"),
        told=told,
    )
    assert told.texts == ["done"]


def test_logs_of_a_failed_job_are_those_of_its_pods() -> None:
    api = FakeCluster(fakes.failing("h"))
    api.put(
        kinds.of("v1", "Pod"),
        {
            "metadata": {"name": "h-1", "namespace": "default", "labels": {"job-name": "h"}},
            "spec": {"containers": [{"name": "c"}]},
        },
    )
    api.logs = {"h-1": b"oh no"}
    told = Told()
    with pytest.raises(HookFailed):
        executed(api, hook("h", "pre-install", annotated("hook-output-log-policy", "hook-failed")), told=told)
    assert told.texts == ["oh no"]


def test_a_run_is_recorded_before_it_begins() -> None:
    api = FakeCluster(fakes.finished)
    session = fakes.session(api)
    seen: list[str] = []

    def react(obj: fakes.Object) -> None:
        fakes.finished(obj)
        seen.append(session.storage.driver._records["default", "web", 1].hooks[0].last_run.phase)  # type: ignore[attr-defined]

    api.react = react
    run(hooks.run(session, started(session, release(hook("h", "test"))), "test", 5.0))
    assert seen == ["Running"]
