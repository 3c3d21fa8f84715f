"""uninstall: what goes, what stays and why, and the record."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.apps.helm.actions import install, uninstall, upgrade
from sampan.apps.helm.actions.options import Common, Install, Uninstall, Upgrade
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.actions.uninstall import Uninstalled
from sampan.apps.helm.errors import HelmError, NotFound
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, chart, config_map, hook, run, written

DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n"
FILES = {"templates/a.yaml": config_map("a"), "templates/d.yaml": DEPLOYMENT}


def begun(api: FakeCluster, told: Told | None = None, files: dict[str, str] | None = None) -> Session:
    session = fakes.session(api, told)
    run(install.run(session, "web", chart(FILES if files is None else files), {}, Install()))
    api.calls.clear()
    return session


def gone(session: Session, **options: Any) -> Uninstalled:
    return run(uninstall.run(session, "web", Uninstall(**options)))


def test_in_reverse_order_and_the_record_too() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    assert gone(session).said == ""
    assert written(api) == [("delete", "d"), ("delete", "a")]
    assert next(how for how in api.how if how["verb"] == "delete")["propagation"] == "Background"
    with pytest.raises(NotFound):
        run(session.storage.last("web"))


def test_history_may_be_kept() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    run(upgrade.run(session, "web", chart(FILES), {}, Upgrade()))
    found = gone(session, keep_history=True, common=Common(description="bye")).release
    assert found is not None
    assert (found.info.status, found.info.description) == ("uninstalled", "bye")
    assert found.info.deleted
    assert [r.info.status for r in run(session.storage.history("web"))] == ["superseded", "uninstalled"]
    with pytest.raises(HelmError, match='the release named "web" is already deleted'):
        gone(session, keep_history=True)
    gone(session)
    with pytest.raises(NotFound):
        run(session.storage.last("web"))


def test_what_asks_to_stay_is_named() -> None:
    api = FakeCluster()
    keep = "  annotations: {helm.sh/resource-policy: keep}\n"
    session = begun(api, files={"templates/a.yaml": config_map("a", keep)})
    assert gone(session).said == "These resources were kept due to the resource policy:\n[ConfigMap] a\n"
    assert written(api) == []


def test_what_is_somebody_elses_by_now_is_left_alone() -> None:
    told = Told()
    api = FakeCluster(fakes.finished)
    session = begun(api, told)
    api.objects["configmaps", "default", "a"]["metadata"]["annotations"] = {}
    said = gone(session).said
    assert said == (
        "1 resource(s) were not deleted because they are not owned by this release:\n[ConfigMap] a\n"
    )
    assert written(api) == [("delete", "d")]
    assert told.lines == [
        'level=WARN msg="skipping delete of resource not owned by this release" '
        "kind=ConfigMap name=a namespace=default release=web"
    ]


def test_what_cannot_be_looked_at_is_left_alone() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    api.refuse("get", "a")
    assert gone(session).said == (
        "1 resource(s) were not deleted because their ownership could not be verified:\n"
        "[ConfigMap] a: a is forbidden\n"
    )


def test_what_cannot_be_deleted() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    api.refuse("delete", "a")
    with pytest.raises(HelmError, match="failed to delete release: web"):
        gone(session)
    assert run(session.storage.last("web")).info.status == "uninstalling"


def test_what_is_gone_already_is_fine() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    api.objects.clear()
    gone(session)
    assert written(api) == []


def test_hooks_around() -> None:
    api = FakeCluster(fakes.finished)
    hooks = hook("before", "pre-delete") + "---\n" + hook("after", "post-delete")
    session = begun(api, files={"templates/a.yaml": config_map("a"), "templates/h.yaml": hooks})
    gone(session)
    assert written(api) == [("apply", "before"), ("delete", "a"), ("apply", "after")]


def test_a_failed_hook_before_ends_it() -> None:
    api = FakeCluster(fakes.failing("before"))
    files = {"templates/a.yaml": config_map("a"), "templates/h.yaml": hook("before", "pre-delete")}
    session = begun(api, files=files)
    with pytest.raises(HelmError, match="resource Job/default/before not ready"):
        gone(session)
    assert api.find("configmaps", "a", "default") is not None
    gone(session, common=Common(no_hooks=True))


def test_a_failed_hook_after_is_told_and_all_is_gone() -> None:
    api = FakeCluster(fakes.failing("after"))
    session = begun(api, files={"templates/h.yaml": hook("after", "post-delete")})
    with pytest.raises(
        HelmError, match=r"uninstallation completed with 1 error\(s\): resource Job/default/after"
    ):
        gone(session)
    with pytest.raises(NotFound):
        run(session.storage.last("web"))


def test_no_release() -> None:
    session = fakes.session(FakeCluster())
    with pytest.raises(HelmError, match="uninstall: Release not loaded: web: release: not found"):
        gone(session)
    assert gone(session, ignore_not_found=True) == Uninstalled(None)


def test_a_rehearsal() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    gone(session, common=Common(dry_run="client"))
    assert written(api) == []
    assert run(session.storage.last("web")).info.status == "deployed"


def test_foreground_and_waiting() -> None:
    api = FakeCluster(fakes.finished)
    session = begun(api)
    gone(session, cascade="foreground", common=Common(wait="watcher"))
    assert api.how[-1].get("propagation", "Foreground") == "Foreground"
    assert api.objects == {}
