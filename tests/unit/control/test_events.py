"""Events: counted, joined, cut, and made again when they have expired."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fake_api import FakeApi
from sampan.api import kinds
from sampan.base.aio.clock import VirtualClock
from sampan.control import timestamps
from sampan.control.events import BURST, Recorder, reference

Object = dict[str, Any]

POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "ns", "uid": "u", "resourceVersion": "1"},
}
EVENTS = kinds.of("v1", "Event")


def recorded(test: Callable[[Recorder, FakeApi, VirtualClock], Awaitable[None]]) -> list[Object]:
    api = FakeApi()

    async def main() -> None:
        clock = VirtualClock()
        recorder = Recorder(api, clock, "tester", "host")  # type: ignore[arg-type]
        sender = asyncio.create_task(recorder.run())
        async with asyncio.timeout(5):
            await test(recorder, api, clock)
            await recorder.flush()
        sender.cancel()

    asyncio.run(main())
    return [o for (plural, _, _), o in api.objects.items() if plural == "events"]


def test_what_an_event_says() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        recorder.emit(POD, "Warning", "Bad", "it is bad")

    (event,) = recorded(test)
    assert event["involvedObject"] == reference(POD)
    assert (event["type"], event["reason"], event["message"], event["count"]) == (
        "Warning",
        "Bad",
        "it is bad",
        1,
    )
    assert event["source"] == {"component": "tester", "host": "host"}
    assert event["metadata"]["namespace"] == "ns"
    assert event["metadata"]["name"].startswith("p.")
    assert event["firstTimestamp"] == timestamps.stamp(VirtualClock().now())


def test_an_event_about_no_namespace_lies_in_default() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        recorder.emit({"kind": "Node", "metadata": {"name": "n"}}, "Normal", "R", "m")

    assert recorded(test)[0]["metadata"]["namespace"] == "default"


def test_the_same_event_is_counted() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        for _ in range(3):
            recorder.emit(POD, "Normal", "R", "m")
            await clock.advance(10)
        recorder.emit(POD, "Normal", "R", "other")

    first, second = recorded(test)
    assert (first["count"], second["count"]) == (3, 1)
    assert first["lastTimestamp"] > first["firstTimestamp"]


def test_many_similar_ones_are_joined() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        for number in range(12):
            recorder.emit(POD, "Normal", "R", f"message {number}")

    events = recorded(test)
    assert [e["message"] for e in events[:9]] == [f"message {n}" for n in range(9)]
    assert len(events) == 10
    assert events[9]["count"] == 3
    assert events[9]["message"] == "(combined from similar events): message 11"


def test_a_flood_about_one_object_is_cut() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        for _ in range(40):
            recorder.emit(POD, "Normal", "R", "m")
        await recorder.flush()
        await clock.advance(301)
        recorder.emit(POD, "Normal", "R", "m")

    assert recorded(test)[0]["count"] == BURST + 1


def test_an_event_that_has_expired_is_made_again() -> None:
    async def test(recorder: Recorder, api: FakeApi, clock: VirtualClock) -> None:
        recorder.emit(POD, "Normal", "R", "m")
        await recorder.flush()
        for plural, namespace, name in list(api.objects):
            if plural == "events":
                api.remove(EVENTS, name, namespace)
        recorder.emit(POD, "Normal", "R", "m")

    (event,) = recorded(test)
    assert event["count"] == 1


def test_times() -> None:
    assert timestamps.stamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert timestamps.micro(1_700_000_000.25) == "2023-11-14T22:13:20.250000Z"
    assert timestamps.parse("2023-11-14T22:13:20Z") == 1_700_000_000
    assert timestamps.parse("2023-11-14T23:13:20.25+01:00") == 1_700_000_000.25
    assert timestamps.parse_or(None, 5.0) == 5.0
