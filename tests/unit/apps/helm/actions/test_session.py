"""What actions share: times, names, labels, the cluster's versions, lookup."""

from __future__ import annotations

import asyncio
import time

import pytest

from sampan.api import kinds
from sampan.apps.helm.actions import session as sessions
from sampan.apps.helm.errors import HelmError
from unit.apps.helm import fakes
from unit.apps.helm.fakes import FakeCluster, Told, config_map, run


def test_times_are_written_in_the_local_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert sessions.timestamp(1_767_225_600.25) == "2026-01-01T00:00:00.25Z"
    assert sessions.timestamp(1_767_225_600) == "2026-01-01T00:00:00Z"
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    assert sessions.timestamp(1_767_225_600) == "2026-01-01T05:30:00+05:30"
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", ["a", "a-b.c", "0", "x" * 53])
def test_good_names(name: str) -> None:
    assert sessions.name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "problem"),
    [("", "no name provided"), ("A", "invalid release name"), ("x" * 54, "invalid"), ("a-", "in")],
)
def test_bad_names(name: str, problem: str) -> None:
    assert sessions.name_problem(name).startswith(problem)
    with pytest.raises(HelmError, match=f"^what: {name}$"):
        sessions.check_name(name, "what")


def test_the_clusters_versions() -> None:
    api = FakeCluster()
    found = run(sessions.cluster_versions(api))  # type: ignore[arg-type]
    assert found.kube_version == "v1.37.0"
    assert {"v1", "apps/v1", "apps/v1/Deployment"} <= set(found.api_versions)
    api.refuse("get", "/version")
    with pytest.raises(HelmError, match="could not get server version from Kubernetes: "):
        run(sessions.cluster_versions(api))  # type: ignore[arg-type]


def test_lookup() -> None:
    api = FakeCluster()
    meta = {"name": "c", "namespace": "default"}
    api.put(kinds.of("v1", "ConfigMap"), {"metadata": meta, "data": {"a": "b"}})

    async def work() -> list[object]:
        lookup = sessions.lookup_function(api)  # type: ignore[arg-type]
        asked = [
            ("v1", "ConfigMap", "default", "c"),
            ("v1", "ConfigMap", "", ""),
            ("v1", "Pod", "default", "no"),
            ("x/v1", "Y", "", ""),
        ]
        return [await asyncio.to_thread(lookup, *question) for question in asked]

    one, listed, none, unknown = run(work())
    assert one["data"] == {"a": "b"}  # type: ignore[index]
    assert len(listed["items"]) == 1  # type: ignore[index]
    assert (none, unknown) == ({}, {})


def test_without_a_cluster_nothing_is_built() -> None:
    session = fakes.session(FakeCluster())._replace(records_only=True)
    assert run(session.targets(config_map("a"), "what")) == []


def test_a_record_that_cannot_be_kept_in_passing_is_told() -> None:
    told = Told()
    session = fakes.session(FakeCluster(), told)

    async def refuse(_: object) -> None:
        raise HelmError("full")

    session.storage.driver.update = refuse  # type: ignore[method-assign]
    from sampan.charts.release import Info, Release

    run(session.note(Release("web", "default", 2, Info(), fakes.chart({}), {})))
    assert told.lines == ['level=WARN msg="failed to update release" name=web revision=2 error=full']
