"""Containers from images that were brought along: entrypoint, user, layers, image volumes, removal."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance.cri.field import Ours, Pods
from conformance.cri.test_lifecycle import fails
from sampan.spec import cri
from unit.node.runtime.image import archives
from unit.node.runtime.image.archives import File, layer

pytestmark = pytest.mark.root
PASSWD = b"root:x:0:0::/root:/bin/sh\napp:x:500:600::/home/app:/bin/sh\n"


def busybox() -> bytes:
    found = shutil.which("busybox")
    if (
        found is None
        or "statically" not in subprocess.run(["file", "-L", found], capture_output=True, text=True).stdout
    ):
        pytest.skip("needs busybox-static")
    return Path(found).read_bytes()


def image() -> bytes:
    base = layer(
        File("bin/", mode=0o755),
        File("bin/busybox", busybox(), 0o755),
        File("bin/sh", link="busybox"),
        File("etc/passwd", PASSWD),
        File("etc/old", b"old"),
    )
    top = layer(File("etc/.wh.old"), File("data/file", b"from the image"), File("tool", b"#!/bin/sh\necho \"$@\" as $(id -u):$(id -g) in $PWD\n", 0o755),
                File("bin/id", link="busybox"), File("bin/ls", link="busybox"), File("bin/cat", link="busybox"), File("bin/touch", link="busybox"))  # fmt: skip
    return archives.docker_save(
        ["example/tool:1"],
        base,
        top,
        Entrypoint=["/tool"],
        Cmd=["default"],
        User="app",
        WorkingDir="/work",
        Env=["PATH=/bin"],
        StopSignal="SIGINT",
    )


def test_an_imported_image_runs_as_it_says(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        assert await pods.rt.images.import_archive(io.BytesIO(image())) == ["example/tool:1"]
        found = await pods.rt.images.image_status(cri.ImageSpec("example/tool:1"))
        assert found is not None and found.username == "app" and found.uid is None and found.size > 0
        name = "docker.io/example/tool:1"
        status, said = await pods.run(image=name)
        assert (said, status.stop_signal) == ("default as 500:600 in /work\n", "SIGINT")
        _, said = await pods.run(image=found.id, args=("own",))
        assert said == "own as 500:600 in /work\n"
        _, said = await pods.run("ls", "/etc", image=name)
        assert said.split() == ["hostname", "passwd", "resolv.conf"]

    ours.run(scenario)


def test_an_image_as_a_volume(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        await pods.rt.images.import_archive(io.BytesIO(image()))
        volume = cri.Mount("/volume", image=cri.ImageSpec("example/tool:1"))
        said = await pods.sh(
            "cat /volume/data/file; ls /volume/etc; (touch /volume/x) 2>&1; :", mounts=(volume,)
        )
        assert said.startswith("from the imagepasswd\n") and "Read-only" in said
        pod = await pods.pod(network=2)
        sub = volume._replace(image_sub_path="data")
        await fails("Unimplemented", pods.create(pod, "true", mounts=(sub,)))
        gone = cri.Mount("/volume", image=cri.ImageSpec("none/such"))
        await fails("NotFound", pods.create(pod, "true", mounts=(gone,)))

    ours.run(scenario)


def test_a_removed_image_stays_below_its_container(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        await pods.rt.images.import_archive(io.BytesIO(image()))
        pod = await pods.pod(network=2)
        container = await pods.start(pod, "/bin/busybox", "sleep", "1000", image="example/tool:1")
        await pods.rt.images.remove_image(cri.ImageSpec("example/tool:1"))
        assert await pods.rt.images.image_status(cri.ImageSpec("example/tool:1")) is None
        assert (await pods.rt.exec_sync(container, ("cat", "/data/file"))).stdout == b"from the image"
        await pods.rt.remove_pod_sandbox(pod[0])
        await pods.rt.images.collect_garbage()
        assert list((ours.config.images / "layers").iterdir()) == []

    ours.run(scenario)


def test_a_writable_layer_is_the_containers_own(ours: Ours) -> None:
    async def scenario(pods: Pods) -> None:
        await pods.rt.images.import_archive(io.BytesIO(image()))
        security = cri.LinuxContainerSecurityContext(run_as_user=0)
        name = "example/tool:1"
        _, said = await pods.run(
            "/bin/sh", "-c", "echo mine > /data/file; cat /data/file", image=name, security=security
        )
        assert said == "mine\n"
        _, said = await pods.run("cat", "/data/file", image=name, security=security)
        assert said == "from the image"

    ours.run(scenario)
