"""Every probe template renders, or fails, as the real helm 4.3 says."""

from __future__ import annotations

import pytest

import peers
from conformance.helm_template import cases

VERSION = "4.3"
ALL = [(kind, name) for kind in ("expressions", "failures") for name in cases.read(f"{kind}.tpl")]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_like_the_real_helm(kind: str, name: str) -> None:
    assert cases.run(kind, name, cases.read(f"{kind}.tpl")[name]) == cases.golden(VERSION, kind)[name]


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["expressions", "failures"])
def test_the_goldens_are_what_the_real_helm_says(kind: str) -> None:
    helm = peers.helm(VERSION)
    golden = cases.golden(VERSION, kind)
    wrong = {n for n, c in cases.read(f"{kind}.tpl").items() if cases.run(kind, n, c, helm) != golden[n]}
    assert wrong == set()
