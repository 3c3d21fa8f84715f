"""upgrade: which values, which revision it starts from, what it writes, and its failures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sampan.api import kinds
from sampan.apps.helm.actions import install, upgrade
from sampan.apps.helm.actions.options import Common, Install, Upgrade
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.charts.release import Release
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, chart, config_map, hook, run, written

ONE = {"templates/a.yaml": config_map("a")}
TWO = {"templates/a.yaml": config_map("a", data="{a: c}"), "templates/b.yaml": config_map("b")}
VALUES = {"values.yaml": "x: 1\nmap: {p: 1, q: 1}\n"}


def begun(
    api: FakeCluster, told: Told | None = None, files: dict[str, str] | None = None, **options: Any
) -> Session:
    """A session with web installed."""
    session = fakes.session(api, told)
    values = options.pop("values", {})
    run(install.run(session, "web", chart(files or ONE), values, Install(**options)))
    api.calls.clear()
    return session


def upgraded(session: Session, files: dict[str, str], **options: Any) -> Release:
    values = options.pop("values", {})
    return run(upgrade.run(session, "web", chart(files, version="2.0.0"), values, Upgrade(**options)))


def states(session: Session) -> list[tuple[int, str]]:
    return [(one.version, one.info.status) for one in run(session.storage.history("web"))]


def test_what_is_new_comes_and_what_is_gone_goes() -> None:
    api = FakeCluster()
    session = begun(api, files=TWO)
    found = upgraded(session, {"templates/a.yaml": config_map("a"), "templates/c.yaml": config_map("c")})
    assert (found.version, found.info.description) == (2, "Upgrade complete")
    assert written(api) == [("apply", "a"), ("apply", "c"), ("delete", "b")]
    assert states(session) == [(1, "superseded"), (2, "deployed")]


def test_what_asks_to_stay_stays() -> None:
    api = FakeCluster()
    keep = "  annotations: {helm.sh/resource-policy: keep}\n"
    session = begun(api, files={"templates/a.yaml": config_map("a", keep)})
    upgraded(session, {})
    assert written(api) == []


def test_auto_follows_the_last_revision() -> None:
    api = FakeCluster()
    session = begun(api, common=Common(server_side=False))
    assert upgraded(session, TWO).apply_method == "csa"
    assert written(api) == [("patch", "a"), ("create", "b")]
    assert upgraded(session, TWO, common=Common(server_side=True)).apply_method == "ssa"


def test_from_client_to_server_side_the_fields_move() -> None:
    api = FakeCluster()
    session = begun(api, common=Common(server_side=False))
    live = api.objects["configmaps", "default", "a"]
    live["metadata"]["managedFields"] = [
        {"manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {}}}
    ]
    upgraded(session, ONE, common=Common(server_side=True))
    assert written(api) == [("apply", "a")]
    patch = next(how for how in api.how if how["verb"] == "patch")
    assert patch["content_type"] == "application/json-patch+json"
    assert patch["body"][0]["value"][0]["operation"] == "Apply"


def test_what_users_changed_is_kept_by_the_clients_patch() -> None:
    """Three-way: manifest before, manifest now, live. What neither manifest names is left out of the patch."""
    api = FakeCluster()
    session = begun(api, files=ONE, common=Common(server_side=False))
    api.objects["configmaps", "default", "a"]["data"] = {"a": "b", "mine": "x"}
    upgraded(session, TWO)
    assert next(how["body"] for how in api.how if how["verb"] == "patch") == {"data": {"a": "c"}}


@pytest.mark.parametrize(
    ("source", "given", "config", "rendered"),
    [
        ("", {}, {"x": 2.0}, "2"),
        ("", {"map": {"p": 5.0}}, {"map": {"p": 5.0}}, "7"),
        ("reset", {}, {}, "7"),
        ("reuse", {"map": {"p": 5.0}}, {"x": 2.0, "map": {"p": 5.0}}, "2"),
        ("reset-then-reuse", {"map": {"p": 5.0}}, {"x": 2.0, "map": {"p": 5.0}}, "2"),
    ],
)
def test_where_values_come_from(
    source: str, given: dict[str, Any], config: dict[str, Any], rendered: str
) -> None:
    api = FakeCluster()
    session = begun(api, files=VALUES, values={"x": 2.0})
    files = {
        "values.yaml": "x: 7\nmap: {r: 1}\n",
        "templates/NOTES.txt": "{{ .Values.x }} {{ toJson .Values.map }}",
    }
    found = upgraded(session, files, values_from=source, values=given)
    assert found.config == config
    assert found.info.notes.split()[0] == rendered


def test_reuse_takes_the_old_charts_defaults() -> None:
    api = FakeCluster()
    session = begun(api, files=VALUES)
    files = {"values.yaml": "x: 7\nnew: 1\n", "templates/NOTES.txt": "{{ .Values.x }}{{ .Values.new }}"}
    assert upgraded(session, files, values_from="reuse").info.notes == "1"


def test_labels_are_merged_and_null_takes_one_away() -> None:
    session = begun(FakeCluster(), labels={"a": "1", "b": "1"})
    assert upgraded(session, ONE, labels={"b": "null", "c": "2"}).labels == {"a": "1", "c": "2"}


def test_without_a_release() -> None:
    with pytest.raises(NotFound, match='"web" has no deployed releases'):
        upgraded(fakes.session(FakeCluster()), ONE)


def test_a_pending_release_is_not_touched() -> None:
    session = begun(FakeCluster())
    run(session.storage.update(run(session.storage.last("web")).with_status("pending-upgrade", "")))
    with pytest.raises(HelmError, match=r"another operation \(install/upgrade/rollback\) is in progress"):
        upgraded(session, TWO)


def test_after_a_failed_first_installation() -> None:
    api = FakeCluster()
    session = begun(api)
    run(session.storage.update(run(session.storage.last("web")).with_status("failed", "")))
    assert upgraded(session, TWO).version == 2


def test_after_a_failed_upgrade_the_deployed_revision_counts() -> None:
    api = FakeCluster()
    session = begun(api)
    api.refuse("apply", "b")
    with pytest.raises(HelmError):
        upgraded(session, TWO)
    api.refused.clear()
    api.calls.clear()
    upgraded(session, {})
    assert written(api) == [("delete", "a")]
    assert states(session) == [(1, "superseded"), (2, "failed"), (3, "deployed")]


def test_a_failure_leaves_the_old_revision_deployed() -> None:
    told = Told()
    api = FakeCluster()
    session = begun(api, told)
    api.refuse("apply", "a")
    with pytest.raises(HelmError) as caught:
        upgraded(session, TWO)
    text = "server-side apply failed for object default/a /v1, Kind=ConfigMap: a is forbidden"
    assert str(caught.value) == text
    assert states(session) == [(1, "deployed"), (2, "failed")]
    assert run(session.storage.last("web")).info.description == f'Upgrade "web" failed: {text}'
    assert told.lines == [f'level=WARN msg="upgrade failed" name=web error="{text}"']
    assert written(api) == [("apply", "b")]  # the rest was tried


def test_cleanup_takes_away_what_is_new() -> None:
    api = FakeCluster()
    session = begun(api)
    api.refuse("apply", "a")
    with pytest.raises(HelmError):
        upgraded(session, TWO, cleanup_on_fail=True)
    assert written(api) == [("apply", "b"), ("delete", "b")]


def test_rollback_on_failure() -> None:
    api = FakeCluster(fakes.failing("late"))
    session = begun(api)
    files = {**TWO, "templates/h.yaml": hook("late", "post-upgrade")}
    with pytest.raises(HelmError) as caught:
        upgraded(session, files, rollback_on_failure=True)
    assert str(caught.value).startswith(
        "release web failed, and has been rolled back due to rollback-on-failure being set: post-upgrade hooks failed:"
    )
    assert states(session) == [(1, "superseded"), (2, "failed"), (3, "deployed")]
    assert run(session.storage.last("web")).info.description == "Rollback to 1"
    assert api.find("configmaps", "b", "default") is None


def test_a_foreign_object_in_the_way() -> None:
    api = FakeCluster()
    session = begun(api)
    api.put(kinds.of("v1", "ConfigMap"), {"metadata": {"name": "b", "namespace": "default"}})
    with pytest.raises(
        HelmError, match='unable to continue with update: ConfigMap "b" in namespace "default" exists'
    ):
        upgraded(session, TWO)
    assert states(session) == [(1, "deployed")]
    assert upgraded(session, TWO, common=Common(take_ownership=True)).version == 2


def test_dry_runs() -> None:
    api = FakeCluster()
    session = begun(api)
    for way in ("client", "server"):
        found = upgraded(session, TWO, common=Common(dry_run=way))
        assert (found.info.status, found.info.description) == ("pending-upgrade", "Dry run complete")
    assert written(api) == []
    assert states(session) == [(1, "deployed")]


@pytest.mark.parametrize(
    ("common", "message"),
    [
        (
            Common(server_side=False, force_conflicts=True),
            "forceConflicts enabled when serverSideApply disabled",
        ),
        (Common(force_replace=True), "cannot use server-side apply and force replace together"),
    ],
)
def test_ways_that_exclude_each_other(common: Common, message: str) -> None:
    session = begun(FakeCluster())
    with pytest.raises(HelmError, match=message):
        upgraded(session, TWO, common=common)


def test_force_replace_puts_whole_objects() -> None:
    api = FakeCluster()
    session = begun(api, common=Common(server_side=False))
    upgraded(session, TWO, common=Common(server_side=False, force_replace=True))
    assert written(api) == [("replace", "a"), ("create", "b")]


def test_force_conflicts_takes_fields() -> None:
    api = FakeCluster()
    session = begun(api)
    upgraded(session, ONE, common=Common(force_conflicts=True))
    assert api.how[-1]["force"] is True


def test_the_oldest_revisions_go() -> None:
    api = FakeCluster()
    session = fakes.session(api, history_max=2)
    run(install.run(session, "web", chart(ONE), {}, Install()))
    for _ in range(3):
        upgraded(session, ONE)
    assert states(session) == [(3, "superseded"), (4, "deployed")]


def test_a_cancelled_upgrade_is_marked_as_failed() -> None:
    api = FakeCluster()
    session = begun(api)
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n"

    async def work() -> None:
        options = Upgrade(common=Common(wait="watcher"))
        task = asyncio.create_task(
            upgrade.run(session, "web", chart({"templates/d.yaml": text}), {}, options)
        )
        while api.find("deployments", "d", "default") is None:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError, match="context canceled"):
            await task

    run(work())
    assert states(session) == [(1, "deployed"), (2, "failed")]
