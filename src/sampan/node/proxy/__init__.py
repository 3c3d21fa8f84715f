"""The service proxy: what `dataplane.services` decides, executed on nftables by netlink.

`run` is the component; `cleanup` removes its table. Behaviour: Kubernetes' virtual IPs and service proxies page.
What may not be here: a decision about which endpoint a packet meets.
"""

from sampan.node.proxy.model import Config
from sampan.node.proxy.run import cleanup, run

__all__ = ["Config", "cleanup", "run"]
