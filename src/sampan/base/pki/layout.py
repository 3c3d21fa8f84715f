"""The folder that holds a cluster's keys and certificates: complete, fresh, and made only where it is not.

File names are kubeadm's (kubernetes.io/docs/setup/best-practices/certificates), so that the tools of that world find
their way; subjects are those that kube-apiserver's default bindings expect. This is the one module of the room that
knows these names. A folder that is complete and fresh is recognised by its index (digests, end of life) without
loading `cryptography`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from sampan.base.pki import certificates, files, keys
from sampan.base.pki.certificates import DAY, Authority, Pair
from sampan.base.pki.errors import PkiError

RENEW_BEFORE: Final = 30 * DAY
INDEX: Final = "index.json"
INDEX_VERSION: Final = 1


class Files(NamedTuple):
    certificate: Path
    key: Path


class NodeFiles(NamedTuple):
    """A node's two certificates: as a client of the API server, and as the server of logs and exec."""

    client: Files
    serving: Files


class Paths(NamedTuple):
    """Where everything is. `written` names the files that this call made, in order; empty where all was fresh.

    not_after: the earliest end of life of any certificate, in seconds since the epoch.
    """

    directory: Path
    ca: Files
    apiserver: Files
    kubelet_client: Files
    admin: Files
    front_proxy_ca: Files
    front_proxy_client: Files
    sa_key: Path
    sa_pub: Path
    nodes: Mapping[str, NodeFiles]
    written: tuple[str, ...]
    not_after: int


class _Leaf(NamedTuple):
    """One certificate to have: made by `make`, signed by the CA named `ca`, covering at least `sans`."""

    stem: str
    ca: str
    make: Callable[[Authority, float], Pair]
    common_name: str
    organizations: tuple[str, ...] = ()
    sans: tuple[str, ...] = ()


def ensure(
    directory: Path, sans: Sequence[str], now: float, *, nodes: Mapping[str, Sequence[str]] | None = None
) -> Paths:
    """Make what is missing, expired, damaged or does not cover the request; return where everything is.

    sans: DNS names and addresses of the API server. nodes: the same for each node's serving certificate, by name.
    Two callers at once: the second waits and finds all done. Raises PkiError or OSError.
    """
    wanted = _wanted(
        tuple(dict.fromkeys(sans)), {n: tuple(dict.fromkeys(s)) for n, s in (nodes or {}).items()}
    )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with files.locked(directory):
        _tighten(directory)
        index = _read_index(directory)
        fresh = _fresh(directory, index, wanted, now)
        if fresh is not None:
            return _paths(directory, wanted, (), fresh)
        writer = _Writer(directory, now)
        ends = writer.ensure_all(wanted)
        _write_index(directory, index, wanted, ends)
        files.sync(directory)
        return _paths(directory, wanted, tuple(writer.written), min(ends.values()))


def _wanted(sans: tuple[str, ...], nodes: Mapping[str, tuple[str, ...]]) -> tuple[_Leaf, ...]:
    leaves = [
        _server("apiserver", "kube-apiserver", (), sans),
        _client("apiserver-kubelet-client", "ca", "kube-apiserver-kubelet-client", ("system:masters",)),
        _client("admin", "ca", "kubernetes-admin", ("system:masters",)),
        _client("front-proxy-client", "front-proxy-ca", "front-proxy-client", ()),
    ]
    for name, node_sans in sorted(nodes.items()):
        if not name or "/" in name or name != name.strip("."):
            raise PkiError(f"bad node name {name!r}, expected a DNS name")
        user = f"system:node:{name}"
        leaves.append(_client(f"node-{name}", "ca", user, ("system:nodes",)))
        serving_sans = tuple(dict.fromkeys((name, *node_sans)))
        leaves.append(_server(f"node-{name}-serving", user, ("system:nodes",), serving_sans))
    return tuple(leaves)


def _server(stem: str, common_name: str, organizations: tuple[str, ...], sans: tuple[str, ...]) -> _Leaf:
    def make(authority: Authority, now: float) -> Pair:
        return authority.server(common_name, sans, now, organizations=organizations)

    return _Leaf(stem, "ca", make, common_name, organizations, sans)


def _client(stem: str, ca: str, common_name: str, organizations: tuple[str, ...]) -> _Leaf:
    def make(authority: Authority, now: float) -> Pair:
        return authority.client(common_name, organizations, now)

    return _Leaf(stem, ca, make, common_name, organizations)


