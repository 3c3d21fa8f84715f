"""Records what a real kube-apiserver answers, as golden data for the tests.

    python scripts/record_upstream.py --apiserver /path/to/kube-apiserver [--etcd /usr/bin/etcd] [WHAT ...]

WHAT is any of decoding, discovery, objects, schemas; all by default. etcd and kube-apiserver run on loopback ports of their own, in
a temporary folder, and are stopped at the end. Everything that changes between runs (uid, times, resourceVersion) is
replaced by a fixed value in all but the tables, whose cells tell of the time, so that a second recording differs only
where upstream does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import upstream_bodies
import upstream_objects

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
MERGE_PATCH = "application/merge-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
READY_SECONDS = 90

# Plug-ins that fill in fields or ask for objects that no controller made: what is stored shows defaulting alone.
NOT_ADMITTED = (
    "DefaultIngressClass", "DefaultStorageClass", "DefaultTolerationSeconds", "LimitRanger", "Priority",
    "ResourceQuota", "RuntimeClass", "ServiceAccount", "StorageObjectInUseProtection", "TaintNodesByCondition",
)  # fmt: skip

FIXED_TIME = "2001-02-03T04:05:06Z"
FIXED_UID = "00000000-0000-0000-0000-000000000001"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Upstream:
    """A running kube-apiserver: requests as an administrator."""

    def __init__(self, port: int, token: str, ca: Path) -> None:
        self.base = f"https://127.0.0.1:{port}"
        self.token = token
        self.ca = ca

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        accept: str = "application/json",
        kind: str = "application/json",
    ) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Accept", accept)
        if data is not None:
            request.add_header("Content-Type", kind)
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code}: {error.read().decode()[:600]}") from None

    def judged(self, path: str, body: str) -> dict[str, Any]:
        """The Status of a create that failed, or {}."""
        request = urllib.request.Request(self.base + path, data=body.encode(), method="POST")
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30):
                return {}
        except urllib.error.HTTPError as error:
            status: dict[str, Any] = json.loads(error.read())
            return status

    def dry_run(self, path: str, body: str) -> tuple[str, list[str]]:
        """A create's error message, empty if it succeeded, and the texts of its warnings."""
        request = urllib.request.Request(self.base + path, data=body.encode(), method="POST")
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cafile=str(self.ca))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                # 299 - "text", with quotes in the text escaped
                warnings = answer.headers.get_all("Warning") or []
                return "", [json.loads(one.removeprefix("299 - ")) for one in warnings]
        except urllib.error.HTTPError as error:
            return str(json.loads(error.read())["message"]), []

    def ready(self) -> bool:
        try:
            self.call("GET", "/api/v1/namespaces/default")
        except (OSError, RuntimeError):
            return False
        return True


