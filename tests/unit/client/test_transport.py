"""Addresses, headers, credentials and failures of the transport, with a server on a unix socket."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import stat
import tempfile
from pathlib import Path

import pytest

from sampan.api.status import ApiError
from sampan.base.http.connection import NotSent, ProtocolError
from sampan.client import credentials, tls, transport
from sampan.client.config import Config, ExecPlugin
from sampan.client.transport import Reply, Transport


def exchange(
    config: Config, *answers: bytes, path: str = "/x", query: dict[str, object] | None = None
) -> list[str]:
    """Asks once with `config` (its server is replaced); the heads that the server saw."""
    seen: list[str] = []

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for answer in answers:
                seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(answer)
            await reader.read()
            writer.close()

        with tempfile.TemporaryDirectory() as folder:
            socket = f"{folder}/s"
            server = await asyncio.start_unix_server(serve, socket)
            wire = Transport(config._replace(server=f"unix://{socket}"))
            try:
                reply = await wire.request("GET", path, query, {"Accept": "a/b"}, b"", 5)  # type: ignore[arg-type]
                await reply.read(5)
            finally:
                await wire.close()
                server.close()
                await server.wait_closed()

    asyncio.run(main())
    return seen


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NO = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"


def test_headers_of_a_request() -> None:
    config = Config(
        "",
        token="t0ken",
        impersonate_user="jane",
        impersonate_groups=("a", "b"),
        impersonate_extra=(("x/y", "z"),),
        user_agent="me/1",
    )
    (head,) = exchange(config, OK, path="/api/v1/x y", query={"watch": True, "none": None, "a": "b,c=d"})
    lines = head.split("\r\n")
    assert lines[0] == "GET /api/v1/x%20y?watch=true&a=b%2Cc%3Dd HTTP/1.1"
    for wanted in (
        "Host: localhost",
        "User-Agent: me/1",
        "Accept: a/b",
        "Authorization: Bearer t0ken",
        "Impersonate-User: jane",
        "Impersonate-Group: a",
        "Impersonate-Group: b",
        "Impersonate-Extra-x%2Fy: z",
    ):
        assert wanted in lines


def test_basic_authentication() -> None:
    (head,) = exchange(Config("", username="u", password="p:w"), OK)
    assert f"Authorization: Basic {base64.b64encode(b'u:p:w').decode()}" in head


def test_a_token_file_is_read_again_after_401(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("new\n")
    config = Config("", token_file=str(file))
    original = credentials.FixedCredentials.headers
    count = 0

    async def rotate(self: credentials.FixedCredentials) -> dict[str, str]:
        nonlocal count
        got = await original(self)
        count += 1
        if count == 1:
            file.write_text("newer\n")
        return got

    credentials.FixedCredentials.headers = rotate  # type: ignore[method-assign]
    try:
        first, second = exchange(config, NO, OK)
    finally:
        credentials.FixedCredentials.headers = original  # type: ignore[method-assign]
    assert "Bearer new\r\n" in first
    assert "Bearer newer\r\n" in second


@pytest.mark.parametrize(
    ("server", "address"),
    [
        ("https://h", ("", "h", 443, "", True)),
        ("https://[::1]:6443/k8s/clusters/c/", ("", "::1", 6443, "/k8s/clusters/c", True)),
        ("http://h:8080", ("", "h", 8080, "", False)),
        ("h:6443", ("", "h", 6443, "", True)),
        ("unix:///run/x", ("/run/x", "localhost", 0, "", False)),
    ],
)
def test_servers(server: str, address: tuple[object, ...]) -> None:
    assert transport._address(server) == address


def test_a_server_of_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="ftp://h"):
        Transport(Config("ftp://h"))


def test_failures_by_kind() -> None:
    refused = NotSent("connect to x: refused")
    assert transport.unreachable(refused, "x").not_sent
    bad = NotSent("certificate")
    bad.__cause__ = ssl.SSLCertVerificationError("no")
    assert transport.unreachable(bad, "x").fatal
    assert transport.unreachable(TimeoutError(), "x").fatal
    assert transport.unreachable(ProtocolError("no http"), "x").fatal
    lost = transport.unreachable(ConnectionResetError("gone"), "x")
    assert not lost.not_sent
    assert not lost.fatal
    assert lost.code == 503


def test_errors_without_a_status() -> None:
    error = transport._as_error(503, {"retry-after": "7"}, b"upstream down")
    assert (error.reason, error.message, error.retry_after) == ("ServiceUnavailable", "upstream down", 7)
    status = b'{"kind":"Status","code":404,"reason":"NotFound","message":"m"}'
    assert transport._as_error(404, {}, status).reason == "NotFound"
    assert transport._as_error(418, {}, b"").message == "the server answered with status 418"


def test_a_reply_that_stays_silent() -> None:
    async def main() -> None:
        class Body:
            async def next(self) -> bytes:
                await asyncio.sleep(60)
                return b""

            def give_up(self) -> None:
                pass

        class Response:
            status, headers, body = 200, {}, Body()

        with pytest.raises(ApiError, match="timed out"):
            async for _ in Reply(Response(), "x").chunks(0.01):  # type: ignore[arg-type]
                pass

    asyncio.run(main())


# --- exec plug-ins


def plugin(tmp_path: Path, script: str, **fields: object) -> credentials.ExecCredentials:
    program = tmp_path / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    made = ExecPlugin("./plugin", directory=str(tmp_path), **fields)  # type: ignore[arg-type]
    return credentials.ExecCredentials(made, Config("https://h", exec_plugin=made))


PRINT = (
    """echo x >> count; echo '{"apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"%s}}'"""
)


def test_a_plugin_is_asked_once_until_it_expires(tmp_path: Path) -> None:
    async def main() -> None:
        given = plugin(tmp_path, f"cd {tmp_path}; " + PRINT % ("abc", ""))
        for _ in range(3):
            assert await given.headers() == {"Authorization": "Bearer abc"}
        assert (tmp_path / "count").read_text() == "x\n"
        assert await given.renew()
        await given.headers()
        assert (tmp_path / "count").read_text() == "x\nx\n"

    asyncio.run(main())


def test_a_plugin_that_is_expired_is_asked_each_time(tmp_path: Path) -> None:
    async def main() -> None:
        past = ',"expirationTimestamp":"2020-01-01T00:00:00Z"'
        given = plugin(tmp_path, f"cd {tmp_path}; " + PRINT % ("abc", past))
        await given.headers()
        await given.headers()
        assert (tmp_path / "count").read_text() == "x\nx\n"

    asyncio.run(main())


def test_what_a_plugin_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        script = f'echo "$KUBERNETES_EXEC_INFO $EXTRA $1" > {tmp_path}/info; ' + PRINT % ("a", "")
        given = plugin(
            tmp_path,
            f"cd {tmp_path}; {script}",
            provide_cluster_info=True,
            args=("arg",),
            env=(("EXTRA", "e"),),
        )
        await given.headers()
        told = (tmp_path / "info").read_text()
        assert '"server":"https://h"' in told
        assert told.endswith("e arg\n")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("script", "fields", "words"),
    [
        ("exit 3", {}, "exit code 3"),
        ("echo nonsense", {}, "did not print an ExecCredential"),
        (PRINT % ("", ""), {}, "neither token nor"),
        (PRINT % ("a", ""), {"api_version": "client.authentication.k8s.io/v1beta1"}, "printed apiVersion"),
        ("", {"api_version": "client.authentication.k8s.io/v1alpha1"}, "is not supported"),
    ],
)
def test_plugins_that_fail(tmp_path: Path, script: str, fields: dict[str, object], words: str) -> None:
    async def main() -> None:
        with pytest.raises(credentials.CredentialError, match=words):
            await plugin(tmp_path, f"cd {tmp_path}; {script}", **fields).headers()

    asyncio.run(main())


def test_a_missing_plugin_shows_its_hint() -> None:
    async def main() -> None:
        made = ExecPlugin("no-such-program-here", install_hint="install it so")
        with pytest.raises(credentials.CredentialError, match="install it so"):
            await credentials.ExecCredentials(made, Config("https://h")).headers()

    asyncio.run(main())


# --- TLS contexts


def test_contexts(tmp_path: Path) -> None:
    insecure = tls.context(Config("https://h", insecure=True), b"", b"")
    assert insecure.verify_mode is ssl.CERT_NONE
    secure = tls.context(Config("https://h"), b"", b"")
    assert secure.verify_mode is ssl.CERT_REQUIRED
    assert secure.check_hostname
    before = set(os.listdir(tempfile.gettempdir()))
    with pytest.raises(ssl.SSLError):
        tls.context(Config("https://h"), b"no certificate", b"no key")
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in left if name.startswith("sampan-tls-")]
