"""The provisioner over an API in memory and a real folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fake_api import FakeApi
from sampan.addons import localpath
from sampan.addons.localpath import plan
from sampan.addons.localpath.run import CLAIMS, CLASSES, VOLUMES


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def driven(api: FakeApi, config: localpath.Config, steps: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(localpath.run(api, config, started.set))  # type: ignore[arg-type]
        try:
            async with asyncio.timeout(10):
                await started.wait()
            await steps()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def claim(name: str = "data") -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "annotations": {plan.SELECTED_NODE: "n1"},
        },
        "spec": {"storageClassName": "local-path", "resources": {"requests": {"storage": "1Gi"}}},
    }


def test_a_volume_lives_and_dies_with_its_claim(tmp_path: Path) -> None:
    api, config = FakeApi(), localpath.Config("n1", tmp_path / "storage")

    async def steps() -> None:
        assert api.find("storageclasses", "local-path")
        api.put(CLAIMS, claim())
        await until(lambda: api.find("persistentvolumes", "pvc-uid-data"))
        pv = api.find("persistentvolumes", "pvc-uid-data")
        assert pv is not None
        folder = Path(pv["spec"]["hostPath"]["path"])
        assert folder.stat().st_mode & 0o777 == 0o777
        (folder / "file").write_text("kept until released")
        api.put(VOLUMES, {**pv, "status": {"phase": "Released"}})
        await until(lambda: api.find("persistentvolumes", "pvc-uid-data") is None)
        assert not folder.exists()

    driven(api, config, steps)


def test_a_refused_claim_is_told_why(tmp_path: Path) -> None:
    api = FakeApi()
    refused = claim("block")
    refused["spec"]["volumeMode"] = "Block"

    async def steps() -> None:
        api.put(CLAIMS, refused)
        await until(lambda: any(key[0] == "events" for key in api.objects))
        (event,) = (obj for key, obj in api.objects.items() if key[0] == "events")
        assert event["reason"] == "ProvisioningFailed" and "Block" in event["message"]

    driven(api, localpath.Config("n1", tmp_path), steps)


def test_a_class_that_comes_later_serves_claims_that_wait(tmp_path: Path) -> None:
    api = FakeApi()
    waiting = claim("early")
    waiting["spec"]["storageClassName"] = "mine"
    api.put(CLAIMS, waiting)

    async def steps() -> None:
        made = plan.storage_class(localpath.Config("n1", tmp_path))
        api.put(CLASSES, {**made, "metadata": {"name": "mine"}})
        await until(lambda: api.find("persistentvolumes", "pvc-uid-early"))

    driven(api, localpath.Config("n1", tmp_path), steps)
