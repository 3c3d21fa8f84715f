from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from sampan.node.runtime.image import layers
from sampan.spec.oci.image import InvalidImage
from unit.node.runtime.image.archives import File, layer

pytestmark = pytest.mark.root
LIMITS = layers.Limits()


def apply(data: bytes, folder: Path, limits: layers.Limits = LIMITS) -> layers.Result:
    folder.mkdir(exist_ok=True)
    return layers.apply(io.BytesIO(data), str(folder), limits)


def test_everything_a_layer_may_hold(tmp_path: Path) -> None:
    data = layer(
        File("./bin/", mode=0o700),
        File("bin/tool", b"#!", 0o4755, 1000),
        File("bin/also", hard="bin/tool"),
        File("link", link="bin/tool"),
        File("pipe", kind=tarfile.FIFOTYPE),
        File("null", kind=tarfile.CHRTYPE, device=(1, 3)),
        File("deep/er/file", b"x"),
        File("marked", b"y", xattrs={"user.note": "hi"}),
    )
    result = apply(gzip.compress(data), tmp_path / "out")
    out = tmp_path / "out"
    assert result.diff_id == "sha256:" + hashlib.sha256(data).hexdigest() and result.entries == 8
    tool = (out / "bin/tool").stat()
    assert stat.S_IMODE(tool.st_mode) == 0o4755 and tool.st_uid == 1000 and tool.st_nlink == 2
    assert tool.st_mtime == 1_000_000_000 and (out / "bin").stat().st_mtime == 1_000_000_000
    assert os.readlink(out / "link") == "bin/tool"
    assert stat.S_ISFIFO((out / "pipe").stat().st_mode)
    assert (out / "null").stat().st_rdev == os.makedev(1, 3)
    assert (out / "deep/er/file").read_bytes() == b"x"
    assert os.getxattr(out / "marked", "user.note") == b"hi"


@pytest.mark.parametrize(
    "files",
    [
        (File("../../evil", b"x"),),
        (File("/evil", b"x"),),
        (File("out", link="/"), File("out/evil", b"x")),
        (File("out", link="../../.."), File("out/evil", b"x")),
        (File("a/b", link="/.."), File("a/b/evil", b"x")),
    ],
)
def test_no_path_leaves_the_folder(tmp_path: Path, files: tuple[File, ...]) -> None:
    apply(layer(*files), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out/evil").read_bytes() == b"x" and not Path("/evil").exists()


def test_a_link_as_a_files_last_part_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("safe")
    apply(layer(File("f", link=str(tmp_path / "victim")), File("f", b"new")), tmp_path / "out")
    assert (tmp_path / "victim").read_text() == "safe" and (tmp_path / "out/f").read_text() == "new"


def test_a_hard_link_to_the_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("safe")
    with pytest.raises(InvalidImage, match="links 'f'"):
        apply(layer(File("f", hard="../victim")), tmp_path / "out")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ((File("d", kind=tarfile.CHRTYPE, device=(0, 0)),), "removed file"),
        ((File(".wh.", b""),), "names nothing"),
        ((File(".wh...", b""),), "names nothing"),
        ((File("f", b""), File("f/g", b"")), "no folder"),
        ((File("l", link="nowhere"), File("l/g", b"")), "link to nowhere"),
    ],
)
def test_what_a_layer_must_not_hold(tmp_path: Path, files: tuple[File, ...], says: str) -> None:
    with pytest.raises(InvalidImage, match=says):
        apply(layer(*files), tmp_path / "out")


def test_bombs(tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match="more than 1000000 bytes"):
        apply(
            gzip.compress(layer(File("zeros", bytes(5_000_000)))),
            tmp_path / "out",
            layers.Limits(1_000_000, 10),
        )
    with pytest.raises(InvalidImage, match="more than 10 entries"):
        apply(
            layer(*(File(str(number)) for number in range(11))), tmp_path / "b", layers.Limits(1_000_000, 10)
        )


def test_overlays_own_marks_are_not_taken_over(tmp_path: Path) -> None:
    apply(layer(File("d/", xattrs={"trusted.overlay.opaque": "y"})), tmp_path / "out")
    assert os.listxattr(tmp_path / "out/d") == []


def test_what_is_no_layer(tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match="no readable tar"):
        apply(b"x" * 2000, tmp_path / "out")
    with pytest.raises(InvalidImage, match="no readable tar"):
        apply(gzip.compress(layer(File("a", b"x" * 100000)))[:-500], tmp_path / "out")
    with pytest.raises(InvalidImage, match="zstd"):
        apply(b"\x28\xb5\x2f\xfd" + bytes(100), tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("a", ("", "a")),
        ("./a/b", ("a", "b")),
        ("/a//b/", ("a", "b")),
        ("../x", ("", "x")),
        ("a/../b", ("", "b")),
        (".", ("", "")),
    ],
)
def test_names_are_cleaned(name: str, split: tuple[str, str]) -> None:
    assert layers.clean(name) == split
