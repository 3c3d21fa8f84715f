"""Netlink packed by hand: links, addresses and routes (rtnetlink), nf_tables, conntrack entries.

`wire` packs and parses attributes, `socket` talks to the kernel, `netns` enters network namespaces. `rtnl` makes
rtnetlink requests; `expression`, `nft` and `conntrack` make those of netfilter. Makers are pure and return a
`Request` that names its object, so that an error of the kernel names it too.
Source: the kernel's uapi headers linux/{netlink,rtnetlink,if_link,neighbour}.h and
linux/netfilter/{nfnetlink,nf_tables,nfnetlink_conntrack}.h. What may not be here: policy, or a process started.
"""

from sampan.base.netlink.socket import Socket
from sampan.base.netlink.wire import NetlinkError, Request

__all__ = ["NetlinkError", "Request", "Socket"]
