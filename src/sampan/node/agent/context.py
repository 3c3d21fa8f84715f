"""What all pods of a node share: the runtime, the API, what is known of the cluster. Made once by `run`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sampan.base.aio import Clock, Tasks
from sampan.client.rest import Client
from sampan.node.agent.config import Config
from sampan.node.agent.images import Puller
from sampan.node.agent.node import Machine
from sampan.node.agent.probes import Prober
from sampan.node.agent.references import References
from sampan.node.agent.tokens import Tokens
from sampan.spec import cri

Object = Mapping[str, Any]


class Context(NamedTuple):
    """`services` lists the Services that are known now; `event(pod, type, reason, message)` records one.

    `stamp()` gives a text that is unique on this node; `resolv` is the node's own resolv.conf.
    """

    config: Config
    client: Client
    runtime: cri.Runtime
    puller: Puller
    prober: Prober
    references: References
    tokens: Tokens
    tasks: Tasks
    clock: Clock
    machine: Machine
    resolv: cri.DNSConfig
    services: Callable[[], Iterable[Object]]
    event: Callable[[Object, str, str, str], None]
    stamp: Callable[[], str]
