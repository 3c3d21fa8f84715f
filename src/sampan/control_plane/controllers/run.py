"""The component: every controller that is switched on, over one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from sampan.base.aio.clock import Clock
from sampan.client.rest import Client
from sampan.control import manager
from sampan.control.controller import Controller
from sampan.control_plane.controllers import (
    deployment,
    endpoints,
    endpointslice,
    mirroring,
    replicaset,
    root_ca,
    serviceaccount,
)


class Config(NamedTuple):
    """`disabled` names controllers as in CONTROLLERS. `ca` is the cluster's CA in PEM, for kube-root-ca.crt."""

    ca: str = ""
    disabled: frozenset[str] = frozenset()
    service_lb: bool = False
    host: str = ""


CONTROLLERS: Final[tuple[Controller, ...]] = (
    replicaset.CONTROLLER,
    replicaset.REPLICATION_CONTROLLER,
    deployment.CONTROLLER,
    endpointslice.CONTROLLER,
    endpoints.CONTROLLER,
    mirroring.CONTROLLER,
    serviceaccount.CONTROLLER,
    root_ca.CONTROLLER,
)


async def run(
    client: Client, config: Config, started: Callable[[], None], *, clock: Clock | None = None
) -> None:
    """Until cancelled. `started` is called once all caches are filled and all controllers work."""
    known = {controller.name for controller in CONTROLLERS}
    if unknown := config.disabled - known:
        raise ValueError(
            f"no controller is named {', '.join(sorted(unknown))}: known are {', '.join(sorted(known))}"
        )
    chosen = [controller for controller in CONTROLLERS if controller.name not in config.disabled]
    await manager.run(client, chosen, config=config, clock=clock, host=config.host, started=started)
