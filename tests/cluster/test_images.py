"""Images as users bring them: an archive from `docker save`, a registry with a password, a mirror by configuration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

import clusters
from clusters import Cluster
from conformance.cri.test_images import busybox
from unit.node.runtime.image import archives
from unit.node.runtime.image.archives import File, Registry, layer, oci_image, serving

pytestmark = [pytest.mark.cluster, pytest.mark.root]

SAYS = b'#!/bin/sh\necho "$0 $@"\nexec sleep 3600\n'


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with serving() as made:
        made.password = "ahoy"
        made.put("sea/tool", "1", oci_image(content(), Entrypoint=["/says"], Cmd=["pulled"]))
        yield made


@pytest.fixture(scope="module")
def own(swept: None, registry: Registry) -> Iterator[Cluster]:
    """A cluster that reaches registry.example through the test's registry."""
    if not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("no OCI runtime on this machine (install crun)")
    made = clusters.make("image")
    folder = made.home / "data" / made.name
    folder.mkdir(parents=True)
    (folder / "registries.toml").write_text(
        f'[mirrors."registry.example"]\nendpoints = ["http://{registry.host}"]\n'
        f'[registries."{registry.host}"]\nusername = "user"\npassword = "ahoy"\n'
    )
    try:
        yield clusters.start(made)
    finally:
        clusters.stop(made)


def content() -> bytes:
    return layer(
        File("bin/", mode=0o755),
        File("bin/busybox", busybox(), 0o755),
        File("bin/sh", link="busybox"),
        File("bin/sleep", link="busybox"),
        File("says", SAYS, 0o755),
    )


def run(cluster: Cluster, name: str, image: str, **more: Any) -> str:
    """Runs the image's own command and gives its first words."""
    spec = {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": image, **more}]}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
    cluster.kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
    return str(clusters.eventually(lambda: cluster.kubectl("logs", name).out))


def image(cluster: Cluster, *words: str, **how: Any) -> str:
    return cluster.sampan("image", words[0], "--name", cluster.name, *words[1:], **how).out


def test_an_archive_from_stdin_runs(own: Cluster) -> None:
    saved = archives.docker_save(["my/app:1"], content(), Entrypoint=["/says"], Cmd=["imported"])
    assert "my/app:1" in image(own, "import", "-", stdin=saved)
    assert "my/app" in image(own, "list")
    assert run(own, "imported", "my/app:1", imagePullPolicy="Never") == "/says imported\n"
    assert run(own, "worded", "my/app:1", args=["by", "the", "pod"]) == "/says by the pod\n"
    own.kubectl("delete", "pod", "imported", "worded")
    image(own, "remove", "my/app:1")
    assert "my/app" not in image(own, "list")


def test_what_is_no_archive_is_refused(own: Cluster) -> None:
    done = own.sampan("image", "import", "--name", own.name, "-", stdin=b"no archive at all", code=1)
    assert done.err.startswith("Error: ") and "Traceback" not in done.err


def test_a_mirror_by_configuration(own: Cluster) -> None:
    assert run(own, "mirrored", "registry.example/sea/tool:1") == "/says pulled\n"


def test_a_pull_secret_opens_a_registry(own: Cluster) -> None:
    with serving() as locked:
        locked.password = "secret"
        locked.put("sea/tool", "2", oci_image(content(), Entrypoint=["/says"], Cmd=["secretly"]))
        name = f"{locked.host}/sea/tool:2"
        own.kubectl("run", "shut", f"--image={name}")
        shown = ("ErrImagePull", "ImagePullBackOff")
        clusters.eventually(lambda: own.kubectl("get", "pod", "shut", "--no-headers").out.split()[2] in shown)
        told = own.kubectl("get", "events", "--field-selector=involvedObject.name=shut").out
        assert "Failed to pull image" in told
        own.kubectl("create", "secret", "docker-registry", "key", f"--docker-server={locked.host}",
                    "--docker-username=user", "--docker-password=secret")  # fmt: skip
        account = {"imagePullSecrets": [{"name": "key"}]}
        own.kubectl("patch", "serviceaccount", "default", "-p", json.dumps(account))
        assert run(own, "opened", name) == "/says secretly\n"