@contextlib.contextmanager
def started(apiserver: Path, etcd: Path) -> Iterator[Upstream]:
    with tempfile.TemporaryDirectory(prefix="sampan-upstream-") as folder:
        root = Path(folder)
        client, peer, port = free_port(), free_port(), free_port()
        token = secrets.token_hex(16)
        (root / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
        key = root / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        store = subprocess.Popen(
            [
                str(etcd), "--data-dir", str(root / "etcd"), "--unsafe-no-fsync",
                "--listen-client-urls", f"http://127.0.0.1:{client}",
                "--advertise-client-urls", f"http://127.0.0.1:{client}",
                "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-cluster", f"default=http://127.0.0.1:{peer}",
            ],
            stdout=(root / "etcd.log").open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        server = subprocess.Popen(
            [
                str(apiserver), "--etcd-servers", f"http://127.0.0.1:{client}",
                "--secure-port", str(port), "--bind-address", "127.0.0.1",
                "--cert-dir", str(root / "pki"), "--token-auth-file", str(root / "tokens.csv"),
                "--service-account-issuer", "https://kubernetes.default.svc",
                "--service-account-key-file", str(key), "--service-account-signing-key-file", str(key),
                "--service-cluster-ip-range", "10.96.0.0/16", "--authorization-mode", "RBAC",
                "--disable-admission-plugins", ",".join(NOT_ADMITTED), "--endpoint-reconciler-type", "none",
                "--allow-privileged",
            ],
            stdout=(root / "kube-apiserver.log").open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            upstream = Upstream(port, token, root / "pki" / "apiserver.crt")
            deadline = time.monotonic() + READY_SECONDS
            while not upstream.ready():
                if time.monotonic() > deadline or server.poll() is not None:
                    raise RuntimeError(
                        "kube-apiserver did not start:\n" + (root / "kube-apiserver.log").read_text()[-4000:]
                    )
                time.sleep(0.3)
            yield upstream
        finally:
            for process in (server, store):
                process.terminate()
            for process in (server, store):
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def written(name: str, value: Any) -> None:
    path = GOLDEN / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def settled(value: Any, uid: str) -> Any:
    """`value` with what differs from run to run replaced by fixed values; `uid` is the object's own."""
    if isinstance(value, list):
        return [settled(item, uid) for item in value]
    if isinstance(value, str) and uid and uid in value:
        return value.replace(uid, FIXED_UID)
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in ("uid", "resourceVersion", "creationTimestamp", "time") and isinstance(item, str):
            item = {"uid": FIXED_UID, "resourceVersion": "1"}.get(key, FIXED_TIME)
        out[key.replace(uid, FIXED_UID) if uid else key] = settled(item, uid)
    return out


def record_discovery(upstream: Upstream) -> None:
    core = upstream.call("GET", "/api", accept=AGGREGATED)
    groups = upstream.call("GET", "/apis", accept=AGGREGATED)
    written("discovery-1.37.json", {"api": core["items"], "apis": groups["items"]})
    hashes = upstream.call("GET", "/openapi/v3")["paths"]
    written("openapi-paths-1.37.json", sorted(hashes))


def certificates() -> dict[str, str]:
    """A throw-away certificate and a request, for the samples that must carry one."""
    with tempfile.TemporaryDirectory() as folder:
        key, ca, request = (Path(folder) / name for name in ("key", "ca", "csr"))
        subject = ["-subj", "/CN=sample"]
        new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), *subject]
        subprocess.run([*new, "-x509", "-days", "3650", "-out", str(ca)], check=True, capture_output=True)
        subprocess.run([*new, "-out", str(request)], check=True, capture_output=True)
        return {"CA": ca.read_text(), "CSR": request.read_text()}


def record_objects(upstream: Upstream) -> None:
    """Creates each sample and keeps request, stored object and its Table."""
    certificate = certificates()
    refused: list[str] = []
    for sample in upstream_objects.SAMPLES:
        try:
            record_object(upstream, sample._replace(body=upstream_objects.filled(sample.body, certificate)))
        except RuntimeError as error:
            refused.append(f"{sample.name}: {error}")
    if refused:
        raise SystemExit("\n".join(refused))


def create(upstream: Upstream, sample: upstream_objects.Sample) -> Any:
    """Creates the object; waits where its resource is only just being served."""
    for left in range(40, -1, -1):
        try:
            return upstream.call(
                "POST", sample.collection + "?fieldManager=recorder&fieldValidation=Strict", sample.body
            )
        except RuntimeError as error:
            if " 404: " not in str(error) or not left:
                raise
            time.sleep(0.25)
    return None


def record_object(upstream: Upstream, sample: upstream_objects.Sample) -> None:
    created = upstream.call(
        "POST", sample.collection + "?fieldManager=recorder&fieldValidation=Strict", sample.body
    )
    path = f"{sample.collection}/{created['metadata']['name']}"
    stored = created
    if sample.status:
        patch = {"status": sample.status}
        stored = upstream.call("PATCH", path + "/status?fieldManager=recorder", patch, kind=MERGE_PATCH)
    if sample.delete:
        upstream.call("DELETE", path)
        stored = upstream.call("GET", path)
    uid = stored["metadata"].get("uid", "")
    kept = {"path": sample.collection, "request": sample.body, "created": created}
    if sample.status:
        kept |= {"status": sample.status, "stored": stored}
    written(f"defaulted/{sample.name}.json", settled(kept, uid))
    record_table(upstream, sample, path)


def record_table(upstream: Upstream, sample: upstream_objects.Sample, path: str) -> None:
    """The Table with the very object that it was made of, and the time at which it was made."""
    table = upstream.call("GET", path + "?includeObject=Object", accept=TABLE)
    now = round(time.time(), 3)
    shown = table["rows"][0].pop("object")
    shown["metadata"].pop("managedFields", None)
    for column in table["columnDefinitions"]:
        del column["description"]
    del table["metadata"]
    written(
        f"tables/{sample.name}.json", {"now": now, "path": sample.collection, "object": shown, "table": table}
    )


def record_decoding(upstream: Upstream) -> None:
    """What each body is answered under fieldValidation Strict, and the warnings under Warn."""
    found = []
    for path, bodies in upstream_bodies.BODIES.items():
        for body in bodies:
            error, _ = upstream.dry_run(path + "?dryRun=All&fieldValidation=Strict", body)
            _, warnings = upstream.dry_run(path + "?dryRun=All&fieldValidation=Warn", body)
            found.append({"body": body, "error": error, "warnings": warnings})
    written("decoding-1.37.json", found)


def record_schemas(upstream: Upstream) -> None:
    """What a CRD with each schema is answered: the causes of the error, none if it is accepted."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
    fields = [{"type": "object", "properties": {"f": schema}} for schema in upstream_bodies.SCHEMAS]
    found = []
    for schema in [*fields, *upstream_bodies.ROOTS]:
        status = upstream.judged(path, upstream_bodies.definition(schema))
        causes = status.get("details", {}).get("causes", [])
        found.append({"schema": schema, "causes": causes, "message": status.get("message", "")})
    written("structural-1.37.json", found)


RECORDERS = {
    "schemas": record_schemas,
    "decoding": record_decoding,
    "discovery": record_discovery,
    "objects": record_objects,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--apiserver", type=Path, required=True)
    parser.add_argument("--etcd", type=Path, default=Path("/usr/bin/etcd"))
    parser.add_argument("what", nargs="*", choices=[*RECORDERS, []], default=[])
    options = parser.parse_args()
    with started(options.apiserver, options.etcd) as upstream:
        for name in options.what or RECORDERS:
            RECORDERS[name](upstream)
            print(f"recorded {name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
