"""Images for containers: pull policy, pull secrets, and the back-off after a failed pull.

Rules: pkg/kubelet/images/image_manager.go, pkg/credentialprovider.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sampan.node.agent.plan import Delay, Waiting, next_delay
from sampan.spec import cri

log = logging.getLogger(__name__)

Object = Mapping[str, Any]
Event = Callable[[str, str, str], None]
"""(type, reason, message)"""


class Image(NamedTuple):
    """`ref` goes into the container's configuration; `user` is the image's own (uid, name)."""

    ref: str
    user: tuple[int | None, str]


class Held(Exception):
    """A container cannot be started now; `waiting` is shown in its status, `wake_after` seconds is when to try again."""

    def __init__(self, waiting: Waiting, wake_after: float | None = None) -> None:
        super().__init__(waiting.message)
        self.waiting = waiting
        self.wake_after = wake_after


def pull_policy(container: Object) -> str:
    """The policy given, or by the tag: Always for :latest and for none, else IfNotPresent."""
    given = container.get("imagePullPolicy")
    if given:
        return str(given)
    name = str(container.get("image", "")).rpartition("/")[2]
    if "@" in name:
        return "IfNotPresent"
    return "Always" if name.partition(":")[2] in ("", "latest") else "IfNotPresent"


def registry_of(image: str) -> str:
    """The registry's host of an image name: docker.io unless the first part looks like a host."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def credentials(image: str, secrets: Iterable[Object]) -> Iterator[cri.AuthConfig]:
    """What the pull secrets offer for the image's registry, in their order. Secrets that cannot be read are passed over."""
    wanted = registry_of(image)
    for secret in secrets:
        data = secret.get("data") or {}
        try:
            if ".dockerconfigjson" in data:
                auths = json.loads(base64.b64decode(data[".dockerconfigjson"])).get("auths") or {}
            elif ".dockercfg" in data:
                auths = json.loads(base64.b64decode(data[".dockercfg"]))
            else:
                continue
        except (ValueError, binascii.Error, AttributeError):
            log.warning("pull secret %s cannot be read and is passed over", secret["metadata"]["name"])
            continue
        for server, entry in auths.items():
            host = server.removeprefix("https://").removeprefix("http://").partition("/")[0]
            host = "docker.io" if host in ("index.docker.io", "registry-1.docker.io") else host
            if host == wanted and isinstance(entry, dict):
                yield cri.AuthConfig(
                    username=entry.get("username", ""),
                    password=entry.get("password", ""),
                    auth=entry.get("auth", ""),
                    server_address=server,
                    identity_token=entry.get("identitytoken", ""),
                )


class Puller:
    """One per node. Equal pulls at the same time are one pull; each registry is asked by few at once."""

    def __init__(self, images: cri.Images, now: Callable[[], float], *, parallel: int = 4) -> None:
        self._images = images
        self._now = now
        self._delays: dict[tuple[str, str], Delay] = {}
        self._gate = asyncio.Semaphore(parallel)

    async def ensure(self, uid: str, container: Object, secrets: Iterable[Object], event: Event) -> Image:
        """The image, present. Raises Held when it has to wait, for what reason and how long."""
        name = str(container["image"])
        policy = pull_policy(container)
        present = await self._images.image_status(cri.ImageSpec(name))
        if present is not None and policy != "Always":
            if policy == "IfNotPresent":
                event(
                    "Normal",
                    "Pulled",
                    f'Container image "{name}" already present on machine and can be accessed by the pod',
                )
            return Image(present.id, (present.uid, present.username))
        if policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            event("Warning", "ErrImageNeverPull", message)
            raise Held(Waiting("ErrImageNeverPull", message))
        return await self._pull(uid, name, secrets, event)

    async def _pull(self, uid: str, name: str, secrets: Iterable[Object], event: Event) -> Image:
        key = (uid, name)
        delay = self._delays.get(key)
        if delay is not None and (left := delay.since + delay.seconds - self._now()) > 0:
            message = f'Back-off pulling image "{name}"'
            event("Normal", "BackOff", message)
            raise Held(Waiting("ImagePullBackOff", message), left)
        event("Normal", "Pulling", f'Pulling image "{name}"')
        began = self._now()
        try:
            async with self._gate:
                ref = await self._try(name, list(credentials(name, secrets)))
        except cri.Error as error:
            self._delays[key] = delay = next_delay(delay, self._now())
            message = f'Failed to pull image "{name}": {error.message}'
            event("Warning", "Failed", message)
            event("Warning", "Failed", "Error: ErrImagePull")
            raise Held(Waiting("ErrImagePull", message), delay.seconds) from error
        self._delays.pop(key, None)
        found = await self._images.image_status(cri.ImageSpec(ref))
        took = self._now() - began
        size = found.size if found else 0
        event(
            "Normal",
            "Pulled",
            f'Successfully pulled image "{name}" in {took:.3f}s. Image size: {size} bytes.',
        )
        return Image(ref, (found.uid, found.username) if found else (None, ""))

    async def _try(self, name: str, offers: list[cri.AuthConfig]) -> str:
        spec = cri.ImageSpec(name, user_specified_image=name)
        for offer in offers[:-1]:
            try:
                return await self._images.pull_image(spec, offer)
            except cri.Error as error:
                log.info("pull of %s with one of its secrets failed, tries the next: %s", name, error.message)
        return await self._images.pull_image(spec, offers[-1] if offers else None)

    def forget(self, uid: str) -> None:
        for key in [key for key in self._delays if key[0] == uid]:
            del self._delays[key]
