"""Fillings of the CRI. Tests that ask for `filling` run over each, those that ask for `ours` over the real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cri import field


@pytest.fixture(scope="session")
def swept() -> None:
    if field.have_runtime():
        field.sweep()


@pytest.fixture
def ours(tmp_path: Path, swept: None) -> Iterator[field.Ours]:
    if not field.have_runtime():
        pytest.skip("needs root and crun or runc")
    made = field.Ours(tmp_path)
    try:
        yield made
    finally:
        made.clean()


@pytest.fixture(params=[pytest.param("ours", marks=pytest.mark.root), "simulated"])
def filling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[field.Ours | field.Imagined]:
    if request.param == "ours":
        yield request.getfixturevalue("ours")
    else:
        yield field.Imagined(tmp_path)
