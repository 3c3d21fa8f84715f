"""Unpacks a layer's tar into a folder, as image-spec layer.md says, whiteouts included.

Nothing can leave the folder: every path is resolved by the kernel with RESOLVE_IN_ROOT (Linux 5.6), so symlinks
and `..` in a layer end at the folder's own root. What an overlay would take for its own marks is refused.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import importlib
import io
import os
import shutil
import stat
import tarfile
from typing import IO, Any, NamedTuple

from sampan.base.linux import syscalls
from sampan.spec.oci.image import InvalidImage

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_META = ".wh..wh."
_XATTR = "SCHILY.xattr."
# Overlayfs keeps its own state there; an image must not be able to forge it.
_FORBIDDEN_XATTRS = ("trusted.overlay.", "user.overlay.")
_CHUNK = 1 << 20


class Limits(NamedTuple):
    """Against bombs: what all layers of one image may come to when unpacked."""

    size: int = 64 << 30
    entries: int = 2_000_000


class Result(NamedTuple):
    diff_id: str
    size: int
    entries: int


class _Reader(io.RawIOBase):
    """Counts and hashes what is read from the unpacked tar."""

    def __init__(self, source: IO[bytes], limit: int) -> None:
        self._source = source
        self._limit = limit
        self.hash = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(_CHUNK if size < 0 else size)
        self.size += len(data)
        if self.size > self._limit:
            raise InvalidImage(f"layer unpacks to more than {self._limit} bytes")
        self.hash.update(data)
        return data


def decompressed(source: IO[bytes]) -> IO[bytes]:
    """By the magic number: gzip, zstd where this Python has it (3.14), or as it is."""
    buffered: io.BufferedReader[Any]
    buffered = source if isinstance(source, io.BufferedReader) else io.BufferedReader(_Raw(source), _CHUNK)
    magic = buffered.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=buffered, mode="rb")  # type: ignore[return-value]
    if magic == b"\x28\xb5\x2f\xfd":
        try:
            zstd = importlib.import_module("compression.zstd")
        except ImportError:
            raise InvalidImage(
                "layer is compressed with zstd: expected gzip, or Python 3.14 and newer"
            ) from None
        opened: IO[bytes] = zstd.ZstdFile(buffered, mode="r")
        return opened
    return buffered


class _Raw(io.RawIOBase):
    """Any object with read() as a raw stream."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def apply(source: IO[bytes], folder: str, limits: Limits) -> Result:
    """Unpacks the (compressed) tar into `folder`, which shows the layers below it if there are any.

    Raises InvalidImage for what a layer must not hold. Owners and modes are kept, so this needs root.
    """
    reader = _Reader(decompressed(source), limits.size)
    root = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    tree = _Tree(root)
    entries = 0
    try:
        with tarfile.open(fileobj=reader, mode="r|", bufsize=_CHUNK) as archive:
            for member in archive:
                entries += 1
                if entries > limits.entries:
                    raise InvalidImage(f"layer has more than {limits.entries} entries")
                tree.add(archive, member)
                archive.members = []  # type: ignore[attr-defined]  # tarfile remembers every member it has seen
        while reader.read():  # padding belongs to the digest
            pass
        tree.finish()
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, UnicodeError) as error:
        raise InvalidImage(f"layer is no readable tar: {error}") from error
    finally:
        tree.close()
        os.close(root)
    return Result(f"sha256:{reader.hash.hexdigest()}", reader.size, entries)


