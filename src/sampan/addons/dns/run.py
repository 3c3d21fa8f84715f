"""Cluster DNS as a component over a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.addons.dns.model import Config


async def run(client: Any, config: Config, started: Callable[[], None]) -> None:
    """Serves DNS; `started()` once the cluster's names are known and the sockets answer."""
    raise NotImplementedError
