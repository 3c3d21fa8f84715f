"""image: what lies in the node's image store."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO

from sampan.base.command.parse import Invocation
from sampan.cli import show
from sampan.cluster import actions, components
from sampan.cluster.settings import SettingsError
from sampan.spec import cri


def _with_store(call: Invocation, work: Callable[[Any], Coroutine[Any, Any, int]]) -> int:
    from sampan.node import runtime

    try:
        found = actions.find(call.flag("name"), call.flag("data-dir") or None)
        if found.simulated:
            return show.fail(f"cluster {found.name!r} has simulated pods and no images")
        return asyncio.run(work(runtime.images(components.runtime_config(found))))
    except (actions.ClusterError, SettingsError, OSError) as error:
        return show.fail(str(error))
    except cri.Error as error:
        return show.fail(error.message)


def _archive(name: str) -> contextlib.AbstractContextManager[BinaryIO]:
    return contextlib.nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def load(call: Invocation) -> int:
    async def work(store: Any) -> int:
        for name in call.args:
            with _archive(name) as file:
                names = await store.import_archive(file)
            for image in names:
                print(f"imported {image}")
        return 0

    return _with_store(call, work)


def listing(call: Invocation) -> int:
    async def work(store: Any) -> int:
        images = await store.list_images()
        if call.flag("output"):
            show.data([image._asdict() | {"spec": None} for image in images], call.flag("output"))
            return 0
        rows = []
        for image in images:
            for tag in image.repo_tags or ("<none>:<none>",):
                name, _, version = tag.rpartition(":")
                rows.append([name, version, image.id.removeprefix("sha256:")[:13], _size(image.size)])
        print(show.table(["IMAGE", "TAG", "IMAGE ID", "SIZE"], rows), end="")
        return 0

    return _with_store(call, work)


def remove(call: Invocation) -> int:
    async def work(store: Any) -> int:
        for name in call.args:
            if await store.image_status(cri.ImageSpec(name)) is None:
                return show.fail(f"image {name!r} is not present")
            await store.remove_image(cri.ImageSpec(name))
            print(f"removed {name}")
        return 0

    return _with_store(call, work)


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g}{unit}"
        amount /= 1000
    return f"{amount:.3g}GB"
