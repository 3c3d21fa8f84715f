"""Who asks: bearer tokens (given, from a file that rotates, from an exec plug-in) and client certificates.

Exec plug-ins: client.authentication.k8s.io v1 and v1beta1, as in k8s.io/client-go plugin/pkg/client/auth/exec.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import orjson

from sampan.client.config import Config, ExecPlugin

TOKEN_FILE_SECONDS: Final = (
    60.0  # client-go transport/token_source.go: a token file is read again after a minute
)
EXEC_SECONDS: Final = 120.0
API_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class CredentialError(OSError):
    """Credentials could not be had; nothing was sent."""


class Certificate(NamedTuple):
    cert: bytes
    key: bytes


class Credentials(Protocol):
    async def headers(self) -> dict[str, str]: ...

    async def certificate(self) -> Certificate: ...

    async def renew(self) -> bool:
        """After a 401: True when it is worth asking once more."""


def of(config: Config) -> Credentials:
    if config.exec_plugin is not None:
        return ExecCredentials(config.exec_plugin, config)
    return FixedCredentials(config)


class FixedCredentials:
    """What the configuration holds; files are read again as they rotate."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._token = config.token
        self._read_at = 0.0
        self._certificate: Certificate | None = None

    async def headers(self) -> dict[str, str]:
        if self._config.token_file and time.monotonic() - self._read_at > TOKEN_FILE_SECONDS:
            self._read_token()
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _read_token(self) -> None:
        try:
            self._token = Path(self._config.token_file).read_text().strip()
        except OSError as error:
            if not self._token:
                raise CredentialError(f"token file {self._config.token_file!r}: {error.strerror}") from error
        self._read_at = time.monotonic()

    async def certificate(self) -> Certificate:
        if self._certificate is None:
            config = self._config
            cert = config.cert or _read(config.cert_file, "client certificate")
            self._certificate = Certificate(cert, config.key or _read(config.key_file, "client key"))
        return self._certificate

    async def renew(self) -> bool:
        if not self._config.token_file:
            return False
        before = self._token
        self._read_token()
        return self._token != before


class ExecCredentials:
    """What a program prints, kept until it expires or the server says 401."""

    def __init__(self, plugin: ExecPlugin, config: Config) -> None:
        self._plugin = plugin
        self._config = config
        self._lock = asyncio.Lock()
        self._token = ""
        self._certificate = Certificate(b"", b"")
        self._expires = 0.0  # seconds since 1970; 0 while there is nothing

    async def headers(self) -> dict[str, str]:
        await self._have()
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def certificate(self) -> Certificate:
        await self._have()
        return self._certificate

    async def renew(self) -> bool:
        self._expires = 0.0
        return True

    async def _have(self) -> None:
        async with self._lock:
            if time.time() >= self._expires:
                self._take(await self._run())

    def _take(self, printed: bytes) -> None:
        where = f"exec plugin {self._plugin.command!r}"
        try:
            value = orjson.loads(printed)
            given = value.get("apiVersion")
            status = value.get("status") or {}
        except (ValueError, AttributeError) as error:
            raise CredentialError(f"{where} did not print an ExecCredential: {error}") from error
        if given != self._plugin.api_version:
            raise CredentialError(
                f"{where} printed apiVersion {given!r}, expected {self._plugin.api_version!r}"
            )
        token, cert = status.get("token", ""), status.get("clientCertificateData", "")
        if not token and not cert:
            raise CredentialError(f"{where} printed neither token nor clientCertificateData in status")
        self._token = token
        self._certificate = Certificate(cert.encode(), status.get("clientKeyData", "").encode())
        self._expires = _expiry(status.get("expirationTimestamp"))

    async def _run(self) -> bytes:
        plugin = self._plugin
        if plugin.api_version not in API_VERSIONS:
            raise CredentialError(
                f"exec plugin {plugin.command!r}: apiVersion {plugin.api_version!r} is not supported, "
                f"expected one of {', '.join(API_VERSIONS)}"
            )
        interactive = plugin.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
        if plugin.interactive_mode == "Always" and not interactive:
            raise CredentialError(
                f"exec plugin {plugin.command!r} needs a terminal on stdin (interactiveMode Always)"
            )
        env = os.environ | dict(plugin.env) | {"KUBERNETES_EXEC_INFO": self._info(interactive)}
        command = plugin.command
        if "/" in command and plugin.directory and not os.path.isabs(command):  # noqa: PTH117
            command = str(Path(plugin.directory) / command)
        try:
            process = await asyncio.create_subprocess_exec(
                command,
                *plugin.args,
                env=env,
                stdin=None if interactive else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = f"\n{plugin.install_hint}" if plugin.install_hint else ""
            raise CredentialError(f"exec plugin {plugin.command!r}: {error.strerror}{hint}") from error
        try:
            async with asyncio.timeout(None if interactive else EXEC_SECONDS):
                printed, _ = await process.communicate()
        except TimeoutError:
            raise CredentialError(f"exec plugin {plugin.command!r} took over {EXEC_SECONDS:g} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise CredentialError(
                f"exec plugin {plugin.command!r} failed with exit code {process.returncode}"
            )
        return printed

    def _info(self, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._plugin.provide_cluster_info:
            cluster: dict[str, Any] = {"server": self._config.server}
            if self._config.server_name:
                cluster["tls-server-name"] = self._config.server_name
            if self._config.insecure:
                cluster["insecure-skip-tls-verify"] = True
            ca = self._config.ca or _read(self._config.ca_file, "certificate authority")
            if ca:
                import base64

                cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
            if self._plugin.cluster_config is not None:
                cluster["config"] = self._plugin.cluster_config
            spec["cluster"] = cluster
        info = {"kind": "ExecCredential", "apiVersion": self._plugin.api_version, "spec": spec}
        return orjson.dumps(info).decode()


def _expiry(text: str | None) -> float:
    if not text:
        return float("inf")
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError as error:
        raise CredentialError(f"expirationTimestamp {text!r} is not a time: {error}") from error


def _read(path: str, what: str) -> bytes:
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CredentialError(f"{what} {path!r}: {error.strerror}") from error
