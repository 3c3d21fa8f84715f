from __future__ import annotations

from pathlib import Path

import pytest

from sampan.base.linux import capabilities


def test_names_have_the_kernels_numbers() -> None:
    assert capabilities.NAMES.index("CAP_SYS_ADMIN") == 21
    assert capabilities.NAMES.index("CAP_CHECKPOINT_RESTORE") == 40
    last = Path("/proc/sys/kernel/cap_last_cap")
    assert int(last.read_text()) >= 0


def test_a_name_is_written_in_many_ways() -> None:
    assert {capabilities.normalise(n) for n in ("net_admin", "NET_ADMIN", "cap_net_admin")} == {
        "CAP_NET_ADMIN"
    }
    with pytest.raises(ValueError, match="'FLY'"):
        capabilities.normalise("FLY")


def test_masks() -> None:
    assert capabilities.names(0b101) == ("CAP_CHOWN", "CAP_DAC_READ_SEARCH")


def test_sets_of_a_process(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tx\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000003\n")
    assert capabilities.held("CapEff", str(status)) == ("CAP_CHOWN",)
    assert capabilities.held("CapBnd", str(status)) == ("CAP_CHOWN", "CAP_DAC_OVERRIDE")
    assert capabilities.held("CapAmb", str(status)) == ()
