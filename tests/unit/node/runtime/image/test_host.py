from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from sampan.node.runtime.image import host
from sampan.spec.oci import reference
from unit.node.runtime.image.archives import PLATFORM


def test_any_tag_is_the_image() -> None:
    assert host.matches(reference.parse("sampan.local/host")) and host.matches(
        reference.parse("sampan.local/host:v7")
    )
    assert not host.matches(reference.parse("sampan.local/other"))


def test_the_prefixes_of_this_python_are_covered() -> None:
    for prefix in (sys.prefix, sys.base_prefix):
        path = Path(prefix)
        covered = [*host.prefixes(), Path("/usr")]
        assert any(path == other or other in path.parents for other in covered)


def test_a_prefix_below_another_is_mounted_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.sys, "prefix", "/opt/py/venv")
    monkeypatch.setattr(host.sys, "exec_prefix", "/opt/py/venv")
    monkeypatch.setattr(host.sys, "base_prefix", "/opt/py")
    monkeypatch.setattr(host.sys, "base_exec_prefix", "/usr/local")
    assert host.prefixes() == [Path("/opt/py")]


@pytest.mark.root
def test_the_root_is_nearly_empty_and_open_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "prefixes", lambda: [Path("/root/some/python")])
    made = host.build(tmp_path / "host", PLATFORM)
    root = made.layer
    for name in ("root", "root/some", "root/some/python", "etc", "home"):
        assert stat.S_IMODE((root / name).stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "tmp").stat().st_mode) == 0o1777
    assert list((root / "root/some/python").iterdir()) == []
    assert {path.name for path in (root / "var").iterdir()} == {"tmp"}
    assert "sampan:x:1000" in (root / "etc/passwd").read_text()
    assert not (root / "etc/shadow").exists() and not (root / "etc/ssl/private").exists()
    targets = {mount["destination"]: mount["options"] for mount in made.mounts}
    assert "/usr" in targets and "/root/some/python" in targets
    assert all({"ro", "nosuid", "nodev"} <= set(options) for options in targets.values())
    assert not any(path.startswith(("/var", "/home")) for path in targets)
    assert made.config.env[0].startswith(f"PATH={sys.prefix}/bin:")
    assert made.config.cmd == ("sh",) and made.config.entrypoint == ()
    inode = root.stat().st_ino
    again = host.build(tmp_path / "host", PLATFORM)
    assert again.id == made.id and again.layer.stat().st_ino == inode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host"]