def clean(name: str) -> tuple[str, str]:
    """A member's name as (parent, last part), relative to the root; `..` stops at the root."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return ("/".join(parts[:-1]), parts[-1]) if parts else ("", "")


class _Tree:
    def __init__(self, root: int) -> None:
        self._root = root
        self._parent = ("", os.dup(root))
        self._made: set[str] = set()
        self._times: list[tuple[str, float]] = []

    def close(self) -> None:
        os.close(self._parent[1])

    def add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parent, name = clean(member.name)
        if not name:
            if member.isdir():
                os.chown(".", member.uid, member.gid, dir_fd=self._root)
                os.chmod(".", member.mode & 0o7777, dir_fd=self._root)
            return
        fd = self._open(parent)
        if name.startswith(_WHITEOUT):
            self._whiteout(fd, parent, name)
            return
        self._made.add(f"{parent}/{name}")
        if not (member.isdir() and _is_dir(fd, name)):
            self._remove(fd, name)
        self._make(archive, member, fd, name)
        self._attributes(member, fd, name)
        if member.isdir():
            self._times.append((f"{parent}/{name}", member.mtime))

    def finish(self) -> None:
        """Times of folders come last, since every entry made in one changes them."""
        for path, mtime in reversed(self._times):
            parent, name = clean(path)
            try:
                os.utime(name, (mtime, mtime), dir_fd=self._open(parent), follow_symlinks=False)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    raise

    def _open(self, path: str) -> int:
        """A descriptor of the folder at `path`, made if need be."""
        if self._parent[0] == path:
            return self._parent[1]
        fd = self._resolve(path)
        os.close(self._parent[1])
        self._parent = (path, fd)
        return fd

    def _resolve(self, path: str) -> int:
        flags = os.O_PATH | os.O_DIRECTORY
        try:
            return syscalls.openat2(self._root, path or ".", flags, syscalls.RESOLVE_IN_ROOT)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise InvalidImage(f"layer has entries below {path!r}, which is no folder") from error
            raise
        parent, _, name = path.rpartition("/")
        above = self._resolve(parent)
        try:
            os.mkdir(name, 0o755, dir_fd=above)
        except FileExistsError:
            raise InvalidImage(f"layer has entries below {path!r}, a link to nowhere") from None
        finally:
            os.close(above)
        return syscalls.openat2(self._root, path, flags, syscalls.RESOLVE_IN_ROOT)

    def _forget(self) -> None:
        """Something was removed: the folder in hand may be gone from its path."""
        os.close(self._parent[1])
        self._parent = ("", os.dup(self._root))

    def _remove(self, fd: int, name: str) -> None:
        try:
            found = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            return
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(name, dir_fd=fd)
        else:
            os.unlink(name, dir_fd=fd)

    def _whiteout(self, fd: int, parent: str, name: str) -> None:
        if name == _OPAQUE:
            path = f"/proc/self/fd/{fd}"
            for child in os.listdir(path):  # noqa: PTH208 - Path would put the folder before each name
                if f"{parent}/{child}" not in self._made:
                    self._remove(fd, child)
        elif not name.startswith(_META):
            target = name[len(_WHITEOUT) :]
            if target in ("", ".", ".."):
                raise InvalidImage(f"layer has the whiteout {name!r}, which names nothing")
            self._remove(fd, target)
        self._forget()

    def _make(self, archive: tarfile.TarFile, member: tarfile.TarInfo, fd: int, name: str) -> None:
        if member.isdir():
            if not _is_dir(fd, name):
                os.mkdir(name, 0o755, dir_fd=fd)
        elif member.isreg():
            self._write(archive, member, fd, name)
        elif member.issym():
            os.symlink(member.linkname, name, dir_fd=fd)
        elif member.islnk():
            self._link(member, fd, name)
        elif member.isfifo():
            os.mkfifo(name, member.mode & 0o7777, dir_fd=fd)
        elif member.ischr() or member.isblk():
            if (member.devmajor, member.devminor) == (0, 0):
                raise InvalidImage(
                    f"layer has the device {member.name!r} 0:0, the overlay's mark of a removed file"
                )
            kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
            device = os.makedev(member.devmajor, member.devminor)
            os.mknod(name, kind | member.mode & 0o7777, device, dir_fd=fd)
        else:
            raise InvalidImage(f"layer has {member.name!r} of the unknown type {member.type!r}")

    def _write(self, archive: tarfile.TarFile, member: tarfile.TarInfo, fd: int, name: str) -> None:
        source = archive.extractfile(member)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=fd), "wb", buffering=0) as target:
            if source is not None:
                shutil.copyfileobj(source, target, _CHUNK)

    def _link(self, member: tarfile.TarInfo, fd: int, name: str) -> None:
        parent, source = clean(member.linkname)
        above = self._resolve(parent)
        try:
            os.link(source, name, src_dir_fd=above, dst_dir_fd=fd, follow_symlinks=False)
        except OSError as error:
            raise InvalidImage(
                f"layer links {member.name!r} to {member.linkname!r}: {error.strerror}"
            ) from error
        finally:
            os.close(above)

    def _attributes(self, member: tarfile.TarInfo, fd: int, name: str) -> None:
        if member.islnk():
            return
        os.chown(name, member.uid, member.gid, dir_fd=fd, follow_symlinks=False)
        if not member.issym():
            os.chmod(name, member.mode & 0o7777, dir_fd=fd)  # after chown, which clears setuid
        for key, value in member.pax_headers.items():
            if key.startswith(_XATTR) and not key[len(_XATTR) :].startswith(_FORBIDDEN_XATTRS):
                self._xattr(fd, name, key[len(_XATTR) :], value.encode("utf-8", "surrogateescape"))
        if not member.isdir():
            os.utime(name, (member.mtime, member.mtime), dir_fd=fd, follow_symlinks=False)

    def _xattr(self, fd: int, name: str, key: str, value: bytes) -> None:
        try:
            os.setxattr(f"/proc/self/fd/{fd}/{name}", key, value, follow_symlinks=False)
        except OSError as error:
            # As containerd does: user attributes on links and file systems without attributes.
            if error.errno not in (errno.ENOTSUP, errno.EPERM):
                raise


def _is_dir(fd: int, name: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False
