"""The client over a scripted transport: which requests it makes, what it repeats, what it raises."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import orjson
import pytest

from sampan.api import kinds
from sampan.api.status import ApiError, conflict, too_many_requests
from sampan.client import discovery, rest
from sampan.client.rest import Client
from sampan.client.transport import Unreachable

PODS = kinds.of("v1", "Pod")
NODES = kinds.of("v1", "Node")
CRD = kinds.of("apiextensions.k8s.io/v1", "CustomResourceDefinition")


class Reply:
    def __init__(self, status: int, body: Any, retry_after: int = 0) -> None:
        self.status = status
        self.headers: dict[str, str] = {}
        self._body = body if isinstance(body, bytes) else orjson.dumps(body)
        self._retry_after = retry_after

    async def read(self, timeout: float | None) -> bytes:
        return self._body

    async def chunks(self, silence: float | None = None) -> AsyncIterator[bytes]:
        for at in range(0, len(self._body), 7):  # pieces that respect no line
            yield self._body[at : at + 7]

    async def error(self, timeout: float | None) -> ApiError:
        error = ApiError.from_status(orjson.loads(self._body), code=self.status)
        error.retry_after = self._retry_after
        return error

    def close(self) -> None:
        pass


class Transport:
    """Gives scripted answers in turn; records the requests."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str, dict[str, Any], Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.where = "test"

    async def request(
        self, method: str, path: str, query: Any, headers: Mapping[str, str], body: bytes, timeout: Any
    ) -> Reply:
        kept = {k: v for k, v in (query or {}).items() if v not in (None, "")}
        self.asked.append((method, path, kept, orjson.loads(body) if body else None))
        self.headers.append(headers)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        pass


def run(
    test: Callable[[Client], Awaitable[Any]], *answers: Reply | Exception
) -> tuple[Transport, list[float]]:
    transport = Transport(*answers)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def main() -> None:
        async with Client(transport, sleep=sleep, field_manager="me") as client:  # type: ignore[arg-type]
            await test(client)

    asyncio.run(main())
    return transport, slept


def test_paths_and_parameters_of_the_verbs() -> None:
    pod = {"metadata": {"name": "p", "namespace": "ns"}}

    async def test(c: Client) -> None:
        await c.get(PODS, "p", "ns", subresource="status")
        await c.create(PODS, pod, dry_run=True)
        await c.create(PODS, {"metadata": {"name": "p"}}, "ns", subresource="binding")
        await c.replace_status(PODS, pod)
        await c.patch(NODES, "n", {"a": 1})
        await c.apply(PODS, pod, force=True, field_manager="helm")
        await c.delete(PODS, "p", "ns", propagation="Orphan", grace_period=0, preconditions={"uid": "u"})
        await c.delete_collection(PODS, "ns", label_selector="a=b")

    transport, _ = run(test, *[Reply(200, {})] * 8)
    options = {"kind": "DeleteOptions", "apiVersion": "v1"}
    assert transport.asked == [
        ("GET", "/api/v1/namespaces/ns/pods/p/status", {}, None),
        ("POST", "/api/v1/namespaces/ns/pods", {"fieldManager": "me", "dryRun": "All"}, pod),
        ("POST", "/api/v1/namespaces/ns/pods/p/binding", {"fieldManager": "me"}, {"metadata": {"name": "p"}}),
        ("PUT", "/api/v1/namespaces/ns/pods/p/status", {"fieldManager": "me"}, pod),
        ("PATCH", "/api/v1/nodes/n", {"fieldManager": "me"}, {"a": 1}),
        ("PATCH", "/api/v1/namespaces/ns/pods/p", {"fieldManager": "helm", "force": True}, pod),
        (
            "DELETE",
            "/api/v1/namespaces/ns/pods/p",
            {},
            options | {"propagationPolicy": "Orphan", "gracePeriodSeconds": 0, "preconditions": {"uid": "u"}},
        ),
        ("DELETE", "/api/v1/namespaces/ns/pods", {"labelSelector": "a=b"}, options),
    ]
    assert transport.headers[4]["Content-Type"] == rest.MERGE_PATCH
    assert transport.headers[5]["Content-Type"] == rest.APPLY_PATCH


def test_a_list_in_pages_is_joined() -> None:
    pages = [
        {"kind": "PodList", "metadata": {"continue": "t", "resourceVersion": "5"}, "items": [{"a": 1}]},
        {"kind": "PodList", "metadata": {"resourceVersion": "5"}, "items": [{"a": 2}]},
    ]

    async def test(c: Client) -> None:
        got = await c.list(PODS, "ns", limit=1, label_selector="x")
        assert [item["a"] for item in got["items"]] == [1, 2]
        assert got["metadata"] == {"resourceVersion": "5"}

    transport, _ = run(test, *[Reply(200, page) for page in pages])
    assert transport.asked[1][2] == {"labelSelector": "x", "limit": 1, "continue": "t"}


def test_a_watch_gives_events_and_ends() -> None:
    lines = b'{"type":"ADDED","object":{"a":1}}\n\n{"type":"BOOKMARK","object":{"b":2}}\n{"type":"ADDED","obj'

    async def test(c: Client) -> None:
        got = [
            (e.type, e.object) async for e in c.watch(PODS, "ns", resource_version="7", timeout_seconds=30)
        ]
        assert got == [("ADDED", {"a": 1}), ("BOOKMARK", {"b": 2})]

    transport, _ = run(test, Reply(200, lines))
    assert transport.asked[0][2] == {
        "watch": True,
        "resourceVersion": "7",
        "allowWatchBookmarks": True,
        "timeoutSeconds": 30,
    }


