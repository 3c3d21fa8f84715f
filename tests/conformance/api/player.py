"""Sends the cases to a server and makes what it answers comparable."""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from conformance.api.cases import CASES, Case, encoded

# what differs between any two servers, or any two runs
VOLATILE = {
    "uid": "<uid>",
    "resourceVersion": "<revision>",
    "creationTimestamp": "<time>",
    "deletionTimestamp": "<time>",
    "lastTransitionTime": "<time>",
    "time": "<time>",
    "renewTime": "<time>",
    "storageVersionHash": "<hash>",
    "lastTimestamp": "<time>",
    "firstTimestamp": "<time>",
    "eventTime": "<time>",
}
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AGE = re.compile(r"^(\d+[smhd])+$|^<unknown>$")
_ADDRESS = re.compile(r"10\.96\.\d+\.\d+")
CHOSEN = ("10.96.7.",)  # addresses that the cases ask for


def answer_of(content: Any) -> Any:
    """Leaves out what is said to people only, or what typed Go lists leave out and ours have."""
    if isinstance(content, dict):
        if (content.get("metadata") or {}).get("continue") == "":
            content["metadata"].pop("continue")
        if content.get("kind", "").endswith("Review"):
            content.get("metadata", {}).pop("managedFields", None)
        if content.get("details") == {}:
            content.pop("details")
        for column in content.get("columnDefinitions") or ():
            column["description"] = ""
        if content.get("kind", "").endswith("List") and content.get("items") is None and "items" in content:
            content["items"] = []
        for item in content.get("items") or () if content.get("kind", "").endswith("List") else ():
            item.pop("kind", None)
            item.pop("apiVersion", None)
        for texts in (content, *((content.get("details") or {}).get("causes") or ())):
            if isinstance(texts.get("message"), str):
                texts["message"] = _message(texts["message"])
    return content


# where upstream shows Go's own words, or the parser's
_SAME_START = (
    "the server rejected our request due to an error in our request",
    "invalid JSON patch",
    "415: Unsupported Media Type",
    "invalid continue token",
)


def _message(text: str) -> str:
    for start in _SAME_START:
        if text.startswith(start):
            return start
    text = re.sub(r"(json parse error: ).*", r"\1...", text, flags=re.DOTALL)
    text = re.sub(r"(previously negative\)).*", r"\1", text, flags=re.DOTALL)
    text = re.sub(r"StorageError: .*AdditionalErrorMsg: ", "", text)
    return re.sub(r'(patch: )?Invalid value: "\{.*\}": ', "Invalid value: <object>: ", text)


def _entry_order(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def comparable(value: Any, key: str = "") -> Any:
    if key == "managedFields" and isinstance(value, list):
        value = sorted(value, key=_entry_order)
    if key == "resources" and isinstance(value, list):
        value = sorted(value, key=lambda item: item["name"])
    if key == "verbs" and isinstance(value, list):
        return sorted(value)
    if key in VOLATILE and value is not None and isinstance(value, str):
        return VOLATILE[key]
    if isinstance(value, dict):
        return {name: comparable(item, name) for name, item in value.items() if name != "selfLink"}
    if isinstance(value, list):
        if key == "cells":
            return [
                "<age>" if isinstance(item, str) and _AGE.match(item) else comparable(item) for item in value
            ]
        return [comparable(item) for item in value]
    if isinstance(value, str):
        value = _UID.sub("<uid>", value)
        value = re.sub(r"gen-[a-z0-9]{5}", "gen-<random>", value)
        value = re.sub(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\dZ", "<time>", value)
        if not any(chosen in value for chosen in CHOSEN):
            value = _ADDRESS.sub("<address>", value)
    return value


class Player:
    """`token` or an `ssl` context with a client certificate says who asks."""

    def __init__(self, server: str, *, token: str = "", context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._token = token
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._context = context

    def send(self, case: Case) -> dict[str, Any]:
        headers = {"User-Agent": "exchange/1.0"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if case.body is not None:
            headers["Content-Type"] = case.content_type
        headers["Accept"] = case.accept or "application/json"
        request = urllib.request.Request(
            self._server + case.path, data=encoded(case), method=case.method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, context=self._context, timeout=30) as answer:
                return self._seen(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return self._seen(error.code, error.headers, error.read())

    def _seen(self, status: int, headers: Any, body: bytes) -> dict[str, Any]:
        try:
            content = json.loads(body) if body else None
        except ValueError:
            content = body.decode("utf-8", "replace")
        seen: dict[str, Any] = {"status": status, "body": comparable(answer_of(content))}
        warnings = [text for text in headers.get_all("Warning") or [] if "sampan stores" not in text]
        if warnings:
            seen["warnings"] = warnings
        return seen

    def play(self) -> Iterator[tuple[Case, dict[str, Any]]]:
        for case in CASES:
            if case.wait:
                self._wait(case.wait)
            yield case, self.send(case)

    def _wait(self, path: str) -> None:
        for _ in range(100):
            if self.send(Case("wait", "GET", path))["status"] == 200:
                return
            time.sleep(0.05)
