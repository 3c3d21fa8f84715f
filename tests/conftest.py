"""Fixtures for all tests: real clusters, shared by the session where a test does not need one of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

import clusters


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need root skip without it, and say so."""
    if os.geteuid() == 0 and sys.platform == "linux":
        return
    skip = pytest.mark.skip(reason="needs root on Linux")
    for item in items:
        if "root" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def swept() -> None:
    clusters.sweep()


@pytest.fixture(scope="session")
def cluster(swept: None) -> Iterator[clusters.Cluster]:
    """A whole cluster with real pods, shared by the session: tests use namespaces of their own."""
    if not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("no OCI runtime on this machine (install crun)")
    made = clusters.make("pods")
    try:
        yield clusters.start(made)
    finally:
        clusters.stop(made)


@pytest.fixture(scope="session")
def simulated(swept: None) -> Iterator[clusters.Cluster]:
    """A whole cluster with simulated pods, shared by the session."""
    made = clusters.make("sim")
    try:
        yield clusters.start(made, "--runtime", "simulated")
    finally:
        clusters.stop(made)


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh namespace of the shared cluster with real pods; deleted, not waited for."""
    shared: clusters.Cluster = request.getfixturevalue("cluster")
    name = f"ns-{os.urandom(4).hex()}"
    shared.kubectl("create", "namespace", name)
    yield name
    shared.kubectl("delete", "namespace", name, "--wait=false")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test on a cluster shows what our components logged."""
    report = yield
    if report.when == "call" and report.failed:
        for name in ("cluster", "simulated", "own"):
            found = getattr(item, "funcargs", {}).get(name)
            if isinstance(found, clusters.Cluster):
                report.sections.append((f"logs of {name}", found.logs()))
    return report
