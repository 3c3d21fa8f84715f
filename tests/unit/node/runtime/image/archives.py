"""Images made by hand: layers as tars, docker-save and OCI archives, and a registry on loopback."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from sampan.spec.oci.image import machine_platform

PLATFORM = machine_platform(os.uname().machine)


class File(NamedTuple):
    """A member; `link` makes a symlink, `hard` a hard link, `kind` anything else of tarfile."""

    name: str
    data: bytes = b""
    mode: int = 0o644
    uid: int = 0
    link: str = ""
    hard: str = ""
    kind: bytes = b""
    device: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, str] = {}


def layer(*files: File) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files:
            member = tarfile.TarInfo(file.name)
            member.mode, member.uid, member.gid, member.mtime = file.mode, file.uid, file.uid, 1_000_000_000
            member.pax_headers = {f"SCHILY.xattr.{key}": value for key, value in file.xattrs.items()}
            if file.name.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, file.mode | 0o111
            elif file.link:
                member.type, member.linkname = tarfile.SYMTYPE, file.link
            elif file.hard:
                member.type, member.linkname = tarfile.LNKTYPE, file.hard
            elif file.kind:
                member.type, (member.devmajor, member.devminor) = file.kind, file.device
            else:
                member.size = len(file.data)
            archive.addfile(member, io.BytesIO(file.data))
    return out.getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(*layers: bytes, **more: Any) -> bytes:
    return json.dumps(
        {
            "architecture": PLATFORM.architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest(data) for data in layers]},
            "config": more,
        }
    ).encode()


def docker_save(names: list[str], *layers: bytes, **more: Any) -> bytes:
    made = config(*layers, **more)
    files = [File(f"{number}/layer.tar", data) for number, data in enumerate(layers)]
    files.append(File(digest(made)[7:] + ".json", made))
    entry = {
        "Config": digest(made)[7:] + ".json",
        "RepoTags": names or None,
        "Layers": [file.name for file in files[:-1]],
    }
    files.append(File("manifest.json", json.dumps([entry]).encode()))
    return layer(*files)


class Built(NamedTuple):
    """All blobs of an OCI image by digest, and the digest to begin with."""

    blobs: dict[str, bytes]
    manifest: str
    config: str


def oci_image(*layers: bytes, media: str = "tar+gzip", index: bool = False, **more: Any) -> Built:
    blobs = {}
    descriptors = []
    for data in layers:
        packed = gzip.compress(data, mtime=0) if media.endswith("gzip") else data
        blobs[digest(packed)] = packed
        kind = f"application/vnd.oci.image.layer.v1.{media}"
        descriptors.append({"mediaType": kind, "digest": digest(packed), "size": len(packed)})
    made = config(*layers, **more)
    blobs[digest(made)] = made
    kind = "application/vnd.oci.image.config.v1+json"
    body = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": kind, "digest": digest(made), "size": len(made)},
        "layers": descriptors,
    }
    manifest = json.dumps(body).encode()
    top = digest(manifest)
    blobs[top] = manifest
    if index:
        entry = {"mediaType": body["mediaType"], "digest": top, "size": len(manifest)}
        other = entry | {"digest": "sha256:" + "0" * 64, "platform": {"os": "plan9", "architecture": "vax"}}
        mine = entry | {"platform": {"os": "linux", "architecture": PLATFORM.architecture}}
        listed = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [other, mine],
            }
        ).encode()
        blobs[digest(listed)] = listed
        top = digest(listed)
    return Built(blobs, top, digest(made))


def oci_layout(built: Built, folder: Path, name: str = "") -> None:
    (folder / "blobs/sha256").mkdir(parents=True)
    for key, data in built.blobs.items():
        (folder / "blobs/sha256" / key[7:]).write_bytes(data)
    body = json.loads(built.blobs[built.manifest])
    entry = {
        "mediaType": body["mediaType"],
        "digest": built.manifest,
        "size": len(built.blobs[built.manifest]),
    }
    if name:
        entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def tarred(folder: Path) -> bytes:
    return layer(
        *(
            File(str(path.relative_to(folder)), path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        )
    )


class Registry:
    """What a test registry holds and how it behaves; `asked` are the paths of all requests."""

    def __init__(self) -> None:
        self.host = ""
        self.images: dict[str, Built] = {}
        self.password = ""
        self.fail_first = 0
        self.asked: list[str] = []
        self.elsewhere = ""
        self.seen_elsewhere: list[str | None] = []

    def put(self, repository: str, tag: str, built: Built) -> None:
        self.images[f"{repository}:{tag}"] = built


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        registry = self.registry
        registry.asked.append(self.path)
        path = self.path.partition("?")[0]
        authorization = self.headers.get("Authorization")
        if path == "/token":
            good = "Basic " + base64.b64encode(f"user:{registry.password}".encode()).decode()
            self.answer(*((200, b'{"token": "abc"}') if authorization == good else (401, b"{}")))
        elif path.startswith("/elsewhere/"):
            registry.seen_elsewhere.append(authorization)
            self.answer(200, self.blob(path.rpartition("/")[2]) or b"")
        elif registry.fail_first:
            registry.fail_first -= 1
            self.answer(503, b"{}")
        elif registry.password and authorization != "Bearer abc":
            realm = f'Bearer realm="http://{registry.host}/token",service="test",scope="repository:a:pull"'
            self.answer(401, b"{}", ("WWW-Authenticate", realm))
        else:
            self.content(path)

    def content(self, path: str) -> None:
        repository, _, rest = path.removeprefix("/v2/").rpartition(
            "/manifests/" if "/manifests/" in path else "/blobs/"
        )
        if "/manifests/" in path:
            built = self.registry.images.get(f"{repository}:{rest}")
            found = built.blobs[built.manifest] if built else self.blob(rest)
        else:
            if self.registry.elsewhere:
                self.answer(307, b"", ("Location", f"{self.registry.elsewhere}/elsewhere/{rest}"))
                return
            found = self.blob(rest)
        if found is None:
            self.answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')
        else:
            self.answer(200, found)

    def blob(self, wanted: str) -> bytes | None:
        return next((b.blobs[wanted] for b in self.registry.images.values() if wanted in b.blobs), None)

    def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving() -> Iterator[Registry]:
    registry = Registry()
    handler = type("Handler", (_Handler,), {"registry": registry})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    registry.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