def test_watch_list_asks_for_what_is_there() -> None:
    async def test(c: Client) -> None:
        assert [e async for e in c.watch(PODS, send_initial_events=True)] == []

    transport, _ = run(test, Reply(200, b""))
    asked = transport.asked[0][2]
    assert (asked["sendInitialEvents"], asked["resourceVersionMatch"]) == (True, "NotOlderThan")


def test_an_error_event_is_raised() -> None:
    line = orjson.dumps({"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}})

    async def test(c: Client) -> None:
        with pytest.raises(ApiError) as caught:
            async for _ in c.watch(PODS):
                pass
        assert caught.value.code == 410

    run(test, Reply(200, line + b"\n"))


def test_a_failure_is_the_servers_status() -> None:
    async def test(c: Client) -> None:
        with pytest.raises(ApiError) as caught:
            await c.replace(PODS, {"metadata": {"name": "p"}}, "ns")
        assert (caught.value.reason, caught.value.name) == ("Conflict", "p")

    transport, _ = run(test, Reply(409, conflict("", "pods", "p", "old").to_status()))
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    ("method", "failure", "tries"),
    [
        ("get", Unreachable("lost"), 2),
        ("create", Unreachable("lost"), 1),
        ("create", Unreachable("refused", not_sent=True), 2),
        ("get", Unreachable("bad certificate", not_sent=True, fatal=True), 1),
    ],
)
def test_what_is_repeated_when_the_connection_is_lost(method: str, failure: Exception, tries: int) -> None:
    async def test(c: Client) -> None:
        try:
            if method == "get":
                await c.get(PODS, "p", "ns")
            else:
                await c.create(PODS, {"metadata": {}}, "ns")
        except Unreachable:
            assert tries == 1
        else:
            assert tries == 2

    transport, _ = run(test, failure, Reply(200, {}))
    assert len(transport.asked) == tries


def test_it_gives_up_after_some_tries() -> None:
    async def test(c: Client) -> None:
        with pytest.raises(Unreachable):
            await c.get(PODS, "p", "ns")

    transport, slept = run(test, *[Unreachable("lost")] * 9)
    assert len(transport.asked) == rest.TRIES
    assert slept == sorted(slept)


def test_throttled_calls_wait_as_told() -> None:
    busy = Reply(429, too_many_requests("slow down").to_status(), retry_after=3)

    async def test(c: Client) -> None:
        await c.create(PODS, {"metadata": {}}, "ns")

    _, slept = run(test, busy, busy, Reply(201, {}))
    assert slept == [3, 3]


def test_a_refused_eviction_is_an_answer() -> None:
    busy = Reply(429, too_many_requests("budget").to_status(), retry_after=3)

    async def test(c: Client) -> None:
        with pytest.raises(ApiError) as caught:
            await c.create(PODS, {"metadata": {"name": "p"}}, "ns", subresource="eviction")
        assert caught.value.code == 429

    assert run(test, busy)[1] == []


def test_an_answer_that_is_no_json_object() -> None:
    async def test(c: Client) -> None:
        for _ in range(2):
            with pytest.raises(ApiError, match="not"):
                await c.get(NODES, "n")

    run(test, Reply(200, b"<html>"), Reply(200, b"[]"))


def test_discovery_finds_resources_and_asks_again_for_new_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "REFRESH_SECONDS", -1.0)

    def aggregated(*resources: dict[str, Any]) -> dict[str, Any]:
        versions = [{"version": "v1", "resources": list(resources)}]
        items = [{"metadata": {"name": "a.io"}, "versions": versions}]
        return {"kind": "APIGroupDiscoveryList", "items": items}

    def entry(kind: str) -> dict[str, Any]:
        return {
            "resource": f"{kind.lower()}s",
            "responseKind": {"kind": kind, "group": "a.io", "version": "v1"},
            "scope": "Namespaced",
            "shortNames": [kind[0].lower()],
            "verbs": ["get", "list"],
            "subresources": [{"subresource": "status", "responseKind": {"kind": kind}, "verbs": ["get"]}],
        }

    empty = {"kind": "APIGroupDiscoveryList", "items": []}

    async def test(c: Client) -> None:
        found = await c.resource_for("a.io/v1", "Boat")
        assert (found.plural, found.namespaced, found.subresources[0].name) == ("boats", True, "status")
        assert (await c.resource_for("a.io/v1", "Sail")).plural == "sails"
        assert (await c.discovery.find("b")) == found
        with pytest.raises(ApiError, match='no matches for kind "Oar"'):
            await c.resource_for("a.io/v1", "Oar")

    both = aggregated(entry("Boat"), entry("Sail"))
    answers = [empty, aggregated(entry("Boat")), empty, both, empty, both]
    transport, _ = run(test, *[Reply(200, answer) for answer in answers])
    assert [path for _, path, _, _ in transport.asked] == ["/api", "/apis"] * 3


def test_plain_discovery_where_that_is_all() -> None:
    answers: list[Any] = [
        {"kind": "APIVersions", "versions": ["v1"]},
        {
            "resources": [
                {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"], "singularName": "pod"},
                {"name": "pods/log", "kind": "Pod", "namespaced": True, "verbs": ["get"]},
            ]
        },
        {
            "kind": "APIGroupList",
            "groups": [
                {"name": "dead.io", "versions": [{"groupVersion": "dead.io/v1"}], "preferredVersion": {}}
            ],
        },
    ]

    async def test(c: Client) -> None:
        found = await c.discovery.resources()
        assert [(r.plural, [s.name for s in r.subresources]) for r in found] == [("pods", ["log"])]
        assert c.discovery.stale == ("dead.io/v1",)

    gone = Reply(503, {"kind": "Status", "code": 503, "reason": "ServiceUnavailable"})
    run(test, *[Reply(200, a) for a in answers], gone)
