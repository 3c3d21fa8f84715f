"""What is no proper HTTP gets an error or a closed connection, soon, and the next client notices nothing."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conformance import apiservers
from conformance.bad_input.sender import Asked, Sender

PATIENCE = 15.0  # seconds in which a connection is answered or closed
HISTORY = 4200  # changes of one resource: more than a server keeps for watches
PUT = b"PUT %b/worn HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
VERSION = b"GET /version HTTP/1.1\r\nHost: x\r\n"
MAPS = b"/api/v1/namespaces/default/configmaps"
BODY = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"smuggled"}}'
CHUNKED = b"Transfer-Encoding: chunked\r\n"
POST = b"POST " + MAPS + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLED = (
    b"0\r\n\r\nPOST " + MAPS + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)

BROKEN = {
    "nothing that is HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
    "no version": b"GET /version\r\n\r\n",
    "version 9": b"GET /version HTTP/9.9\r\nHost: x\r\n\r\n",
    "no method": b" /version HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": VERSION + b"".join(b"X-%d: y\r\n" % n for n in range(20000)) + b"\r\n",
    "a long header": VERSION + b"X-Long: " + b"y" * (2 << 20) + b"\r\n\r\n",
    "a long path": b"GET /" + b"y" * (2 << 20) + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a header without colon": VERSION + b"nonsense\r\n\r\n",
    "a header with NUL": VERSION + b"X-N: a\x00b\r\n\r\n",
    "a space before the colon": POST + CHUNKED.replace(b":", b" :") + b"\r\n" + SMUGGLED,
    "a folded header": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + SMUGGLED,
    "length and chunks": POST + b"Content-Length: 6\r\n" + CHUNKED + b"\r\n" + SMUGGLED,
    "chunks and length": POST + CHUNKED + b"Content-Length: 6\r\n\r\n" + SMUGGLED,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    "a length with sign": POST + b"Content-Length: +5\r\n\r\n" + SMUGGLED,
    "a huge length": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}",
    "a word for a length": POST + b"Content-Length: ten\r\n\r\n" + SMUGGLED,
    "an unknown encoding": POST + b"Transfer-Encoding: ship\r\n\r\n" + SMUGGLED,
    "chunked not last": POST + b"Transfer-Encoding: chunked, ship\r\n\r\n" + SMUGGLED,
    "a bad chunk": POST + CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": POST + CHUNKED + b"\r\n-1\r\n{}\r\n0\r\n\r\n",
    "a huge chunk": POST + CHUNKED + b"\r\nffffffffffffffff0\r\n{}",
    "chunks over the limit": POST + CHUNKED + b"\r\n" + (b"100000\r\n" + b" " * (1 << 20) + b"\r\n") * 4 + b"0\r\n\r\n",
    "a declared body over the limit": POST + b"Content-Length: 99999999\r\n\r\n{",
}  # fmt: skip


def raw(server: apiservers.ApiServer, *, certificate: tuple[str, str] | None = None) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=server.ca)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    parts = urlsplit(server.url)
    host = parts.hostname or ""
    plain = socket.create_connection((host, parts.port or 443), timeout=PATIENCE)
    return context.wrap_socket(plain, server_hostname=host)


def exchange(connection: socket.socket, data: bytes) -> bytes:
    """Everything that comes back until the server closes, which it must; raises TimeoutError if it hangs."""
    # one that stops reading may reset the connection: what it said before counts
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
        connection.sendall(data)
    found = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while piece := connection.recv(65536):
            found += piece
    return found


def works(server: apiservers.ApiServer, sender: Sender) -> None:
    assert sender.json("GET", "/version")[0] == 200
    assert server.process.poll() is None
    assert "Traceback" not in (server.folder / "log").read_text()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_http_is_refused(server: apiservers.ApiServer, sender: Sender, name: str) -> None:
    with raw(server, certificate=server.certificate) as connection:
        found = exchange(connection, BROKEN[name])
    head, _, body = found.partition(b"\r\n\r\n")
    if found:
        assert head.split()[1].startswith(b"4"), head
        assert json.loads(body)["kind"] == "Status"
    assert sender.json("GET", MAPS.decode() + "/smuggled")[0] == 404
    works(server, sender)


def test_a_body_that_never_comes_does_not_hold_others(server: apiservers.ApiServer, sender: Sender) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(50):
            connection = opened.enter_context(raw(server, certificate=server.certificate))
            connection.sendall(POST + b"Content-Length: 1000\r\n\r\n{")
        works(server, sender)
    works(server, sender)


def test_connections_that_are_cut(server: apiservers.ApiServer, sender: Sender) -> None:
    for data in (
        b"",
        b"GET",
        VERSION,
        POST + b"Content-Length: 1000\r\n\r\n{",
        POST + CHUNKED + b"\r\n5\r\n{",
    ):
        connection = raw(server, certificate=server.certificate)
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    works(server, sender)


def test_pipelined_requests_are_answered_in_order(server: apiservers.ApiServer, sender: Sender) -> None:
    with raw(server, certificate=server.certificate) as connection:
        last = b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        found = exchange(connection, (VERSION + b"\r\n") * 3 + last)
    assert re.findall(rb"HTTP/1\.1 (\d+)", found) == [b"200", b"200", b"200", b"404"]
    works(server, sender)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A certificate of an administrator, of a CA that nobody has heard of."""
    folder: Path = tmp_path_factory.mktemp("foreign")
    certificate, key = str(folder / "crt"), str(folder / "key")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subject = ["-subj", "/O=system:masters/CN=admin", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *subject], check=True, capture_output=True)
    yield certificate, key


def test_a_certificate_of_another_authority_is_nobody(
    server: apiservers.ApiServer, sender: Sender, foreign: tuple[str, str]
) -> None:
    """Refused in the handshake or with 401: never let in."""
    context = ssl.create_default_context(cafile=server.ca)
    context.load_cert_chain(*foreign)
    stranger = Sender(server.url, Asked(context), context)
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        code, status = stranger.json("GET", MAPS.decode())
        assert (code, status["kind"], status["reason"]) == (401, "Status", "Unauthorized")
    works(server, sender)


def test_too_old_is_gone(server: apiservers.ApiServer, sender: Sender) -> None:
    """History is bounded: a watch from before it is told to list again."""
    path = MAPS.decode()
    worn = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "worn"}}
    _, first = sender.json("POST", path, worn)
    start = first["metadata"]["resourceVersion"]
    with raw(server, certificate=server.certificate) as connection:
        for count in range(HISTORY):
            text = json.dumps({**worn, "data": {"n": str(count)}}).encode()
            connection.sendall(PUT % (path.encode(), len(text)) + text)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
    assert sender.json("DELETE", f"{path}/worn")[0] == 200
    code, _, body = sender.call("GET", f"{path}?watch=1&resourceVersion={start}&timeoutSeconds=5")
    event = json.loads(body.splitlines()[0])
    assert (code, event["type"], event["object"]["code"], event["object"]["reason"]) == (
        200,
        "ERROR",
        410,
        "Expired",
    )
