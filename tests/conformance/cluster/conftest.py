"""Fixtures of these tests: a shell in a fresh namespace, and the real helm."""

from __future__ import annotations

import pytest

from clusters import Cluster
from conformance.cluster.shell import Shell


@pytest.fixture
def k(cluster: Cluster, namespace: str) -> Shell:
    """kubectl in a namespace of the test's own."""
    return Shell(cluster, namespace)
