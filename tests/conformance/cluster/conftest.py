"""Fixtures of these tests: kubectl and helm in a fresh namespace."""

from __future__ import annotations

import pytest

import peers
from clusters import Cluster
from conformance.cluster.releases import Helm
from conformance.cluster.shell import Shell


@pytest.fixture
def k(cluster: Cluster, namespace: str) -> Shell:
    """kubectl in a namespace of the test's own."""
    return Shell(cluster, namespace)


@pytest.fixture
def helm(cluster: Cluster, namespace: str) -> Helm:
    """The real helm 4.3 in that namespace."""
    binary = peers.helm("4.3")
    return Helm("helm 4.3", namespace, lambda *words, **how: cluster.helm(binary, *words, **how))
