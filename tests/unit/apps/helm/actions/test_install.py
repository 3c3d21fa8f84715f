"""install: order of work, what is recorded, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sampan.api import kinds
from sampan.api.kinds.model import Resource
from sampan.api.status import ApiError
from sampan.apps.helm.actions import install
from sampan.apps.helm.actions.options import Common, Install
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.charts.release import Release
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, annotated, chart, config_map, hook, run, written

GADGET = Resource("example.com", "v1", "Gadget", "gadgets", "gadget", True)
CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec: {group: example.com, names: {kind: Gadget, plural: gadgets}, versions: [{name: v1, served: true, storage: true}]}
"""


def installed(
    api: FakeCluster,
    files: dict[str, str],
    told: Told | None = None,
    session: Session | None = None,
    **options: Any,
) -> Release:
    values = options.pop("values", {})
    return run(
        install.run(session or fakes.session(api, told), "web", chart(files), values, Install(**options))
    )


def failure(api: FakeCluster, files: dict[str, str], **options: Any) -> tuple[HelmError, Session]:
    session = fakes.session(api)
    with pytest.raises(HelmError) as caught:
        installed(api, files, session=session, **options)
    return caught.value, session


def test_a_release_is_written_recorded_and_marked() -> None:
    api = FakeCluster(fakes.finished)
    session = fakes.session(api)
    files = {"templates/b.yaml": config_map("{{ .Release.Name }}-b"), "templates/NOTES.txt": "hello"}
    found = installed(api, files, session=session, values={"x": 1}, labels={"team": "blue"})
    assert (found.version, found.info.status, found.info.description) == (1, "deployed", "Install complete")
    assert (found.info.notes, found.config, found.apply_method) == ("hello", {"x": 1}, "ssa")
    assert run(session.storage.last("web")) == found
    live = api.find("configmaps", "web-b", "default")
    assert live is not None
    assert live["metadata"]["annotations"]["meta.helm.sh/release-name"] == "web"
    applied = next(how for how in api.how if how["verb"] == "apply")
    assert (applied["field_manager"], applied["force"], applied["field_validation"]) == (
        "helm",
        False,
        "Strict",
    )


def test_kinds_go_in_order_and_hooks_around_them() -> None:
    api = FakeCluster(fakes.finished)
    files = {
        "templates/a.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n",
        "templates/b.yaml": config_map("c"),
        "templates/h.yaml": hook("late", "post-install") + "---\n" + hook("early", "pre-install"),
    }
    installed(api, files)
    assert written(api) == [("apply", "early"), ("apply", "c"), ("apply", "d"), ("apply", "late")]


def test_without_hooks() -> None:
    api = FakeCluster(fakes.finished)
    installed(api, {"templates/h.yaml": hook("h", "pre-install")}, common=Common(no_hooks=True))
    assert written(api) == []


def test_client_side_creates() -> None:
    api = FakeCluster(fakes.finished)
    found = installed(api, {"templates/b.yaml": config_map("c")}, common=Common(server_side=False))
    assert written(api) == [("create", "c")]
    assert found.apply_method == "csa"


def test_a_generated_name_is_created_by_the_server() -> None:
    api = FakeCluster()
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: c-}\n"
    installed(api, {"templates/b.yaml": text})
    assert written(api) == [("create", "c-made")]


def test_lists_are_taken_apart_and_namespaces_respected() -> None:
    api = FakeCluster()
    listed = (
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: space}}\n"
    )
    listed += "- {apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: space}}\n"
    installed(api, {"templates/b.yaml": listed})
    assert api.find("namespaces", "space") is not None
    assert api.find("configmaps", "c", "space") is not None


def test_the_name_has_to_be_free() -> None:
    api = FakeCluster()
    told = Told()
    session = fakes.session(api, told)
    installed(api, {}, session=session)
    with pytest.raises(
        HelmError, match="release name check failed: cannot reuse a name that is still in use"
    ):
        installed(api, {}, session=session)
    assert told.lines == [
        'level=ERROR msg="release name check failed" error="cannot reuse a name that is still in use"'
    ]


def test_a_bad_name() -> None:
    api = FakeCluster()
    with pytest.raises(HelmError, match='release name check failed: release name "A": invalid release name'):
        run(install.run(fakes.session(api), "A", chart({}), {}, Install()))


def test_replace_takes_the_name_of_what_was_uninstalled() -> None:
    api = FakeCluster()
    session = fakes.session(api)
    first = installed(api, {}, session=session)
    run(session.storage.update(first.with_status("uninstalled", "gone")))
    second = installed(api, {}, session=session, replace=True)
    assert (second.version, second.info.status) == (2, "deployed")
    assert run(session.storage.get("web", 1)).info.status == "superseded"


