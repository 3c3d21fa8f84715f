"""How requests travel: a connection pool, credentials on each request, and failures as ApiError."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode, urlsplit

import orjson

from sampan.api.status import ApiError
from sampan.base.http.connection import NotSent, Pool, ProtocolError, Response, Stream, Target
from sampan.client.config import Config

if TYPE_CHECKING:
    import ssl

    from sampan.client.credentials import Credentials

Query = Mapping[str, str | bool | int | None]

ERROR_BODY_LIMIT: Final = 1 << 20  # bytes of an error's body that are looked at
SAFE_IN_PATH: Final = "/:@!$&'()*+,;=-._~"


class Unreachable(ApiError):
    """No answer came. `not_sent`: the request never left; `fatal`: trying again at once cannot help."""

    def __init__(self, message: str, *, not_sent: bool = False, fatal: bool = False) -> None:
        super().__init__(503, "ServiceUnavailable", message)
        self.not_sent = not_sent
        self.fatal = fatal


class Reply:
    """An answer whose body is still to be read; failures on the way are Unreachable."""

    __slots__ = ("_response", "_where", "headers", "status")

    def __init__(self, response: Response, where: str) -> None:
        self._response = response
        self._where = where
        self.status = response.status
        self.headers = response.headers

    async def read(self, timeout: float | None) -> bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._response.read()
        except OSError as error:
            raise unreachable(error, self._where) from error

    async def chunks(self, silence: float | None = None) -> AsyncIterator[bytes]:
        """The body as it comes; Unreachable when nothing comes for `silence` seconds."""
        body = self._response.body
        try:
            while True:
                async with asyncio.timeout(silence):
                    chunk = await body.next()
                if not chunk:
                    return
                yield chunk
        except OSError as error:
            raise unreachable(error, self._where) from error
        finally:
            body.give_up()

    async def error(self, timeout: float | None) -> ApiError:
        """The failure that this answer tells of."""
        data = bytearray()
        async for chunk in self.chunks(timeout):
            data += chunk
            if len(data) > ERROR_BODY_LIMIT:
                break
        return _as_error(self.status, self.headers, bytes(data))

    def close(self) -> None:
        self._response.close()


class Transport:
    """Requests to one API server. Connects when first used; credentials are asked for each request."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._pool: Pool | None = None
        self._pool_identity: object = None
        self._unix, self._host, self._port, self._prefix, self._secure = _address(config.server)
        self.where = config.server
        self._credentials: Credentials | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    async def request(
        self,
        method: str,
        path: str,
        query: Query | None,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float | None,
    ) -> Reply:
        target = self._target(path, query)
        try:
            pool = await self._ready()
            response = await pool.request(method, target, await self._headers(headers), body, timeout=timeout)
            if response.status == 401 and self._credentials is not None and await self._credentials.renew():
                response.close()
                pool = await self._ready()
                response = await pool.request(
                    method, target, await self._headers(headers), body, timeout=timeout
                )
        except OSError as error:
            raise unreachable(error, self.where) from error
        return Reply(response, self.where)

    async def upgrade(self, path: str, headers: Mapping[str, str], timeout: float | None) -> Stream | Reply:
        """GET with Upgrade: the bare stream behind a 101, or the answer that declines."""
        try:
            pool = await self._ready()
            got = await pool.upgrade(
                "GET", self._target(path, None), await self._headers(headers), timeout=timeout
            )
        except OSError as error:
            raise unreachable(error, self.where) from error
        return got if isinstance(got, Stream) else Reply(got, self.where)

    def _target(self, path: str, query: Query | None) -> str:
        bare, mark, given = path.partition("?")
        target = self._prefix + quote(bare, safe=SAFE_IN_PATH + "%") + mark + given
        if query and (encoded := encode_query(query)):
            target += ("&" if mark else "?") + encoded
        return target

    async def _ready(self) -> Pool:
        """The pool; made anew when an exec plug-in has handed out another client certificate."""
        async with self._lock:
            if self._credentials is None:
                from sampan.client import credentials

                self._credentials = credentials.of(self._config)
            identity = await self._credentials.certificate()
            if self._pool is None or identity != self._pool_identity:
                old, self._pool_identity = self._pool, identity
                context = self._context(*identity) if self._secure else None
                self._pool = Pool(
                    Target(self._host, self._port, context, self._config.server_name, self._unix),
                    connect_timeout=self._config.connect_timeout,
                    default_headers=_fixed_headers(self._config),
                )
                if old is not None:
                    await old.close()
            return self._pool

    async def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        extra = await self._credentials.headers() if self._credentials is not None else {}
        return {**headers, **extra}

    def _context(self, cert: bytes, key: bytes) -> ssl.SSLContext:
        from sampan.client import tls

        return tls.context(self._config, cert, key)


def encode_query(query: Query) -> str:
    """Parameters without those that are empty; booleans as Go writes them."""
    pairs = [(k, _text(v)) for k, v in query.items() if v is not None and v != ""]
    return urlencode(pairs, quote_via=quote)


def unreachable(error: OSError, where: str) -> Unreachable:
    """What a failed exchange with the server at `where` is called."""
    if isinstance(error, NotSent):
        return Unreachable(str(error), not_sent=True, fatal=_is_tls(error.__cause__))
    if isinstance(error, TimeoutError):
        return Unreachable(f"request to {where} timed out", fatal=True)
    return Unreachable(
        f"connection to {where} failed: {error or type(error).__name__}",
        fatal=isinstance(error, ProtocolError) or _is_tls(error),
    )


def _is_tls(error: BaseException | None) -> bool:
    return error is not None and any(kind.__module__ == "ssl" for kind in type(error).__mro__)


def _text(value: str | bool | int | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _address(server: str) -> tuple[str, str, int, str, bool]:
    """(unix path, host, port, path prefix, over TLS) of a server's URL."""
    if server.startswith("unix://"):
        return server.removeprefix("unix://"), "localhost", 0, "", False
    url = urlsplit(server if "://" in server else f"https://{server}")
    if url.scheme not in ("https", "http") or not url.hostname:
        raise ValueError(
            f"server {server!r}: expected https://HOST[:PORT][/PREFIX], http://... or unix:///PATH"
        )
    secure = url.scheme == "https"
    return "", url.hostname, url.port or (443 if secure else 80), url.path.rstrip("/"), secure


def _fixed_headers(config: Config) -> list[tuple[str, str]]:
    headers = [("User-Agent", config.user_agent or "sampan")]
    if config.impersonate_user:
        headers.append(("Impersonate-User", config.impersonate_user))
    if config.impersonate_uid:
        headers.append(("Impersonate-Uid", config.impersonate_uid))
    headers += [("Impersonate-Group", group) for group in config.impersonate_groups]
    headers += [
        (f"Impersonate-Extra-{quote(key, safe='')}", value) for key, value in config.impersonate_extra
    ]
    if config.username and not config.token:
        pair = f"{config.username}:{config.password}".encode()
        headers.append(("Authorization", "Basic " + base64.b64encode(pair).decode()))
    return headers


def _as_error(code: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    try:
        value = orjson.loads(body)
    except ValueError:
        value = None
    if isinstance(value, dict) and value.get("kind") == "Status":
        error = ApiError.from_status(value, code=code)
    else:
        text = body[:2048].decode("utf-8", "replace").strip()
        error = ApiError(code, _REASONS.get(code, ""), text or f"the server answered with status {code}")
    if not error.retry_after and headers.get("retry-after", "").isdigit():
        error.retry_after = int(headers["retry-after"])
    return error


_REASONS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Gone",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
