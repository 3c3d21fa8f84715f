from __future__ import annotations

import os
from pathlib import Path

import pytest

from sampan.base.linux import mounts, syscalls

LINES = (
    "22 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw\n"
    "28 1 254:0 / / rw,relatime shared:1 master:4 - ext4 /dev/vda rw,discard\n"
    "40 28 0:31 /sub /with\\040space rw - tmpfs tmpfs rw,size=4k\n"
    "41 40 0:32 / /with\\040space/in rw - tmpfs none rw\n"
)


def test_the_kernels_table_is_read() -> None:
    found = mounts.parse(LINES)
    assert found[0].target == "/proc" and found[0].propagation == ("shared:12",) and found[0].fstype == "proc"
    assert found[1].propagation == ("shared:1", "master:4") and found[1].super_options == "rw,discard"
    assert found[2].target == "/with space" and found[2].root == "/sub" and found[2].propagation == ()


def test_what_lies_below_comes_innermost_first() -> None:
    assert mounts.below("/with space", mounts.parse(LINES)) == ["/with space/in", "/with space"]
    assert mounts.below("/with", mounts.parse(LINES)) == []


def test_the_table_of_this_process_has_a_root() -> None:
    assert "/" in {entry.target for entry in mounts.table()}


@pytest.mark.root
def test_overlay_bind_and_unmount(tmp_path: Path) -> None:
    for name in ("a", "b", "upper", "work", "merged", "bound"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/one").write_text("a")
    (tmp_path / "b/one").write_text("b")
    merged, bound = str(tmp_path / "merged"), str(tmp_path / "bound")
    try:
        mounts.overlay(
            [str(tmp_path / "a"), str(tmp_path / "b")],
            merged,
            upper=str(tmp_path / "upper"),
            work=str(tmp_path / "work"),
        )
        assert (tmp_path / "merged/one").read_text() == "a"
        mounts.bind(merged, bound, readonly=True, flags=syscalls.MS_NOSUID)
        with pytest.raises(OSError, match="Read-only"):
            (tmp_path / "bound/two").write_text("x")
        (tmp_path / "merged/two").write_text("x")
        assert (tmp_path / "upper/two").exists()
    finally:
        mounts.unmount_below(str(tmp_path))
    assert mounts.below(str(tmp_path), mounts.table()) == []
    mounts.unmount(merged)  # again is fine


@pytest.mark.root
def test_more_layers_than_fit_into_a_page(tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20)
    for number in range(60):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / f"f{number}").write_text("")
    (tmp_path / "merged").mkdir()
    try:
        mounts.overlay([str(folder / str(number)) for number in range(60)], str(tmp_path / "merged"))
        assert len(os.listdir(tmp_path / "merged")) == 60
    finally:
        mounts.unmount(str(tmp_path / "merged"))
