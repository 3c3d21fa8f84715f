from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sampan.base.linux import syscalls


def test_openat2_stays_in_its_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("inside")
    (tmp_path / "away").symlink_to("/etc/passwd")
    (tmp_path / "up").symlink_to("../../../../etc")
    root = os.open(tmp_path, os.O_PATH)
    try:
        for path in ("etc/passwd", "away", "up/passwd", "../../etc/passwd"):
            fd = syscalls.openat2(root, path, os.O_RDONLY, syscalls.RESOLVE_IN_ROOT)
            assert os.read(fd, 100) == b"inside"
            os.close(fd)
        with pytest.raises(FileNotFoundError) as caught:
            syscalls.openat2(root, "none", os.O_RDONLY, syscalls.RESOLVE_IN_ROOT)
        assert caught.value.filename == "none"
        with pytest.raises(OSError) as other:
            syscalls.openat2(root, "../x", os.O_RDONLY, syscalls.RESOLVE_BENEATH)
        assert other.value.errno == errno.EXDEV
    finally:
        os.close(root)


def test_errors_carry_the_path() -> None:
    with pytest.raises(OSError) as caught:
        syscalls.umount("/no/such/mount")
    assert caught.value.filename == "/no/such/mount"
    with pytest.raises(OSError) as other:
        syscalls.mount("from", "/no/such", "tmpfs")
    assert other.value.filename2 == "/no/such"
