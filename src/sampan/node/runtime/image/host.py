"""`sampan.local/host`: an image that needs no registry, a read-only view of this machine's own programs.

Its root is a nearly empty folder with a small made-up /etc. /usr, /bin, /lib*, /sbin and the prefixes of the
running Python are bind-mounted into it read-only, nosuid and nodev, wherever they lie; the folders above such a
prefix are made here with mode 0755, so nothing else of /root or /home shows. /var is never taken.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sampan.node.runtime.oci import DEFAULT_PATH
from sampan.spec.oci.image import ImageConfig, Platform
from sampan.spec.oci.reference import Reference

NAME = "sampan.local/host"
REGISTRY = "sampan.local"
_TOP = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_OPTIONS = ["bind", "rprivate", "ro", "nosuid", "nodev"]
# Copied because programs look there: the linker's cache, name service, certificates, TLS and time.
_COPIED = ("ld.so.cache", "ld.so.conf", "localtime", "mime.types", "protocols", "services", "ssl/openssl.cnf")
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_FILES = {
    "passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
        "www-data:x:33:33:www-data:/tmp:/usr/sbin/nologin\n"
        "sampan:x:1000:1000:sampan:/home/sampan:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "group": (
        "root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nsampan:x:1000:\nnogroup:x:65534:\n"
    ),
    "hosts": "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n",
    "resolv.conf": "",
    "hostname": "",
    "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
}


class HostImage(NamedTuple):
    """`layer` is the folder below everything, `mounts` are OCI bind mounts that belong to the image."""

    id: str
    layer: Path
    mounts: tuple[dict[str, Any], ...]
    config: ImageConfig


def matches(reference: Reference) -> bool:
    return reference.name == NAME


def prefixes() -> list[Path]:
    """The running Python's folders that are not below /usr anyway, as named and as they really are."""
    found: dict[Path, None] = {}
    for text in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix):
        for path in (Path(text), Path(os.path.realpath(text))):
            if path.parts[:2] != ("/", "usr") and path != Path("/"):
                found[path] = None
    return sorted(path for path in found if not any(other in path.parents for other in found))


def build(folder: Path, platform: Platform) -> HostImage:
    """Makes the root folder anew (it is small) and says what is to be mounted into it."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    mounts = []
    for name in _TOP:
        source = Path("/") / name
        if source.is_symlink():
            (fresh / name).symlink_to(source.readlink())
        elif source.is_dir():
            _folder(fresh, source)
            mounts.append(_mount(source))
    _etc(fresh / "etc")
    for name, mode in (
        ("tmp", 0o1777),
        ("run", 0o755),
        ("root", 0o755),
        ("home/sampan", 0o755),
        ("var/tmp", 0o1777),
    ):
        (fresh / name).mkdir(parents=True, exist_ok=True)
        (fresh / name).chmod(mode)
    os.chown(fresh / "home/sampan", 1000, 1000)
    for name in ("proc", "dev", "sys"):
        # Else each container would make them in its writable layer.
        (fresh / name).mkdir(mode=0o755)
    # Debian's programs are links into /etc/alternatives.
    for path in (*prefixes(), *filter(Path.is_dir, (Path("/etc/alternatives"),))):
        _folder(fresh, path)
        mounts.append(_mount(path))
    fresh.chmod(0o755)
    text = f"{NAME} {sys.prefix} {sys.base_prefix} {sys.version}"
    if folder.exists():
        # Containers of before may stand on it: the folder stays, only what it holds is renewed.
        _renew(fresh, folder)
    else:
        fresh.rename(folder)
    return HostImage(
        f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", folder, tuple(mounts), _config(platform)
    )


def _renew(fresh: Path, folder: Path) -> None:
    for name in ("ld.so.cache", "ssl/certs/ca-certificates.crt"):
        source = fresh / "etc" / name
        if source.exists():
            source.replace(folder / "etc" / name)
    for prefix in prefixes():
        _folder(folder, prefix)
    shutil.rmtree(fresh)


def _config(platform: Platform) -> ImageConfig:
    search = dict.fromkeys((f"{sys.prefix}/bin", f"{sys.base_prefix}/bin", *DEFAULT_PATH.split(":")))
    env = (f"PATH={':'.join(search)}", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1")
    return ImageConfig(platform, (), cmd=("sh",), env=env)


def _folder(root: Path, path: Path) -> None:
    """An empty folder at `path` below `root`, its parents 0755 whatever they are on the machine."""
    made = root
    for part in path.parts[1:]:
        made /= part
        if not made.is_dir():
            made.mkdir()
            made.chmod(0o755)


def _mount(path: Path) -> dict[str, Any]:
    return {
        "destination": str(path),
        "type": "bind",
        "source": os.path.realpath(path),
        "options": list(_OPTIONS),
    }


def _etc(etc: Path) -> None:
    etc.mkdir()
    etc.chmod(0o755)
    for name, text in _FILES.items():
        (etc / name).write_text(text)
    for name in _COPIED:
        _copy(Path("/etc") / name, etc / name)
    for part in Path("/etc/ld.so.conf.d").glob("*.conf"):
        _copy(part, etc / "ld.so.conf.d" / part.name)
    for source in map(Path, _CERTIFICATES):
        if source.is_file():
            _copy(source, etc / "ssl/certs/ca-certificates.crt")
            (etc / "ssl/cert.pem").symlink_to("certs/ca-certificates.crt")
            break
    for path in (etc, *etc.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def _copy(source: Path, target: Path) -> None:
    if source.is_file() and stat.S_ISREG(source.stat().st_mode):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
