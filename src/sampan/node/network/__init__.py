"""The node's side of CNI (specification 1.1.0): a host that runs plug-in chains, and the basic plug-ins.

`model` is the configuration, `host` runs a chain, `plugins/` holds bridge, host-local, loopback and portmap,
`ground` lays what lies under them (forwarding, routes, the bridge) and takes it away again.
What may not be here: a Kubernetes API client; who calls this speaks `spec.cni` only.
"""

from sampan.node.network.model import Config
from sampan.node.network.network import cleanup, open

__all__ = ["Config", "cleanup", "open"]
