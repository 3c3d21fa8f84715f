"""rollback: which revision, what it makes of it, and its failures."""

from __future__ import annotations

from typing import Any

import pytest

from sampan.apps.helm.actions import install, rollback, upgrade
from sampan.apps.helm.actions.options import Common, Install, Rollback, Upgrade
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.errors import HelmError, NotFound
from sampan.charts.release import Release
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, chart, config_map, hook, run, written


def begun(api: FakeCluster, told: Told | None = None, first: str = "", second: str = "") -> Session:
    """web with revision 1 (a, b) and 2 (a, c)."""
    session = fakes.session(api, told)
    one = {
        "templates/a.yaml": config_map("a"),
        "templates/b.yaml": config_map("b"),
        "templates/h.yaml": first,
    }
    two = {
        "templates/a.yaml": config_map("a"),
        "templates/c.yaml": config_map("c"),
        "templates/h.yaml": second,
    }
    run(install.run(session, "web", chart(one), {"x": 1.0}, Install()))
    run(upgrade.run(session, "web", chart(two), {"x": 2.0}, Upgrade()))
    api.calls.clear()
    return session


def rolled(session: Session, version: int = 0, **options: Any) -> Release:
    return run(rollback.run(session, "web", Rollback(version=version, **options)))


def states(session: Session) -> list[tuple[int, str]]:
    return [(one.version, one.info.status) for one in run(session.storage.history("web"))]


def test_to_the_one_before() -> None:
    api = FakeCluster()
    session = begun(api)
    found = rolled(session)
    assert (found.version, found.config, found.info.rollback_revision) == (3, {"x": 1.0}, 1)
    assert (found.info.status, found.info.description) == ("deployed", "Rollback to 1")
    assert written(api) == [("apply", "a"), ("apply", "b"), ("delete", "c")]
    assert states(session) == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    assert found.info.first_deployed == run(session.storage.get("web", 1)).info.first_deployed


def test_to_a_named_one_with_a_description() -> None:
    found = rolled(begun(FakeCluster()), 2, common=Common(description="back again"))
    assert (found.info.rollback_revision, found.info.description) == (2, "back again")


def test_out_of_a_pending_revision() -> None:
    """A release that got stuck is freed by a rollback."""
    session = begun(FakeCluster())
    run(session.storage.update(run(session.storage.last("web")).with_status("pending-upgrade", "")))
    assert rolled(session).info.status == "deployed"


@pytest.mark.parametrize(
    ("version", "message"), [(9, "release has no 9 version"), (-1, "invalid release revision")]
)
def test_revisions_that_are_not_there(version: int, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        rolled(begun(FakeCluster()), version)


def test_no_release_and_no_revision_before() -> None:
    session = fakes.session(FakeCluster())
    with pytest.raises(NotFound, match="release: not found"):
        rolled(session)
    run(install.run(session, "web", chart({}), {}, Install()))
    with pytest.raises(HelmError, match="release has no 0 version"):
        rolled(session)


def test_long_descriptions_are_refused() -> None:
    with pytest.raises(HelmError, match="description must be 256 characters or less, got 257"):
        rolled(begun(FakeCluster()), common=Common(description="x" * 257))


def test_a_dry_run_changes_nothing() -> None:
    api = FakeCluster()
    session = begun(api)
    assert rolled(session, common=Common(dry_run="client")).version == 3
    assert (written(api), len(states(session))) == ([], 2)


def test_a_failure_is_recorded() -> None:
    told = Told()
    api = FakeCluster()
    session = begun(api, told)
    api.refuse("apply", "a")
    with pytest.raises(HelmError):
        rolled(session, cleanup_on_fail=True)
    assert states(session) == [(1, "superseded"), (2, "deployed"), (3, "failed")]
    assert ("delete", "b") in written(api)
    assert told.lines[-1].startswith(r'level=WARN msg="Rollback \"web\" failed: server-side apply failed')


def test_a_failed_hook_marks_it_as_failed() -> None:
    api = FakeCluster(fakes.failing("back"))
    session = begun(api, first=hook("back", "post-rollback"))
    with pytest.raises(HelmError, match="resource Job/default/back not ready"):
        rolled(session)
    assert states(session)[-1] == (3, "failed")


def test_waiting_in_vain() -> None:
    api = FakeCluster()
    text = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n"
    session = begun(api, first=text)
    with pytest.raises(HelmError, match="release web failed: resource Deployment/default/d not ready"):
        rolled(session, common=Common(wait="watcher", timeout=0.05))
    assert states(session)[-1] == (3, "failed")
