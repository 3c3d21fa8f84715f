"""The proxy as a component over a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.node.proxy.model import Config


async def run(client: Any, config: Config, started: Callable[[], None]) -> None:
    """Keeps the kernel's table as Services and EndpointSlices say; `started()` once the first table is in.

    On cancellation the table stays: traffic flows on while the proxy restarts.
    """
    raise NotImplementedError


def cleanup(config: Config) -> None:
    """Removes the cluster's service table; succeeds when there is none."""
    raise NotImplementedError(config)
