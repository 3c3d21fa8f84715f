"""Pulls images over the distribution API (distribution-spec 1.1), with Docker's token authentication.

Blocking, for a worker thread. Mirrors, plain-HTTP registries and credentials come from a TOML file:

    [mirrors."docker.io"]
    endpoints = ["http://127.0.0.1:5000"]      # tried in order, then the registry itself

    [registries."registry.example:5000"]
    insecure = true                            # plain http, or https with any certificate
    ca = "/etc/ssl/registry.pem"
    username = "user"
    password = "secret"
"""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import http.client
import re
import ssl
import time
import tomllib
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from sampan.node.runtime.image.store import Layer, Store
from sampan.spec import cri
from sampan.spec.oci import image as oci_image
from sampan.spec.oci.image import Descriptor, InvalidImage
from sampan.spec.oci.reference import DEFAULT_REGISTRY, Reference

_ACCEPT = ", ".join(sorted(oci_image.INDEXES | oci_image.MANIFESTS))
_METADATA_MAX = 4 << 20
_TIMEOUT = 30.0
_TRIES = 3
_CHUNK = 1 << 20
_PARALLEL = 3  # as containerd and docker
_REDIRECTS = 5
_CHALLENGE = re.compile(r'([a-zA-Z]+)="([^"]*)"')


class Registry(NamedTuple):
    """How to speak to one host. `repr` keeps its password out of logs."""

    insecure: bool = False
    ca: str = ""
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Registry(insecure={self.insecure!r}, ca={self.ca!r}, username={self.username!r}, ...)"


class Registries(NamedTuple):
    mirrors: Mapping[str, tuple[str, ...]] = {}
    registries: Mapping[str, Registry] = {}


def load(path: Path | None) -> Registries:
    """Raises cri.Error InvalidArgument that names every key which is not known."""
    if path is None or not path.exists():
        return Registries()
    try:
        data = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise cri.Error("InvalidArgument", f"registry file {str(path)!r}: {error}") from error
    unknown = [key for key in data if key not in ("mirrors", "registries")]
    mirrors, registries = data.get("mirrors", {}), data.get("registries", {})
    unknown += [f"mirrors.{n}.{k}" for n, entry in mirrors.items() for k in entry if k != "endpoints"]
    unknown += [
        f"registries.{n}.{k}" for n, entry in registries.items() for k in entry if k not in Registry._fields
    ]
    if unknown:
        raise cri.Error("InvalidArgument", f"registry file {str(path)!r} has the unknown keys {unknown}")
    return Registries(
        {name: tuple(entry.get("endpoints", ())) for name, entry in mirrors.items()},
        {name: Registry(**entry) for name, entry in registries.items()},
    )


def pull(store: Store, registries: Registries, reference: Reference, auth: cri.AuthConfig | None) -> str:
    """Returns the image's id. Raises cri.Error (NotFound, PermissionDenied, Unavailable) or InvalidImage."""
    problems = []
    for endpoint in endpoints(registries, reference.registry):
        session = _Session(endpoint, registries, reference, auth)
        try:
            return _pull(store, session, reference)
        except cri.Error as error:
            problems.append(error)
        finally:
            session.close()
    # A mirror that lacks the image or is away is no news; what the registry itself says is.
    raise problems[-1]


class Endpoint(NamedTuple):
    """Where to ask. `path` comes before /v2; `namespace` is the registry that a mirror stands for."""

    scheme: str
    host: str
    path: str = ""
    namespace: str = ""


def endpoints(registries: Registries, registry: str) -> list[Endpoint]:
    """Mirrors first. Plain HTTP is for hosts marked insecure and for loopback, as docker has it."""
    found = []
    for text in registries.mirrors.get(registry, ()):
        parts = urllib.parse.urlsplit(text if "://" in text else f"https://{text}")
        found.append(Endpoint(parts.scheme, parts.netloc, parts.path.rstrip("/"), registry))
    if registry == DEFAULT_REGISTRY:
        found.append(Endpoint("https", "registry-1.docker.io"))
        return found
    host = registry.rpartition(":")[0] or registry
    if registries.registries.get(registry, Registry()).insecure:
        found += [Endpoint("https", registry), Endpoint("http", registry)]
    elif host in ("localhost", "[::1]") or host.startswith("127."):
        found.append(Endpoint("http", registry))
    else:
        found.append(Endpoint("https", registry))
    return found


