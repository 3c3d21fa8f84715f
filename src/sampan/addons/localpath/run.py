"""The provisioner as a component over a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sampan.addons.localpath.model import Config


async def run(client: Any, config: Config, started: Callable[[], None]) -> None:
    """Makes volumes for claims of its class and removes released ones; `started()` once it watches."""
    raise NotImplementedError