def test_replace_leaves_a_failed_record_as_it_is() -> None:
    api = FakeCluster()
    session = fakes.session(api)
    first = installed(api, {}, session=session)
    run(session.storage.update(first.with_status("failed", "boom")))
    assert installed(api, {}, session=session, replace=True).version == 2
    assert run(session.storage.get("web", 1)).info.status == "failed"


def test_a_failure_is_recorded() -> None:
    api = FakeCluster()
    api.refuse("apply", "c")
    error, session = failure(api, {"templates/b.yaml": config_map("c")})
    assert str(error) == "server-side apply failed for object default/c /v1, Kind=ConfigMap: c is forbidden"
    info = run(session.storage.last("web")).info
    assert (info.status, info.description) == ("failed", f'Release "web" failed: {error}')


def test_every_object_that_fails_is_named() -> None:
    api = FakeCluster()
    api.refuse("apply", "c")
    api.refuse("apply", "d")
    error, _ = failure(api, {"templates/b.yaml": config_map("c") + "---\n" + config_map("d")})
    assert str(error).count("is forbidden") == 2
    assert "\n" in str(error)


def test_conflicts_in_helms_words() -> None:
    api = FakeCluster()
    api.refuse("apply", "d", ApiError(409, "Conflict", "Apply failed with 1 conflict"))
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n"
    error, _ = failure(api, {"templates/b.yaml": text})
    assert str(error) == (
        "conflict occurred while applying object default/d apps/v1, Kind=Deployment: Apply failed with 1 conflict"
    )


def test_a_failed_hook_is_noted_and_nothing_else_is_made() -> None:
    api = FakeCluster(fakes.failing("early"))
    files = {"templates/b.yaml": config_map("c"), "templates/h.yaml": hook("early", "pre-install")}
    error, session = failure(api, files)
    assert str(error) == (
        "failed pre-install: resource Job/default/early not ready. status: Failed, message: Job Failed. failed: 0/1"
    )
    assert written(api) == [("apply", "early")]
    record = run(session.storage.last("web"))
    assert (record.info.status, record.hooks[0].last_run.phase) == ("failed", "Failed")


def test_rollback_on_failure_uninstalls() -> None:
    api = FakeCluster(fakes.failing("late"))
    files = {"templates/b.yaml": config_map("c"), "templates/h.yaml": hook("late", "post-install")}
    error, session = failure(api, files, rollback_on_failure=True)
    assert str(error).startswith(
        "release web failed, and has been uninstalled due to rollback-on-failure being set: failed post-install"
    )
    assert api.find("configmaps", "c", "default") is None
    with pytest.raises(NotFound):
        run(session.storage.last("web"))


def test_foreign_objects_are_refused_before_anything_is_made() -> None:
    api = FakeCluster()
    api.put(kinds.of("v1", "ConfigMap"), {"metadata": {"name": "c", "namespace": "default"}})
    error, session = failure(api, {"templates/b.yaml": config_map("c")})
    assert str(error).startswith(
        'unable to continue with install: ConfigMap "c" in namespace "default" exists and cannot be imported'
    )
    assert written(api) == []
    with pytest.raises(NotFound):
        run(session.storage.last("web"))