class _Writer:
    """The slow way: reads, judges and makes each file. Holds the folder's lock all along."""

    def __init__(self, directory: Path, now: float) -> None:
        self._directory = directory
        self._now = now
        self.written: list[str] = []

    def ensure_all(self, wanted: Sequence[_Leaf]) -> dict[str, int]:
        """End of life of each certificate, by stem."""
        ends: dict[str, int] = {}
        authorities: dict[str, Authority] = {}
        for stem, common_name in (("ca", "kubernetes"), ("front-proxy-ca", "front-proxy-ca")):
            authorities[stem] = self._authority(stem, common_name)
            ends[stem] = authorities[stem].not_after
        for leaf in wanted:
            ends[leaf.stem] = self._leaf(leaf, authorities[leaf.ca])
        self._service_account_key()
        return ends

    def _authority(self, stem: str, common_name: str) -> Authority:
        pair = self._read(stem)
        if pair is not None:
            try:
                authority = Authority(pair)
            except PkiError:
                authority = None
            if authority is not None and authority.not_after - RENEW_BEFORE > self._now:
                return authority
        pair = certificates.create_authority(common_name, self._now)
        self._write(stem, pair)
        return Authority(pair)

    def _leaf(self, leaf: _Leaf, authority: Authority) -> int:
        pair = self._read(leaf.stem)
        if pair is not None and self._good(pair, leaf, authority):
            return certificates.facts(pair.certificate).not_after
        pair = leaf.make(authority, self._now)
        self._write(leaf.stem, pair)
        return certificates.facts(pair.certificate).not_after

    def _good(self, pair: Pair, leaf: _Leaf, authority: Authority) -> bool:
        try:
            said = certificates.facts(pair.certificate)
        except PkiError:
            return False
        return (
            said.not_before <= self._now < said.not_after - RENEW_BEFORE
            and (said.common_name, said.organizations) == (leaf.common_name, leaf.organizations)
            and said.sans >= {_canonical(san) for san in leaf.sans}
            and certificates.matches(pair)
            and authority.signed(pair.certificate)
        )

    def _service_account_key(self) -> None:
        private, public = self._directory / "sa.key", self._directory / "sa.pub"
        try:
            key = keys.load_private(private.read_bytes())
        except (FileNotFoundError, PkiError):
            key = keys.generate()
            self._put(private, keys.private_pem(key), files.SECRET)
        pem = keys.public_pem(key.public_key())
        if not public.exists() or public.read_bytes() != pem:
            self._put(public, pem, files.PUBLIC)

    def _read(self, stem: str) -> Pair | None:
        try:
            return Pair(
                (self._directory / f"{stem}.crt").read_bytes(), (self._directory / f"{stem}.key").read_bytes()
            )
        except FileNotFoundError:
            return None

    def _write(self, stem: str, pair: Pair) -> None:
        # The key first: a certificate without its key would look complete to whoever waits for the file.
        self._put(self._directory / f"{stem}.key", pair.key, files.SECRET)
        self._put(self._directory / f"{stem}.crt", pair.certificate, files.PUBLIC)

    def _put(self, path: Path, content: bytes, mode: int) -> None:
        files.write(path, content, mode)
        self.written.append(path.name)


def _names(wanted: Sequence[_Leaf]) -> list[str]:
    stems = ["ca", "front-proxy-ca", *(leaf.stem for leaf in wanted)]
    return [f"{stem}.{end}" for stem in stems for end in ("crt", "key")] + ["sa.key", "sa.pub"]


def _read_index(directory: Path) -> dict[str, Any]:
    try:
        index = orjson.loads((directory / INDEX).read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    known = isinstance(index, dict) and index.get("version") == INDEX_VERSION
    if not known or not all(isinstance(index.get(part), dict) for part in ("digests", "ends", "sans")):
        return {}
    return dict(index)


def _write_index(
    directory: Path, old: dict[str, Any], wanted: Sequence[_Leaf], ends: Mapping[str, int]
) -> None:
    """Entries of nodes that this call did not ask for stay: several callers may share the folder."""
    kept = {"digests": old.get("digests", {}), "ends": old.get("ends", {}), "sans": old.get("sans", {})}
    index = {
        "version": INDEX_VERSION,
        "digests": {**kept["digests"], **{name: _digest(directory / name) for name in _names(wanted)}},
        "ends": {**kept["ends"], **ends},
        "sans": {**kept["sans"], **{leaf.stem: list(leaf.sans) for leaf in wanted}},
    }
    files.write(directory / INDEX, orjson.dumps(index), files.SECRET)


def _fresh(directory: Path, index: Mapping[str, Any], wanted: Sequence[_Leaf], now: float) -> int | None:
    """The earliest end of life where the index vouches for every file, else None."""
    if not index:
        return None
    digests, ends, sans = index["digests"], index["ends"], index["sans"]
    stems = ["ca", "front-proxy-ca", *(leaf.stem for leaf in wanted)]
    if any(ends.get(stem, 0) - RENEW_BEFORE <= now for stem in stems):
        return None
    if any(not set(leaf.sans) <= set(sans.get(leaf.stem, ())) for leaf in wanted):
        return None
    for name in _names(wanted):
        path = directory / name
        try:
            if digests.get(name) != _digest(path):
                return None
        except FileNotFoundError:
            return None
    return min(int(ends[stem]) for stem in stems)


def _tighten(directory: Path) -> None:
    """A key that somebody made readable to others is not taken for one that never was secret; it is closed again."""
    for path in directory.glob("*.key"):
        if path.stat().st_mode & 0o077:
            path.chmod(files.SECRET)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _canonical(san: str) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(san))
    except ValueError:
        return san


def _paths(directory: Path, wanted: Sequence[_Leaf], written: tuple[str, ...], not_after: int) -> Paths:
    def pair(stem: str) -> Files:
        return Files(directory / f"{stem}.crt", directory / f"{stem}.key")

    serving = [
        leaf.stem for leaf in wanted if leaf.stem.startswith("node-") and leaf.stem.endswith("-serving")
    ]
    names = [stem.removeprefix("node-").removesuffix("-serving") for stem in serving]
    return Paths(
        directory=directory,
        ca=pair("ca"),
        apiserver=pair("apiserver"),
        kubelet_client=pair("apiserver-kubelet-client"),
        admin=pair("admin"),
        front_proxy_ca=pair("front-proxy-ca"),
        front_proxy_client=pair("front-proxy-client"),
        sa_key=directory / "sa.key",
        sa_pub=directory / "sa.pub",
        nodes={name: NodeFiles(pair(f"node-{name}"), pair(f"node-{name}-serving")) for name in names},
        written=written,
        not_after=not_after,
    )
