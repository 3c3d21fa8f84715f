"""What the proxy does to the kernel: fills the table, keeps it, forgets flows and affinities that lead nowhere."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sampan.base.netlink import NetlinkError, conntrack, nft
from sampan.dataplane import services
from sampan.dataplane.services import Changes, Frontend, Ledger, Pick, Sticky
from sampan.node.proxy import table
from sampan.node.proxy.model import Config

log = logging.getLogger(__name__)

_UDP = 17
_PURGE_TRIES = 3


class Leftovers(NamedTuple):
    """What a change leaves in the kernel outside of the table: clients that may stay with an endpoint that is gone,
    and UDP frontends whose flows may lead there.
    """

    affinity: bool = False
    udp: tuple[Frontend, ...] = ()

    def __bool__(self) -> bool:
        return self.affinity or bool(self.udp)


class Kernel:
    """Synchronous; one thread at a time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._socket = nft.open_socket(config.netns)
        self._shared: set[Pick | Sticky] = set()

    def close(self) -> None:
        self._socket.close()

    def replace(self, ledger: Ledger) -> None:
        """The whole table in one transaction: packets meet the old one or the new one."""
        own = table.of(self._config)
        with no_collection():
            wanted = ledger.all()
            chains = [c.name for c in nft.chains(self._socket) if (c.family, c.table) == ("ip", own.name)]
            sets = nft.set_names(self._socket, own)
            try:
                nft.commit(self._socket, table.replace(self._config, wanted, chains, sets))
            except NetlinkError as error:
                if not chains:
                    raise
                # a table of another build, whose sets are of other types
                log.warning(
                    "the service table cannot be kept (%s) and is made anew; affinities are lost", error
                )
                afresh = [
                    nft.table_add(own),
                    nft.table_delete(own),
                    *table.replace(self._config, wanted, (), ()),
                ]
                nft.commit(self._socket, afresh)
            self._shared = table.shared_of(wanted)
        self._purge_affinity(ledger)

    def change(self, changes: Changes) -> Leftovers:
        """Raises NetlinkError when the table is not what it was; `replace` mends it."""
        nft.commit(self._socket, table.change(self._config, changes, self._shared))
        self._shared |= table.shared_of(place for place, _ in changes.added)
        ends = any(isinstance(head, Sticky) for head, _ in changes.removed)
        sticky = any(isinstance(head, Sticky) for head in self._shared)
        touched = {key[0] for head, key in changes.removed if head == services.ENDPOINTS}
        affinity = ends or (sticky and bool(touched))
        touched |= {Frontend(*key) for head, key in changes.removed if head == services.REJECTED}
        return Leftovers(affinity, tuple(sorted(f for f in touched if f.protocol == "UDP")))

    def tidy(self, leftovers: Leftovers, ledger: Ledger) -> None:
        """Takes as long as there are clients with affinity, or flows: not for an event loop."""
        if leftovers.affinity:
            self._purge_affinity(ledger)
        if leftovers.udp:
            self._forget_flows(leftovers.udp, ledger)

    def intact(self) -> bool:
        """Whether our table is there with all its sets; somebody may have flushed the rule set."""
        there = set(nft.set_names(self._socket, table.of(self._config)))
        return there.issuperset(table.SETS) and there.issuperset(s.name for s in self._shared)

    def _purge_affinity(self, ledger: Ledger) -> None:
        """Forgets clients of endpoints that are gone. Entries end by themselves meanwhile, which fails a transaction."""
        own = table.of(self._config)
        for _ in range(_PURGE_TRIES):
            stale = []
            for element in nft.elements(self._socket, own, table.AFFINITY.name):
                frontend, backend = table.read_affinity(element)
                if backend not in ledger.sticky(frontend):
                    stale.append(element.key)
            try:
                nft.commit(self._socket, list(nft.elements_delete(own, table.AFFINITY, stale)))
            except NetlinkError:
                continue
            return
        log.warning("%d clients stay with endpoints that are gone until their affinity ends", len(stale))

    def _forget_flows(self, frontends: Iterable[Frontend], ledger: Ledger) -> None:
        """UDP has no end that conntrack could see: a flow to an endpoint that is gone would be led there for ever."""
        here = set(self._config.node_addresses)
        exact = {(f.address, f.port): ledger.backends(f) for f in frontends}
        stale = []
        for flow in conntrack.flows(self._socket, _UDP):
            valid = exact.get((flow.destination, flow.destination_port))
            led = flow.answerer != flow.destination
            if valid is None and (led or flow.destination in here):
                valid = exact.get((services.ANY, flow.destination_port))
            if valid is not None and (flow.answerer, flow.answerer_port) not in valid:
                stale.append(conntrack.delete(flow))
        self._socket.run(*stale)


def remove(config: Config) -> None:
    own = table.of(config)
    with nft.open_socket(config.netns) as socket:
        if own in nft.tables(socket):
            nft.commit(socket, [nft.table_delete(own)])


@contextmanager
def no_collection() -> Iterator[None]:
    """Making some ten thousand tuples sets the collector off again and again, for nothing: none is in a cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
