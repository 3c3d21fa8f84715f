"""The node in the API: made when it is not there, its status kept, its Lease renewed.

Rules: pkg/kubelet/kubelet_node_status.go (registration, reconcile of labels), component-helpers/apimachinery/lease.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sampan.api import kinds
from sampan.api.status import ApiError
from sampan.base.aio import Clock
from sampan.client.rest import STRATEGIC_MERGE_PATCH, Client
from sampan.node.agent import node
from sampan.node.agent.config import Config

log = logging.getLogger(__name__)

STATUS_EVERY = 10.0
REPORT_EVERY = 300.0
"""An unchanged status is sent this often; the Lease is the heartbeat."""
LEASE_EVERY = 10.0
LEASES = "kube-node-lease"


class Registration:
    """`why_not_ready` tells what keeps the node from being ready; `runtime` is NAME://VERSION; `images` lists them."""

    def __init__(
        self,
        client: Client,
        config: Config,
        facts: node.Machine,
        clock: Clock,
        *,
        port: int,
        runtime: str,
        why_not_ready: Callable[[], Awaitable[str]],
        images: Callable[[], Awaitable[list[dict[str, Any]]]],
    ) -> None:
        self._client = client
        self._config = config
        self._facts = facts
        self._clock = clock
        self._port = port
        self._runtime = runtime
        self._why_not_ready = why_not_ready
        self._images = images
        self._sent: dict[str, Any] = {}
        self._sent_at = 0.0

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def register(self) -> bool:
        """Makes the Node or brings its labels and ranges up to date, and sends the first status. True when Ready."""
        resource = kinds.of("v1", "Node")
        wanted = node.node(self._config, self._facts)
        try:
            found = await self._client.create(resource, wanted)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            found = await self._client.patch(
                resource,
                self._config.node_name,
                {"metadata": {"labels": wanted["metadata"]["labels"]}},
                content_type=STRATEGIC_MERGE_PATCH,
            )
        return await self.report(before=(found.get("status") or {}).get("conditions") or [])

    async def report(self, before: list[dict[str, Any]] | None = None) -> bool:
        """Sends the status when it says something new, or is old. True when the node is Ready."""
        why = await self._why_not_ready()
        conditions = before if before is not None else self._sent.get("conditions", [])
        status = node.status(
            self._config,
            self._facts,
            now=self._now(),
            port=self._port,
            before=conditions,
            ready=not why,
            why=why,
            runtime=self._runtime,
            images=await self._images(),
        )
        old = self._clock.monotonic() - self._sent_at > REPORT_EVERY
        if old or _plain(status) != _plain(self._sent):
            await self._client.patch(
                kinds.of("v1", "Node"),
                self._config.node_name,
                {"status": status},
                content_type=STRATEGIC_MERGE_PATCH,
                subresource="status",
                field_manager="kubelet",
            )
            self._sent, self._sent_at = status, self._clock.monotonic()
        return not why

    async def keep_status(self) -> None:
        while True:
            await self._clock.sleep(STATUS_EVERY)
            try:
                await self.report()
            except ApiError as error:
                if error.code == 404:
                    log.info("node %s is gone from the API, registers again", self._config.node_name)
                    self._sent = {}
                    await self.register()
                else:
                    log.warning("status of node %s: %s", self._config.node_name, error)

    async def keep_lease(self) -> None:
        """Renews the node's Lease; makes it when it is not there."""
        resource = kinds.of("coordination.k8s.io/v1", "Lease")
        while True:
            stamp = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            spec = {
                "holderIdentity": self._config.node_name,
                "leaseDurationSeconds": node.LEASE_SECONDS,
                "renewTime": stamp,
            }
            try:
                await self._client.patch(resource, self._config.node_name, {"spec": spec}, LEASES)
            except ApiError as error:
                if error.code == 404:
                    await self._make_lease(resource, spec)
                else:
                    log.warning("lease of node %s: %s", self._config.node_name, error)
            await self._clock.sleep(LEASE_EVERY)

    async def _make_lease(self, resource: Any, spec: dict[str, Any]) -> None:
        name = self._config.node_name
        try:
            owner = await self._client.get(kinds.of("v1", "Node"), name)
            lease = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {
                    "name": name,
                    "namespace": LEASES,
                    "ownerReferences": [
                        {"apiVersion": "v1", "kind": "Node", "name": name, "uid": owner["metadata"]["uid"]}
                    ],
                },
                "spec": spec,
            }
            await self._client.create(resource, lease, LEASES)
        except ApiError as error:
            log.warning("lease of node %s cannot be made: %s", name, error)


def _plain(status: dict[str, Any]) -> dict[str, Any]:
    """A status without its times, to see whether anything has changed."""
    rest = {key: value for key, value in status.items() if key != "conditions"}
    rest["conditions"] = [
        {
            key: value
            for key, value in condition.items()
            if key not in ("lastHeartbeatTime", "lastTransitionTime")
        }
        for condition in status.get("conditions") or ()
    ]
    return rest
