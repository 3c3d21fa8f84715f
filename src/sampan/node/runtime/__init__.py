"""A container runtime in process: CRI over crun or runc with overlayfs, its images, and a simulated filling.

`open` and `cleanup` are in `assemble`, `Config` in `config`. `service` is the Runtime, one method per RPC;
`sandboxes`, `containers`, `sessions`, `stats` and `recovery` do its work on `books` (what is known) and `state`
(what is on disk); `oci` makes config.json, a pure function; `monitor` are the small processes that outlive the
rest and `link` the way to them; `image` is everything about images; `simulated` needs no root and runs nothing.

Specifications: CRI v1, OCI runtime-spec 1.1, OCI image-spec 1.1, distribution-spec 1.1.
What may not be here: the Kubernetes API, a client of it, a network plug-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sampan.node.runtime.config import Config as Config

if TYPE_CHECKING:
    from sampan.node.runtime.image.service import ImageService
    from sampan.node.runtime.service import Local
    from sampan.spec import cni

# `simulated` has to import where Linux is not, so what needs Linux is imported when it is called.


async def open(config: Config, network: cni.Network | None) -> Local:
    """See assemble.open."""
    from sampan.node.runtime import assemble

    return await assemble.open(config, network)


def images(config: Config) -> ImageService:
    """See assemble.images."""
    from sampan.node.runtime import assemble

    return assemble.images(config)


async def cleanup(config: Config, *, keep_images: bool = False) -> None:
    """See assemble.cleanup."""
    from sampan.node.runtime import assemble

    await assemble.cleanup(config, keep_images=keep_images)
