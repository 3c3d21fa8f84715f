"""test: which tests run, what is noted, and the logs."""

from __future__ import annotations

import pytest

from sampan.apps.helm.actions import install, testing
from sampan.apps.helm.actions.options import Install
from sampan.apps.helm.actions.session import Session
from sampan.apps.helm.actions.testing import Filter, Outcome
from sampan.apps.helm.errors import HelmError
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, annotated, chart, hook, run, written


def begun(api: FakeCluster, more: str = "") -> Session:
    session = fakes.session(api)
    texts = [hook(name, "test", more, kind="Pod") for name in ("one", "two")]
    files = {"templates/h.yaml": "---\n".join([*texts, hook("late", "post-install")])}
    run(install.run(session, "web", chart(files), {}, Install()))
    api.calls.clear()
    return session


def outcome_of(session: Session, chosen: Filter | None = None) -> Outcome:
    return run(testing.run(session, "web", timeout=5.0, chosen=chosen or Filter()))


def phases(found: Outcome) -> dict[str, str]:
    return {stored.hook.name: stored.last_run.phase for stored in found.release.hooks}


def test_tests_run_and_are_noted() -> None:
    session = begun(FakeCluster(fakes.finished))
    found = outcome_of(session)
    assert found.problem == ""
    assert phases(found) == {"one": "Succeeded", "two": "Succeeded", "late": "Succeeded"}
    assert run(session.storage.last("web")) == found.release


@pytest.mark.parametrize(
    ("chosen", "ran"),
    [(Filter(only=("two",)), ["two"]), (Filter(but=("two",)), ["one"]), (Filter(("one",), ("one",)), [])],
)
def test_by_name(chosen: Filter, ran: list[str]) -> None:
    api = FakeCluster(fakes.finished)
    found = outcome_of(begun(api), chosen)
    assert [name for _, name in written(api)] == ran
    assert len(found.release.hooks) == 3


def test_a_failed_test_ends_the_row() -> None:
    found = outcome_of(begun(FakeCluster(fakes.failing("one"))))
    assert found.problem == "resource Pod/default/one not ready. status: Failed, message: pod one failed"
    assert phases(found) == {"one": "Failed", "two": "", "late": "Succeeded"}


def test_logs_of_every_container_come_before_deletion() -> None:
    api = FakeCluster(fakes.finished)
    api.logs = {"one": b"first\n", "two": b"second"}
    session = begun(api, annotated("hook-delete-policy", "hook-succeeded"))
    found = outcome_of(session)
    text, missing = run(testing.logs(session, found.release, Filter()))
    assert text == "POD LOGS: one (c)\nfirst\n\nPOD LOGS: two (c)\nsecond\n"
    assert missing == []
    run(testing.finish(session, found, timeout=5.0))
    assert written(api)[-2:] == [("delete", "two"), ("delete", "one")]
    _, missing = run(testing.logs(session, found.release, Filter()))
    assert missing[0].startswith("unable to get pod logs for one: ")


def test_a_bad_name() -> None:
    with pytest.raises(HelmError, match="releaseTest: Release name is invalid: A"):
        run(testing.run(fakes.session(FakeCluster()), "A", timeout=1.0, chosen=Filter()))