def _pull(store: Store, session: _Session, reference: Reference) -> str:
    digest, data = session.manifest(reference.target)
    for _ in range(4):
        decoded = _json(data)
        if "manifests" not in decoded:
            break
        chosen = oci_image.select(oci_image.index(decoded), store.platform)
        _, data = session.manifest(chosen.digest)
    manifest = oci_image.manifest(_json(data))
    config = session.small_blob(manifest.config)
    parsed = oci_image.image_config(_json(config))
    if len(parsed.diff_ids) != len(manifest.layers):
        raise InvalidImage(
            f"image has {len(manifest.layers)} layers: its configuration lists {len(parsed.diff_ids)}"
        )
    with store.scratch() as folder:
        files = [folder / str(number) for number in range(len(manifest.layers))]
        wanted = [
            (layer, path)
            for layer, path, missing in zip(
                manifest.layers, files, store.missing(parsed.diff_ids), strict=True
            )
            if missing
        ]
        with concurrent.futures.ThreadPoolExecutor(_PARALLEL, thread_name_prefix="pull") as pool:
            for done in [pool.submit(session.clone().download, layer, path) for layer, path in wanted]:
                done.result()
        layer_list = [
            Layer(_opener(path), diff_id) for path, diff_id in zip(files, parsed.diff_ids, strict=True)
        ]
        names = [str(reference._replace(digest=""))] if reference.tag else []
        names.append(f"{reference.name}@{digest}")
        return store.add(data, config, layer_list, names)


def _opener(path: Path) -> Any:
    return lambda: path.open("rb")


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidImage(f"the registry sent broken JSON: {error}") from error


