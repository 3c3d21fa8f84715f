"""A Kubernetes API client: REST verbs, watch, informer cache, kubeconfig, streams.

It runs against any conformant cluster. `config` says where and as whom, `rest` is the client itself, `discovery` finds
resources by kind, `kubeconfig` reads and writes the files that kubectl uses, `cache` keeps a local copy of what is watched.
What may not be here: global state, a default kubeconfig, anything that only Sampan's own server understands.

    async with client.connect(kubeconfig.load()) as api:
        pods = await api.list(kinds.PODS, "default")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sampan.client.config import Config
    from sampan.client.rest import Client


def connect(config: Config) -> Client:
    """A client over the transport that `config` describes; opens no connection yet."""
    from sampan.client import rest, transport

    return rest.Client(transport.Transport(config), namespace=config.namespace)
