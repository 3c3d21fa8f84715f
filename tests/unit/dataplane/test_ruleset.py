"""Names of tables."""

from __future__ import annotations

import pytest

from sampan.dataplane import ruleset


def test_tables_carry_the_clusters_name() -> None:
    assert ruleset.table("dev", "services") == "sampan.dev.services"
    assert ruleset.ours("sampan.dev.services") and not ruleset.ours("filter")


@pytest.mark.parametrize("name", ["", "Dev", "a b", "-x", "x" * 64])
def test_names_that_nft_cannot_read_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cluster name"):
        ruleset.table(name, "services")