class _Session:
    """One connection to one registry, for one repository."""

    def __init__(
        self, endpoint: Endpoint, registries: Registries, reference: Reference, auth: cri.AuthConfig | None
    ) -> None:
        self._endpoint = endpoint
        self._registries = registries
        self._reference = reference
        self._auth = auth
        self._header = ""
        self._connection: http.client.HTTPConnection | None = None

    def clone(self) -> _Session:
        """For another thread, with the token that we have."""
        other = _Session(self._endpoint, self._registries, self._reference, self._auth)
        other._header = self._header
        return other

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def manifest(self, target: str) -> tuple[str, bytes]:
        """The digest and the bytes of a manifest or index."""
        with self._get(f"manifests/{target}", {"Accept": _ACCEPT}) as response:
            data = response.read(_METADATA_MAX + 1)
        if len(data) > _METADATA_MAX:
            raise InvalidImage(f"manifest {target!r} has more than {_METADATA_MAX} bytes")
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if target.startswith("sha256:") and target != digest:
            raise InvalidImage(f"manifest {target!r} has the digest {digest!r}")
        return digest, data

    def small_blob(self, descriptor: Descriptor) -> bytes:
        with self._get(f"blobs/{descriptor.digest}", {}) as response:
            data = response.read(_METADATA_MAX + 1)
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != descriptor.digest:
            raise InvalidImage(f"blob {descriptor.digest} does not have that digest")
        return data

    def download(self, descriptor: Descriptor, path: Path) -> None:
        try:
            digest = hashlib.sha256()
            size = 0
            with self._get(f"blobs/{descriptor.digest}", {}) as response, path.open("wb") as file:
                while chunk := response.read(_CHUNK):
                    size += len(chunk)
                    if size > descriptor.size > 0:
                        raise InvalidImage(f"blob {descriptor.digest} is longer than {descriptor.size} bytes")
                    digest.update(chunk)
                    file.write(chunk)
            if f"sha256:{digest.hexdigest()}" != descriptor.digest:
                raise InvalidImage(f"blob {descriptor.digest} does not have that digest")
        finally:
            self.close()

    # -- requests

    def _get(self, path: str, headers: Mapping[str, str]) -> _Response:
        repository = self._reference.repository
        query = f"?ns={self._endpoint.namespace}" if self._endpoint.namespace else ""
        url = f"{self._endpoint.scheme}://{self._endpoint.host}{self._endpoint.path}/v2/{repository}/{path}{query}"
        response = self._send(url, headers)
        if response.status == 401 and not (self._header and self._header == response.sent):
            challenge = response.headers.get("WWW-Authenticate", "")
            response.finish()
            self._header = self._authorize(challenge)
            response = self._send(url, headers)
        if response.status == 200:
            return response
        body = response.read(4096)
        response.finish()
        raise _refusal(response.status, f"{self._reference}", self._endpoint.host, body)

    def _send(self, url: str, headers: Mapping[str, str]) -> _Response:
        pause = 0.2
        for attempt in range(_TRIES):
            try:
                response = self._follow(url, headers)
                if (response.status < 500 and response.status != 429) or attempt == _TRIES - 1:
                    return response
                response.finish()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if attempt == _TRIES - 1 or isinstance(error, ssl.SSLError | ConnectionRefusedError):
                    raise cri.Error(
                        "Unavailable",
                        f"registry {self._endpoint.host!r} cannot be reached: {error}",
                        reason="RegistryUnavailable",
                    ) from error
            time.sleep(pause)
            pause *= 3
        raise cri.Error("Unavailable", f"registry {self._endpoint.host!r} gave no answer")

    def _follow(self, url: str, headers: Mapping[str, str]) -> _Response:
        first = urllib.parse.urlsplit(url)
        sent = self._header
        for _ in range(_REDIRECTS):
            parts = urllib.parse.urlsplit(url)
            # A blob often lies elsewhere; our credentials are not for that host.
            own = {"Authorization": sent} if sent and parts.netloc == first.netloc else {}
            connection = self._connect(parts.scheme, parts.netloc)
            target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
            connection.request("GET", target, headers={**headers, **own, "User-Agent": "sampan"})
            response = _Response(connection.getresponse(), sent)
            if response.status not in (301, 302, 303, 307, 308):
                return response
            location = response.headers.get("Location", "")
            response.finish()
            url = urllib.parse.urljoin(url, location)
            if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
                raise cri.Error("Unknown", f"registry {self._endpoint.host!r} redirects to {url!r}")
        raise cri.Error("Unknown", f"registry {self._endpoint.host!r} redirects more than {_REDIRECTS} times")

    def _connect(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        current = self._connection
        if current is not None and getattr(current, "sampan_key", None) == (scheme, netloc):
            return current
        self.close()
        if scheme == "http":
            made = http.client.HTTPConnection(netloc, timeout=_TIMEOUT)
        else:
            settings = self._registries.registries.get(netloc, Registry())
            context = ssl.create_default_context(cafile=settings.ca or None)
            if settings.insecure:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            made = http.client.HTTPSConnection(netloc, timeout=_TIMEOUT, context=context)
        made.sampan_key = (scheme, netloc)  # type: ignore[attr-defined]
        self._connection = made
        return made

    # -- authentication

    def _credentials(self) -> tuple[str, str]:
        auth = self._auth
        if auth is not None:
            if auth.auth:
                user, _, password = base64.b64decode(auth.auth).decode().partition(":")
                return user, password
            return auth.username, auth.password
        known = self._registries.registries.get(self._endpoint.host, Registry())
        return known.username, known.password

    def _authorize(self, challenge: str) -> str:
        """The Authorization header that answers a WWW-Authenticate challenge."""
        if self._auth is not None and self._auth.registry_token:
            return f"Bearer {self._auth.registry_token}"
        user, password = self._credentials()
        basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic":
            return basic
        if kind.lower() != "bearer":
            raise cri.Error(
                "Unauthenticated", f"registry {self._endpoint.host!r} asks for {kind!r} authentication"
            )
        fields = dict(_CHALLENGE.findall(rest))
        token = self._token(fields, basic)
        return f"Bearer {token}"

    def _token(self, fields: Mapping[str, str], basic: str) -> str:
        parts = urllib.parse.urlsplit(fields.get("realm", ""))
        scope = fields.get("scope") or f"repository:{self._reference.repository}:pull"
        query = [*urllib.parse.parse_qsl(parts.query), ("scope", scope)]
        if "service" in fields:
            query.append(("service", fields["service"]))
        url = urllib.parse.urlunsplit(
            (parts.scheme, parts.netloc, parts.path, urllib.parse.urlencode(query), "")
        )
        asking = _Session(self._endpoint._replace(namespace=""), self._registries, self._reference, None)
        asking._header = basic
        try:
            response = asking._follow(url, {})
            body = response.read(_METADATA_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise cri.Error(
                "Unavailable", f"token server {parts.netloc!r} cannot be reached: {error}"
            ) from error
        finally:
            asking.close()
        if response.status != 200:
            raise _refusal(response.status, str(self._reference), parts.netloc, body)
        answer = _json(body)
        return str(answer.get("token") or answer.get("access_token") or "")


class _Response:
    def __init__(self, response: http.client.HTTPResponse, sent: str) -> None:
        self._response = response
        self.status = response.status
        self.headers = response.headers
        self.sent = sent

    def read(self, size: int) -> bytes:
        return self._response.read(size)

    def finish(self) -> None:
        """Reads the rest, so that the connection serves the next request."""
        self._response.read(_METADATA_MAX)
        self._response.close()

    def __enter__(self) -> _Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()


def _refusal(status: int, reference: str, host: str, body: bytes) -> cri.Error:
    """In the CRI's words; the registry's own message goes along."""
    said = "; ".join(_messages(body))
    text = f"image {reference!r}: registry {host!r} answers {status}" + (f": {said}" if said else "")
    if status == 404:
        return cri.Error("NotFound", text)
    if status in (401, 403):
        return cri.Error("PermissionDenied", f"{text}: the repository does not exist or needs credentials")
    if status == 429 or status >= 500:
        return cri.Error("Unavailable", text, reason="RegistryUnavailable")
    return cri.Error("Unknown", text)


def _messages(body: bytes) -> Iterator[str]:
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    errors = decoded.get("errors", []) if isinstance(decoded, dict) else []
    for entry in errors if isinstance(errors, list) else []:
        if isinstance(entry, dict):
            yield str(entry.get("message") or entry.get("code") or "")
