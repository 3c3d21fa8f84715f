"""The one registry of what Sampan puts into the packet path of a node: nft tables and hook priorities. Pure.

Every table carries its cluster's name, so that clusters lie side by side in one network namespace. No packet mark
is used: what a later hook must know it reads from conntrack.
"""

from __future__ import annotations

import re

# hook priorities; names and numbers of linux/netfilter_ipv4.h and nft(8)
RAW = -300
DSTNAT = -100
FILTER = 0
SRCNAT = 100

HOST_PORTS = DSTNAT - 5
"""A pod's hostPort is asked before services: it is the narrower claim."""
SERVICES = DSTNAT

UNREACHABLE_METRIC = 4278198272
"""Metric of the unreachable routes under the ranges: any real route wins (the number systemd-networkd's and
Cilium's fallbacks stay below)."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,62})?")


def table(cluster: str, part: str) -> str:
    """The nft table of one part (network, services, policy) of one cluster."""
    if not _NAME.fullmatch(cluster):
        raise ValueError(f"cluster name {cluster!r}: must be lower case letters, digits, '-' and '.'")
    return f"sampan.{cluster}.{part}"


def ours(name: str) -> bool:
    """Whether a table is of any cluster of ours."""
    return name.startswith("sampan.")
