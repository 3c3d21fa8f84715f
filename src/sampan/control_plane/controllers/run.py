"""The component: every controller that is switched on, over one client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple

from sampan.base.aio.clock import Clock
from sampan.client.cache import Informers
from sampan.client.rest import Client
from sampan.control import manager
from sampan.control.controller import Context, Controller
from sampan.control_plane.controllers import (
    clusterrole_aggregation,
    cronjob,
    daemonset,
    deployment,
    disruption,
    endpoints,
    endpointslice,
    ephemeral_volume,
    garbage_collector,
    job,
    mirroring,
    namespace,
    node_lifecycle,
    pod_gc,
    replicaset,
    root_ca,
    service_lb,
    serviceaccount,
    statefulset,
    taint_eviction,
    ttl_after_finished,
    volume_binder,
    volume_protection,
)


class Config(NamedTuple):
    """`disabled` names controllers as in CONTROLLERS. `ca` is the cluster's CA in PEM, for kube-root-ca.crt.

    `service_lb` gives Services of type LoadBalancer the nodes' addresses; `host` is named in events.
    """

    ca: str = ""
    disabled: frozenset[str] = frozenset()
    service_lb: bool = False
    host: str = ""


CONTROLLERS: Final[tuple[Controller, ...]] = (
    replicaset.CONTROLLER,
    replicaset.REPLICATION_CONTROLLER,
    deployment.CONTROLLER,
    statefulset.CONTROLLER,
    daemonset.CONTROLLER,
    job.CONTROLLER,
    job.ORPHANS,
    cronjob.CONTROLLER,
    ttl_after_finished.CONTROLLER,
    endpointslice.CONTROLLER,
    endpoints.CONTROLLER,
    mirroring.CONTROLLER,
    serviceaccount.CONTROLLER,
    root_ca.CONTROLLER,
    namespace.CONTROLLER,
    node_lifecycle.CONTROLLER,
    taint_eviction.CONTROLLER,
    pod_gc.CONTROLLER,
    volume_binder.CLAIM_CONTROLLER,
    volume_binder.VOLUME_CONTROLLER,
    volume_protection.CLAIM_CONTROLLER,
    volume_protection.VOLUME_CONTROLLER,
    ephemeral_volume.CONTROLLER,
    clusterrole_aggregation.CONTROLLER,
    disruption.CONTROLLER,
    service_lb.CONTROLLER,
)

OTHERS: Final[tuple[tuple[str, Callable[[Context], Coroutine[Any, Any, None]]], ...]] = (
    (garbage_collector.NAME, garbage_collector.run),
)


async def run(
    client: Client,
    config: Config,
    started: Callable[[], None],
    *,
    informers: Informers | None = None,
    clock: Clock | None = None,
) -> None:
    """Until cancelled. `started` is called once all caches are filled and all controllers work.

    With `informers` the caller's copies are used (one process may host the scheduler as well), and the caller stops them.
    """
    known = [controller.name for controller in CONTROLLERS] + [name for name, _ in OTHERS]
    if unknown := config.disabled - set(known):
        listed = ", ".join(sorted(unknown))
        raise ValueError(f"no controller is named {listed}: known are {', '.join(sorted(known))}")
    await manager.run(
        client,
        [controller for controller in CONTROLLERS if controller.name not in config.disabled],
        others=[(name, work) for name, work in OTHERS if name not in config.disabled],
        config=config,
        clock=clock,
        host=config.host,
        informers=informers,
        started=started,
    )
