"""Foreign firewalls: base chains of others that drop what is forwarded (Docker, ufw, libvirt, firewalld).

An accept in our own table cannot undo a drop in theirs, so two accepts for the pod bridge go to the head of each such
chain, in the form that iptables shows as -i BRIDGE and -o BRIDGE. Their owner may throw them away; `mend` puts
them back.
"""

from __future__ import annotations

from pathlib import Path

from sampan.base.netlink import Socket, nft
from sampan.base.netlink import expression as x
from sampan.base.netlink import netns as namespaces
from sampan.dataplane import ruleset

_DROP = 0
_FAMILIES = {"ip": x.IPV4, "inet": nft.INET}


def _comment(bridge: str) -> str:
    return f"sampan: pods on {bridge}"


def dropping(socket: Socket) -> list[nft.Chain]:
    """Foreign base chains at the forward hook whose policy is drop."""
    return [
        chain
        for chain in nft.chains(socket)
        if chain.hook == "forward"
        and chain.policy == _DROP
        and chain.family in _FAMILIES
        and not ruleset.ours(chain.table)
    ]


def mend(netns: str, bridge: str) -> list[str]:
    """Lets the bridge's traffic through every foreign chain that drops; returns what it changed, in words."""
    changed = []
    with nft.open_socket(netns) as socket:
        for chain in dropping(socket):
            table = nft.Table(chain.table, _FAMILIES[chain.family])
            if any(comment == _comment(bridge) for _, comment in nft.rule_handles(socket, table, chain.name)):
                continue
            nft.commit(
                socket,
                [
                    nft.rule_add(
                        table,
                        chain.name,
                        x.meta(key),
                        x.cmp(x.EQ, bridge.encode() + b"\0"),
                        x.counter(),
                        x.verdict(x.Verdict(x.ACCEPT)),
                        comment=_comment(bridge),
                        first=True,
                    )
                    for key in (x.META_IIFNAME, x.META_OIFNAME)
                ],
            )
            changed.append(f"chain {chain.name!r} of table {chain.family} {chain.table!r}")
    return changed


def clear(netns: str, bridge: str) -> None:
    """Takes our rules out of foreign chains again."""
    with nft.open_socket(netns) as socket:
        requests = []
        for chain in nft.chains(socket):
            if chain.hook != "forward" or chain.family not in _FAMILIES or ruleset.ours(chain.table):
                continue
            table = nft.Table(chain.table, _FAMILIES[chain.family])
            requests += [
                nft.rule_delete(table, chain.name, handle)
                for handle, comment in nft.rule_handles(socket, table, chain.name)
                if comment == _comment(bridge)
            ]
        nft.commit(socket, requests)


def legacy_tables(netns: str) -> list[str]:
    """Tables of the old iptables, which nf_tables cannot see or mend; they matter when one of them drops."""
    with namespaces.inside(netns):
        try:
            return Path("/proc/thread-self/net/ip_tables_names").read_text().split()
        except OSError:
            return []
