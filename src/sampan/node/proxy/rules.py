"""The rules of the service table: how a packet walks through its sets and maps. Pure.

A packet is looked up by (address, protocol, port) in the set of each number of endpoints there is (a few dozen at most);
the chain that goes with the set draws a slot and finds the endpoint by (address, protocol, port, slot). NodePorts lie in
the same sets under address 0.0.0.0. What postrouting must know it reads from conntrack's original tuple; no packet is
marked. With affinity, postrouting and input write down where a client was led to, and its later connections go there.

Why not one verdict map: the kernel walks all of it at each change (2 ms at 10,000 services, against 0.1). Why not maps
that lead to maps: nft 1.0 aborts when it has to list them, and firewalld with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from sampan.base.netlink import expression as x
from sampan.base.netlink import nft
from sampan.base.netlink.wire import Request
from sampan.dataplane import ruleset, services
from sampan.dataplane.services import INSIDE, OUTSIDE, Pick, Sticky

AFFINITY, POD_RANGES, SERVICE_RANGES = "affinity", "pod-ranges", "service-ranges"
PORT: Final = "-port"
"""Ends the names of chains in which the frontend is a NodePort."""

_ASKED: Final = (x.ip_daddr(0), x.l4proto(1), x.th_dport(2))
_ASKED_PORT: Final = (*x.ANY_ADDRESS, x.l4proto(1), x.th_dport(2))
# the same from conntrack, behind the translation
_WAS_ASKED: Final = (x.ct(x.CT_DST_IP, 0, x.ORIGINAL), x.l4proto(1), x.ct(x.CT_PROTO_DST, 2, x.ORIGINAL))
_WAS_ASKED_PORT: Final = (
    x.ct(x.CT_DST_IP, 0, x.ORIGINAL),
    x.bitwise(bytes(4)),
    x.l4proto(1),
    x.ct(x.CT_PROTO_DST, 2, x.ORIGINAL),
)
_CLIENT: Final = (x.ip_saddr(0), x.ip_daddr(1), x.l4proto(2), x.th_dport(3))
_CLIENT_PORT: Final = (x.ip_saddr(0), x.ip_daddr(1), x.bitwise(bytes(4), 1), x.l4proto(2), x.th_dport(3))

_FROM_HERE: Final = (x.fib(x.FIB_ADDRTYPE, x.FIB_SADDR), x.cmp(x.EQ, x.host32(x.RTN_LOCAL)))
_TO_HERE: Final = (x.fib(x.FIB_ADDRTYPE, x.FIB_DADDR), x.cmp(x.EQ, x.host32(x.RTN_LOCAL)))
_FROM_LOOPBACK: Final = (x.ip_saddr(), x.bitwise(b"\xff\0\0\0"), x.cmp(x.EQ, b"\x7f\0\0\0"))
_NOT_TO_LOOPBACK: Final = (x.ip_daddr(), x.bitwise(b"\xff\0\0\0"), x.cmp(x.NEQ, b"\x7f\0\0\0"))
_NOT_TRANSLATED: Final = (x.ct(x.CT_STATUS), x.bitwise(x.host32(x.STATUS_DNAT)), x.cmp(x.EQ, x.host32(0)))
_DROP: Final = x.verdict(x.Verdict(x.DROP))
_RETURN: Final = x.verdict(x.Verdict(x.RETURN))

_BASE: Final = (
    ("firewall", "filter", "prerouting", ruleset.SERVICES - 10),
    ("prerouting", "nat", "prerouting", ruleset.SERVICES),
    ("output", "nat", "output", ruleset.SERVICES),
    ("postrouting", "nat", "postrouting", ruleset.SRCNAT),
    ("arrived", "nat", "input", ruleset.SRCNAT),
    ("translated", "filter", "prerouting", ruleset.SERVICES + 10),
    ("local-output", "filter", "output", ruleset.FILTER),
)
_SUFFIXED: Final = ("services", services.LOCAL_POLICY, INSIDE, OUTSIDE)
_REGULAR: Final = ("remember", "unclaimed", "reject", *_SUFFIXED, *(name + PORT for name in _SUFFIXED))

_Rule: TypeAlias = Callable[..., Request]


def chains(shared: Iterable[Pick | Sticky]) -> set[str]:
    """Names of all chains of a table with these picks."""
    picks = {s.name for s in shared if isinstance(s, Pick)}
    return {*(name for name, *_ in _BASE), *_REGULAR, *picks, *(name + PORT for name in picks)}


def frame(table: nft.Table) -> Iterator[Request]:
    """The chains that every table has, empty."""
    for name, kind, hook, priority in _BASE:
        yield nft.base_chain_add(table, name, kind, hook, priority)
        yield nft.chain_flush(table, name)
    for name in _REGULAR:
        yield nft.chain_add(table, name)
        yield nft.chain_flush(table, name)


def fixed(table: nft.Table, *, loopback: bool) -> Iterator[Request]:
    """The rules that depend on no service. With `loopback` NodePorts answer on 127.0.0.1 too."""

    def rule(chain: str, *expressions: bytes) -> Request:
        return nft.rule_add(table, chain, *expressions)

    for hook in ("prerouting", "output"):
        yield rule(hook, x.verdict(x.Verdict(x.JUMP, "services")))
        to_node = _TO_HERE if loopback else (*_NOT_TO_LOOPBACK, *_TO_HERE)
        yield rule(hook, *to_node, x.verdict(x.Verdict(x.JUMP, "services" + PORT)))
    for suffix in ("", PORT):
        policy = services.LOCAL_POLICY + suffix
        yield rule(policy, x.ip_saddr(), x.lookup(POD_RANGES), x.verdict(x.goto(INSIDE + suffix)))
        yield rule(policy, *_FROM_HERE, x.verdict(x.goto(INSIDE + suffix)))
        yield rule(policy, x.verdict(x.goto(OUTSIDE + suffix)))
    yield rule(
        "firewall",
        *_ASKED,
        x.lookup(services.FIREWALLED, 0),
        x.ip_saddr(3),
        x.lookup(services.SOURCES, 0, invert=True),
        _DROP,
    )
    yield rule("arrived", *_NOT_TRANSLATED, _RETURN)
    yield rule("arrived", x.verdict(x.goto("remember")))
    yield from _unclaimed(rule)
    yield from _postrouting(rule)


def _unclaimed(rule: _Rule) -> Iterator[Request]:
    """Who asks a service without endpoints, or a service address that nobody has, learns so at once."""
    settled = x.host32(x.STATE_ESTABLISHED | x.STATE_RELATED)
    # before routing: the bridge's route for services would answer with a redirect first (ICMP is rationed)
    for chain in ("translated", "local-output"):
        unsettled = (x.ct(x.CT_STATE), x.bitwise(settled), x.cmp(x.EQ, x.host32(0)))
        yield rule(chain, *unsettled, x.verdict(x.Verdict(x.JUMP, "unclaimed")))
    to_reject = x.verdict(x.goto("reject"))
    yield rule("unclaimed", *_ASKED, x.lookup(services.REJECTED), to_reject)
    yield rule("unclaimed", *_TO_HERE, *_ASKED_PORT, x.lookup(services.REJECTED), to_reject)
    yield rule("unclaimed", x.ip_daddr(), x.lookup(SERVICE_RANGES), to_reject)
    yield rule("reject", x.l4proto(), x.cmp(x.EQ, b"\x06"), x.reject(x.REJECT_TCP_RESET))
    yield rule("reject", x.reject(x.REJECT_ICMP, x.ICMP_PORT_UNREACHABLE))


def _postrouting(rule: _Rule) -> Iterator[Request]:
    """Whose answers would not come back by themselves: seen once per connection, at its first packet."""
    chain = "postrouting"
    yield rule(chain, *_NOT_TRANSLATED, _RETURN)
    yield rule(chain, x.verdict(x.Verdict(x.JUMP, "remember")))
    yield rule(chain, x.meta(x.META_OIFNAME), x.cmp(x.EQ, x.ifname("lo")), _RETURN)
    yield rule(chain, x.ip_saddr(0), x.ip_daddr(1), x.lookup(services.HAIRPINS), x.masquerade())
    yield rule(chain, *_FROM_LOOPBACK, x.masquerade())
    # with the Local policy outsiders keep their address; a program of this node may have met another node's endpoint
    local = (x.lookup(services.MASQUERADED_LOCAL), *_FROM_HERE, x.masquerade())
    yield rule(chain, *_WAS_ASKED, x.lookup(services.MASQUERADED), x.masquerade())
    yield rule(chain, *_WAS_ASKED, *local)
    to_service = (x.ct(x.CT_DST_IP, 0, x.ORIGINAL), x.lookup(SERVICE_RANGES))
    yield rule(chain, *to_service, x.ip_saddr(), x.lookup(POD_RANGES, invert=True), x.masquerade())
    yield rule(chain, *to_service, _RETURN)
    yield rule(chain, *_WAS_ASKED_PORT, x.lookup(services.MASQUERADED), x.masquerade())
    yield rule(chain, *_WAS_ASKED_PORT, *local)


def shared(table: nft.Table, wanted: Sequence[Pick | Sticky]) -> Iterator[Request]:
    """The chains of picks and the rules that lead there, anew."""
    picks = sorted(s for s in wanted if isinstance(s, Pick))
    for pick in picks:
        for asked, suffix in ((_ASKED, ""), (_ASKED_PORT, PORT)):
            yield nft.chain_add(table, pick.name + suffix)
            yield nft.chain_flush(table, pick.name + suffix)
            offset = services.OUTSIDE_SLOT if pick.view == OUTSIDE else 0
            slot = x.numgen(pick.size, 3, offset=offset)
            endpoint = x.lookup(services.ENDPOINTS, 0, into=8)
            yield nft.rule_add(table, pick.name + suffix, *asked, slot, endpoint, x.nat(x.DNAT, 8, 9))
    yield from _dispatch(table, picks)
    yield from _remember(table, sorted(s for s in wanted if isinstance(s, Sticky)))


def _dispatch(table: nft.Table, picks: Sequence[Pick]) -> Iterator[Request]:
    for asked, client, suffix in ((_ASKED, _CLIENT, ""), (_ASKED_PORT, _CLIENT_PORT, PORT)):
        by_view = {
            "services": [(p.name, x.goto(p.name + suffix)) for p in picks if not p.view],
            INSIDE: [(p.name, x.goto(p.name + suffix)) for p in picks if p.view == INSIDE],
            OUTSIDE: [(p.name, x.goto(p.name + suffix)) for p in picks if p.view == OUTSIDE],
        }
        by_view["services"] += [
            (services.LOCAL_POLICY, x.goto(services.LOCAL_POLICY + suffix)),
            (services.DROPPED, x.Verdict(x.DROP)),
        ]
        for chain, targets in by_view.items():
            yield nft.chain_flush(table, chain + suffix)
            if chain == "services":
                stay = x.lookup(AFFINITY, 0, into=8)
                yield nft.rule_add(table, chain + suffix, *client, stay, x.nat(x.DNAT, 8, 9))
            for name, verdict in targets:
                yield nft.rule_add(table, chain + suffix, *asked, x.lookup(name), x.verdict(verdict))
        yield nft.rule_add(table, OUTSIDE + suffix, _DROP, comment="no endpoint on this node")


def _remember(table: nft.Table, sticky: Sequence[Sticky]) -> Iterator[Request]:
    """Where the packet goes now is where its client stays; an entry that is there has its time renewed."""
    yield nft.chain_flush(table, "remember")
    address = x.ct(x.CT_DST_IP, 1, x.ORIGINAL)
    for one in sticky:
        for was_asked, any_address in ((_WAS_ASKED, ()), (_WAS_ASKED_PORT, (x.bitwise(bytes(4), 1),))):
            yield nft.rule_add(
                table,
                "remember",
                *was_asked,
                x.lookup(one.name),
                x.ct(x.CT_SRC_IP, 0, x.ORIGINAL),
                address,
                *any_address,
                x.l4proto(2),
                x.ct(x.CT_PROTO_DST, 3, x.ORIGINAL),
                x.ip_daddr(8),
                x.th_dport(9),
                x.dynset(x.DYNSET_UPDATE, AFFINITY, 0, 8, seconds=one.seconds),
            )