def test_take_ownership_adopts_them() -> None:
    api = FakeCluster()
    api.put(kinds.of("v1", "ConfigMap"), {"metadata": {"name": "c", "namespace": "default"}})
    installed(api, {"templates/b.yaml": config_map("c")}, common=Common(take_ownership=True))
    live = api.find("configmaps", "c", "default")
    assert live is not None
    assert live["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "Helm"}


def test_kinds_that_the_cluster_lacks() -> None:
    api = FakeCluster()
    text = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n"
    error, _ = failure(api, {"templates/b.yaml": text})
    assert str(error) == (
        'unable to build kubernetes objects from release manifest: resource mapping not found for name: "g" '
        'namespace: "" from "": no matches for kind "Gadget" in version "example.com/v1"\nensure CRDs are installed first'
    )


def test_crds_come_first_and_their_kinds_are_known_then() -> None:
    api = FakeCluster()

    def react(obj: fakes.Object) -> None:
        fakes.finished(obj)
        if obj["kind"] == "CustomResourceDefinition":
            api.kinds.append(GADGET)

    api.react = react
    files = {
        "crds/gadget.yaml": CRD,
        "templates/g.yaml": "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: g}\n",
    }
    installed(api, files)
    assert written(api) == [("apply", "gadgets.example.com"), ("apply", "g")]


def test_crds_that_exist_are_left_alone_and_may_be_skipped() -> None:
    api = FakeCluster(fakes.finished)
    api.put(
        kinds.of("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        {"metadata": {"name": "gadgets.example.com"}},
    )
    installed(api, {"crds/gadget.yaml": CRD})
    assert written(api) == []
    other = FakeCluster(fakes.finished)
    installed(other, {"crds/gadget.yaml": CRD}, skip_crds=True)
    assert written(other) == []


def test_the_namespace_is_made_on_request() -> None:
    api = FakeCluster()
    installed(api, {}, create_namespace=True)
    made = api.find("namespaces", "default")
    assert made is not None
    assert made["metadata"]["labels"] == {"name": "default"}
    installed(api, {}, create_namespace=True)  # it is there: fine


def test_dry_runs_write_nothing() -> None:
    told = Told()
    api = FakeCluster()
    files = {"templates/b.yaml": config_map("c"), "crds/gadget.yaml": CRD}
    for way in ("client", "server"):
        found = installed(api, files, told, common=Common(dry_run=way))
        assert (found.info.status, found.info.description) == ("pending-install", "Dry run complete")
        assert "name: c" in found.manifest
    assert written(api) == []
    assert [line for line in told.lines if "contains CRDs" in line]


def test_a_client_dry_run_asks_no_cluster() -> None:
    api = FakeCluster()
    api.refuse("get", "/version")
    found = installed(api, {"templates/b.yaml": config_map("c")}, common=Common(dry_run="client"))
    assert "name: c" in found.manifest
    assert api.how == []


def test_an_unreachable_cluster() -> None:
    api = FakeCluster()
    api.refuse("get", "/version", ApiError(401, "Unauthorized", "Unauthorized"))
    told = Told()
    with pytest.raises(HelmError, match="cluster reachability check failed: kubernetes cluster unreachable"):
        installed(api, {}, told)
    assert told.lines[0].startswith('level=ERROR msg="cluster reachability check failed: ')


def test_secrets_are_hidden_in_dry_runs_alone() -> None:
    api = FakeCluster()
    files = {
        "templates/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: topsecret}\n"
    }
    found = installed(api, files, common=Common(dry_run="client", hide_secret=True))
    assert "topsecret" not in found.manifest
    assert "# HIDDEN: The Secret output has been suppressed" in found.manifest
    error, _ = failure(api, files, common=Common(hide_secret=True))
    assert str(error) == "hiding Kubernetes secrets requires a dry-run mode"


def test_reserved_labels() -> None:
    error, _ = failure(FakeCluster(), {}, labels={"owner": "me"})
    assert str(error) == (
        "user supplied labels contains system reserved label name. "
        "System labels: [name owner status version createdAt modifiedAt]"
    )


def test_waiting_in_vain_says_why() -> None:
    api = FakeCluster()
    api.put(
        kinds.of("v1", "Event"),
        {
            "metadata": {"name": "e", "namespace": "default"},
            "involvedObject": {"kind": "Deployment", "name": "d"},
            "type": "Warning",
            "reason": "FailedCreate",
            "message": "quota",
        },
    )
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n"
    told = Told()
    with pytest.raises(HelmError) as caught:
        installed(api, {"templates/b.yaml": text}, told, common=Common(wait="watcher", timeout=0.05))
    assert str(caught.value) == (
        "resource Deployment/default/d not ready. status: InProgress, message: Replicas: 0/1\ncontext deadline exceeded"
    )
    assert told.texts == ["Deployment/default/d: Warning FailedCreate of Deployment d: quota"]


def test_a_cancelled_installation_is_marked_as_failed() -> None:
    api = FakeCluster()
    session = fakes.session(api)
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n"

    async def work() -> str:
        options = Install(common=Common(wait="watcher"))
        task = asyncio.create_task(
            install.run(session, "web", chart({"templates/d.yaml": text}), {}, options)
        )
        while api.find("deployments", "d", "default") is None:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return str(caught.value)

    assert run(work()) == "context canceled"
    info = run(session.storage.last("web")).info
    assert (info.status, info.description) == ("failed", 'Release "web" failed: context canceled')


def test_hook_annotations_are_kept_in_the_record() -> None:
    api = FakeCluster(fakes.finished)
    found = installed(api, {"templates/h.yaml": hook("h", "pre-install", annotated("hook-weight", "3"))})
    assert found.hooks[0].hook.weight == 3
    assert found.hooks[0].last_run.phase == "Succeeded"
