"""From nothing to a running container and back, over every filling."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.cri.field import HOST, Pods
from sampan.spec import cri

SLEEP = ("sleep", "1000")


async def fails(code: str, call: Any) -> cri.Error:
    with pytest.raises(cri.Error) as caught:
        await call
    assert caught.value.code == code, caught.value
    return caught.value


def test_a_container_is_created_runs_is_stopped_and_goes(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod("web", labels={"app": "web"}, annotations={"note": "x"})
        container = await pods.create(pod, *SLEEP, labels={"role": "main"})
        assert (await rt.container_status(container)).state == cri.ContainerState.CONTAINER_CREATED
        await rt.start_container(container)
        running = await rt.container_status(container)
        assert running.state == cri.ContainerState.CONTAINER_RUNNING
        assert running.created_at <= running.started_at
        assert running.labels == {"role": "main"} and running.image.image == HOST and running.image_id
        await rt.stop_container(container, 0)
        stopped = await rt.container_status(container)
        assert (stopped.state, stopped.exit_code) == (cri.ContainerState.CONTAINER_EXITED, 137)
        assert running.started_at <= stopped.finished_at and stopped.reason == "Error"
        await rt.remove_container(container)
        await fails("NotFound", rt.container_status(container))
        status = await rt.pod_sandbox_status(pod[0])
        assert status.state == cri.PodSandboxState.SANDBOX_READY
        assert status.labels == {"app": "web"} and status.annotations == {"note": "x"}
        assert status.network.ip
        await rt.stop_pod_sandbox(pod[0])
        assert (await rt.pod_sandbox_status(pod[0])).state == cri.PodSandboxState.SANDBOX_NOTREADY
        await rt.remove_pod_sandbox(pod[0])
        await fails("NotFound", rt.pod_sandbox_status(pod[0]))

    filling.run(scenario)


def test_stopping_and_removing_may_be_repeated(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod()
        container = await pods.start(pod, *SLEEP)
        for _ in range(2):
            await rt.stop_container(container, 0)
            await rt.stop_pod_sandbox(pod[0])
        for _ in range(2):
            await rt.remove_container(container)
            await rt.remove_pod_sandbox(pod[0])
            await rt.stop_container(container, 0)
            await rt.stop_pod_sandbox(pod[0])

    filling.run(scenario)


def test_removing_a_sandbox_takes_its_running_containers_along(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod()
        await pods.start(pod, *SLEEP)
        await pods.create(pod, *SLEEP, name="second")
        await pods.rt.remove_pod_sandbox(pod[0])
        assert await pods.rt.list_containers() == []
        assert await pods.rt.list_pod_sandbox() == []

    filling.run(scenario)


def test_what_is_not_there_is_not_found(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        pod = await pods.pod()
        await fails("NotFound", rt.container_status("no-such"))
        await fails("NotFound", rt.pod_sandbox_status("no-such"))
        await fails("NotFound", rt.start_container("no-such"))
        await fails("NotFound", rt.container_stats("no-such"))
        await fails("NotFound", pods.create(pod, *SLEEP, image="registry.invalid/none:1"))
        await rt.stop_container("no-such")
        await rt.remove_pod_sandbox("no-such")

    filling.run(scenario)


def test_names_are_given_once(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod("one")
        await fails("AlreadyExists", pods.rt.run_pod_sandbox(pod[1]))
        await pods.create(pod, *SLEEP)
        await fails("AlreadyExists", pods.create(pod, *SLEEP))
        again = pod[1]._replace(metadata=pod[1].metadata._replace(attempt=1))
        await pods.rt.run_pod_sandbox(again)

    filling.run(scenario)


def test_a_container_starts_once_and_only_in_a_ready_sandbox(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        pod = await pods.pod()
        container = await pods.start(pod, *SLEEP)
        await fails("FailedPrecondition", pods.rt.start_container(container))
        await pods.rt.stop_pod_sandbox(pod[0])
        await fails("FailedPrecondition", pods.create(pod, *SLEEP, name="late"))

    filling.run(scenario)


def test_lists_are_filtered(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        rt = pods.rt
        one, two = await pods.pod(labels={"app": "a"}), await pods.pod(labels={"app": "b"})
        first = await pods.start(one, *SLEEP, labels={"tier": "x"})
        second = await pods.create(two, *SLEEP, labels={"tier": "y"})

        async def sandboxes(**wanted: Any) -> list[str]:
            return [s.id for s in await rt.list_pod_sandbox(cri.PodSandboxFilter(**wanted))]

        async def containers(**wanted: Any) -> list[str]:
            return [c.id for c in await rt.list_containers(cri.ContainerFilter(**wanted))]

        assert await sandboxes() == [one[0], two[0]]
        assert await sandboxes(label_selector={"app": "b"}) == [two[0]]
        assert await sandboxes(id=one[0]) == [one[0]]
        assert await sandboxes(state=cri.PodSandboxState.SANDBOX_NOTREADY) == []
        assert await containers(state=cri.ContainerState.CONTAINER_RUNNING) == [first]
        assert await containers(pod_sandbox_id=two[0]) == [second]
        assert await containers(label_selector={"tier": "y"}) == [second]
        assert await containers(id=first) == [first]

    filling.run(scenario)


def test_events_tell_each_change_in_order(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        events = pods.rt.events()
        pod = await pods.pod()
        container = await pods.start(pod, *SLEEP)
        await pods.rt.stop_container(container, 0)
        await pods.rt.remove_container(container)
        await pods.rt.stop_pod_sandbox(pod[0])
        await pods.rt.remove_pod_sandbox(pod[0])
        seen = []
        async with asyncio.timeout(10):
            while not seen or seen[-1] != (pod[0], "DELETED"):
                event = await anext(events)
                seen.append((event.container_id, event.container_event_type.name.split("_")[1]))
                if event.container_id == container and seen[-1][1] != "DELETED":
                    assert event.containers_statuses[0].id == container
        await events.aclose()
        assert seen == [
            (pod[0], "CREATED"),
            (pod[0], "STARTED"),
            (container, "CREATED"),
            (container, "STARTED"),
            (container, "STOPPED"),
            (container, "DELETED"),
            (pod[0], "STOPPED"),
            (pod[0], "DELETED"),
        ]

    filling.run(scenario)


def test_status_and_version_say_who_answers(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        conditions = {c.type: c.status for c in (await pods.rt.status()).conditions}
        assert conditions == {"RuntimeReady": True, "NetworkReady": True}
        version = await pods.rt.version()
        assert version.runtime_api_version == "v1" and version.runtime_name in ("sampan", "simulated")
        assert (await pods.rt.runtime_config()).cgroup_driver == cri.CgroupDriver.CGROUPFS

    filling.run(scenario)


def test_images_are_named_as_everybody_names_them(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        images = pods.rt.images
        image_id = await images.pull_image(cri.ImageSpec(HOST))
        by_name = await images.image_status(cri.ImageSpec(HOST))
        assert by_name is not None and by_name.id == image_id
        assert (await images.image_status(cri.ImageSpec(image_id))) == by_name
        assert await images.image_status(cri.ImageSpec("nginx")) is None
        await fails("InvalidArgument", images.image_status(cri.ImageSpec("team/UPPER")))
        assert [image.id for image in await images.list_images()] == [image_id]

    filling.run(scenario)


def test_a_runtime_handler_is_refused_by_name(filling: Any) -> None:
    async def scenario(pods: Pods) -> None:
        error = await fails("InvalidArgument", pods.rt.run_pod_sandbox(pods.sandbox_config(), "gvisor"))
        assert "gvisor" in error.message

    filling.run(scenario)
