"""Writes a set of files so that a reader sees the old set or the new one, never a mixture.

Layout of pkg/volume/util/atomic_writer.go: files lie in `..TIMESTAMP`, `..data` is a link to it, and each visible
top-level name is a link through `..data`. A change makes a new folder and renames the link.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sampan.node.agent.volumes.payload import File

DATA = "..data"


def _current(target: Path) -> dict[str, File] | None:
    folder = target / DATA
    if not folder.is_symlink():
        return None
    found = {}
    for base, _, names in os.walk(folder.resolve()):
        for name in names:
            path = Path(base, name)
            found[str(path.relative_to(folder.resolve()))] = File(
                path.read_bytes(), path.stat().st_mode & 0o7777
            )
    return found


def write(target: Path, files: Mapping[str, File], *, stamp: str, group: int | None = None) -> bool:
    """Makes `target` show exactly `files`; `stamp` is unique to this write. False when nothing had to change.

    With `group` the files belong to it and its members may read them (fsGroup).
    """
    wanted = {path: _for_group(file, group) for path, file in files.items()}
    if _current(target) == wanted:
        return False
    target.mkdir(parents=True, exist_ok=True)
    before = (target / DATA).readlink() if (target / DATA).is_symlink() else None
    folder = target / f"..{stamp}"
    folder.mkdir(mode=0o755)
    for path, file in wanted.items():
        _write_file(folder / path, file, group)
    link = target / "..data_tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    link.replace(target / DATA)
    tops = {path.split("/", 1)[0] for path in wanted}
    for top in tops:
        visible = target / top
        if not visible.is_symlink():
            visible.symlink_to(f"{DATA}/{top}")
    for entry in target.iterdir():
        if not entry.name.startswith("..") and entry.name not in tops:
            entry.unlink(missing_ok=True)
    if before:
        shutil.rmtree(target / before, ignore_errors=True)
    return True


def _for_group(file: File, group: int | None) -> File:
    return file if group is None else file._replace(mode=file.mode | 0o440)


def _write_file(path: Path, file: File, group: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(file.data)
        if group is not None:
            os.fchown(descriptor, -1, group)
        os.fchmod(descriptor, file.mode)
