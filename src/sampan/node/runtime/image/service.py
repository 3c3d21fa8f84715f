"""The CRI's ImageService over the store and the registries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from sampan.node.runtime.image import archive, host, registry
from sampan.node.runtime.image.store import Store, Stored
from sampan.spec import cri
from sampan.spec.oci import reference as refs
from sampan.spec.oci.image import InvalidImage

FileSystems = Callable[[], cri.ImageFsInfoResponse]


class ImageService:
    """`file_systems` measures; it blocks."""

    def __init__(self, store: Store, registries: registry.Registries, file_systems: FileSystems) -> None:
        self._store = store
        self._registries = registries
        self._file_systems = file_systems
        self._pulls: dict[str, asyncio.Task[str]] = {}

    async def list_images(self, filter: cri.ImageFilter | None = None) -> list[cri.Image]:
        if filter is not None and filter.image is not None and filter.image.image:
            found = await self.image_status(filter.image)
            return [found] if found is not None else []
        return [_image(stored) for stored in await asyncio.to_thread(self._store.all)]

    async def image_status(self, image: cri.ImageSpec) -> cri.Image | None:
        with _translated():
            stored = self._store.find(image.image)
        return _image(stored) if stored is not None else None

    async def pull_image(
        self,
        image: cri.ImageSpec,
        auth: cri.AuthConfig | None = None,
        sandbox_config: cri.PodSandboxConfig | None = None,
    ) -> str:
        with _translated():
            reference = refs.parse(image.image)
            if reference.registry == host.REGISTRY:
                stored = self._store.find(image.image)
                if stored is None:
                    raise cri.Error(
                        "NotFound", f"image {image.image!r}: {host.REGISTRY} has only {host.NAME!r}"
                    )
                return stored.id
            if auth is not None:
                return await asyncio.to_thread(registry.pull, self._store, self._registries, reference, auth)
            # Many pods of one image start together: one download serves all that bring no secret of their own.
            key = str(reference)
            task = self._pulls.get(key)
            if task is None:
                work = asyncio.to_thread(registry.pull, self._store, self._registries, reference, None)
                task = self._pulls[key] = asyncio.get_running_loop().create_task(work, name=f"pull {key}")
                task.add_done_callback(lambda _: self._pulls.pop(key, None))
            return await asyncio.shield(task)

    async def remove_image(self, image: cri.ImageSpec) -> None:
        with _translated():
            await asyncio.to_thread(self._store.remove, image.image)

    async def import_archive(self, stream: IO[bytes], name: str | None = None) -> list[str]:
        """Adds what a tar of `docker save` or of an OCI layout holds; returns the names (ids where it has none)."""
        with _translated():
            return await asyncio.to_thread(archive.import_archive, self._store, stream, name)

    async def import_layout(self, folder: Path, name: str | None = None) -> list[str]:
        """The same for an OCI layout in a folder."""
        with _translated():
            return await asyncio.to_thread(archive.import_layout, self._store, folder, name)

    async def collect_garbage(self) -> None:
        """Removes images without a name that no container stands on, and layers of no image."""
        await asyncio.to_thread(self._store.collect)

    async def image_fs_info(self) -> cri.ImageFsInfoResponse:
        return await asyncio.to_thread(self._file_systems)


def _image(stored: Stored) -> cri.Image:
    user = stored.config.user.partition(":")[0]
    return cri.Image(
        id=stored.id,
        repo_tags=stored.tags,
        repo_digests=stored.digests,
        size=stored.size,
        uid=int(user) if user.isdigit() else None,
        username="" if user.isdigit() else user,
        spec=cri.ImageSpec(stored.id),
        pinned=stored.pinned,
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except refs.InvalidReference as error:
        raise cri.Error("InvalidArgument", str(error), reason="InvalidImageName") from error
    except InvalidImage as error:
        raise cri.Error("Unknown", str(error)) from error
