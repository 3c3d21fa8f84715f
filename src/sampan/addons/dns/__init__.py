"""Cluster DNS by the Kubernetes DNS specification 1.1.0.

`records` makes answers from Services and EndpointSlices, `server` answers on UDP and TCP, `forward` asks others.
What may not be here: the wire format.
"""

from sampan.addons.dns.model import Config
from sampan.addons.dns.run import run

__all__ = ["Config", "run"]
