"""Sends the cases and keeps what matters of each answer."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from conformance.bad_input import cases
from conformance.bad_input.cases import Case

PATIENCE = 20.0  # seconds for an answer: more is a hang
SHOWN = 4000  # characters of a message

_VOLATILE = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"current: \d+"), "current: <revision>"),
    (re.compile(r"too old resource version: (\d+) \(\d+\)"), r"too old resource version: \1 (<revision>)"),
    # how Go prints the object that a field error shows
    (re.compile(r'Invalid value: (\{.*\}|"\{.*\}"): ', re.DOTALL), "Invalid value: <object>: "),
)


class Asked(NamedTuple):
    """Who asks: `context` for people with a certificate, `token` for others."""

    context: ssl.SSLContext
    token: str = ""


def connect(url: str, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    parts = urlsplit(url)
    return http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=PATIENCE)


def _settled(text: str) -> str:
    for pattern, fixed in _VOLATILE:
        text = pattern.sub(fixed, text)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def seen(code: int, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """Code, reason, message and causes of a Status; the text of what is none; warnings always."""
    found: dict[str, Any] = {"code": code}
    warnings = [
        _settled(value) for name, value in headers if name.lower() == "warning" and "sampan" not in value
    ]
    if warnings:
        found["warnings"] = warnings
    text = body.decode("utf-8", "replace")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if isinstance(content, dict) and content.get("type") == "ERROR":
        content = content["object"]
        found["event"] = "ERROR"
    if isinstance(content, dict) and content.get("kind") == "Status":
        if content.get("status") == "Failure":
            found |= {"reason": content.get("reason", ""), "message": _settled(content.get("message", ""))}
            causes = (content.get("details") or {}).get("causes") or []
            if causes:
                found["causes"] = [
                    [cause.get("reason", ""), cause.get("field", ""), _settled(cause.get("message", ""))]
                    for cause in causes
                ]
    elif code >= 300:
        found["text"] = _settled(text)
    return found


class Sender:
    """`admin` by certificate or token; `stranger`: a context without a certificate."""

    def __init__(self, url: str, admin: Asked, stranger: ssl.SSLContext) -> None:
        self._url = url
        self._admin = admin
        self._stranger = stranger
        self._foreign_token = ""

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Iterable[tuple[str, str]] = (),
        who: str = "admin",
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        sent = [("User-Agent", "bad-input/1.0"), *headers]
        context = self._stranger
        if who == "admin":
            context = self._admin.context
            if self._admin.token:
                sent.append(("Authorization", f"Bearer {self._admin.token}"))
        elif who == "nonsense":
            sent.append(("Authorization", "Bearer nonsense"))
        elif who == "audience":
            sent.append(("Authorization", f"Bearer {self._foreign_token}"))
        connection = connect(self._url, context)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in sent:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            try:
                connection.endheaders(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent: the answer may be there
            answer = connection.getresponse()
            length = 65536 if "watch=" in path and answer.status == 200 else None
            content = answer.fp.readline() if length and not answer.chunked else b""
            if length and answer.chunked:
                content = answer.read1(length)
            return answer.status, answer.getheaders(), content or answer.read()
        finally:
            connection.close()

    def json(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        code, _, content = self.call(method, path, data, [("Content-Type", cases.JSON)])
        return code, json.loads(content)

    def prepare(self) -> None:
        for path, body in cases.PRELUDE:
            for _ in range(100):
                code, answer = self._prepared(path, body)
                if code != 404:
                    break
                time.sleep(0.1)
            if code not in (201, 409):
                raise RuntimeError(f"{path}: {code}: {answer}")
        code, answer = self.json("POST", cases.TOKENS, cases.token_request(audiences=["others.example.dev"]))
        self._foreign_token = answer["status"]["token"]

    def _prepared(self, path: str, body: Any) -> tuple[int, Any]:
        data = json.dumps(body).encode()
        code, _, content = self.call("POST", path, data, [("Content-Type", cases.JSON)])
        return code, content.decode()

    def send(self, case: Case) -> dict[str, Any]:
        headers = list(case.headers)
        if case.body is not None and case.content_type:
            headers.append(("Content-Type", case.content_type))
        try:
            return seen(*self.call(case.method, case.path, case.encoded(), headers, case.credentials))
        except (http.client.BadStatusLine, ConnectionError, ssl.SSLEOFError):
            return {"closed": True}
