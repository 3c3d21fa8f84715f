"""Which resolvers other names are asked from: never one that leads back to us. Pure but for `read`."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

STUB = "127.0.0.53"
"""systemd-resolved's stub listener; its real resolvers are in RESOLVED."""
RESOLVED = "/run/systemd/resolve/resolv.conf"
PORT = 53


class Upstream(NamedTuple):
    address: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def parse(text: str) -> Upstream:
    """An address, address:port or [address]:port. Raises ValueError."""
    host, port = text, str(PORT)
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        upstream = Upstream(str(ipaddress.ip_address(host)), int(port))
    except ValueError:
        raise ValueError(f"upstream {text!r}: expected an address or address:port") from None
    if not 0 < upstream.port < 65536:
        raise ValueError(f"upstream {text!r}: port must lie between 1 and 65535")
    return upstream


def nameservers(resolv_conf: str) -> list[Upstream]:
    """The nameserver lines of a resolv.conf; those that are no addresses are passed over."""
    found = []
    for line in resolv_conf.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver":
            try:
                found.append(Upstream(str(ipaddress.ip_address(words[1].split("%")[0]))))
            except ValueError:
                log.warning("resolv.conf: nameserver %r is no address and is passed over", words[1])
    return found


def choose(
    configured: Sequence[str],
    resolv_conf: str,
    ours: Collection[tuple[str, int]],
    read: Callable[[str], str],
) -> list[Upstream]:
    """The configured resolvers, else those of `resolv_conf`; without ours and without the stub. May be empty.

    Raises ValueError for a configured one that cannot be read.
    """
    if configured:
        found = [parse(text) for text in configured]
    else:
        found = nameservers(read(resolv_conf))
        if any(u.address == STUB for u in found):
            found = [u for u in found if u.address != STUB] + nameservers(read(RESOLVED))
    kept = []
    for upstream in dict.fromkeys(found):
        if upstream in ours:
            log.warning("upstream %s is this server itself and is left out", upstream)
        elif not configured and upstream.address == STUB:
            continue
        else:
            kept.append(upstream)
    return kept


def read(path: str) -> str:
    """A file's text; "" when it cannot be read."""
    try:
        return Path(path).read_text()
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error)
        return ""
