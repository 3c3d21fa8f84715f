"""Whether the API server answers, and if not, why, in the words of Go's HTTP client."""

from __future__ import annotations

import re

from sampan.api.status import ApiError
from sampan.apps.helm.errors import HelmError
from sampan.client.rest import Client, Unreachable

_ADDRESS = re.compile(r"\('([^']+)', (\d+)")
SECONDS = 32.0
"""How long an answer to the first question may take: client-go's time-out of discovery."""


async def check(client: Client) -> None:
    """Raises HelmError when /version is not to be had."""
    try:
        await client.raw("GET", "/version", timeout=SECONDS)
    except ApiError as error:
        raise HelmError(
            f"kubernetes cluster unreachable: {words(client.server, '/version', error)}"
        ) from error


def words(server: str, path: str, error: ApiError) -> str:
    """`Get "URL": dial tcp HOST:PORT: connect: connection refused`, or what the server said."""
    if not isinstance(error, Unreachable):
        return error.message
    return f'Get "{server.rstrip("/")}{path}": {_why(error)}'


def _why(error: BaseException) -> str:
    found: BaseException | None = error
    deepest = error
    while found is not None:
        deepest, found = found, found.__cause__
    text = str(deepest)
    address = _ADDRESS.search(text)
    where = ""
    if address:
        host = f"[{address[1]}]" if ":" in address[1] else address[1]
        where = f"{host}:{address[2]}"
    if "Errno 111" in text or isinstance(deepest, ConnectionRefusedError):
        return f"dial tcp {where}: connect: connection refused"
    if "Name or service not known" in text or "nodename nor servname" in text:
        return "dial tcp: no such host"
    if isinstance(deepest, TimeoutError) or "timed out" in text:
        return "net/http: request canceled while waiting for connection (Client.Timeout exceeded)"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"tls: failed to verify certificate: {text}"
    return text
