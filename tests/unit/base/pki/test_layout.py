from __future__ import annotations

import concurrent.futures
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sampan.base.pki import certificates, contexts, files, keys, layout
from sampan.base.pki.errors import PkiError

NOW = 1_800_000_000.0
SANS = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc"]
NODES = {"tug": ["10.0.0.7"]}


def ensure(directory: Path, sans: list[str] = SANS, now: float = NOW) -> layout.Paths:
    return layout.ensure(directory, sans, now, nodes=NODES)


def facts(path: Path) -> certificates.Facts:
    return certificates.facts(path.read_bytes())


def test_first_call_makes_everything_and_second_nothing(tmp_path: Path) -> None:
    first = ensure(tmp_path / "pki")
    assert {"ca.crt", "ca.key", "sa.key", "sa.pub", "node-tug-serving.crt"} <= set(first.written)
    second = ensure(tmp_path / "pki")
    assert second.written == ()
    assert second.not_after == first.not_after
    assert second._replace(written=()) == first._replace(written=())


def test_subjects_are_those_of_the_default_bindings(tmp_path: Path) -> None:
    paths = ensure(tmp_path)
    assert facts(paths.admin.certificate)[:2] == ("kubernetes-admin", ("system:masters",))
    assert facts(paths.nodes["tug"].client.certificate)[:2] == ("system:node:tug", ("system:nodes",))
    assert facts(paths.nodes["tug"].serving.certificate).sans == {"tug", "10.0.0.7"}
    assert facts(paths.apiserver.certificate).sans == set(SANS)
    assert facts(paths.ca.certificate).is_ca


def test_keys_are_secret_whatever_the_umask(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        paths = ensure(tmp_path / "pki")
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths.directory.iterdir()}
    assert {mode for name, mode in modes.items() if name.endswith(".key")} == {0o600}
    assert {mode for name, mode in modes.items() if name.endswith((".crt", ".pub"))} == {0o644}
    assert stat.S_IMODE(paths.directory.stat().st_mode) == 0o700


def test_a_file_is_born_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    born: list[int] = []
    real = os.fchmod

    def watch(descriptor: int, mode: int) -> None:
        born.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", watch)
    files.write(tmp_path / "a.crt", b"x", files.PUBLIC)
    assert born == [0o600]


def test_a_loosened_key_is_closed_again(tmp_path: Path) -> None:
    paths = ensure(tmp_path)
    paths.ca.key.chmod(0o644)
    assert ensure(tmp_path).written == ()
    assert stat.S_IMODE(paths.ca.key.stat().st_mode) == 0o600


def test_a_wider_request_renews_only_what_it_names(tmp_path: Path) -> None:
    ensure(tmp_path)
    assert ensure(tmp_path, [*SANS, "10.96.0.1"]).written == ("apiserver.key", "apiserver.crt")
    assert ensure(tmp_path, SANS[:1]).written == ()


def test_addresses_are_compared_as_addresses(tmp_path: Path) -> None:
    ensure(tmp_path, ["0:0:0:0:0:0:0:1"])
    (tmp_path / layout.INDEX).unlink()
    assert ensure(tmp_path, ["0:0:0:0:0:0:0:1"]).written == ()


@pytest.mark.parametrize("name", ["admin.key", "admin.crt"])
def test_half_a_pair_is_made_anew_as_a_pair(tmp_path: Path, name: str) -> None:
    ensure(tmp_path)
    (tmp_path / name).unlink()
    assert ensure(tmp_path).written == ("admin.key", "admin.crt")


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "apiserver.crt").write_bytes(b"rubbish")
    assert ensure(tmp_path).written == ("apiserver.key", "apiserver.crt")


def test_a_foreign_key_beside_a_certificate_is_noticed(tmp_path: Path) -> None:
    ensure(tmp_path)
    (tmp_path / "admin.key").write_bytes(keys.private_pem(keys.generate()))
    assert ensure(tmp_path).written == ("admin.key", "admin.crt")


def test_a_new_authority_signs_all_its_leaves_anew(tmp_path: Path) -> None:
    before = ensure(tmp_path)
    old_proxy = before.front_proxy_client.certificate.read_bytes()
    (tmp_path / "ca.key").unlink()
    after = ensure(tmp_path)
    assert {"ca.crt", "apiserver.crt", "admin.crt", "node-tug.crt"} <= set(after.written)
    assert after.front_proxy_client.certificate.read_bytes() == old_proxy


@pytest.mark.parametrize(("days", "renewed"), [(334, False), (336, True), (400, True)])
def test_leaves_are_renewed_thirty_days_before_their_end(tmp_path: Path, days: int, renewed: bool) -> None:
    ensure(tmp_path)
    later = ensure(tmp_path, now=NOW + days * certificates.DAY)
    assert ("apiserver.crt" in later.written) is renewed
    assert "ca.crt" not in later.written
    assert "sa.key" not in later.written


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1}', b'{"version": 9}'])
def test_an_index_that_cannot_be_read_costs_only_time(tmp_path: Path, content: bytes) -> None:
    ensure(tmp_path)
    (tmp_path / layout.INDEX).write_bytes(content)
    assert ensure(tmp_path).written == ()


def test_callers_at_once_agree(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: ensure(tmp_path / "pki"), range(4)))
    assert sorted(bool(r.written) for r in results) == [False, False, False, True]


def test_a_bad_node_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PkiError, match=r"bad node name '\.\./x'"):
        layout.ensure(tmp_path, SANS, NOW, nodes={"../x": []})


def test_a_fresh_folder_is_read_without_cryptography(tmp_path: Path) -> None:
    ensure(tmp_path)
    code = (
        "import sys; from pathlib import Path; from sampan.base.pki import contexts, layout; "
        f"p = layout.ensure(Path({str(tmp_path)!r}), {SANS!r}, {NOW}, nodes={NODES!r}); "
        "contexts.server(*p.apiserver, client_ca=p.ca.certificate); "
        "assert p.written == () and 'cryptography' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
    )


def test_a_client_shows_its_certificate_to_the_server(tmp_path: Path) -> None:
    import time

    paths = layout.ensure(tmp_path, SANS, time.time(), nodes=NODES)
    server = contexts.server(*paths.apiserver, client_ca=paths.ca.certificate)
    client = contexts.client(paths.ca.certificate, *paths.admin)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="kubernetes.default.svc"),
    ]
    for _ in range(4):
        for end in reversed(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    certificate = ends[0].getpeercert()
    assert certificate is not None
    assert ((("commonName", "kubernetes-admin"),)) in certificate["subject"]
